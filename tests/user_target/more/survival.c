/* How long a hundred and twenty patients live, some of them beyond the end of the study:
 *
 *     time ~ Weibull(shape, exp(f . coefficient)), f = (1, age in decades, treated, stage),
 *     shape ~ lognormal(0, 1), coefficient ~ N(0, 3)
 *
 * Ages are not centred, so that the first two coefficients are correlated. */
#include "more.h"

enum { PATIENTS = 120, FEATURES = 4 };
enum { SHAPE, COEFFICIENT, ENTRIES = COEFFICIENT + FEATURES };

struct survival {
  double f[PATIENTS][FEATURES], log_time[PATIENTS];
  int died[PATIENTS];
};

static const struct dun_parameter row[] = {
    {.name = "shape", .transform = DUN_POSITIVE, .doc = "Of the Weibull law."},
    {.name = "coefficient", .rank = 1, .shape = {FEATURES}, .doc = "Of the log of its scale."},
};

static int init(void *self, struct dun_message why)
{
  struct survival *model = self;
  unsigned long long state = 12;
  const double log_end = log(4);
  (void)why;
  for (int i = 0; i < PATIENTS; i++) {
    double *f = model->f[i];
    f[0] = 1;
    f[1] = 4 + 4 * uniform(&state);
    f[2] = uniform(&state) < .5;
    f[3] = floor(3 * uniform(&state));
    double log_scale = 3.5 - .35 * f[1] + .5 * f[2] - .3 * f[3];
    double log_time = log_scale + log(-log(uniform(&state))) / 1.4;
    model->died[i] = log_time < log_end;
    model->log_time[i] = model->died[i] ? log_time : log_end;
  }
  return 0;
}

static int parameters(const void *self, int capacity, struct dun_parameter *parameter)
{
  (void)self;
  return copy_parameters(2, row, capacity, parameter);
}

static double point(const void *self, const double *t, double *gradient)
{
  const struct survival *model = self;
  double spare[ENTRIES], *g = begin_slopes(gradient, spare, ENTRIES), shape = t[SHAPE];
  double lp = lognormal_prior(shape, 0, 1, &g[SHAPE]) +
              normal_priors(FEATURES, t + COEFFICIENT, 3, g + COEFFICIENT);
  for (int i = 0; i < PATIENTS; i++) {
    double off = model->log_time[i];
    for (int k = 0; k < FEATURES; k++)
      off -= model->f[i][k] * t[COEFFICIENT + k];
    double hazard = exp(shape * off), excess = model->died[i] - hazard;
    lp += model->died[i] * (log(shape) + shape * off) - hazard;
    g[SHAPE] += model->died[i] / shape + excess * off;
    for (int k = 0; k < FEATURES; k++)
      g[COEFFICIENT + k] -= excess * shape * model->f[i][k];
  }
  return lp;
}

const struct dun_target dun_target_survival = {
    .type = {DUN_TYPE(struct dun_target), .name = "survival",
             .doc = "Survival times, some of them censored.", .size = sizeof(struct survival)},
    .init = init,
    .constrained = 1,
    .parameters = parameters,
    .point = point,
};
