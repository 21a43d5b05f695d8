/* All states of a target of spins or letters, and what follows from them: for tests. */
#ifndef DUNLIN_TESTS_STATES_H
#define DUNLIN_TESTS_STATES_H

#include "check.h"
#include "methods/run.h"
#include "parallel/sum.h"
#include "subject.h"
#include <math.h>

enum { MOST_STATES = 4096 };

static double state_lp[MOST_STATES];

static inline int states_of(const struct subject *s)
{
  int count = 1;
  for (int j = 0; j < s->d; j++)
    count *= s->evaluator.letters;
  CHECK(count <= MOST_STATES);
  return count;
}

static inline int letter_of(const struct subject *s, int state, int j)
{
  for (; j > 0; j--)
    state /= s->evaluator.letters;
  return state % s->evaluator.letters;
}

static inline void put_state(const struct subject *s, int state, int lane, double *x)
{
  for (int j = 0; j < s->d; j++)
    x[j * L + lane] = dun_evaluator_letter(&s->evaluator, letter_of(s, state, j));
}

static inline int state_at(const struct subject *s, const double *x, int64_t stride)
{
  int state = 0, spins = s->target->support == DUN_SPINS;
  for (int j = s->d - 1; j >= 0; j--) {
    double value = x[j * stride], letter = spins ? .5 * (value + 1) : value;
    CHECK(letter >= 0 && letter < s->evaluator.letters && letter == floor(letter));
    state = state * s->evaluator.letters + (int)letter;
  }
  return state;
}

static inline void find_states(struct subject *s)
{
  int count = states_of(s);
  for (int first = 0; first < count; first += L) {
    int n = count - first < L ? count - first : L;
    for (int l = 0; l < L; l++)
      put_state(s, first + (l < n ? l : 0), l, s->x);
    dun_evaluate(&s->evaluator, n, s->x, s->lp, NULL, NULL);
    memcpy(state_lp + first, s->lp, (size_t)n * sizeof *s->lp);
  }
}

/* log of the sum of exp(lp + h . x) over all states, with the mean of x, unless NULL. */
static inline double sum_states(const struct subject *s, const double *h, double *mean)
{
  int count = states_of(s);
  double highest = -INFINITY, sum = 0, tilted[MOST_STATES];
  for (int k = 0; k < count; k++) {
    tilted[k] = state_lp[k];
    for (int j = 0; j < s->d && h; j++)
      tilted[k] += h[j] * dun_evaluator_letter(&s->evaluator, letter_of(s, k, j));
    highest = fmax(highest, tilted[k]);
  }
  for (int j = 0; j < s->d && mean; j++)
    mean[j] = 0;
  for (int k = 0; k < count; k++) {
    double w = exp(tilted[k] - highest);
    sum += w;
    for (int j = 0; j < s->d && mean; j++)
      mean[j] += w * dun_evaluator_letter(&s->evaluator, letter_of(s, k, j));
  }
  for (int j = 0; j < s->d && mean; j++)
    mean[j] /= sum;
  return highest + log(sum);
}

/* The chi-square of counts [states], of laws with these log probabilities, in its own deviations;
 * states that are expected fewer than 5 times count as one. */
static inline double chi_square(int states, const double *count, const double *log_probability)
{
  double n = 0, sum = 0, rest = 0, rest_expected = 0;
  int cells = 0;
  for (int k = 0; k < states; k++)
    n += count[k];
  for (int k = 0; k < states; k++) {
    double expected = n * exp(log_probability[k]);
    if (expected < 5) {
      rest += count[k];
      rest_expected += expected;
      continue;
    }
    sum += (count[k] - expected) * (count[k] - expected) / expected;
    cells++;
  }
  if (rest_expected >= 1) {
    sum += (rest - rest_expected) * (rest - rest_expected) / rest_expected;
    cells++;
  } else {
    CHECK(rest < 8);
  }
  return (sum - (cells - 1)) / sqrt(2. * (cells - 1));
}

/* The same of a run's particles over the states of its target. */
static inline double deviation(struct dun_run *run, const struct subject *s, const double *law)
{
  static struct dun_exact sum[MOST_STATES];
  static double count[MOST_STATES];
  int states = states_of(s);
  memset(sum, 0, sizeof sum);
  for (int64_t i = 0; i < run->population.tiles.local; i++)
    dun_exact_add(&sum[state_at(s, dun_f64(run->x) + i * s->d, 1)], 1);
  CHECK(dun_sum(&test_context, 0, states, sum, count) == 0);
  return chi_square(states, count, law);
}

#endif
