/* An epidemic seen on thirty days: shares of people that are susceptible, exposed, infectious,
 *
 *     S' = -contact S I, E' = contact S I - onset E, I' = onset E - recovery I,
 *     S(0) = 1 - first, E(0) = 0, I(0) = first, log y_t ~ N(log I(t), noise),
 *     log contact ~ N(0, .7), log onset ~ N(log .5, .3), log recovery ~ N(log .3, .5),
 *     first ~ Beta(1, 50), noise ~ half-N(0, .5)
 *
 * by Runge and Kutta's method, with the equations of the slopes beside those of the state. */
#include "more.h"

enum { DAYS = 30, STEPS = 8 }; /* steps a day */
enum { CONTACT, ONSET, RECOVERY, FIRST, NOISE, ENTRIES };
enum { STATES = 3, SLOPES = 4, SIZE = STATES * (1 + SLOPES) }; /* slopes in all but the noise */

struct epidemic {
  double log_y[DAYS];
};

static const struct dun_parameter row[] = {
    {.name = "contact", .transform = DUN_POSITIVE, .doc = "Infections a day by each infectious."},
    {.name = "onset", .transform = DUN_POSITIVE, .doc = "A day, of the exposed."},
    {.name = "recovery", .transform = DUN_POSITIVE, .doc = "A day, of the infectious."},
    {.name = "first",
     .transform = DUN_BETWEEN,
     .lower = 0,
     .upper = 1,
     .doc = "Share that is infectious at first."},
    {.name = "noise", .transform = DUN_POSITIVE, .doc = "Of the logs of what is seen."},
};

/* x: state, then its slopes in each parameter, three numbers each. */
static void flow(const double *t, const double *x, double *rate)
{
  double contact = t[CONTACT], onset = t[ONSET], recovery = t[RECOVERY];
  double infected = contact * x[0] * x[2];
  rate[0] = -infected;
  rate[1] = infected - onset * x[1];
  rate[2] = onset * x[1] - recovery * x[2];
  for (int k = 1; k <= SLOPES; k++) {
    const double *slope = x + STATES * k;
    double more = contact * (slope[0] * x[2] + x[0] * slope[2]);
    rate[STATES * k] = -more;
    rate[STATES * k + 1] = more - onset * slope[1];
    rate[STATES * k + 2] = onset * slope[1] - recovery * slope[2];
  }
  double *by_contact = rate + STATES * (1 + CONTACT), *by_onset = rate + STATES * (1 + ONSET);
  by_contact[0] -= x[0] * x[2];
  by_contact[1] += x[0] * x[2];
  by_onset[1] -= x[1];
  by_onset[2] += x[1];
  rate[STATES * (1 + RECOVERY) + 2] -= x[2];
}

static void step(const double *t, double h, double *x)
{
  static const double along[4] = {0, .5, .5, 1}, weight[4] = {1. / 6, 1. / 3, 1. / 3, 1. / 6};
  double rate[SIZE] = {0}, at[SIZE], sum[SIZE] = {0};
  for (int stage = 0; stage < 4; stage++) {
    for (int i = 0; i < SIZE; i++)
      at[i] = x[i] + along[stage] * h * rate[i];
    flow(t, at, rate);
    for (int i = 0; i < SIZE; i++)
      sum[i] += weight[stage] * rate[i];
  }
  for (int i = 0; i < SIZE; i++)
    x[i] += h * sum[i];
}

static void begin(const double *t, double *x)
{
  memset(x, 0, SIZE * sizeof *x);
  x[0] = 1 - t[FIRST];
  x[2] = t[FIRST];
  x[STATES * (1 + FIRST)] = -1;
  x[STATES * (1 + FIRST) + 2] = 1;
}

static int init(void *self, struct dun_message why)
{
  struct epidemic *model = self;
  unsigned long long state = 6;
  double truth[ENTRIES] = {.9, .5, .25, .004, .25}, x[SIZE];
  (void)why;
  begin(truth, x);
  for (int day = 0; day < DAYS; day++) {
    for (int i = 0; i < STEPS; i++)
      step(truth, 1. / STEPS, x);
    model->log_y[day] = log(x[2]) + truth[NOISE] * normal(&state);
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
  const struct epidemic *model = self;
  double spare[ENTRIES], x[SIZE], *g = begin_slopes(gradient, spare, ENTRIES);
  double lp = lognormal_prior(t[CONTACT], 0, .7, &g[CONTACT]);
  lp += lognormal_prior(t[ONSET], log(.5), .3, &g[ONSET]);
  lp += lognormal_prior(t[RECOVERY], log(.3), .5, &g[RECOVERY]);
  lp += 49 * log1p(-t[FIRST]) + normal_prior(t[NOISE], 0, .5, &g[NOISE]);
  g[FIRST] -= 49 / (1 - t[FIRST]);
  begin(t, x);
  for (int day = 0; day < DAYS; day++) {
    double slope = 0;
    for (int i = 0; i < STEPS; i++)
      step(t, 1. / STEPS, x);
    if (!(x[2] > 0)) /* rates beyond what the steps can follow */
      return -INFINITY;
    lp += normal_datum(model->log_y[day], log(x[2]), t[NOISE], &slope, &g[NOISE]);
    for (int k = 0; k < SLOPES; k++)
      g[k] += slope / x[2] * x[STATES * (1 + k) + 2];
  }
  return lp;
}

const struct dun_target dun_target_epidemic = {
    .type = {DUN_TYPE(struct dun_target), .name = "epidemic",
             .doc = "Rates of an epidemic, by differential equations of three states.",
             .size = sizeof(struct epidemic)},
    .init = init,
    .constrained = 1,
    .parameters = parameters,
    .point = point,
};
