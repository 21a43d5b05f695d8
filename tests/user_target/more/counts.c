/* Counts at thirty places whose log rate is a Gaussian process:
 *
 *     y_i ~ Poisson(exp(level + amplitude (L z)_i)), L L^T_ij = exp(-(x_i - x_j)^2 / (2 range^2)),
 *     level ~ N(0, 2), amplitude ~ half-N(0, 1), range ~ inverse gamma(5, 5), z ~ N(0, 1) */
#include "more.h"

enum { PLACES = 30 };
enum { LEVEL, AMPLITUDE, RANGE, Z, ENTRIES = Z + PLACES };

typedef double square[PLACES][PLACES]; /* the lower half counts */

struct counts {
  double x[PLACES], y[PLACES];
};

static const struct dun_parameter row[] = {
    {.name = "level", .doc = "Mean log rate."},
    {.name = "amplitude", .transform = DUN_POSITIVE, .doc = "Spread of the process."},
    {.name = "range", .transform = DUN_POSITIVE, .doc = "How far it is correlated."},
    {.name = "z", .rank = 1, .shape = {PLACES}, .doc = "The process, whitened."},
};

static int init(void *self, struct dun_message why)
{
  struct counts *model = self;
  unsigned long long state = 4;
  (void)why;
  for (int i = 0; i < PLACES; i++) {
    double x = 10. * i / (PLACES - 1), gap = exp(-exp(1 + sin(x) + .3 * cos(2.3 * x)));
    model->x[i] = x;
    for (double left = uniform(&state); left > gap; left *= uniform(&state))
      model->y[i]++;
  }
  return 0;
}

static int parameters(const void *self, int capacity, struct dun_parameter *parameter)
{
  (void)self;
  return copy_parameters(4, row, capacity, parameter);
}

/* In place. */
static void factorise(square a)
{
  for (int j = 0; j < PLACES; j++)
    for (int i = j; i < PLACES; i++) {
      double rest = a[i][j];
      for (int k = 0; k < j; k++)
        rest -= a[i][k] * a[j][k];
      a[i][j] = i == j ? sqrt(rest) : rest / a[j][j];
    }
}

/* Slopes in the factor become slopes in what was factorised (Smith 1995, J. Comp. Graph. Stat. 4,
 * 134), whose lower half stands for both. */
static void factorise_back(const square l, square slope)
{
  for (int k = PLACES - 1; k >= 0; k--) {
    for (int j = k + 1; j < PLACES; j++)
      for (int i = j; i < PLACES; i++) {
        slope[i][k] -= slope[i][j] * l[j][k];
        slope[j][k] -= slope[i][j] * l[i][k];
      }
    for (int j = k + 1; j < PLACES; j++) {
      slope[j][k] /= l[k][k];
      slope[k][k] -= l[j][k] * slope[j][k];
    }
    slope[k][k] *= .5 / l[k][k];
  }
}

static void correlate(const double *x, double range, square correlation)
{
  for (int i = 0; i < PLACES; i++)
    for (int j = 0; j <= i; j++) {
      double off = (x[i] - x[j]) / range;
      correlation[i][j] = exp(-.5 * off * off) + (i == j) * 1e-6;
    }
}

static double slope_of_range(const double *x, double range, const square slope)
{
  double sum = 0;
  for (int i = 0; i < PLACES; i++)
    for (int j = 0; j < i; j++) {
      double off = (x[i] - x[j]) / range;
      sum += slope[i][j] * exp(-.5 * off * off) * off * off / range;
    }
  return sum;
}

static double point(const void *self, const double *t, double *gradient)
{
  const struct counts *model = self;
  double spare[ENTRIES], *g = begin_slopes(gradient, spare, ENTRIES);
  const double *z = t + Z;
  square l, slope;
  double lp =
      normal_prior(t[LEVEL], 0, 2, &g[LEVEL]) + normal_prior(t[AMPLITUDE], 0, 1, &g[AMPLITUDE]);
  lp += -6 * log(t[RANGE]) - 5 / t[RANGE] + normal_priors(PLACES, z, 1, g + Z);
  g[RANGE] += (5 / t[RANGE] - 6) / t[RANGE];
  correlate(model->x, t[RANGE], l);
  factorise(l);
  for (int i = 0; i < PLACES; i++) {
    double f = 0;
    for (int j = 0; j <= i; j++)
      f += l[i][j] * z[j];
    double log_rate = t[LEVEL] + t[AMPLITUDE] * f, off = model->y[i] - exp(log_rate);
    lp += model->y[i] * log_rate - exp(log_rate);
    g[LEVEL] += off;
    g[AMPLITUDE] += off * f;
    for (int j = 0; j <= i; j++) {
      slope[i][j] = off * t[AMPLITUDE] * z[j];
      g[Z + j] += off * t[AMPLITUDE] * l[i][j];
    }
  }
  if (!gradient)
    return lp;
  factorise_back(l, slope);
  g[RANGE] += slope_of_range(model->x, t[RANGE], slope);
  return lp;
}

const struct dun_target dun_target_counts = {
    .type = {DUN_TYPE(struct dun_target), .name = "counts",
             .doc = "Counts whose log rate is a Gaussian process.", .size = sizeof(struct counts)},
    .init = init,
    .constrained = 1,
    .parameters = parameters,
    .point = point,
};
