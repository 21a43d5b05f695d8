#include "numerics/spacing.h"
#include "base/scalar.h"
#include <math.h>

/* The turn, a quarter at most, whose tangent is the root of x: by Newton's method on sine - tangent
 * cosine, for the smaller of the angle and its complement. */
static double turn_of(double x)
{
  const double turn = 0x1.921fb54442d18p2; /* 2 pi */
  double tangent = sqrt(x > 1 ? 1 / x : x), u = tangent / (turn * (1 + .28 * x)), sine, cosine;
  if (x > 1)
    u = tangent / (turn * (1 + .28 / x));
  for (int k = 0; k < 5; k++) {
    dun_scalar_sincos2pi(u, &sine, &cosine);
    u -= (sine - tangent * cosine) / (turn * (cosine + tangent * sine));
  }
  return x > 1 ? .25 - u : u;
}

static double tangent_square(double turns)
{
  double sine, cosine;
  dun_scalar_sincos2pi(turns, &sine, &cosine);
  return cosine > 0 ? sine * sine / (cosine * cosine) : INFINITY;
}

double dun_spacing_at(const struct dun_spacing *s, double part, double whole)
{
  double share = part / whole, length = s->last - s->first, sine, cosine, a, b;

  switch ((enum dun_spacing_type)s->type) {
  case DUN_SPACING_POWER:
    return s->first + length * dun_scalar_exp(s->power * dun_scalar_log(share));
  case DUN_SPACING_GEOMETRIC:
    return s->first * dun_scalar_exp(share * dun_scalar_log(s->last / s->first));
  case DUN_SPACING_COSINE:
    dun_scalar_sincos2pi(share / 8, &sine, &cosine);
    return s->first + length * 2 * sine * sine;
  case DUN_SPACING_SHIFT:
    return s->first + length * s->shift * share / (1 + (s->shift - 1) * share);
  case DUN_SPACING_ARCTAN:
    a = turn_of(s->first);
    b = turn_of(s->last);
    return tangent_square(a + (b - a) * share);
  case DUN_SPACING_LINEAR: break;
  }
  return s->first + length * part / whole;
}
