/* Two wells, exp(-3 (x^2 - 1)^2 - x / 2). */
#include <dunlin/target.h>

static double point(const void *self, const double *x, double *gradient)
{
  double wall = x[0] * x[0] - 1;
  (void)self;
  if (gradient)
    gradient[0] = -12 * wall * x[0] - .5;
  return -3 * wall * wall - .5 * x[0];
}

const struct dun_target dun_target_quartic = {
    .type = {DUN_TYPE(struct dun_target), .name = "quartic", .doc = "Two wells."},
    .dimension = 1,
    .point = point,
};
