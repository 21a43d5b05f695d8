/* An option outside the struct: setting it would overwrite somebody else's memory. */
#include <dunlin/target.h>

static const struct dun_option options[] = {
    {.name = "wild", .type = DUN_NUMBER, .offset = 4096, .initial = "0", .doc = "Somewhere."}, {0}};

static double point(const void *self, const double *x, double *gradient)
{
  (void)self;
  if (gradient)
    gradient[0] = -x[0];
  return -0.5 * x[0] * x[0];
}

const struct dun_target dun_target_wild_option = {
    .type = {DUN_TYPE(struct dun_target), .name = "wild_option",
             .doc = "Writes outside its struct.", .size = 8, .options = options},
    .dimension = 1,
    .point = point,
};
