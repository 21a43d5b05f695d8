#include "kernels/trials.h"
#include "base/scalar.h"
#include <math.h>
#include <string.h>

static const double TRIAL_MEMORY = 64; /* moves after which a trial's figures have faded */
static const double LENGTH_GAIN = .3, LENGTH_LIMIT = .18;

/* Adds the mean of n values to a mean over the last ones, of which there are *weight. */
static double fade(double mean, double value, double n, double weight)
{
  return n > 0 ? mean + (value - mean) * n / weight : mean;
}

static double faded(double weight, double n)
{
  return weight * dun_scalar_exp(-n / TRIAL_MEMORY) + n;
}

void dun_trials_remember(struct dun_warmup *w, const struct dun_look *look)
{
  double chains = 0;

  for (int g = 0; g < DUN_TRIALS; g++) {
    const struct dun_trial_look *now = &look->trial[g];
    struct dun_trial_look *t = &w->trial[g];
    chains += now->moves;
    t->moves = faded(t->moves, now->moves);
    t->place = fade(t->place, now->place, now->moves, t->moves);
    t->shape = fade(t->shape, now->shape, now->moves, t->moves);
    t->gradients = fade(t->gradients, now->gradients, now->moves, t->moves);
  }
  w->radius_moves = faded(w->radius_moves, chains);
  w->radius = fade(w->radius, look->radius, chains, w->radius_moves);
  w->radius_square = fade(w->radius_square, look->radius_square, chains, w->radius_moves);
}

void dun_trials_forget(struct dun_warmup *w)
{
  memset(w->trial, 0, sizeof w->trial);
  w->radius = w->radius_square = w->radius_moves = 0;
}

/* Effective draws of a mean for each move that renews so much of the variance: 1 at most, since
 * places that swing from side to side are no better known for it where their squares stay. */
static double effective(double square, double variance)
{
  double share = square / (2 * variance);
  return share < 1 ? share / (2 - share) : 1;
}

/* What a trial's moves are worth per gradient: their effective draws of the place, or of the
 * squared distance from the centre, whichever are fewer. */
static double score(const struct dun_warmup *w, const struct dun_trial_look *trial)
{
  double variance = w->radius_square - w->radius * w->radius;
  double place = effective(trial->place, w->radius), shape = effective(trial->shape, variance);
  return (place < shape ? place : shape) / trial->gradients;
}

/* A quarter of the chains try each length: where these few fade slowly, the length follows slowly
 * too, or it would swing. */
static double gain_of(double chains)
{
  double share = chains / (4 * TRIAL_MEMORY);
  return LENGTH_GAIN * (share < 1 ? share : 1);
}

double dun_trials_wish(const struct dun_warmup *w, const struct dun_adaptation *a,
                       const struct dun_look *look, double chains)
{
  if (w->trial[DUN_TRIAL_SHORT].moves == 0 || w->trial[DUN_TRIAL_LONG].moves == 0)
    return 0;
  double below = score(w, &w->trial[DUN_TRIAL_SHORT]), above = score(w, &w->trial[DUN_TRIAL_LONG]);
  if (!(below > 0 && above > 0 && below + above < INFINITY))
    return 0;
  double change = gain_of(chains) * (dun_scalar_log(above) - dun_scalar_log(below));
  if (change > 0 && !dun_adaptation_may_lengthen(a, look))
    return 0;
  return change < -LENGTH_LIMIT ? -LENGTH_LIMIT : change > LENGTH_LIMIT ? LENGTH_LIMIT : change;
}
