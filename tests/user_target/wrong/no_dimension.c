/* Neither a fixed dimension nor a function that tells it. */
#include <dunlin/target.h>

static double point(const void *self, const double *x, double *gradient)
{
  (void)self;
  if (gradient)
    gradient[0] = -x[0];
  return -0.5 * x[0] * x[0];
}

const struct dun_target dun_target_no_dimension = {
    .type = {DUN_TYPE(struct dun_target), .name = "no_dimension", .doc = "Lives nowhere."},
    .point = point,
};
