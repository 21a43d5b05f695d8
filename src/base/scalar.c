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
