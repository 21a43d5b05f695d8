/* Calls a function that no library brings. */
#include <dunlin/target.h>

double dun_nobody_defines_this(double x);

static double point(const void *self, const double *x, double *gradient)
{
  (void)self;
  (void)gradient;
  return dun_nobody_defines_this(*x);
}

const struct dun_target dun_target_missing_function = {
    .type = {DUN_TYPE(struct dun_target), .name = "missing_function", .doc = "Incomplete."},
    .dimension = 1,
    .point = point,
};
