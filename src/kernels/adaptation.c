#include "kernels/adaptation.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/scalar.h"
#include "kernels/spread.h"
#include "numerics/linear.h"
#include <math.h>
#include <stddef.h>
#include <string.h>

/* How far one sweep may move the log step size, and how much of the logit's error it mends: the
 * logit falls by 2 to 5 for each unit of the log step, for random walks and leapfrogs alike. */
static const double STEP_GAIN = .35, STEP_LIMIT = .6;
static const double LENGTH_FACTOR[DUN_TRIALS] = {1, .84, 1.19};
static const double TRIAL_FACTOR[DUN_TRIALS] = {1, .7, 1.4};
/* By so much is the acceptance's logit below its target where the step size falls. */
static const double FALLING = 1;
/* Shares of moves that walls reject: up to the first nothing is made of them, above the second
 * trajectories are too long, above the third those whose length is given. */
static const double WALLS_LEAST = .05, WALLS_MOST = .6, WALLS_GIVEN = .4;
static const double LENGTH_START = 10, LENGTH_MAXIMUM = 1024;

const struct dun_state dun_adaptation_state[] = {
    {.name = "log_step",
     .type = DUN_STATE_NUMBER,
     .offset = offsetof(struct dun_adaptation, log_step),
     .count = 1,
     .learned = "Log of the step size, in units of the metric."},
    {.name = "length",
     .type = DUN_STATE_NUMBER,
     .offset = offsetof(struct dun_adaptation, length),
     .count = 1,
     .most = 4096, /* as the option has it */
     .learned = "Leapfrog steps of a move."},
    {.name = "spread",
     .type = DUN_STATE_NUMBER,
     .offset = offsetof(struct dun_adaptation, spread),
     .count = 1,
     .learned = "Log of the factor by which the shortest steps are shorter than the longest."},
    {.name = "scale",
     .type = DUN_STATE_NUMBERS,
     .offset = offsetof(struct dun_adaptation, scale),
     .count = 1,
     .learned = "Standard deviations of the diagonal metric."},
    {.name = "factor",
     .type = DUN_STATE_NUMBERS,
     .offset = offsetof(struct dun_adaptation, factor),
     .count = 1,
     .learned = "Lower Cholesky factor of the dense metric, row by row; empty: there is none."},
    {.name = "centre",
     .type = DUN_STATE_NUMBERS,
     .offset = offsetof(struct dun_adaptation, centre),
     .count = 1,
     .learned = "Mean of the particles; empty: it was not learned."},
    {.name = "trial",
     .type = DUN_STATE_NUMBER,
     .offset = offsetof(struct dun_adaptation, trial),
     .count = DUN_TRIALS * (sizeof(struct dun_trial_look) / sizeof(double))},
    {0},
};

static int copy_numbers(struct dun_numbers *to, const struct dun_numbers *from)
{
  DUN_FREE(to->value);
  to->count = 0;
  if (from->count == 0)
    return 0;
  to->value = dun_allocate(from->count, sizeof *to->value);
  if (!to->value)
    return DUN_ERROR_MEMORY;
  memcpy(to->value, from->value, (size_t)from->count * sizeof *to->value);
  to->count = from->count;
  return 0;
}

/* What the options state stays as they state it. */
static int begin_at(struct dun_adaptation *a, const struct dun_adaptation *pilot)
{
  int status = copy_numbers(&a->scale, &pilot->scale);

  if (status >= 0)
    status = copy_numbers(&a->factor, &pilot->factor);
  if (status >= 0)
    status = copy_numbers(&a->centre, &pilot->centre);
  if (a->adapt_step)
    a->log_step = pilot->log_step;
  if (a->adapt_length)
    a->length = pilot->length;
  if (a->fixed)
    a->adapt_step = a->adapt_length = 0;
  return status;
}

int dun_adaptation_init(struct dun_adaptation *a, const struct dun_kernel *kernel,
                        const void *kernel_self, int d)
{
  const struct dun_kernel_options *options = kernel_self;

  dun_adaptation_free(a);
  if (options->metric == DUN_METRIC_DENSE && d > DUN_DENSE_MOST)
    return dun_fail(DUN_ERROR_INPUT,
                    "metric: dense is for at most %d dimensions and the target has %d; take "
                    "diagonal",
                    DUN_DENSE_MOST, d);
  memset(a->trial, 0, sizeof a->trial);
  a->adapt_step = options->step_size < 0;
  a->long_moves = kernel->uses_leapfrogs;
  a->adapt_length = kernel->uses_leapfrogs && options->leapfrog_steps < 0;
  a->metric = options->metric;
  if (options->metric == DUN_METRIC_AUTO) /* of methods that do not choose by themselves */
    a->metric =
        options->pilot && options->pilot->factor.count ? DUN_METRIC_DENSE : DUN_METRIC_DIAGONAL;
  a->target_acceptance = options->target_acceptance;
  a->jitter = options->jitter;
  a->spread = 0;
  a->fixed = options->pilot && options->fixed;
  a->adapt_centre = kernel->uses_centre && !a->fixed;
  a->first_step =
      dun_scalar_log(kernel->initial_step) + kernel->initial_step_power * dun_scalar_log((double)d);
  a->log_step = a->adapt_step ? a->first_step : dun_scalar_log(options->step_size);
  a->length = a->adapt_length               ? LENGTH_START
              : options->leapfrog_steps > 1 ? (double)options->leapfrog_steps
                                            : 1; /* also of kernels without trajectories */
  a->scale.value = dun_allocate(d, sizeof *a->scale.value);
  if (!a->scale.value)
    return DUN_ERROR_MEMORY;
  a->scale.count = d;
  for (int j = 0; j < d; j++)
    a->scale.value[j] = 1;
  return options->pilot ? begin_at(a, options->pilot) : 0;
}

int dun_adaptation_check(const struct dun_adaptation *pilot, int metric, const char *file)
{
  long long d = pilot->scale.count, n = pilot->factor.count;
  int unit = 1, positive = pilot->length >= 1;

  for (long long j = 0; j < d; j++) {
    unit &= pilot->scale.value[j] == 1;
    positive &= pilot->scale.value[j] > 0;
  }
  for (long long j = 0; n == d * d && j < d; j++)
    positive &= pilot->factor.value[j * d + j] > 0;
  if (!positive || (n > 0 && n != d * d) || (pilot->centre.count > 0 && pilot->centre.count != d))
    return dun_fail(DUN_ERROR_INPUT, "load: %s: /learned/kernel holds no metric", file);
  if (metric == DUN_METRIC_AUTO)
    return 0;
  if ((n > 0 && metric != DUN_METRIC_DENSE) ||
      (!unit && metric != DUN_METRIC_DENSE && metric != DUN_METRIC_DIAGONAL))
    return dun_fail(DUN_ERROR_INPUT,
                    "load: %s was learned with a %s metric, and its step size is in units of that: "
                    "take the same metric",
                    file, n > 0 ? "dense" : "diagonal");
  return 0;
}

int dun_adaptation_fits(const struct dun_adaptation *a, int dimension)
{
  long long d = dimension;
  return a->scale.count == d && (a->factor.count == 0 || a->factor.count == d * d) &&
         (a->centre.count == 0 || a->centre.count == d);
}

void dun_adaptation_free(struct dun_adaptation *a)
{
  DUN_FREE(a->scale.value);
  DUN_FREE(a->factor.value);
  DUN_FREE(a->centre.value);
  a->scale.count = a->factor.count = a->centre.count = 0;
}

static double logit(double p)
{
  p = p < .01 ? .01 : p > .99 ? .99 : p;
  return dun_scalar_log(p) - dun_scalar_log(1 - p);
}

double dun_adaptation_change(double acceptance, double target)
{
  double change = STEP_GAIN * (logit(acceptance) - logit(target));
  return change > STEP_LIMIT ? STEP_LIMIT : change < -STEP_LIMIT ? -STEP_LIMIT : change;
}

double dun_adaptation_share(double square, double variance)
{
  double s = variance > 0 ? square / (2 * variance) : 1;
  return s < 1 ? s : 1;
}

/* Share of the log density's variance renewed × share of the coordinates', per gradient. */
static double score(const struct dun_look *look, const struct dun_trial_look *trial, double d)
{
  return dun_adaptation_share(trial->shape, look->lp_variance) *
         dun_adaptation_share(trial->place, d) / trial->gradients;
}

static double walls_most(const struct dun_adaptation *a)
{
  return a->adapt_length ? WALLS_MOST : WALLS_GIVEN;
}

double dun_adaptation_acceptance(const struct dun_adaptation *a, const struct dun_look *look)
{
  double free = (1 - look->unseen) / (1 - walls_most(a));

  if (!(look->unseen > WALLS_LEAST))
    return look->acceptance;
  return free < 1 ? look->seen * free : look->seen;
}

/* Where all else is accepted the mean is at the target when walls reject the largest share. */
double dun_adaptation_credit(const struct dun_adaptation *a, double acceptance, double unseen)
{
  double target = a->target_acceptance, most = walls_most(a);
  return unseen > 0 ? target - (1 - most) / most * (1 - target) : acceptance;
}

/* The mean of all moves of a group. */
static void join(struct dun_trial_look *all, const struct dun_trial_look *one)
{
  double share = one->moves / (all->moves + one->moves);

  if (!(one->moves > 0))
    return;
  all->moves += one->moves;
  all->place += share * (one->place - all->place);
  all->shape += share * (one->shape - all->shape);
  all->gradients += share * (one->gradients - all->gradients);
}

int dun_adaptation_falls(const struct dun_adaptation *a, const struct dun_look *look)
{
  return logit(dun_adaptation_acceptance(a, look)) - logit(dun_spread_target(a)) < -FALLING;
}

int dun_adaptation_may_lengthen(const struct dun_adaptation *a, const struct dun_look *look)
{
  double growth = LENGTH_MAXIMUM / a->length, place = 0;

  for (int g = 0; g < DUN_TRIALS; g++)
    place = look->trial[g].moves > 0 && look->trial[g].place > place ? look->trial[g].place : place;
  return !(a->adapt_step && dun_adaptation_falls(a, look)) &&
         growth * growth * dun_adaptation_share(place, (double)a->scale.count) > .01;
}

static void update_length(struct dun_adaptation *a, const struct dun_look *look)
{
  double d = (double)a->scale.count, best = 0;
  enum dun_trial choice = DUN_TRIAL_SAME;
  int missing = 0;

  for (int g = 0; g < DUN_TRIALS; g++) {
    join(&a->trial[g], &look->trial[g]);
    missing |= !(a->trial[g].moves > 0);
  }
  if (missing)
    return;
  for (int g = 0; g < DUN_TRIALS; g++) {
    double value = score(look, &a->trial[g], d);
    if (g == 0 || value > best) {
      best = value;
      choice = (enum dun_trial)g;
    }
  }
  if (choice == DUN_TRIAL_LONG && !dun_adaptation_may_lengthen(a, look))
    choice = DUN_TRIAL_SAME;
  memset(a->trial, 0, sizeof a->trial);
  a->length *= LENGTH_FACTOR[choice];
  a->length = a->length < 1 ? 1 : a->length > LENGTH_MAXIMUM ? LENGTH_MAXIMUM : a->length;
}

int dun_adaptation_shorten(struct dun_adaptation *a, const struct dun_look *look)
{
  double share = (1 - look->unseen) / (1 - WALLS_MOST);

  if (!(share < 1))
    return 0;
  memset(a->trial, 0, sizeof a->trial);
  a->length *= share > .5 ? share : .5;
  a->length = a->length < 1 ? 1 : a->length;
  return 1;
}

void dun_adaptation_update(struct dun_adaptation *a, const struct dun_look *look)
{
  if (a->adapt_step)
    a->log_step += dun_adaptation_change(dun_adaptation_acceptance(a, look), dun_spread_target(a));
  dun_spread_update(a, look);
  if (a->adapt_length && !dun_adaptation_shorten(a, look))
    update_length(a, look);
}

void dun_adaptation_follow(struct dun_adaptation *one, const struct dun_adaptation *other)
{
  one->log_step = other->log_step;
  one->length = other->length;
  one->spread = other->spread;
  memcpy(one->trial, other->trial, sizeof one->trial);
}

void dun_adaptation_exchange(struct dun_adaptation *a, struct dun_adaptation *b)
{
  struct dun_adaptation before = *a;
  dun_adaptation_follow(a, b);
  dun_adaptation_follow(b, &before);
}

int dun_adaptation_learns(const struct dun_adaptation *a)
{
  return !a->fixed && a->metric != DUN_METRIC_IDENTITY && a->metric != DUN_METRIC_FOURIER;
}

void dun_adaptation_metric(struct dun_adaptation *a, const double *deviation)
{
  if (!dun_adaptation_learns(a))
    return;
  for (long long j = 0; j < a->scale.count; j++)
    if (deviation[j] > 0 && isfinite(deviation[j]))
      a->scale.value[j] = deviation[j];
}

int dun_adaptation_centre(struct dun_adaptation *a, const double *mean)
{
  if (!a->centre.count && copy_numbers(&a->centre, &a->scale) < 0) /* for its size */
    return DUN_ERROR_MEMORY;
  memcpy(a->centre.value, mean, (size_t)a->centre.count * sizeof *mean);
  return 0;
}

void dun_adaptation_forget_centre(struct dun_adaptation *a)
{
  DUN_FREE(a->centre.value);
  a->centre.count = 0;
}

/* The covariance of the metric: deviations as they are, correlations shrunk. */
static void shrink(int d, const double *deviation, const double *covariance, double count,
                   double *out)
{
  const double prior_points = 5;
  double keep = count / (count + prior_points);

  for (int i = 0; i < d; i++)
    for (int j = 0; j <= i; j++) {
      int64_t at = (int64_t)i * d + j;
      double square = covariance[(int64_t)i * d + i] * covariance[(int64_t)j * d + j];
      double share = i == j ? 1 : square > 0 ? keep * covariance[at] / sqrt(square) : 0;
      out[at] = deviation[i] * deviation[j] * share;
    }
}

int dun_adaptation_correlations(struct dun_adaptation *a, const double *deviation,
                                const double *covariance, double count)
{
  int d = (int)a->scale.count;
  double *factor = a->fixed ? NULL : dun_allocate((int64_t)d * d, sizeof *factor);

  if (a->fixed)
    return 0;
  if (!factor)
    return DUN_ERROR_MEMORY;
  dun_adaptation_metric(a, deviation);
  shrink(d, a->scale.value, covariance, count, factor);
  if (dun_cholesky(d, factor) < 0) {
    dun_free(factor);
    return 0;
  }
  dun_adaptation_forget_factor(a);
  a->factor = (struct dun_numbers){.count = (long long)d * d, .value = factor};
  return 0;
}

void dun_adaptation_forget_factor(struct dun_adaptation *a)
{
  DUN_FREE(a->factor.value);
  a->factor.count = 0;
}

void dun_adaptation_adopt(struct dun_adaptation *a, struct dun_fisher *f)
{
  long long d = a->scale.count;

  memcpy(a->scale.value, f->scale, (size_t)d * sizeof *f->scale);
  dun_adaptation_forget_factor(a);
  if (!f->dense)
    return;
  a->factor = (struct dun_numbers){.count = d * d, .value = f->factor};
  f->factor = NULL;
}

enum dun_trial dun_adaptation_trial(struct dun_address address)
{
  uint32_t turn = (address.tile + address.step) % 4;
  return turn == 1 ? DUN_TRIAL_SHORT : turn == 3 ? DUN_TRIAL_LONG : DUN_TRIAL_SAME;
}

int dun_adaptation_leapfrogs(const struct dun_adaptation *a, struct dun_address address)
{
  double length = a->length;

  if (!a->adapt_length)
    return length < 1 ? 1 : (int)length;
  length *= a->frozen ? 1 : TRIAL_FACTOR[dun_adaptation_trial(address)];
  address.purpose = DUN_PURPOSE_JITTER;
  /* Rounded up or down at random, so that a mean length between whole numbers is possible. */
  length = floor(length + dun_uniform_one(address, 1));
  return length < 1 ? 1 : (int)length;
}

double dun_adaptation_step(const struct dun_adaptation *a, struct dun_address address)
{
  address.purpose = DUN_PURPOSE_JITTER;
  double step = dun_scalar_exp(a->log_step);
  return step * (1 + a->jitter * (2 * dun_uniform_one(address, 0) - 1));
}
