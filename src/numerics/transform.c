#include "numerics/transform.h"
#include "base/scalar.h"
#include <math.h>
#include <stdint.h>
#include <string.h>

/* ---- shapes and bounds --------------------------------------------------------------------- */

static int64_t entries_of(const struct dun_parameter *p)
{
  int64_t count = 1;
  for (int i = 0; i < p->rank; i++)
    count *= p->shape[i];
  return count;
}

static const char *bounds_fault(const struct dun_parameter *p)
{
  int lower =
      p->transform == DUN_ABOVE || p->transform == DUN_BETWEEN || p->transform == DUN_PERIODIC;
  int upper =
      p->transform == DUN_BELOW || p->transform == DUN_BETWEEN || p->transform == DUN_PERIODIC;
  if ((lower && !isfinite(p->lower)) || (upper && !isfinite(p->upper)))
    return "has a bound that is no number";
  if (lower && upper && !(p->upper > p->lower && isfinite(p->upper - p->lower)))
    return "has a lower bound that is not below the upper one";
  return NULL;
}

static const char *shape_fault(const struct dun_parameter *p)
{
  switch (p->transform) {
  case DUN_UNBOUNDED:
  case DUN_POSITIVE:
  case DUN_ABOVE:
  case DUN_BELOW:
  case DUN_BETWEEN: return NULL;
  case DUN_PERIODIC: return p->rank == 0 ? NULL : "is periodic, but no scalar";
  case DUN_ORDERED:
  case DUN_POSITIVE_ORDERED: return p->rank == 1 ? NULL : "is ordered, but no vector";
  case DUN_SIMPLEX:
  case DUN_UNIT_VECTOR:
    return p->rank == 1 && p->shape[0] > 1 ? NULL
                                           : "is a simplex or unit vector, but no vector of 2 or "
                                             "more entries";
  case DUN_CORRELATION_FACTOR:
    return p->rank == 2 && p->shape[0] == p->shape[1] && p->shape[0] > 1 && p->shape[0] < 10000
               ? NULL
               : "is a factor of a correlation matrix, but no square matrix of 2 or more rows";
  }
  return "has a transform that is unknown";
}

int dun_transform_free(const struct dun_parameter *p, const char **why)
{
  int64_t n = entries_of(p);
  *why = shape_fault(p);
  if (!*why)
    *why = bounds_fault(p);
  if (*why)
    return -1;
  switch (p->transform) {
  case DUN_SIMPLEX: return (int)n - 1;
  case DUN_PERIODIC: return 2;
  case DUN_CORRELATION_FACTOR: return p->shape[0] * (p->shape[0] - 1) / 2;
  default: return (int)n;
  }
}

struct dun_transforming dun_transforming_of(const struct dun_parameter *p)
{
  const char *why;
  return (struct dun_transforming){.type = p->transform,
                                   .lower = p->lower,
                                   .upper = p->upper,
                                   .entries = (int)entries_of(p),
                                   .size = p->shape[0],
                                   .free = dun_transform_free(p, &why)};
}

/* ---- functions of one number --------------------------------------------------------------- */

/* 1 / (1 + e^-x), and its log and that of 1 minus it. */
struct logistic {
  double value, log, log_rest;
};

static struct logistic logistic(double x)
{
  double e = dun_scalar_exp(-fabs(x)), tail = dun_scalar_log(1 + e);
  struct logistic out = {.value = x > 0 ? 1 / (1 + e) : e / (1 + e)};
  out.log = x > 0 ? -tail : x - tail;
  out.log_rest = x > 0 ? -x - tail : -tail;
  return out;
}

/* tanh x and log(1 - tanh^2 x). */
static double tanh_of(double x, double *log_rest)
{
  double e = dun_scalar_exp(-2 * fabs(x)), value = -dun_scalar_expm1(-2 * fabs(x)) / (1 + e);
  *log_rest = 2 * (0x1.62e42fefa39efp-1 - fabs(x) - dun_scalar_log(1 + e));
  return x < 0 ? -value : value;
}

/* The angle of (x, y) in turns, from 0 to 1: five steps of Newton's method on sine and cosine, from
 * a first guess by the slope within an eighth of a turn. */
static double turns(double x, double y)
{
  double a = fabs(x), b = fabs(y), r = sqrt(a * a + b * b), flat = a > b ? b / a : a / b;
  if (!(r > 0))
    return 0;
  double guess = flat * (.15915494309189535 - .03 * flat), sine, cosine;
  for (int i = 0; i < 5; i++) {
    dun_scalar_sincos2pi(guess, &sine, &cosine);
    guess += ((a > b ? b : a) * cosine - (a > b ? a : b) * sine) / r * .15915494309189535;
  }
  guess = a > b ? guess : .25 - guess;
  guess = x < 0 ? .5 - guess : guess;
  guess = y < 0 ? 1 - guess : guess;
  return guess < 1 ? guess : 0;
}

/* ---- there --------------------------------------------------------------------------------- */

static double positive(const struct dun_transforming *t, const double *x, double *theta)
{
  double sum = 0, sign = t->type == DUN_BELOW ? -1 : 1;
  double origin = t->type == DUN_ABOVE ? t->lower : t->type == DUN_BELOW ? t->upper : 0;
  for (int i = 0; i < t->entries; i++) {
    theta[i] = origin + sign * dun_scalar_exp(x[i]);
    sum += x[i];
  }
  return sum;
}

static double between(const struct dun_transforming *t, const double *x, double *theta)
{
  double width = t->upper - t->lower, sum = t->entries * dun_scalar_log(width);
  for (int i = 0; i < t->entries; i++) {
    struct logistic l = logistic(x[i]);
    theta[i] = l.value < .5 ? t->lower + width * l.value : t->upper - width * logistic(-x[i]).value;
    sum += l.log + l.log_rest;
  }
  return sum;
}

static double ordered(const struct dun_transforming *t, const double *x, double *theta)
{
  double sum = 0, before = 0;
  for (int i = 0; i < t->entries; i++) {
    int steps = i > 0 || t->type == DUN_POSITIVE_ORDERED;
    before = theta[i] = steps ? before + dun_scalar_exp(x[i]) : x[i];
    sum += steps ? x[i] : 0;
  }
  return sum;
}

/* Sticks are broken: a share z_k of what is left, where x = 0 gives equal entries. */
static double simplex(const struct dun_transforming *t, const double *x, double *theta)
{
  double left = 1, log_left = 0, sum = 0;
  for (int k = 0; k < t->free; k++) {
    struct logistic z = logistic(x[k] - dun_scalar_log(t->free - k));
    theta[k] = left * z.value;
    sum += z.log + z.log_rest + log_left;
    log_left += z.log_rest;
    left = dun_scalar_exp(log_left);
  }
  theta[t->free] = left;
  return sum;
}

static double squared(int n, const double *x)
{
  double sum = 0;
  for (int i = 0; i < n; i++)
    sum += x[i] * x[i];
  return sum;
}

/* log of the integral of r^(n - 1) exp(-r^2 / 2), 2^(n/2 - 1) Gamma(n / 2). */
static double log_radial(int n)
{
  double sum = n % 2 ? .5 * dun_scalar_log(2 * 0x1.921fb54442d18p1) - 0x1.62e42fefa39efp-1 : 0;
  for (int k = n - 2; k > 0; k -= 2)
    sum += dun_scalar_log(k);
  return sum;
}

/* Standard normal numbers point anywhere; their length has no say. */
static double unit_vector(const struct dun_transforming *t, const double *x, double *theta)
{
  double square = squared(t->entries, x), length = sqrt(square);
  for (int i = 0; i < t->entries; i++)
    theta[i] = length > 0 ? x[i] / length : i == 0;
  return length > 0 ? -.5 * square - log_radial(t->entries) : -INFINITY;
}

static double periodic(const struct dun_transforming *t, const double *x, double *theta)
{
  double width = t->upper - t->lower, two_pi = 2 * 0x1.921fb54442d18p1;
  theta[0] = t->lower + width * turns(x[0], x[1]);
  return -.5 * squared(2, x) + dun_scalar_log(width / two_pi);
}

/* Partial correlations tanh x fill a row from the left, each with what length is left. */
static double correlation(const struct dun_transforming *t, const double *x, double *theta)
{
  int k = t->size;
  double sum = 0;
  memset(theta, 0, sizeof *theta * (size_t)k * (size_t)k);
  theta[0] = 1;
  for (int i = 1; i < k; i++) {
    double log_left = 0; /* of the squared length */
    for (int j = 0; j < i; j++) {
      double rest, z = tanh_of(*x++, &rest);
      theta[i * k + j] = z * dun_scalar_exp(.5 * log_left);
      sum += rest + .5 * log_left;
      log_left += rest;
    }
    theta[i * k + i] = dun_scalar_exp(.5 * log_left);
  }
  return sum;
}

double dun_transform(const struct dun_transforming *t, const double *x, double *theta)
{
  switch (t->type) {
  case DUN_UNBOUNDED: break;
  case DUN_POSITIVE:
  case DUN_ABOVE:
  case DUN_BELOW: return positive(t, x, theta);
  case DUN_BETWEEN: return between(t, x, theta);
  case DUN_ORDERED:
  case DUN_POSITIVE_ORDERED: return ordered(t, x, theta);
  case DUN_SIMPLEX: return simplex(t, x, theta);
  case DUN_UNIT_VECTOR: return unit_vector(t, x, theta);
  case DUN_PERIODIC: return periodic(t, x, theta);
  case DUN_CORRELATION_FACTOR: return correlation(t, x, theta);
  }
  memcpy(theta, x, sizeof *x * (size_t)t->entries);
  return 0;
}

/* ---- and back ------------------------------------------------------------------------------ */

static void ordered_back(const struct dun_transforming *t, const double *x, const double *slope,
                         double *gradient)
{
  double sum = 0; /* of the slopes of all entries from here on */
  for (int i = t->entries - 1; i >= 0; i--) {
    int steps = i > 0 || t->type == DUN_POSITIVE_ORDERED;
    sum += slope[i];
    gradient[i] = steps ? sum * dun_scalar_exp(x[i]) + 1 : sum;
  }
}

/* d theta_k / dx_k = left z (1 - z); later entries shrink by z: d theta_m / dx_k = -z theta_m.  The
 * log of the Jacobian has log z_k + (free - k) log(1 - z_k). */
static void simplex_back(const struct dun_transforming *t, const double *x, const double *theta,
                         const double *slope, double *gradient)
{
  double later = slope[t->free] * theta[t->free]; /* sum of slope theta behind k */
  for (int k = t->free - 1; k >= 0; k--) {
    struct logistic z = logistic(x[k] - dun_scalar_log(t->free - k));
    double rest = logistic(-(x[k] - dun_scalar_log(t->free - k))).value;
    gradient[k] = slope[k] * theta[k] * rest - later * z.value + rest - (t->free - k) * z.value;
    later += slope[k] * theta[k];
  }
}

static void unit_vector_back(const struct dun_transforming *t, const double *x, const double *theta,
                             const double *slope, double *gradient)
{
  double length = sqrt(squared(t->entries, x)), along = 0;
  for (int i = 0; i < t->entries; i++)
    along += slope[i] * theta[i];
  for (int i = 0; i < t->entries; i++)
    gradient[i] = (slope[i] - along * theta[i]) / length - x[i];
}

static void periodic_back(const struct dun_transforming *t, const double *x, const double *slope,
                          double *gradient)
{
  double turn = 2 * 0x1.921fb54442d18p1, square = squared(2, x);
  double rate = (t->upper - t->lower) / turn * slope[0];
  gradient[0] = -x[1] / square * rate - x[0];
  gradient[1] = x[0] / square * rate - x[1];
}

/* With z_j = tanh x_j and c_j = sqrt(1 - z_j^2): entry j is z_j times the c before it, so that
 * d log|entry m| / dx_j = -z_j for m behind j.  The log of the Jacobian has log(1 - z_j^2) times
 * 1 + (i - 1 - j) / 2. */
static void correlation_back(const struct dun_transforming *t, const double *x, const double *theta,
                             const double *slope, double *gradient)
{
  int k = t->size;
  for (int i = 1; i < k; i++) {
    const double *row = theta + i * k, *s = slope + i * k, *at = x + i * (i - 1) / 2;
    double *out = gradient + i * (i - 1) / 2, later = s[i] * row[i], before = 0, rest;
    for (int j = 0; j < i; j++) {
      tanh_of(at[j], &rest);
      out[j] = before + rest; /* log of d entry j / dx_j */
      before += .5 * rest;
    }
    for (int j = i - 1; j >= 0; j--) {
      double z = tanh_of(at[j], &rest);
      out[j] = s[j] * dun_scalar_exp(out[j]) - later * z - 2 * z * (1 + .5 * (i - 1 - j));
      later += s[j] * row[j];
    }
  }
}

void dun_transform_back(const struct dun_transforming *t, const double *x, const double *theta,
                        double *slope, double *gradient)
{
  double width = t->upper - t->lower;
  switch (t->type) {
  case DUN_UNBOUNDED: memcpy(gradient, slope, sizeof *slope * (size_t)t->entries); break;
  case DUN_POSITIVE:
  case DUN_ABOVE:
    for (int i = 0; i < t->entries; i++)
      gradient[i] = slope[i] * dun_scalar_exp(x[i]) + 1;
    break;
  case DUN_BELOW:
    for (int i = 0; i < t->entries; i++)
      gradient[i] = 1 - slope[i] * dun_scalar_exp(x[i]);
    break;
  case DUN_BETWEEN:
    for (int i = 0; i < t->entries; i++) {
      double z = logistic(x[i]).value, rest = logistic(-x[i]).value;
      gradient[i] = slope[i] * width * z * rest + rest - z;
    }
    break;
  case DUN_ORDERED:
  case DUN_POSITIVE_ORDERED: ordered_back(t, x, slope, gradient); break;
  case DUN_SIMPLEX: simplex_back(t, x, theta, slope, gradient); break;
  case DUN_UNIT_VECTOR: unit_vector_back(t, x, theta, slope, gradient); break;
  case DUN_PERIODIC: periodic_back(t, x, slope, gradient); break;
  case DUN_CORRELATION_FACTOR: correlation_back(t, x, theta, slope, gradient); break;
  }
}
