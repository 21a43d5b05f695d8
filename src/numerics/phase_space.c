#include "numerics/phase_space.h"
#include "base/error.h"
#include "base/scalar.h"
#include <math.h>

int dun_phase_space_set(struct dun_phase_space *s)
{
  s->width = .5 * (s->nu - s->gamma);
  s->rate = .5 * (s->nu + s->gamma);
  s->product = s->gamma * s->nu;
  s->inverse_mass = s->width * s->width;
  s->mass = 1 / s->inverse_mass;
  if (!(s->gamma >= 0 && s->nu >= 0) || !isfinite(s->mass) || !isfinite(s->rate))
    return dun_fail(
        DUN_ERROR_INPUT,
        "phase space: gamma = %g and nu = %g must be at least 0 and differ, since 1 / M "
        "= (nu - gamma)^2 / 4",
        s->gamma, s->nu);
  if (!(s->beta[0] > 0 && s->beta[1] > 0 && s->kappa >= 0))
    return dun_fail(DUN_ERROR_INPUT, "phase space: beta must be above 0 and kappa at least 0");
  return 0;
}

double dun_phase_space_clock(const struct dun_phase_space *s, double t)
{
  return t * (s->beta[0] + .5 * t * (s->beta[1] - s->beta[0]));
}

/* e^-x (e^x - 1 - x - x^2 / 2) with e^-x given; below 1 by a series whose terms are all positive,
 * which else would be a small difference. */
static double remainder_of_exp(double x, double decay)
{
  double sum = 0;

  if (x >= 1)
    return 1 - decay * (1 + x + .5 * x * x);
  for (int k = 21; k >= 4; k--)
    sum = (sum + 1) * x / k;
  return decay * (sum + 1) * (x * x * x / 6);
}

void dun_phase_space_flow(const struct dun_phase_space *s, double b, struct dun_phase_flow *f)
{
  double half = dun_scalar_exp(-.5 * s->rate * b), decay = dun_scalar_exp(-s->rate * b),
         square = .5 * b * b;
  double rest = remainder_of_exp(s->rate * b, decay);

  f->mean[0][0] = half * (1 + .5 * s->width * b);
  f->mean[0][1] = half * .5 * s->inverse_mass * b;
  f->mean[1][0] = -half * .5 * b;
  f->mean[1][1] = half * (1 - .5 * s->width * b);
  f->mean_determinant = decay;
  f->noise[0][0] = rest + decay * (s->gamma * b + s->product * square);
  f->noise[0][1] = f->noise[1][0] = decay * s->width * square;
  f->noise[1][1] = s->mass * (rest + decay * (s->nu * b + s->product * square));
  f->noise_determinant = f->noise[0][0] * f->noise[1][1] - f->noise[0][1] * f->noise[0][1];
}

void dun_phase_flow_spread(const struct dun_phase_flow *f, double xx, double mm,
                           double covariance[2][2], double *determinant)
{
  double e11 = f->mean[0][0], e12 = f->mean[0][1], e21 = f->mean[1][0], e22 = f->mean[1][1];
  double q11 = f->noise[0][0], q12 = f->noise[0][1], q22 = f->noise[1][1];

  covariance[0][0] = e11 * e11 * xx + e12 * e12 * mm + q11;
  covariance[0][1] = covariance[1][0] = e11 * e21 * xx + e12 * e22 * mm + q12;
  covariance[1][1] = e21 * e21 * xx + e22 * e22 * mm + q22;
  *determinant = f->mean_determinant * f->mean_determinant * xx * mm + f->noise_determinant +
                 xx * (e21 * e21 * q11 - 2 * e11 * e21 * q12 + e11 * e11 * q22) +
                 mm * (e22 * e22 * q11 - 2 * e12 * e22 * q12 + e12 * e12 * q22);
}

void dun_phase_root(const double c[2][2], double determinant, double root[2][2])
{
  double first = sqrt(c[0][0] > 0 ? c[0][0] : 0);

  root[0][0] = first;
  root[0][1] = 0;
  root[1][0] = first > 0 ? c[0][1] / first : 0;
  root[1][1] = sqrt(first > 0 ? (determinant > 0 ? determinant / c[0][0] : 0) : c[1][1]);
}
