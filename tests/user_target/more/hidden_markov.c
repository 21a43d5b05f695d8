/* Two hundred observations of a chain that is hidden in one of two states:
 *
 *     y_t ~ N(mean_s, spread_s), s_t ~ from_s(t-1), mean ~ N(0, 3), ordered,
 *     spread ~ half-N(0, 2), the share of staying ~ Beta(4, 2), the first state even
 *
 * The states are summed over, forward; backward sums give the slopes. */
#include "more.h"

enum { TIMES = 200, STATES = 2 };
enum { MEAN, SPREAD = STATES, FROM = 2 * STATES, ENTRIES = FROM + STATES * STATES };

struct hidden_markov {
  double y[TIMES];
};

static const struct dun_parameter row[] = {
    {.name = "mean", .rank = 1, .shape = {STATES}, .transform = DUN_ORDERED, .doc = "Of y."},
    {.name = "spread", .rank = 1, .shape = {STATES}, .transform = DUN_POSITIVE, .doc = "Of y."},
    {.name = "from_1", .rank = 1, .shape = {STATES}, .transform = DUN_SIMPLEX, .doc = "Shares."},
    {.name = "from_2", .rank = 1, .shape = {STATES}, .transform = DUN_SIMPLEX, .doc = "Shares."},
};

static int init(void *self, struct dun_message why)
{
  struct hidden_markov *model = self;
  unsigned long long state = 5;
  int at = 0;
  (void)why;
  for (int t = 0; t < TIMES; t++) {
    at = uniform(&state) < (at ? .85 : .9) ? at : !at;
    model->y[t] = at ? 2 + 1.2 * normal(&state) : -.5 + .8 * normal(&state);
  }
  return 0;
}

static int parameters(const void *self, int capacity, struct dun_parameter *parameter)
{
  (void)self;
  return copy_parameters(4, row, capacity, parameter);
}

/* What is known of the state after each datum, and the density of the datum in each state over that
 * of all, so that sums stay near 1. */
struct filter {
  double known[TIMES][STATES], density[TIMES][STATES];
};

static double forward(const struct hidden_markov *model, const double *t, struct filter *f)
{
  double lp = 0;
  for (int i = 0; i < TIMES; i++) {
    double log_density[STATES], total = 0, top = -INFINITY;
    for (int s = 0; s < STATES; s++) {
      double z = (model->y[i] - t[MEAN + s]) / t[SPREAD + s];
      log_density[s] = -.5 * z * z - log(t[SPREAD + s]);
      top = fmax(top, log_density[s]);
    }
    for (int s = 0; s < STATES; s++) {
      double expected = i ? 0 : 1. / STATES;
      for (int r = 0; r < STATES && i; r++)
        expected += f->known[i - 1][r] * t[FROM + STATES * r + s];
      f->density[i][s] = exp(log_density[s] - top);
      f->known[i][s] = expected * f->density[i][s];
      total += f->known[i][s];
    }
    for (int s = 0; s < STATES; s++) {
      f->known[i][s] /= total;
      f->density[i][s] /= total;
    }
    lp += log(total) + top;
  }
  return lp;
}

static void backward(const struct hidden_markov *model, const double *t, const struct filter *f,
                     double *g)
{
  double later[STATES]; /* how much better each state explains what comes later */
  for (int s = 0; s < STATES; s++)
    later[s] = 1;
  for (int i = TIMES - 1; i >= 0; i--) {
    double before[STATES] = {0};
    for (int s = 0; s < STATES; s++) {
      double share = f->known[i][s] * later[s], z = (model->y[i] - t[MEAN + s]) / t[SPREAD + s];
      g[MEAN + s] += share * z / t[SPREAD + s];
      g[SPREAD + s] += share * (z * z - 1) / t[SPREAD + s];
      for (int r = 0; r < STATES && i; r++) {
        g[FROM + STATES * r + s] += f->known[i - 1][r] * f->density[i][s] * later[s];
        before[r] += t[FROM + STATES * r + s] * f->density[i][s] * later[s];
      }
    }
    memcpy(later, before, sizeof later);
  }
}

static double point(const void *self, const double *t, double *gradient)
{
  const struct hidden_markov *model = self;
  double spare[ENTRIES], *g = begin_slopes(gradient, spare, ENTRIES);
  struct filter filter;
  double lp = normal_priors(STATES, t + MEAN, 3, g + MEAN) +
              normal_priors(STATES, t + SPREAD, 2, g + SPREAD);
  for (int r = 0; r < STATES; r++)
    for (int s = 0; s < STATES; s++) {
      int entry = FROM + STATES * r + s, power = r == s ? 3 : 1;
      lp += power * log(t[entry]);
      g[entry] += power / t[entry];
    }
  lp += forward(model, t, &filter);
  if (gradient)
    backward(model, t, &filter, g);
  return lp;
}

const struct dun_target dun_target_hidden_markov = {
    .type = {DUN_TYPE(struct dun_target), .name = "hidden_markov",
             .doc = "A hidden Markov chain of two states.", .size = sizeof(struct hidden_markov)},
    .init = init,
    .constrained = 1,
    .parameters = parameters,
    .point = point,
};
