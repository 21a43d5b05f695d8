/* A sound target whose library, as if linked with -ffast-math, switches subnormal numbers off for
 * the whole process when it is loaded. */
#include <dunlin/target.h>

__attribute__((constructor)) static void flush_subnormals(void)
{
  __builtin_ia32_ldmxcsr(__builtin_ia32_stmxcsr() | 0x8040u);
}

static double point(const void *self, const double *x, double *gradient)
{
  (void)self;
  if (gradient)
    gradient[0] = -x[0];
  return -0.5 * x[0] * x[0];
}

const struct dun_target dun_target_flushing = {
    .type = {DUN_TYPE(struct dun_target), .name = "flushing", .doc = "Changes the rounding."},
    .dimension = 1,
    .point = point,
};
