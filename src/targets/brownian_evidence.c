#include "base/scalar.h"
#include "base/vmath.h"
#include "targets/brownian.h"
#include <math.h>

/* Steps of a grid along each axis at first, looks that narrow it, and how many steps of the
 * recursion a sum may take. */
enum { COARSE = 64, LOOKS = 8, MOST_STEPS = 50000000 };
#define NEGLIGIBLE 45.0  /* nats below the highest */
#define FARTHEST   300.0 /* of the log of a scale */

/* Of the observations, given both scales. */
static double log_likelihood(const struct dun_brownian *w, double log_inner, double log_outer)
{
  double inner = dun_scalar_exp(2 * log_inner), outer = dun_scalar_exp(2 * log_outer);
  double mean = 0, variance = 0, sum = 0;
  for (int t = 0; t < w->times; t++) {
    variance += inner;
    if (isnan(w->observed[t]))
      continue;
    double total = variance + outer, off = w->observed[t] - mean, gain = variance / total;
    sum -= .5 * (DUN_LOG_2PI + dun_scalar_log(total) + off * off / total);
    mean += gain * off;
    variance = gain * outer;
  }
  return sum;
}

/* Log of prior × likelihood where the logs of both scales are at `at`; what is known stays. */
static double log_joint(const struct dun_brownian *w, const double *at)
{
  double log_scale[DUN_BROWNIAN_SCALES], sum = 0;
  for (int k = 0; k < DUN_BROWNIAN_SCALES; k++) {
    double y = (at[k] - w->location) / w->deviation;
    log_scale[k] = w->unknown[k] ? at[k] : w->log_scale[k];
    if (w->unknown[k])
      sum -= .5 * (DUN_LOG_2PI + y * y) + dun_scalar_log(w->deviation);
  }
  return sum + log_likelihood(w, log_scale[0], log_scale[1]);
}

/* The sum over a grid of the logs of unknown scales. */
struct sum {
  const struct dun_brownian *walk;
  double low[DUN_BROWNIAN_SCALES], step[DUN_BROWNIAN_SCALES];
  int points[DUN_BROWNIAN_SCALES]; /* 1 of a known scale */
  double highest, total;           /* its log, and the sum in units of it */
};

static double value_at(const struct sum *s, int i, int j, double at[DUN_BROWNIAN_SCALES])
{
  at[0] = s->low[0] + i * s->step[0];
  at[1] = s->low[1] + j * s->step[1];
  return log_joint(s->walk, at);
}

static void add(struct sum *s, double value)
{
  if (value > s->highest) {
    s->total = s->total * dun_scalar_exp(s->highest - value) + 1;
    s->highest = value;
  } else if (value > -INFINITY) {
    s->total += dun_scalar_exp(value - s->highest);
  }
}

/* Log of the integral by the grid as it is. */
static double sum_up(struct sum *s)
{
  double at[DUN_BROWNIAN_SCALES], cell = 1;
  s->highest = -INFINITY;
  s->total = 0;
  for (int k = 0; k < DUN_BROWNIAN_SCALES; k++)
    cell *= s->walk->unknown[k] ? s->step[k] : 1;
  for (int i = 0; i < s->points[0]; i++)
    for (int j = 0; j < s->points[1]; j++)
      add(s, value_at(s, i, j, at));
  return s->highest + dun_scalar_log(s->total) + dun_scalar_log(cell);
}

/* All places from low to high, in so many steps. */
static void lay_out(struct sum *s, int k, double low, double high, int steps)
{
  s->low[k] = low;
  s->points[k] = s->walk->unknown[k] ? steps + 1 : 1;
  s->step[k] = (high - low) / steps;
}

/* After a sum: a grid of as many steps over what is not negligible, with a step on either side.
 *
 * From a peak to the node above it in both scales the covariance of the observations grows, by a
 * factor of exp(2 step) at most: the density falls by no more than the step for each of them, and
 * by what the prior falls. */
static void narrow(struct sum *s)
{
  double least[DUN_BROWNIAN_SCALES], most[DUN_BROWNIAN_SCALES], at[DUN_BROWNIAN_SCALES], slack = 0;
  for (int k = 0; k < DUN_BROWNIAN_SCALES; k++) {
    least[k] = INFINITY;
    most[k] = -INFINITY;
    if (s->walk->unknown[k])
      slack = fmax(slack, s->step[k] * (s->walk->seen + 40 / s->walk->deviation));
  }
  for (int i = 0; i < s->points[0]; i++)
    for (int j = 0; j < s->points[1]; j++) {
      int counts = value_at(s, i, j, at) > s->highest - NEGLIGIBLE - slack;
      for (int k = 0; k < DUN_BROWNIAN_SCALES && counts; k++) {
        least[k] = fmin(least[k], at[k]);
        most[k] = fmax(most[k], at[k]);
      }
    }
  for (int k = 0; k < DUN_BROWNIAN_SCALES; k++)
    lay_out(s, k, least[k] - s->step[k], most[k] + s->step[k], COARSE);
}

/* First all that the prior has in coarse steps, then ever less, then that in halved steps until the
 * sum stands. */
double dun_brownian_evidence(const struct dun_brownian *walk)
{
  struct sum s = {.walk = walk};
  double before, value, low = walk->location - 40 * walk->deviation;
  double high = walk->location + 40 * walk->deviation, steps;
  for (int k = 0; k < DUN_BROWNIAN_SCALES; k++)
    lay_out(&s, k, fmax(low, -FARTHEST), fmin(high, FARTHEST), COARSE);
  if ((double)s.points[0] * s.points[1] * walk->times > MOST_STEPS / 16)
    return NAN;
  for (int look = 0; look < LOOKS; look++) {
    value = sum_up(&s);
    if (!isfinite(value))
      return NAN;
    narrow(&s);
  }
  value = INFINITY;
  do {
    before = value;
    value = sum_up(&s);
    for (int k = 0; k < DUN_BROWNIAN_SCALES; k++)
      if (walk->unknown[k])
        lay_out(&s, k, s.low[k], s.low[k] + s.step[k] * (s.points[k] - 1), 2 * (s.points[k] - 1));
    steps = (double)s.points[0] * s.points[1] * walk->times;
  } while (fabs(value - before) > 1e-9 && steps < MOST_STEPS);
  return fabs(value - before) <= 1e-9 ? value : NAN;
}
