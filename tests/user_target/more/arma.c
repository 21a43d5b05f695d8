/* A series of two hundred that remembers its last value and its last shock (ARMA(1, 1)):
 *
 *     y_t = level + phi y_t-1 + theta e_t-1 + e_t, e ~ N(0, sigma), no shock before the second,
 *     level ~ N(0, 10), phi, theta ~ N(0, 2), sigma ~ half-Cauchy(0, 2.5)
 *
 * It stays near 100, so that level and phi are correlated to the fourth decimal; and where |theta|
 * is above 1 shocks grow from time to time, so that starts may be farther out than any scale. */
#include "more.h"

enum { TIMES = 200 };
enum { LEVEL, PHI, THETA, SIGMA, ENTRIES };

struct arma {
  double y[TIMES];
};

static const struct dun_parameter row[] = {
    {.name = "level", .doc = "Level at phi = 0."},
    {.name = "phi", .doc = "Memory of the value."},
    {.name = "theta", .doc = "Memory of the shock."},
    {.name = "sigma", .transform = DUN_POSITIVE, .doc = "Size of the shocks."},
};

static int init(void *self, struct dun_message why)
{
  struct arma *model = self;
  unsigned long long state = 8;
  double shock = 0;
  (void)why;
  for (int t = 0; t < TIMES; t++) {
    double last = shock;
    shock = .5 * normal(&state);
    model->y[t] = t ? 10 + .9 * model->y[t - 1] + .4 * last + shock : 100 + shock;
  }
  return 0;
}

static int parameters(const void *self, int capacity, struct dun_parameter *parameter)
{
  (void)self;
  return copy_parameters(ENTRIES, row, capacity, parameter);
}

static double point(const void *self, const double *t, double *gradient)
{
  const struct arma *model = self;
  double spare[ENTRIES], *g = begin_slopes(gradient, spare, ENTRIES);
  double lp = normal_prior(t[LEVEL], 0, 10, &g[LEVEL]) + normal_prior(t[PHI], 0, 2, &g[PHI]) +
              normal_prior(t[THETA], 0, 2, &g[THETA]) + cauchy_prior(t[SIGMA], 2.5, &g[SIGMA]);
  double shock = 0, by[SIGMA] = {0}; /* the shock, and its slopes */
  for (int i = 1; i < TIMES; i++) {
    double last = model->y[i - 1], slope = 0, direct[SIGMA] = {1, last, shock};
    shock = model->y[i] - t[LEVEL] - t[PHI] * last - t[THETA] * shock;
    lp += normal_datum(shock, 0, t[SIGMA], &slope, &g[SIGMA]);
    for (int k = 0; k < SIGMA; k++) {
      by[k] = -direct[k] - t[THETA] * by[k];
      g[k] -= slope * by[k];
    }
  }
  return lp;
}

const struct dun_target dun_target_arma = {
    .type = {DUN_TYPE(struct dun_target), .name = "arma",
             .doc = "A series that remembers values and shocks.", .size = sizeof(struct arma)},
    .init = init,
    .constrained = 1,
    .parameters = parameters,
    .point = point,
};
