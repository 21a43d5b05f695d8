#include "learning/optimiser.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/table.h"
#include "base/vmath.h"
#include "parallel/sum.h"
#include <math.h>
#include <string.h>

enum { L = DUN_LANES, PIECE = 512 /* weights that stay in the cache */ };

int dun_optimiser_start(struct dun_optimiser *o, int64_t count, const double *weights)
{
  o->steps = o->skipped = 0;
  if (dun_numbers_make(&o->first, count, 0) < 0 || dun_numbers_make(&o->second, count, 0) < 0 ||
      (o->average > 0 && dun_numbers_make(&o->mean, count, 0) < 0))
    return DUN_ERROR_MEMORY;
  if (o->average > 0)
    memcpy(o->mean.value, weights, (size_t)count * sizeof *weights);
  return 0;
}

void dun_optimiser_free(struct dun_optimiser *o)
{
  DUN_FREE(o->first.value);
  DUN_FREE(o->second.value);
  DUN_FREE(o->mean.value);
}

/* By lanes, so that the order is one at every vector width. */
DUN_CLONES static double sum_of_squares(int64_t count, const double *restrict x)
{
  double lanes[L] = {0};
  int64_t whole = count / L * L;
  for (int64_t i = 0; i < whole; i += L)
    for (int l = 0; l < L; l++)
      lanes[l] = DUN_FMA(x[i + l], x[i + l], lanes[l]);
  for (int64_t i = whole; i < count; i++)
    lanes[i - whole] = DUN_FMA(x[i], x[i], lanes[i - whole]);
  return dun_fold_lanes(lanes);
}

/* base^n for n >= 0. */
static double power(double base, int64_t n)
{
  double result = 1;
  for (; n > 0; n /= 2, base *= base)
    result *= n % 2 ? base : 1;
  return result;
}

DUN_CLONES static double rate_of(const struct dun_optimiser *o, int64_t total)
{
  double rise = o->steps < o->rise ? (double)(o->steps + 1) / (double)o->rise : 1;
  double share = (double)o->steps / (double)total, sine, cosine;
  dun_sincos2pi(.5 * share, &sine, &cosine);
  double fall = o->schedule == DUN_RATE_COSINE   ? .5 * (1 + cosine)
                : o->schedule == DUN_RATE_LINEAR ? 1 - share
                                                 : 1;
  return o->rate * rise * fall;
}

struct step {
  double first, second;             /* decays */
  double first_scale, second_scale; /* of moments that began at 0 */
  double rate, decay, clip, epsilon;
};

/* pace[stride i]; with a test or a choice of arrays inside, the loop would go number by number. */
DUN_INLINE void move_along(int64_t count, const struct step a, const double *restrict gradient,
                           double *restrict first, double *restrict second,
                           const double *restrict pace, const int64_t stride,
                           double *restrict weights)
{
  double rest1 = 1 - a.first, rest2 = 1 - a.second;
  for (int64_t i = 0; i < count; i++) {
    double g = a.clip * gradient[i], own = pace[stride * i];
    first[i] = DUN_FMA(a.first, first[i], rest1 * g);
    second[i] = DUN_FMA(a.second, second[i], rest2 * g * g);
    double size = __builtin_sqrt(second[i] * a.second_scale) + a.epsilon;
    double kept = DUN_FMA(-own * a.decay, weights[i], weights[i]);
    weights[i] = DUN_FMA(-own * a.rate, first[i] * a.first_scale / size, kept);
  }
}

DUN_CLONES static void move(int64_t count, const struct step *a, const double *gradient,
                            double *first, double *second, const double *pace, double *weights)
{
  static const double one = 1;
  if (pace)
    move_along(count, *a, gradient, first, second, pace, 1, weights);
  else
    move_along(count, *a, gradient, first, second, &one, 0, weights);
}

/* mean += share (weights - mean). */
DUN_CLONES static void follow(int64_t count, double share, const double *restrict weights,
                              double *restrict mean)
{
  for (int64_t i = 0; i < count; i++)
    mean[i] = DUN_FMA(share, weights[i] - mean[i], mean[i]);
}

void dun_optimiser_step(struct dun_optimiser *o, int64_t total, const double *gradient,
                        double *weights, double *norm)
{
  *norm = sqrt(sum_of_squares(o->first.count, gradient));
  if (!isfinite(*norm)) {
    o->skipped++;
    return;
  }
  double rate = rate_of(o, total);
  int64_t n = ++o->steps;
  const struct step step = {.first = o->first_decay,
                            .second = o->second_decay,
                            .first_scale = 1 / (1 - power(o->first_decay, n)),
                            .second_scale = 1 / (1 - power(o->second_decay, n)),
                            .rate = rate,
                            .decay = rate * o->weight_decay,
                            .clip = o->clip > 0 && *norm > o->clip ? o->clip / *norm : 1,
                            .epsilon = o->epsilon};
  double early = (double)n / (double)(n + 9); /* of few steps the mean is of these */
  double share = 1 - (o->average < early ? o->average : early);
  for (int64_t i = 0; i < o->first.count; i += PIECE) {
    int64_t count = o->first.count - i < PIECE ? o->first.count - i : PIECE;
    move(count, &step, gradient + i, o->first.value + i, o->second.value + i,
         o->pace ? o->pace + i : NULL, weights + i);
    if (o->average > 0)
      follow(count, share, weights + i, o->mean.value + i);
  }
}

const double *dun_optimiser_weights(const struct dun_optimiser *o, const double *weights)
{
  return o->average > 0 ? o->mean.value : weights;
}

const struct dun_option dun_optimiser_rows[] = {
    {.name = "rate",
     .type = DUN_NUMBER,
     .offset = offsetof(struct dun_optimiser, rate),
     .initial = "1e-3",
     .minimum = 0,
     .maximum = 1e3,
     .doc = "About how far a weight goes in a step."},
    {.name = "schedule",
     .type = DUN_CHOICE,
     .offset = offsetof(struct dun_optimiser, schedule),
     .initial = "cosine",
     .words = "constant|cosine|linear",
     .doc = "How the rate falls until the last step."},
    {.name = "rise",
     .type = DUN_INTEGER,
     .offset = offsetof(struct dun_optimiser, rise),
     .initial = "0",
     .minimum = 0,
     .maximum = 1e9,
     .doc = "Steps at the beginning in which the rate rises to its value."},
    {.name = "first_decay",
     .type = DUN_NUMBER,
     .offset = offsetof(struct dun_optimiser, first_decay),
     .initial = "0.9",
     .minimum = 0,
     .maximum = .999999,
     .doc = "How much of the gradients' mean is kept from step to step (beta_1)."},
    {.name = "second_decay",
     .type = DUN_NUMBER,
     .offset = offsetof(struct dun_optimiser, second_decay),
     .initial = "0.999",
     .minimum = 0,
     .maximum = .999999,
     .doc = "The same of their mean square (beta_2)."},
    {.name = "epsilon",
     .type = DUN_NUMBER,
     .offset = offsetof(struct dun_optimiser, epsilon),
     .initial = "1e-8",
     .minimum = 1e-30,
     .maximum = 1,
     .doc = "What is added to the root of it."},
    {.name = "weight_decay",
     .type = DUN_NUMBER,
     .offset = offsetof(struct dun_optimiser, weight_decay),
     .initial = "0",
     .minimum = 0,
     .maximum = 1e3,
     .doc = "Share of a weight that a step at rate 1 takes from it (AdamW)."},
    {.name = "clip",
     .type = DUN_NUMBER,
     .offset = offsetof(struct dun_optimiser, clip),
     .initial = "none",
     .words = "none",
     .minimum = 1e-30,
     .maximum = 1e30,
     .doc = "The gradient's largest norm; longer ones are shortened."},
    {.name = "average",
     .type = DUN_NUMBER,
     .offset = offsetof(struct dun_optimiser, average),
     .initial = "none",
     .words = "none",
     .minimum = 1e-6,
     .maximum = .9999999,
     .doc = "The weights that are used are means over the steps, of which this much is kept from "
            "step to step."},
    {0},
};
