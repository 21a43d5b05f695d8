/* Its table has another name than its file. */
#include <dunlin/target.h>

static double point(const void *self, const double *x, double *gradient)
{
  (void)self;
  if (gradient)
    gradient[0] = -x[0];
  return -0.5 * x[0] * x[0];
}

const struct dun_target dun_target_misnamed = {
    .type = {DUN_TYPE(struct dun_target), .name = "misnamed", .doc = "Not to be found."},
    .dimension = 1,
    .point = point,
};
