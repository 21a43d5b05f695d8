/* The right number, but a table of another size. */
#include <dunlin/target.h>

static double point(const void *self, const double *x, double *gradient)
{
  (void)self;
  if (gradient)
    gradient[0] = -x[0];
  return -0.5 * x[0] * x[0];
}

const struct dun_target dun_target_other_size = {
    .type = {.abi = DUN_ABI,
             .table_size = sizeof(struct dun_target) - sizeof(void *),
             .option_size = sizeof(struct dun_option),
             .name = "other_size",
             .doc = "Of another size."},
    .dimension = 1,
    .point = point,
};
