/* Effects of a treatment in thirty schools, each known with a standard error of its own:
 *
 *     y_j ~ N(theta_j, s_j), theta_j ~ N(mu, tau), mu ~ N(0, 10), tau ~ half-Cauchy(0, 5)
 *
 * in the coordinates theta (`centred: true`), a funnel in tau, or (theta - mu) / tau. */
#include "more.h"

enum { SCHOOLS = 30 };
enum { MU, TAU, EFFECT, ENTRIES = EFFECT + SCHOOLS };

struct schools {
  int centred;
  double y[SCHOOLS], s[SCHOOLS];
};

static const struct dun_option options[] = {
    {"centred", DUN_FLAG, offsetof(struct schools, centred), "false",
     .doc = "Whether the effects themselves are the coordinates."},
    {0},
};

static int init(void *self, struct dun_message why)
{
  struct schools *model = self;
  unsigned long long state = 1;
  (void)why;
  for (int j = 0; j < SCHOOLS; j++) {
    model->s[j] = 8 + 8 * uniform(&state);
    model->y[j] = 6 + 5 * normal(&state) + model->s[j] * normal(&state);
  }
  return 0;
}

static int parameters(const void *self, int capacity, struct dun_parameter *parameter)
{
  const struct schools *model = self;
  struct dun_parameter row[] = {
      {.name = "mu", .doc = "Mean effect."},
      {.name = "tau", .transform = DUN_POSITIVE, .doc = "Spread of the effects."},
      {.name = "offset", .rank = 1, .shape = {SCHOOLS}, .doc = "(theta - mu) / tau."},
  };
  if (model->centred)
    row[2] = (struct dun_parameter){
        .name = "theta", .rank = 1, .shape = {SCHOOLS}, .doc = "Effect in each school."};
  return copy_parameters(3, row, capacity, parameter);
}

static double point(const void *self, const double *t, double *gradient)
{
  const struct schools *model = self;
  double spare[ENTRIES], unused = 0, *g = begin_slopes(gradient, spare, ENTRIES);
  double lp = normal_prior(t[MU], 0, 10, &g[MU]) + cauchy_prior(t[TAU], 5, &g[TAU]);
  for (int j = 0; j < SCHOOLS; j++) {
    double effect = t[EFFECT + j], slope = 0, towards = 0;
    if (model->centred) {
      lp += normal_datum(model->y[j], effect, model->s[j], &slope, &unused);
      lp += normal_datum(effect, t[MU], t[TAU], &towards, &g[TAU]);
      g[MU] += towards;
      g[EFFECT + j] = slope - towards;
    } else {
      double mean = t[MU] + t[TAU] * effect;
      lp += normal_prior(effect, 0, 1, &g[EFFECT + j]);
      lp += normal_datum(model->y[j], mean, model->s[j], &slope, &unused);
      g[MU] += slope;
      g[TAU] += slope * effect;
      g[EFFECT + j] += slope * t[TAU];
    }
  }
  return lp;
}

const struct dun_target dun_target_schools = {
    .type = {DUN_TYPE(struct dun_target), .name = "schools",
             .doc = "A hierarchical model of thirty effects.", .size = sizeof(struct schools),
             .options = options},
    .init = init,
    .constrained = 1,
    .parameters = parameters,
    .point = point,
};
