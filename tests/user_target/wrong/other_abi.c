/* Built against another version of the interface. */
#include <dunlin/target.h>

static double point(const void *self, const double *x, double *gradient)
{
  (void)self;
  if (gradient)
    gradient[0] = -x[0];
  return -0.5 * x[0] * x[0];
}

const struct dun_target dun_target_other_abi = {
    .type = {.abi = DUN_ABI + 1,
             .table_size = sizeof(struct dun_target),
             .option_size = sizeof(struct dun_option),
             .name = "other_abi",
             .doc = "From another time."},
    .dimension = 1,
    .point = point,
};
