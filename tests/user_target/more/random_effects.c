/* Twenty groups of six data with an intercept and two slopes each, correlated:
 *
 *     y ~ N(sum_k f_k effect_jk, sigma), effect_j = mean + diag(spread) L z_j, z ~ N(0, 1),
 *     L L^T ~ LKJ(2), mean ~ N(0, 5), spread, sigma ~ half-N(0, 2) */
#include "more.h"

enum { GROUPS = 20, DATA = 6, EFFECTS = 3 };
enum {
  MEAN,
  SPREAD = MEAN + EFFECTS,
  SIGMA = SPREAD + EFFECTS,
  FACTOR,
  Z = FACTOR + EFFECTS * EFFECTS,
  ENTRIES = Z + GROUPS * EFFECTS
};

struct random_effects {
  double f[GROUPS][DATA][EFFECTS], y[GROUPS][DATA];
};

static const struct dun_parameter row[] = {
    {.name = "mean", .rank = 1, .shape = {EFFECTS}, .doc = "Of the effects."},
    {.name = "spread",
     .rank = 1,
     .shape = {EFFECTS},
     .transform = DUN_POSITIVE,
     .doc = "Of the effects between groups."},
    {.name = "sigma", .transform = DUN_POSITIVE, .doc = "Noise."},
    {.name = "factor",
     .rank = 2,
     .shape = {EFFECTS, EFFECTS},
     .transform = DUN_CORRELATION_FACTOR,
     .doc = "Of the correlations of effects."},
    {.name = "z", .rank = 2, .shape = {GROUPS, EFFECTS}, .doc = "Effects, whitened."},
};

static int init(void *self, struct dun_message why)
{
  struct random_effects *model = self;
  unsigned long long state = 11;
  (void)why;
  for (int j = 0; j < GROUPS; j++) {
    double a = normal(&state), b = .6 * a + .8 * normal(&state), c = normal(&state);
    for (int i = 0; i < DATA; i++) {
      double *f = model->f[j][i];
      f[0] = 1;
      f[1] = normal(&state);
      f[2] = normal(&state);
      model->y[j][i] = 2 + a + f[1] * (-1 + .7 * b) + f[2] * (.5 + .4 * c) + .8 * normal(&state);
    }
  }
  return 0;
}

static int parameters(const void *self, int capacity, struct dun_parameter *parameter)
{
  (void)self;
  return copy_parameters(5, row, capacity, parameter);
}

/* One group, whose effects are given; writes the slopes in them. */
static double group(const struct random_effects *model, int j, const double *effect, double sigma,
                    double *by_effect, double *by_sigma)
{
  double lp = 0;
  memset(by_effect, 0, EFFECTS * sizeof *by_effect);
  for (int i = 0; i < DATA; i++) {
    const double *f = model->f[j][i];
    double mean = 0, slope = 0;
    for (int k = 0; k < EFFECTS; k++)
      mean += f[k] * effect[k];
    lp += normal_datum(model->y[j][i], mean, sigma, &slope, by_sigma);
    for (int k = 0; k < EFFECTS; k++)
      by_effect[k] += slope * f[k];
  }
  return lp;
}

static double point(const void *self, const double *t, double *gradient)
{
  const struct random_effects *model = self;
  double spare[ENTRIES], *g = begin_slopes(gradient, spare, ENTRIES);
  const double *l = t + FACTOR;
  double lp = normal_priors(EFFECTS, t + MEAN, 5, g + MEAN) +
              normal_priors(EFFECTS + 1, t + SPREAD, 2, g + SPREAD) + /* and sigma */
              normal_priors(GROUPS * EFFECTS, t + Z, 1, g + Z);
  for (int k = 1; k < EFFECTS; k++) { /* LKJ(2) in terms of the factor */
    int diagonal = k * EFFECTS + k, power = EFFECTS - 1 - k + 2;
    lp += power * log(l[diagonal]);
    g[FACTOR + diagonal] += power / l[diagonal];
  }
  for (int j = 0; j < GROUPS; j++) {
    const double *z = t + Z + j * EFFECTS;
    double off[EFFECTS], effect[EFFECTS], by_effect[EFFECTS];
    for (int k = 0; k < EFFECTS; k++) {
      off[k] = 0;
      for (int m = 0; m <= k; m++)
        off[k] += l[k * EFFECTS + m] * z[m];
      effect[k] = t[MEAN + k] + t[SPREAD + k] * off[k];
    }
    lp += group(model, j, effect, t[SIGMA], by_effect, &g[SIGMA]);
    for (int k = 0; k < EFFECTS; k++) {
      g[MEAN + k] += by_effect[k];
      g[SPREAD + k] += by_effect[k] * off[k];
      for (int m = 0; m <= k; m++) {
        g[FACTOR + k * EFFECTS + m] += by_effect[k] * t[SPREAD + k] * z[m];
        g[Z + j * EFFECTS + m] += by_effect[k] * t[SPREAD + k] * l[k * EFFECTS + m];
      }
    }
  }
  return lp;
}

const struct dun_target dun_target_random_effects = {
    .type = {DUN_TYPE(struct dun_target), .name = "random_effects",
             .doc = "Correlated effects of twenty groups.", .size = sizeof(struct random_effects)},
    .init = init,
    .constrained = 1,
    .parameters = parameters,
    .point = point,
};
