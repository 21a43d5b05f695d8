/* Parameters of many kinds, each with a normalised law of its own, in the terms in which they are
 * written down: Dunlin does the transforms. */
#include <dunlin/target.h>
#include <math.h>

enum { PARAMETERS = 7 };
enum { MU, SIGMA, SHARES, CUTS = 5, LOAD = 7, PHASE, FACTOR, ENTRIES = FACTOR + 4 };

static const struct dun_parameter row[PARAMETERS] = {
    {.name = "mu", .doc = "Standard normal."},
    {.name = "sigma", .transform = DUN_POSITIVE, .doc = "Exponential of rate 2."},
    {.name = "shares",
     .rank = 1,
     .shape = {3},
     .transform = DUN_SIMPLEX,
     .doc = "Dirichlet 2 3 4."},
    {.name = "cuts",
     .rank = 1,
     .shape = {2},
     .transform = DUN_ORDERED,
     .doc = "Two sorted standard normal numbers."},
    {.name = "load",
     .transform = DUN_BETWEEN,
     .lower = -1,
     .upper = 3,
     .doc = "A quarter of Beta(2, 2) on (-1, 3)."},
    {.name = "phase",
     .transform = DUN_PERIODIC,
     .lower = 0,
     .upper = 360,
     .doc = "Von Mises about 0 of concentration 1."},
    {.name = "factor",
     .rank = 2,
     .shape = {2, 2},
     .transform = DUN_CORRELATION_FACTOR,
     .doc = "Of a uniform correlation."},
};

static int parameters(const void *self, int capacity, struct dun_parameter *parameter)
{
  (void)self;
  for (int i = 0; i < PARAMETERS && i < capacity; i++)
    parameter[i] = row[i];
  return PARAMETERS;
}

static double point(const void *self, const double *t, double *gradient)
{
  const double half_log_2pi = .91893853320467274178, degree = acos(-1) / 180;
  const double log_bessel = .23591437; /* log I0(1), to the digits that matter here */
  const double power[3] = {1, 2, 3};
  double lp = -.5 * t[MU] * t[MU] - half_log_2pi, share = (t[LOAD] + 1) / 4;
  (void)self;
  lp += log(2) - 2 * t[SIGMA];
  lp += lgamma(9) - lgamma(2) - lgamma(3) - lgamma(4);
  for (int k = 0; k < 3; k++)
    lp += power[k] * log(t[SHARES + k]);
  lp += log(2) - 2 * half_log_2pi - .5 * (t[CUTS] * t[CUTS] + t[CUTS + 1] * t[CUTS + 1]);
  lp += log(6 * share * (1 - share)) - log(4);
  lp += cos(degree * t[PHASE]) - log_bessel - log(360);
  lp -= log(2);
  if (!gradient)
    return lp;
  for (int i = 0; i < ENTRIES; i++)
    gradient[i] = 0;
  gradient[MU] = -t[MU];
  gradient[SIGMA] = -2;
  for (int k = 0; k < 3; k++)
    gradient[SHARES + k] = power[k] / t[SHARES + k];
  gradient[CUTS] = -t[CUTS];
  gradient[CUTS + 1] = -t[CUTS + 1];
  gradient[LOAD] = (1 / share - 1 / (1 - share)) / 4;
  gradient[PHASE] = -degree * sin(degree * t[PHASE]);
  return lp;
}

static double log_evidence(const void *self)
{
  (void)self;
  return 0;
}

const struct dun_target dun_target_constrained = {
    .type = {DUN_TYPE(struct dun_target), .name = "constrained", .doc = "Constrained parameters."},
    .constrained = 1,
    .parameters = parameters,
    .point = point,
    .log_evidence = log_evidence,
};
