/* Independent linear regressions with flat priors, each of orthogonal regressors and a noise scale
 * of its own: y ~ N(X beta, sigma), d beta d sigma.  The coordinates of each are its coefficients
 * and log sigma.  log Z has a closed form (tests/laws/regressions.py). */
#include <dunlin/target.h>
#include <math.h>
#include <stddef.h>

static const double LOG_ROOT = .918938533204672742; /* log(2 pi) / 2 */

struct regressions {
  long long groups, coefficients, cases;
  double noise, size, at;
};

#define OPTION(name_, type_, member, ...)                                                          \
  {                                                                                                \
    .name = name_, .type = type_, .offset = offsetof(struct regressions, member), __VA_ARGS__      \
  }
static const struct dun_option options[] = {
    OPTION("groups", DUN_INTEGER, groups, .initial = "1", .minimum = 1, .maximum = 100,
           .doc = "Regressions."),
    OPTION("coefficients", DUN_INTEGER, coefficients, .initial = "3", .minimum = 1, .maximum = 100,
           .doc = "Of each regression."),
    OPTION("cases", DUN_INTEGER, cases, .initial = "100", .minimum = 3, .maximum = 1e6,
           .doc = "Of each regression."),
    OPTION("noise", DUN_NUMBER, noise, .initial = "1",
           .doc = "Root of the mean squared residual of the best fit."),
    OPTION("size", DUN_NUMBER, size, .initial = "100",
           .doc = "Root of the mean square of each regressor."),
    OPTION("at", DUN_NUMBER, at, .initial = "1", .doc = "Each coefficient of the best fit."),
    {0},
};

static int dimension_of(const void *self)
{
  const struct regressions *r = self;
  return (int)(r->groups * (r->coefficients + 1));
}

static double one(const struct regressions *r, const double *x, double *gradient)
{
  long long p = r->coefficients;
  double n = (double)r->cases, scale = exp(-2 * x[p]);
  double squares = n * r->noise * r->noise, each = n * r->size * r->size;

  for (long long j = 0; j < p; j++)
    squares += each * (x[j] - r->at) * (x[j] - r->at);
  for (long long j = 0; gradient && j < p; j++)
    gradient[j] = -each * (x[j] - r->at) * scale;
  if (gradient)
    gradient[p] = 1 - n + squares * scale;
  return -n * LOG_ROOT + (1 - n) * x[p] - .5 * squares * scale;
}

static double point(const void *self, const double *x, double *gradient)
{
  const struct regressions *r = self;
  double sum = 0;
  for (long long g = 0, at = 0; g < r->groups; g++, at += r->coefficients + 1)
    sum += one(r, x + at, gradient ? gradient + at : NULL);
  return sum;
}

const struct dun_target dun_target_regressions = {
    .type = {DUN_TYPE(struct dun_target), .name = "regressions",
             .doc = "Regressions with noise scales of their own.",
             .size = sizeof(struct regressions), .options = options},
    .dimension_of = dimension_of,
    .point = point,
};
