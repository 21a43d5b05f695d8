#include "numerics/untransform.h"
#include "base/scalar.h"
#include <math.h>
#include <string.h>

static const double SLACK = 1e-6;

static int any_infinite(int n, const double *theta, const char **expected)
{
  *expected = "a finite number";
  for (int i = 0; i < n; i++)
    if (!isfinite(theta[i]))
      return i;
  return -1;
}

static int positive(const struct dun_transforming *t, const double *theta, double *x,
                    const char **expected)
{
  double sign = t->type == DUN_BELOW ? -1 : 1;
  double origin = t->type == DUN_ABOVE ? t->lower : t->type == DUN_BELOW ? t->upper : 0;
  *expected = t->type == DUN_POSITIVE ? "a positive number"
              : t->type == DUN_ABOVE  ? "a number above the parameter's bound"
                                      : "a number below the parameter's bound";
  for (int i = 0; i < t->entries; i++) {
    double away = sign * (theta[i] - origin);
    if (!(away > 0))
      return i;
    x[i] = dun_scalar_log(away);
  }
  return -1;
}

static int between(const struct dun_transforming *t, const double *theta, double *x,
                   const char **expected)
{
  *expected = "a number between the parameter's bounds";
  for (int i = 0; i < t->entries; i++) {
    if (!(theta[i] > t->lower && theta[i] < t->upper))
      return i;
    x[i] = dun_scalar_log(theta[i] - t->lower) - dun_scalar_log(t->upper - theta[i]);
  }
  return -1;
}

static int ordered(const struct dun_transforming *t, const double *theta, double *x,
                   const char **expected)
{
  *expected = t->type == DUN_ORDERED ? "numbers that rise" : "positive numbers that rise";
  for (int i = 0; i < t->entries; i++) {
    double away = theta[i] - (i > 0 ? theta[i - 1] : 0);
    int steps = i > 0 || t->type == DUN_POSITIVE_ORDERED;
    if (steps && !(away > 0))
      return i;
    x[i] = steps ? dun_scalar_log(away) : theta[i];
  }
  return -1;
}

static int simplex(const struct dun_transforming *t, const double *theta, double *x,
                   const char **expected)
{
  double left = theta[t->free];
  *expected = "positive numbers with sum 1";
  for (int i = 0; i < t->entries; i++)
    if (!(theta[i] > 0))
      return i;
  for (int k = t->free - 1; k >= 0; k--) {
    x[k] = dun_scalar_log(theta[k]) - dun_scalar_log(left) + dun_scalar_log(t->free - k);
    left += theta[k];
  }
  return fabs(left - 1) <= SLACK ? -1 : t->free;
}

static int unit_vector(const struct dun_transforming *t, const double *theta, double *x,
                       const char **expected)
{
  double square = 0, length = sqrt(t->entries);
  *expected = "a vector of length 1";
  for (int i = 0; i < t->entries; i++)
    square += theta[i] * theta[i];
  for (int i = 0; i < t->entries; i++)
    x[i] = length * theta[i];
  return fabs(square - 1) <= 2 * SLACK ? -1 : 0;
}

static int periodic(const struct dun_transforming *t, const double *theta, double *x,
                    const char **expected)
{
  double share = (theta[0] - t->lower) / (t->upper - t->lower), sine, cosine;
  *expected = "a number within the parameter's period";
  if (!(share >= 0 && share <= 1))
    return 0;
  dun_scalar_sincos2pi(share, &sine, &cosine);
  x[0] = sqrt(2) * cosine;
  x[1] = sqrt(2) * sine;
  return -1;
}

/* Entry j of a row is tanh x_j of the length that those before it have left. */
static int correlation(const struct dun_transforming *t, const double *theta, double *x,
                       const char **expected)
{
  int k = t->size;
  *expected = "a lower triangular matrix with a positive diagonal whose rows have length 1";
  for (int i = 0; i < k; i++) {
    const double *row = theta + i * k;
    double *out = x + i * (i - 1) / 2, left = row[i] * row[i];
    for (int j = i + 1; j < k; j++)
      if (row[j] != 0)
        return i * k + j;
    if (!(row[i] > 0))
      return i * k + i;
    for (int j = i - 1; j >= 0; j--) {
      double behind = sqrt(left), size = fabs(row[j]);
      left += row[j] * row[j];
      out[j] = dun_scalar_log((sqrt(left) + size) / behind);
      out[j] = row[j] < 0 ? -out[j] : out[j];
    }
    if (!(fabs(left - 1) <= 2 * SLACK))
      return i * k + i;
  }
  return -1;
}

int dun_untransform(const struct dun_transforming *t, const double *theta, double *x,
                    const char **expected)
{
  int fault = any_infinite(t->entries, theta, expected);
  if (fault >= 0)
    return fault;
  switch (t->type) {
  case DUN_UNBOUNDED: break;
  case DUN_POSITIVE:
  case DUN_ABOVE:
  case DUN_BELOW: return positive(t, theta, x, expected);
  case DUN_BETWEEN: return between(t, theta, x, expected);
  case DUN_ORDERED:
  case DUN_POSITIVE_ORDERED: return ordered(t, theta, x, expected);
  case DUN_SIMPLEX: return simplex(t, theta, x, expected);
  case DUN_UNIT_VECTOR: return unit_vector(t, theta, x, expected);
  case DUN_PERIODIC: return periodic(t, theta, x, expected);
  case DUN_CORRELATION_FACTOR: return correlation(t, theta, x, expected);
  }
  memcpy(x, theta, sizeof *x * (size_t)t->entries);
  return -1;
}
