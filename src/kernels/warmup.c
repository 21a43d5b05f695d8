#include "kernels/warmup.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/scalar.h"
#include "population/covariance.h"
#include "population/weights.h"
#include <math.h>
#include <string.h>

static const int64_t FIRST_WINDOW = 10;
static const double METRIC_SHARE = .75; /* of the sweeps, while the metric is learned */
static const double PRIOR_POINTS = 5;   /* so many count for the present metric */

/* Of dual averaging; gamma is .05 in the paper, where one chain learns alone. */
static const double GAMMA = .2, KAPPA = .75, T0 = 10;

static const double TRIAL_MEMORY = 64; /* moves after which a trial's figures have faded */
static const double LENGTH_GAIN = .3, LENGTH_LIMIT = .18, LENGTH_MAXIMUM = 1024;
static const double CENTRE_POINTS = 100;

int dun_warmup_init(struct dun_warmup *w, int d, int dense, int64_t sweeps)
{
  int64_t count = 2 * (int64_t)d + (dense ? (int64_t)d * d : 0);

  dun_warmup_free(w);
  *w = (struct dun_warmup){.sweeps = sweeps, .window_end = FIRST_WINDOW};
  w->moments.value = dun_allocate(count, sizeof *w->moments.value);
  if (!w->moments.value)
    return DUN_ERROR_MEMORY;
  w->moments.count = count;
  return 0;
}

void dun_warmup_free(struct dun_warmup *w)
{
  DUN_FREE(w->moments.value);
  w->moments.count = 0;
}

/* ---- the metric and the centre --------------------------------------------------------------- */

/* Joins a covariance of n points to the window's; before its mean moves. */
static void join_products(struct dun_warmup *w, int d, double n, const double *mean,
                          const double *covariance)
{
  double *m = w->moments.value, *product = m + 2 * (int64_t)d, both = n * w->count / (w->count + n);

  for (int i = 0; i < d; i++)
    for (int j = 0; j < d; j++)
      product[(int64_t)i * d + j] +=
          covariance[(int64_t)i * d + j] * n + (mean[i] - m[i]) * (mean[j] - m[j]) * both;
}

/* Joins mean and deviation of n points to those of the window (Chan, Golub & LeVeque 1979). */
static void join(struct dun_warmup *w, int d, double n, const double *mean, const double *deviation)
{
  double *m = w->moments.value, *square = m + d, total = w->count + n;

  for (int j = 0; j < d; j++) {
    double delta = mean[j] - m[j];
    m[j] += delta * n / total;
    square[j] += deviation[j] * deviation[j] * n + delta * delta * n * w->count / total;
  }
  w->count = total;
}

static int gather_products(struct dun_context *context, struct dun_warmup *w,
                           const struct dun_population *population, const struct dun_column *x,
                           const struct dun_column *logw, const struct dun_weights *weights,
                           double *mean, double *deviation)
{
  int d = x->width;
  double n = (double)population->tiles.total;
  double *covariance = dun_allocate((int64_t)d * d, sizeof *covariance);
  int status = dun_agree(context, covariance ? 0 : DUN_ERROR_MEMORY);

  if (status >= 0)
    status = dun_weighted_covariance(context, population, x, logw, weights, mean, covariance);
  if (status >= 0) {
    join_products(w, d, n, mean, covariance);
    for (int j = 0; j < d; j++)
      deviation[j] = sqrt(covariance[(int64_t)j * d + j]);
    join(w, d, n, mean, deviation);
  }
  dun_free(covariance);
  return status;
}

static int gather_deviations(struct dun_context *context, struct dun_warmup *w,
                             const struct dun_population *population, const struct dun_column *x,
                             const struct dun_column *logw, const struct dun_weights *weights,
                             double *mean, double *deviation)
{
  int status = dun_column_moments(context, population, x, logw, weights, mean, deviation);
  if (status >= 0)
    join(w, x->width, (double)population->tiles.total, mean, deviation);
  return status;
}

static int gather(struct dun_context *context, struct dun_warmup *w,
                  const struct dun_population *population, const struct dun_column *x,
                  const struct dun_column *logw)
{
  int d = x->width, dense = w->moments.count > 2 * d;
  struct dun_weights weights = {0};
  double *mean = dun_allocate(2 * (int64_t)d, sizeof *mean);
  int status = dun_agree(context, mean ? 0 : DUN_ERROR_MEMORY);

  if (status >= 0)
    status = dun_weights_compute(context, population, logw, &weights);
  if (status >= 0)
    status = (dense ? gather_products : gather_deviations)(context, w, population, x, logw,
                                                           &weights, mean, mean + d);
  dun_weights_free(&weights);
  dun_free(mean);
  return status;
}

/* The window's mean, once it holds enough points; any is better than none. */
static int learn_centre(const struct dun_warmup *w, struct dun_adaptation *a)
{
  int d = (int)a->scale.count;

  if (a->centre.count && (a->fixed || w->count < CENTRE_POINTS))
    return 0;
  if (!a->centre.count) {
    a->centre.value = dun_allocate(d, sizeof *a->centre.value);
    if (!a->centre.value)
      return DUN_ERROR_MEMORY;
    a->centre.count = d;
  }
  memcpy(a->centre.value, w->moments.value, (size_t)d * sizeof *a->centre.value);
  return 0;
}

/* Mean log of the metric's scales. */
static double log_scale(const struct dun_adaptation *a)
{
  int64_t d = a->scale.count;
  double sum = 0;

  for (int64_t j = 0; j < d; j++)
    sum += dun_scalar_log(a->factor.count ? a->factor.value[j * d + j] : a->scale.value[j]);
  return sum / (double)d;
}

/* The step size is in units of the metric: where the metric grows it shrinks. */
static int learn_metric(struct dun_warmup *w, struct dun_adaptation *a)
{
  int d = (int)a->scale.count, status = 0;
  double *scale = w->moments.value + d, before = log_scale(a);

  for (int j = 0; j < d; j++) {
    double old = a->scale.value[j];
    if (!(scale[j] > 0)) /* nothing moved: nothing is learned */
      scale[j] = w->count * old * old;
    scale[j] = sqrt((scale[j] + PRIOR_POINTS * old * old) / (w->count + PRIOR_POINTS));
  }
  if (a->metric == DUN_METRIC_DENSE)
    status = dun_adaptation_correlations(a, scale, scale + d, w->count);
  else
    dun_adaptation_metric(a, scale);
  if (a->adapt_step)
    a->log_step += before - log_scale(a);
  return status;
}

static void next_window(struct dun_warmup *w, int64_t last)
{
  int64_t length = w->window_end + FIRST_WINDOW; /* 10, 20, 40, ... */

  memset(w->moments.value, 0, (size_t)w->moments.count * sizeof *w->moments.value);
  w->count = 0;
  w->window = 0;
  w->log_step = w->log_length = w->error = 0;
  w->window_end += length;
  if (w->window_end + 2 * length > last)
    w->window_end = last;
}

/* ---- step size and trajectory length --------------------------------------------------------- */

/* Dual averaging (Hoffman & Gelman 2014, eq. 6) of the pooled acceptance, from the step size with
 * which the window began; its average is what is kept. */
static void learn_step(struct dun_warmup *w, struct dun_adaptation *a, const struct dun_look *look)
{
  double t = (double)w->window, eta = dun_scalar_exp(-KAPPA * dun_scalar_log(t));

  if (w->window == 1)
    w->origin = a->log_step;
  w->log_step += eta * (a->log_step - w->log_step);
  double acceptance = dun_adaptation_acceptance(a, look);
  w->error += (a->target_acceptance - acceptance - w->error) / (t + T0);
  a->log_step = w->origin - sqrt(t) / GAMMA * w->error;
}

/* Adds the mean of n values to a mean over the last ones, of which there are *weight. */
static double fade(double mean, double value, double n, double weight)
{
  return n > 0 ? mean + (value - mean) * n / weight : mean;
}

static double faded(double weight, double n)
{
  return weight * dun_scalar_exp(-n / TRIAL_MEMORY) + n;
}

static void remember_trials(struct dun_warmup *w, const struct dun_look *look, double chains)
{
  for (int g = 0; g < DUN_TRIALS; g++) {
    const struct dun_trial_look *now = &look->trial[g];
    struct dun_trial_look *t = &w->trial[g];
    t->moves = faded(t->moves, now->moves);
    t->place = fade(t->place, now->place, now->moves, t->moves);
    t->shape = fade(t->shape, now->shape, now->moves, t->moves);
    t->gradients = fade(t->gradients, now->gradients, now->moves, t->moves);
  }
  w->radius_moves = faded(w->radius_moves, chains);
  w->radius = fade(w->radius, look->radius, chains, w->radius_moves);
  w->radius_square = fade(w->radius_square, look->radius_square, chains, w->radius_moves);
}

/* Effective draws of a mean for each move that renews so much of the variance. */
static double effective(double square, double variance)
{
  const double most = 1.9; /* of 2: back and forth */
  double share = square / (2 * variance);
  share = share < most ? share : most;
  return share / (2 - share);
}

/* What a trial's moves are worth per gradient: their effective draws of the place, × those of the
 * squared distance from the centre.  A trajectory to the other side renews more than all of the
 * place, but keeps its distance. */
static double score(const struct dun_warmup *w, const struct dun_trial_look *trial)
{
  double variance = w->radius_square - w->radius * w->radius;
  return effective(trial->place, w->radius) * effective(trial->shape, variance) / trial->gradients;
}

/* A quarter of the chains try each length: where these few fade slowly, the length follows slowly
 * too, or it would swing. */
static double gain_of(double chains)
{
  double share = chains / (4 * TRIAL_MEMORY);
  return LENGTH_GAIN * (share < 1 ? share : 1);
}

/* Trials with .7 and 1.4 of the length: where they score alike, the best lies between. */
static void learn_length(struct dun_warmup *w, struct dun_adaptation *a,
                         const struct dun_look *look, double chains)
{
  remember_trials(w, look, chains);
  double length = dun_scalar_log(a->length);
  w->log_length = w->log_length > 0 ? w->log_length : length; /* the first */
  w->log_length += (length - w->log_length) / (double)w->window;
  if (dun_adaptation_shorten(a, look))
    return;
  if (w->trial[DUN_TRIAL_SHORT].moves == 0 || w->trial[DUN_TRIAL_LONG].moves == 0)
    return;
  double below = score(w, &w->trial[DUN_TRIAL_SHORT]), above = score(w, &w->trial[DUN_TRIAL_LONG]);
  if (!(below > 0 && above > 0 && below + above < INFINITY))
    return;
  double change = gain_of(chains) * (dun_scalar_log(above) - dun_scalar_log(below));
  if (change > 0 && !dun_adaptation_may_lengthen(a, look))
    return;
  change = change < -LENGTH_LIMIT ? -LENGTH_LIMIT : change > LENGTH_LIMIT ? LENGTH_LIMIT : change;
  a->length *= dun_scalar_exp(change);
  a->length = a->length < 1 ? 1 : a->length > LENGTH_MAXIMUM ? LENGTH_MAXIMUM : a->length;
}

int dun_warmup_update(struct dun_context *context, struct dun_warmup *w, struct dun_adaptation *a,
                      const struct dun_population *population, const struct dun_column *x,
                      const struct dun_column *logw, const struct dun_look *look)
{
  int64_t last = (int64_t)(METRIC_SHARE * (double)w->sweeps);
  int status = 0;

  w->done++;
  w->window++;
  if (a->adapt_step)
    learn_step(w, a, look);
  if (a->adapt_length && a->centre.count)
    learn_length(w, a, look, (double)population->tiles.total);
  if (w->done <= last) {
    if ((status = gather(context, w, population, x, logw)) >= 0)
      status = dun_agree(context, learn_centre(w, a));
    if (status >= 0 && w->done == w->window_end) {
      status = dun_agree(context, learn_metric(w, a));
      next_window(w, last);
    }
  }
  if (w->done == w->sweeps && w->window > 0) {
    a->log_step = a->adapt_step ? w->log_step : a->log_step;
    a->length = a->adapt_length && a->centre.count ? dun_scalar_exp(w->log_length) : a->length;
  }
  return status;
}
