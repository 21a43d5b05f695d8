/* A regression of sixty data on twenty regressors of which three matter, with the regularised
 * horseshoe (Piironen & Vehtari 2017, Electron. J. Stat. 11, 5018), in whitened coefficients:
 *
 *     y ~ N(intercept + X beta, sigma), beta_j = s_j z_j, s_j = c w_j / sqrt(c^2 + w_j^2),
 *     w_j = tau lambda_j, c = 2, z ~ N(0, 1), lambda ~ half-Cauchy(0, 1), tau ~ half-Cauchy(0, .1),
 *     intercept ~ N(0, 5), sigma ~ half-N(0, 2)
 *
 * The scales have no means; their angles, of which they are tangents, have: they are uniform. */
#include "more.h"

enum { DATA = 60, REGRESSORS = 20 };
enum { INTERCEPT, SIGMA, ALL, EACH, Z = EACH + REGRESSORS, ENTRIES = Z + REGRESSORS };

#define RIGHT_ANGLE 1.5707963267948966

static const double SLAB = 2, USUAL = .1;

struct horseshoe {
  double x[DATA][REGRESSORS], y[DATA];
};

static const struct dun_parameter row[] = {
    {.name = "intercept", .doc = "Of the regression."},
    {.name = "sigma", .transform = DUN_POSITIVE, .doc = "Noise."},
    {.name = "all",
     .transform = DUN_BETWEEN,
     .lower = 0,
     .upper = RIGHT_ANGLE,
     .doc = "Angle of tau / .1: how large coefficients are, all of them."},
    {.name = "each",
     .rank = 1,
     .shape = {REGRESSORS},
     .transform = DUN_BETWEEN,
     .lower = 0,
     .upper = RIGHT_ANGLE,
     .doc = "Angles of lambda: the same, of each."},
    {.name = "z", .rank = 1, .shape = {REGRESSORS}, .doc = "Coefficients, whitened."},
};

static int init(void *self, struct dun_message why)
{
  struct horseshoe *model = self;
  unsigned long long state = 10;
  const double beta[3] = {1.5, -1, .6};
  (void)why;
  for (int i = 0; i < DATA; i++) {
    model->y[i] = 1 + normal(&state);
    for (int j = 0; j < REGRESSORS; j++) {
      model->x[i][j] = normal(&state);
      model->y[i] += j < 3 ? beta[j] * model->x[i][j] : 0;
    }
  }
  return 0;
}

static int parameters(const void *self, int capacity, struct dun_parameter *parameter)
{
  (void)self;
  return copy_parameters(5, row, capacity, parameter);
}

/* The likelihood; writes the slopes in beta. */
static double likelihood(const struct horseshoe *model, const double *t, const double *beta,
                         double *by_beta, double *g)
{
  double lp = 0;
  memset(by_beta, 0, REGRESSORS * sizeof *by_beta);
  for (int i = 0; i < DATA; i++) {
    double mean = t[INTERCEPT], slope = 0;
    for (int j = 0; j < REGRESSORS; j++)
      mean += model->x[i][j] * beta[j];
    lp += normal_datum(model->y[i], mean, t[SIGMA], &slope, &g[SIGMA]);
    g[INTERCEPT] += slope;
    for (int j = 0; j < REGRESSORS; j++)
      by_beta[j] += slope * model->x[i][j];
  }
  return lp;
}

static double point(const void *self, const double *t, double *gradient)
{
  double spare[ENTRIES], *g = begin_slopes(gradient, spare, ENTRIES);
  double beta[REGRESSORS], by_beta[REGRESSORS], scale[REGRESSORS], shrink[REGRESSORS];
  double lambda[REGRESSORS], tangent = tan(t[ALL]), tau = USUAL * tangent;
  double lp = normal_prior(t[INTERCEPT], 0, 5, &g[INTERCEPT]) +
              normal_prior(t[SIGMA], 0, 2, &g[SIGMA]) + normal_priors(REGRESSORS, t + Z, 1, g + Z);
  for (int j = 0; j < REGRESSORS; j++) {
    lambda[j] = tan(t[EACH + j]);
    shrink[j] = 1 / sqrt(1 + tau * lambda[j] * tau * lambda[j] / (SLAB * SLAB));
    scale[j] = tau * lambda[j] * shrink[j];
    beta[j] = scale[j] * t[Z + j];
  }
  lp += likelihood(self, t, beta, by_beta, g);
  for (int j = 0; j < REGRESSORS; j++) {
    double by_wide = by_beta[j] * t[Z + j] * shrink[j] * shrink[j] * shrink[j];
    g[Z + j] += by_beta[j] * scale[j];
    g[ALL] += by_wide * lambda[j] * USUAL * (1 + tangent * tangent);
    g[EACH + j] += by_wide * tau * (1 + lambda[j] * lambda[j]);
  }
  return lp;
}

const struct dun_target dun_target_horseshoe = {
    .type = {DUN_TYPE(struct dun_target), .name = "horseshoe",
             .doc = "A regression with the regularised horseshoe.",
             .size = sizeof(struct horseshoe)},
    .init = init,
    .constrained = 1,
    .parameters = parameters,
    .point = point,
};
