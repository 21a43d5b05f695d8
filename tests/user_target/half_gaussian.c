/* A standard normal on the half line above 0, where its log Z is log(1/2). */
#include <dunlin/target.h>
#include <math.h>

static double point(const void *self, const double *x, double *gradient)
{
  (void)self;
  if (x[0] <= 0)
    return -INFINITY;
  if (gradient)
    gradient[0] = -x[0];
  return -.5 * x[0] * x[0] - .918938533204672742;
}

const struct dun_target dun_target_half_gaussian = {
    .type = {DUN_TYPE(struct dun_target), .name = "half_gaussian", .doc = "Half a Gaussian."},
    .dimension = 1,
    .point = point,
};
