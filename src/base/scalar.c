#include "base/scalar.h"
#include "base/vmath.h"

DUN_CLONES double dun_scalar_exp(double x)
{
  return dun_exp(x);
}

DUN_CLONES double dun_scalar_log(double x)
{
  return dun_log(x);
}

DUN_CLONES double dun_scalar_expm1(double x)
{
  return dun_expm1(x);
}

DUN_CLONES void dun_scalar_sincos2pi(double u, double *sine, double *cosine)
{
  dun_sincos2pi(u, sine, cosine);
}
