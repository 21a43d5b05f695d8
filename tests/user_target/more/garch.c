/* Two hundred returns whose variance follows the last return and the last variance (GARCH(1, 1)):
 *
 *     y_t ~ N(mu, sqrt(v_t)), v_t = level + news (y_t-1 - mu)^2 + memory v_t-1, v_1 = 1,
 *     mu ~ N(0, 10), level ~ half-N(0, 2), (news, memory, rest) uniform on their simplex */
#include "more.h"

enum { TIMES = 200 };
enum { MU, LEVEL, NEWS, MEMORY, REST, ENTRIES };

struct garch {
  double y[TIMES];
};

static const struct dun_parameter row[] = {
    {.name = "mu", .doc = "Mean return."},
    {.name = "level", .transform = DUN_POSITIVE, .doc = "Of the variance."},
    {.name = "shares",
     .rank = 1,
     .shape = {3},
     .transform = DUN_SIMPLEX,
     .doc = "News, memory, and what is left."},
};

static int init(void *self, struct dun_message why)
{
  struct garch *model = self;
  unsigned long long state = 7;
  double variance = 1;
  (void)why;
  for (int t = 0; t < TIMES; t++) {
    double off = sqrt(variance) * normal(&state);
    model->y[t] = .3 + off;
    variance = .2 + .3 * off * off + .5 * variance;
  }
  return 0;
}

static int parameters(const void *self, int capacity, struct dun_parameter *parameter)
{
  (void)self;
  return copy_parameters(3, row, capacity, parameter);
}

static double point(const void *self, const double *t, double *gradient)
{
  const struct garch *model = self;
  double spare[ENTRIES], *g = begin_slopes(gradient, spare, ENTRIES);
  double lp = normal_prior(t[MU], 0, 10, &g[MU]) + normal_prior(t[LEVEL], 0, 2, &g[LEVEL]);
  double variance = 1, by[REST] = {0}; /* the variance, and its slopes */
  for (int i = 0; i < TIMES; i++) {
    double off = model->y[i] - t[MU], z = off * off / variance, slope = .5 * (z - 1) / variance;
    lp -= .5 * (log(variance) + z);
    g[MU] += off / variance;
    for (int k = 0; k < REST; k++)
      g[k] += slope * by[k];
    double direct[REST] = {-2 * t[NEWS] * off, 1, off * off, variance};
    for (int k = 0; k < REST; k++)
      by[k] = direct[k] + t[MEMORY] * by[k];
    variance = t[LEVEL] + t[NEWS] * off * off + t[MEMORY] * variance;
  }
  return lp;
}

const struct dun_target dun_target_garch = {
    .type = {DUN_TYPE(struct dun_target), .name = "garch",
             .doc = "Variances of two hundred returns.", .size = sizeof(struct garch)},
    .init = init,
    .constrained = 1,
    .parameters = parameters,
    .point = point,
};
