/* The least that a target is: a function of one point and a table. */
#include <dunlin/target.h>

static double point(const void *self, const double *x, double *gradient)
{
  (void)self;
  if (gradient)
    gradient[0] = -x[0], gradient[1] = -4 * x[1];
  return -0.5 * x[0] * x[0] - 2 * x[1] * x[1];
}

const struct dun_target dun_target_smallest = {
    .type = {DUN_TYPE(struct dun_target), .name = "smallest", .doc = "An ellipse."},
    .dimension = 2,
    .point = point,
};
