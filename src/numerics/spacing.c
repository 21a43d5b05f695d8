#include "numerics/spacing.h"
#include "base/scalar.h"

double dun_spacing_at(const struct dun_spacing *s, double part, double whole)
{
  double share = part / whole, length = s->last - s->first;

  switch ((enum dun_spacing_type)s->type) {
  case DUN_SPACING_POWER:
    return s->first + length * dun_scalar_exp(s->power * dun_scalar_log(share));
  case DUN_SPACING_GEOMETRIC:
    return s->first * dun_scalar_exp(share * dun_scalar_log(s->last / s->first));
  case DUN_SPACING_LINEAR: break;
  }
  return s->first + length * part / whole;
}
