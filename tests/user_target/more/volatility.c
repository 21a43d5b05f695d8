/* Returns whose log variance wanders (stochastic volatility), a hundred of them:
 *
 *     y_t ~ N(0, exp(h_t / 2)), h_t = mu + phi (h_t-1 - mu) + sigma z_t, z ~ N(0, 1),
 *     mu ~ N(0, 1), (phi + 1) / 2 ~ Beta(20, 3), sigma ~ half-N(0, .5)
 *
 * with h_1 from the stationary law. */
#include "more.h"

enum { TIMES = 100 };
enum { MU, PHI, SIGMA, Z, ENTRIES = Z + TIMES };

struct volatility {
  double y[TIMES];
};

static const struct dun_parameter row[] = {
    {.name = "mu", .doc = "Mean log variance."},
    {.name = "phi", .transform = DUN_BETWEEN, .lower = -1, .upper = 1, .doc = "Its memory."},
    {.name = "sigma", .transform = DUN_POSITIVE, .doc = "Its shocks."},
    {.name = "z", .rank = 1, .shape = {TIMES}, .doc = "The shocks in units of sigma."},
};

static int init(void *self, struct dun_message why)
{
  struct volatility *model = self;
  unsigned long long state = 3;
  double wandering = 0;
  (void)why;
  for (int t = 0; t < TIMES; t++) {
    wandering = .93 * wandering + .35 * normal(&state);
    model->y[t] = exp(.5 * (-1 + wandering)) * normal(&state);
  }
  return 0;
}

static int parameters(const void *self, int capacity, struct dun_parameter *parameter)
{
  (void)self;
  return copy_parameters(4, row, capacity, parameter);
}

static double point(const void *self, const double *t, double *gradient)
{
  const struct volatility *model = self;
  double spare[ENTRIES], *g = begin_slopes(gradient, spare, ENTRIES);
  double phi = t[PHI], sigma = t[SIGMA], first = 1 / sqrt(1 - phi * phi);
  double h[TIMES], slope[TIMES]; /* h without mu; slopes of the likelihood in h */
  const double *z = t + Z;
  double lp = normal_prior(t[MU], 0, 1, &g[MU]) + normal_prior(sigma, 0, .5, &g[SIGMA]) +
              19 * log1p(phi) + 2 * log1p(-phi) + normal_priors(TIMES, z, 1, g + Z);
  g[PHI] += 19 / (1 + phi) - 2 / (1 - phi);
  for (int i = 0; i < TIMES; i++) {
    h[i] = i ? phi * h[i - 1] + sigma * z[i] : sigma * first * z[0];
    double square = model->y[i] * model->y[i] * exp(-t[MU] - h[i]);
    lp -= .5 * (t[MU] + h[i] + square);
    slope[i] = .5 * (square - 1);
    g[MU] += slope[i];
  }
  for (int i = TIMES - 1; i > 0; i--) { /* from here on those of all that follows, too */
    g[PHI] += slope[i] * h[i - 1];
    g[SIGMA] += slope[i] * z[i];
    g[Z + i] += slope[i] * sigma;
    slope[i - 1] += slope[i] * phi;
  }
  g[PHI] += slope[0] * sigma * z[0] * phi * first * first * first;
  g[SIGMA] += slope[0] * first * z[0];
  g[Z] += slope[0] * sigma * first;
  return lp;
}

const struct dun_target dun_target_volatility = {
    .type = {DUN_TYPE(struct dun_target), .name = "volatility",
             .doc = "Stochastic volatility of a hundred returns.",
             .size = sizeof(struct volatility)},
    .init = init,
    .constrained = 1,
    .parameters = parameters,
    .point = point,
};
