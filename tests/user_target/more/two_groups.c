/* Three hundred numbers from two groups that nobody told apart:
 *
 *     y ~ share N(mean_1, spread_1) + (1 - share) N(mean_2, spread_2), mean ~ N(0, 3), ordered,
 *     spread ~ half-N(0, 2), share ~ Beta(5, 5) */
#include "more.h"

enum { DATA = 300 };
enum { MEAN, SPREAD = 2, SHARE = 4, ENTRIES };

struct two_groups {
  double y[DATA];
};

static const struct dun_parameter row[] = {
    {.name = "mean", .rank = 1, .shape = {2}, .transform = DUN_ORDERED, .doc = "Of the groups."},
    {.name = "spread", .rank = 1, .shape = {2}, .transform = DUN_POSITIVE, .doc = "Of the groups."},
    {.name = "share",
     .transform = DUN_BETWEEN,
     .lower = 0,
     .upper = 1,
     .doc = "Of the group with the smaller mean."},
};

static int init(void *self, struct dun_message why)
{
  struct two_groups *model = self;
  unsigned long long state = 9;
  (void)why;
  for (int i = 0; i < DATA; i++) {
    int second = uniform(&state) > .4;
    model->y[i] = second ? 1.5 + normal(&state) : -1.5 + .7 * normal(&state);
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
  const struct two_groups *model = self;
  double spare[ENTRIES], *g = begin_slopes(gradient, spare, ENTRIES), share = t[SHARE];
  double lp = normal_priors(2, t + MEAN, 3, g + MEAN) + normal_priors(2, t + SPREAD, 2, g + SPREAD);
  double log_factor[2] = {log(share) - log(t[SPREAD]), log1p(-share) - log(t[SPREAD + 1])};
  lp += 4 * log(share) + 4 * log1p(-share);
  g[SHARE] += 4 / share - 4 / (1 - share);
  for (int i = 0; i < DATA; i++) {
    double z[2], log_density[2];
    for (int k = 0; k < 2; k++) {
      z[k] = (model->y[i] - t[MEAN + k]) / t[SPREAD + k];
      log_density[k] = log_factor[k] - .5 * z[k] * z[k];
    }
    double off = log_density[1] - log_density[0], of_first = 1 / (1 + exp(off));
    double weight[2] = {of_first, 1 - of_first};
    lp += fmax(log_density[0], log_density[1]) + log1p(exp(-fabs(off)));
    for (int k = 0; k < 2; k++) {
      g[MEAN + k] += weight[k] * z[k] / t[SPREAD + k];
      g[SPREAD + k] += weight[k] * (z[k] * z[k] - 1) / t[SPREAD + k];
    }
    g[SHARE] += weight[0] / share - weight[1] / (1 - share);
  }
  return lp;
}

const struct dun_target dun_target_two_groups = {
    .type = {DUN_TYPE(struct dun_target), .name = "two_groups",
             .doc = "A mixture of two normal laws with ordered means.",
             .size = sizeof(struct two_groups)},
    .init = init,
    .constrained = 1,
    .parameters = parameters,
    .point = point,
};
