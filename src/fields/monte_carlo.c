/* The posterior mean by Monte Carlo, in any dimension and without a grid.  A point seen through
 * noise of tau = lambda^-1/2 at y = h / lambda has the mean y + tau^2 s(y), where s is the score of
 * the target blurred by N(0, tau^2).  With U = y + tau z, z standard normal, and self-normalised
 * weights W proportional to gamma(U), where gamma is the target's density and g its score, tau^2 s
 * is
 *
 *   dsi    E[W (U - y)]        the denoising identity, good where tau is larger than a mode
 *   tsi    tau^2 E[W g(U)]     the target score identity, good where it is smaller
 *   mixed  a tsi + (1 - a) dsi   a = c^2 / (c^2 + tau^2), for modes of width c
 *
 * On a Gaussian of standard deviation c the terms of `mixed` are all the same: it then has no
 * error at all, and it is the best of the three at every tau for mixtures of such (De Bortoli,
 * Hutchinson, Wirnsberger & Doucet 2024, arXiv 2402.08667, on the identities).  Where every weight
 * vanishes, or lambda is 0, the target counts as the Gaussian of `begin`. */
#include "base/error.h"
#include "base/memory.h"
#include "base/vmath.h"
#include "fields/field.h"
#include "numerics/given.h"
#include <math.h>
#include <string.h>

enum { MIXED, DSI, TSI };
enum { L = DUN_LANES };

/* In the workspace. */
struct lanes {
  double *y, *normal, *point, *gradient;                      /* [d] */
  double *lp, *peak, *total, *one, *grow, *tau, *far, *share; /* [1] */
};
enum { BLOCKS = 4, COLUMNS = 8 };

struct monte_carlo {
  /* options */
  long long samples;
  int estimator;
  double crossover;
  struct {
    struct dun_numbers mean, scale;
  } begin;

  /* made by init */
  struct dun_evaluator *target;
  struct dun_gaussian law; /* of `begin` */
  double *work;            /* lanes, then the Gaussian's scratch; owned */
};

/* ---- set-up -------------------------------------------------------------------------------- */

static int init_here(struct monte_carlo *s, struct dun_evaluator *target)
{
  const long long most = 1LL << 27;
  int64_t d = target->dimension;
  int status;

  s->target = target;
  if (s->samples > most / d)
    return dun_fail(DUN_ERROR_INPUT,
                    "samples: found %lld, expected at most %lld in %lld dimensions", s->samples,
                    most / d, (long long)d);
  if (s->estimator != DSI &&
      dun_evaluator_need_gradient(target, "field monte_carlo", "estimator: dsi") < 0)
    return DUN_ERROR_INPUT;
  dun_gaussian_free(&s->law);
  if ((status = dun_given_gaussian(&s->law, (int)d, &s->begin.mean, "field.begin.mean",
                                   &s->begin.scale, "field.begin.scale")) < 0)
    return status;
  DUN_FREE(s->work);
  s->work = dun_allocate((BLOCKS * d + COLUMNS + dun_gaussian_tilted_columns(&s->law)) * L,
                         sizeof *s->work);
  return s->work ? 0 : DUN_ERROR_MEMORY;
}

static int init(struct dun_context *context, void *self, struct dun_evaluator *target,
                double lambda)
{
  (void)lambda;
  return dun_agree(context, init_here(self, target));
}

static void release(void *self)
{
  struct monte_carlo *s = self;
  dun_gaussian_free(&s->law);
  DUN_FREE(s->work);
}

/* ---- values -------------------------------------------------------------------------------- */

static struct lanes lanes_of(const struct monte_carlo *s)
{
  int64_t block = (int64_t)s->target->dimension * L;
  struct lanes w = {.y = s->work};
  w.normal = w.y + block;
  w.point = w.normal + block;
  w.gradient = w.point + block;
  w.lp = w.gradient + block;
  w.peak = w.lp + L;
  w.total = w.peak + L;
  w.one = w.total + L;
  w.grow = w.one + L;
  w.tau = w.grow + L;
  w.far = w.tau + L;
  w.share = w.far + L;
  return w;
}

/* tau, and what `mixed` takes of both terms: tau^2 a and tau (1 - a). */
DUN_CLONES static void begin(const struct monte_carlo *s, const struct dun_field_call *call,
                             struct lanes w)
{
  double c2 = s->crossover * s->crossover;
  int64_t d = s->target->dimension;
  for (int l = 0; l < L; l++) {
    double lambda = call->lambda[l] > 0 ? call->lambda[l] : 1, tau2 = 1 / lambda;
    double a = s->estimator == DSI ? 0 : s->estimator == TSI ? 1 : c2 / (c2 + tau2);
    w.tau[l] = sqrt(tau2);
    w.share[l] = tau2 * a;
    w.far[l] = w.tau[l] * (1 - a);
    w.peak[l] = -INFINITY;
    w.total[l] = 0;
    w.one[l] = 1;
    for (int64_t j = 0; j < d; j++)
      w.y[j * L + l] = call->h[j * L + l] / lambda;
  }
}

DUN_CLONES static void place(int64_t d, struct lanes w)
{
  for (int64_t j = 0; j < d; j++)
    for (int l = 0; l < L; l++)
      w.point[j * L + l] = DUN_FMA(w.tau[l], w.normal[j * L + l], w.y[j * L + l]);
}

/* One more sample of every lane: sums are relative to the largest weight so far.  lp becomes the
 * sample's weight, `grow` what older sums are multiplied by. */
DUN_CLONES static void weigh(double *restrict lp, double *restrict peak, double *restrict total,
                             double *restrict grow)
{
  for (int l = 0; l < L; l++) {
    double highest = lp[l] > peak[l] ? lp[l] : peak[l], base = highest > -INFINITY ? highest : 0;
    grow[l] = dun_exp_weight(peak[l] - base);
    lp[l] = dun_exp_weight(lp[l] - base);
    total[l] = DUN_FMA(total[l], grow[l], lp[l]);
    peak[l] = highest;
  }
}

/* sum <- grow sum + weight (share gradient + far z) */
DUN_CLONES static void add(int64_t d, struct lanes w, double *restrict sum)
{
  for (int64_t j = 0; j < d; j++)
    for (int l = 0; l < L; l++) {
      int64_t i = j * L + l;
      double term = DUN_FMA(w.share[l], w.gradient[i], w.far[l] * w.normal[i]);
      sum[i] = DUN_FMA(sum[i], w.grow[l], w.lp[l] * term);
    }
}

/* Sums become means; lanes without any weight take those of the Gaussian, in `other`. */
DUN_CLONES static void finish(int64_t d, struct lanes w, const double *restrict lambda,
                              const double *restrict other, double *restrict mean)
{
  for (int64_t j = 0; j < d; j++)
    for (int l = 0; l < L; l++) {
      int64_t i = j * L + l;
      double value = w.y[i] + mean[i] / w.total[l];
      mean[i] = w.total[l] > 0 && lambda[l] > 0 ? value : other[i];
    }
}

static void value(const void *self, const struct dun_field_call *call)
{
  const struct monte_carlo *s = self;
  int d = s->target->dimension;
  size_t block = (size_t)d * L * sizeof(double);
  struct dun_address address = call->address;
  struct lanes w = lanes_of(s);

  begin(s, call, w);
  memset(call->mean, 0, block);
  address.purpose = DUN_PURPOSE_FIELD;
  for (long long m = 0; m < s->samples; m++) {
    dun_normals_from(address, m * d, d, w.normal);
    place(d, w);
    memset(w.gradient, 0, block);
    dun_evaluate(s->target, call->n, w.point, w.lp, w.one, s->estimator != DSI ? w.gradient : NULL);
    weigh(w.lp, w.peak, w.total, w.grow);
    add(d, w, call->mean);
  }
  struct dun_tilted tilted = {.n = call->n, .h = call->h, .lambda = call->lambda, .mean = w.point};
  dun_gaussian_tilted(&s->law, &tilted, s->work + (BLOCKS * (int64_t)d + COLUMNS) * L);
  finish(d, w, call->lambda, w.point, call->mean);
}

/* ---- what it is ---------------------------------------------------------------------------- */

static const struct dun_gaussian *start(const void *self)
{
  return &((const struct monte_carlo *)self)->law;
}

static long long evaluations(const void *self, int first)
{
  (void)first;
  return ((const struct monte_carlo *)self)->samples;
}

#define BEGIN(member)                                                                              \
  offsetof(struct monte_carlo, begin.member) - offsetof(struct monte_carlo, begin)
static const struct dun_option begin_options[] = {
    {.name = "mean",
     .type = DUN_NUMBERS,
     .offset = BEGIN(mean),
     .initial = "0",
     .doc = "Mean of the target, as far as it is known; one number or one for each coordinate."},
    {.name = "scale",
     .type = DUN_NUMBERS,
     .offset = BEGIN(scale),
     .initial = "1",
     .minimum = 1e-150,
     .maximum = 1e150,
     .doc = "Its standard deviation, likewise."},
    {0},
};

static const struct dun_option options[] = {
    {.name = "samples",
     .type = DUN_INTEGER,
     .offset = offsetof(struct monte_carlo, samples),
     .initial = "1000",
     .minimum = 1,
     .maximum = 1e8,
     .doc = "Samples of each posterior mean."},
    {.name = "estimator",
     .type = DUN_CHOICE,
     .offset = offsetof(struct monte_carlo, estimator),
     .initial = "mixed",
     .words = "mixed|dsi|tsi",
     .doc = "Denoising identity, target score identity, or both weighted by tau and crossover."},
    {.name = "crossover",
     .type = DUN_NUMBER,
     .offset = offsetof(struct monte_carlo, crossover),
     .initial = "1",
     .minimum = 1e-150,
     .maximum = 1e150,
     .when = "estimator=mixed",
     .doc = "The noise of a point, tau, at which both have the same weight: a mode's width."},
    {.name = "begin",
     .type = DUN_SECTION,
     .offset = offsetof(struct monte_carlo, begin),
     .initial = "",
     .rows = begin_options,
     .doc = "What is known of the target, for the start."},
    {0},
};

const struct dun_field dun_field_monte_carlo = {
    .type = {DUN_TYPE(struct dun_field), .name = "monte_carlo",
             .doc = "Means by importance sampling, of any target.",
             .citation = "De Bortoli, Hutchinson, Wirnsberger & Doucet 2024, arXiv 2402.08667",
             .size = sizeof(struct monte_carlo), .options = options, .free = release},
    .init = init,
    .start = start,
    .value = value,
    .evaluations = evaluations,
};
