/* Reals from 0 on as rates: y counts the events of Poisson processes whose rates are the
 * coordinates (Montanari 2023, arXiv 2305.10690). */
#include "base/error.h"
#include "base/memory.h"
#include "base/scalar.h"
#include "observations/observation.h"
#include <math.h>

enum { L = DUN_LANES };

/* Counts with larger means are sums of several. */
static const double LARGEST_MEAN = 500;

struct poisson {
  double horizon;
  struct dun_observed of;
};

static int init(void *self, const struct dun_observed *of)
{
  struct poisson *s = self;
  if (of->letters)
    return dun_fail(DUN_ERROR_INPUT,
                    "observation poisson is of reals from 0 on, not of spins and letters");
  s->of = *of;
  return 0;
}

static int width(const void *self)
{
  return ((const struct poisson *)self)->of.d;
}

static void ends(const void *self, double *first, double *last)
{
  *first = 0;
  *last = ((const struct poisson *)self)->horizon;
}

/* Short steps first. */
static double time_at(const void *self, double first, double last, double share)
{
  (void)self;
  return first + (last - first) * share * share;
}

/* By inversion: the smallest count whose distribution function reaches the uniform. */
static double count_of(double mean, double uniform)
{
  double p = dun_scalar_exp(-mean), below = 0, count = 0;
  while (below + p < uniform && count < 20 * mean + 1000) {
    below += p;
    count++;
    p *= mean / count;
  }
  return count;
}

static double draw_count(double mean, struct dun_address address, int64_t d, int64_t place)
{
  double count = 0;
  int64_t pieces = mean > LARGEST_MEAN ? (int64_t)(mean / LARGEST_MEAN) + 1 : 1;
  for (int64_t k = 0; k < pieces; k++)
    count += count_of(mean / (double)pieces, dun_uniform_one(address, k * d * L + place));
  return count;
}

static void step(const void *self, double t, double next, const struct dun_known *x,
                 struct dun_address address, double *y)
{
  const struct poisson *s = self;
  for (int64_t i = 0; i < (int64_t)s->of.d * L; i++) {
    double mean = (next - t) * x->mean[i];
    if (mean > 0 && mean < 1e7)
      y[i] += draw_count(mean, address, s->of.d, i);
    else if (!(mean <= 0))
      y[i] = NAN;
  }
}

/* (y' - y) log x - dt x, in each coordinate. */
static void weigh(const void *self, double t, double next, const struct dun_known *x,
                  const double *before, const double *y, double *out)
{
  const struct poisson *s = self;
  for (int64_t i = 0; i < (int64_t)s->of.d * L; i++) {
    double events = y[i] - before[i], rate = x->mean[i];
    out[i % L] += (events > 0 ? events * dun_scalar_log(rate) : 0) - (next - t) * rate;
  }
}

/* A rate of 0 has no events; below 0 there is none. */
static void likelihood(const void *self, double t, const double *y, const double *x, double *out)
{
  const struct poisson *s = self;
  for (int64_t j = 0; j < s->of.d; j++) {
    double rate = x[j], log_rate = rate > 0 ? dun_scalar_log(rate) : DUN_RULED_OUT;
    for (int l = 0; l < L; l++)
      out[l] += rate < 0 ? DUN_RULED_OUT : y[j * L + l] * log_rate - t * rate;
  }
}

static const struct dun_option options[] = {
    {.name = "horizon",
     .type = DUN_NUMBER,
     .offset = offsetof(struct poisson, horizon),
     .initial = "100",
     .minimum = 1e-6,
     .maximum = 1e6,
     .doc = "The last time: a coordinate is then known but for the root of itself over it."},
    {0},
};

const struct dun_observation dun_observation_poisson = {
    .type = {DUN_TYPE(struct dun_observation), .name = "poisson",
             .doc = "Counts of events whose rates are the coordinates.",
             .citation = "Montanari 2023, arXiv 2305.10690", .size = sizeof(struct poisson),
             .options = options},
    .init = init,
    .width = width,
    .ends = ends,
    .time = time_at,
    .step = step,
    .weigh = weigh,
    .likelihood = likelihood,
};
