/* A point through Gaussian noise, y = t q x + B(t q), each coordinate at a rate q of its own: the
 * isotropic process where all rates are 1 (Eldan 2013, GAFA 23, 532), the anisotropic one of
 * Montanari 2023 with a diagonal matrix Q else. */
#include "base/error.h"
#include "base/memory.h"
#include "base/vmath.h"
#include "observations/observation.h"
#include <math.h>

enum { L = DUN_LANES };

struct gaussian {
  struct dun_numbers rate;
  double horizon;

  struct dun_observed of;
  double *q;      /* [d]; owned */
  double *normal; /* [d][64], scratch; owned */
};

static int init(void *self, const struct dun_observed *of)
{
  struct gaussian *s = self;
  if (of->letters && !of->spins)
    return dun_fail(DUN_ERROR_INPUT, "observation gaussian is of reals and of spins; letters are "
                                     "seen by symmetric or erasure");
  if (s->rate.count != 1 && s->rate.count != of->d)
    return dun_fail(DUN_ERROR_INPUT, "observation.rate: found %lld numbers, expected 1 or %d",
                    s->rate.count, of->d);
  s->of = *of;
  s->q = dun_allocate(of->d, sizeof *s->q);
  s->normal = dun_allocate(of->d, L * sizeof *s->normal);
  if (!s->q || !s->normal)
    return DUN_ERROR_MEMORY;
  for (int j = 0; j < of->d; j++)
    s->q[j] = s->rate.value[s->rate.count > 1 ? j : 0];
  return 0;
}

static void release(void *self)
{
  struct gaussian *s = self;
  DUN_FREE(s->q);
  DUN_FREE(s->normal);
}

static int width(const void *self)
{
  return ((const struct gaussian *)self)->of.d;
}

static void ends(const void *self, double *first, double *last)
{
  *first = 0;
  *last = ((const struct gaussian *)self)->horizon;
}

DUN_CLONES static void add_step(const struct gaussian *s, double step, const double *restrict mean,
                                double *restrict y)
{
  for (int64_t j = 0; j < s->of.d; j++) {
    double length = step * s->q[j], root = sqrt(length);
    for (int l = 0; l < L; l++)
      y[j * L + l] += DUN_FMA(length, mean[j * L + l], root * s->normal[j * L + l]);
  }
}

static void step(const void *self, double t, double next, const struct dun_known *x,
                 struct dun_address address, double *y)
{
  const struct gaussian *s = self;
  dun_normals(address, s->of.d, s->normal);
  add_step(s, next - t, x->mean, y);
}

DUN_CLONES static void add_mix(const struct gaussian *s, const struct dun_mix *by,
                               const double *restrict x, double *restrict y)
{
  for (int64_t j = 0; j < s->of.d; j++) {
    double gain = by->gain * s->q[j], root = by->noise * sqrt(s->q[j]);
    for (int l = 0; l < L; l++) {
      int64_t i = j * L + l;
      double more = x ? DUN_FMA(gain, x[i], root * s->normal[i]) : root * s->normal[i];
      y[i] = DUN_FMA(by->keep, y[i], more);
    }
  }
}

static void mix(const void *self, const struct dun_mix *by, const struct dun_known *x,
                struct dun_address address, double *y)
{
  const struct gaussian *s = self;
  dun_normals(address, s->of.d, s->normal);
  add_mix(s, by, x ? x->mean : NULL, y);
}

/* <y' - y, x> - dt <x, q x> / 2, the second term of spins, for which it is a constant, as of those
 * that are known for sure but without it: that is all that `tilt` says of spins. */
DUN_CLONES static void add_ratio(const struct gaussian *s, double step, const double *restrict mean,
                                 const double *restrict before, const double *restrict y,
                                 double *restrict out)
{
  double one = s->of.spins ? 1 : 0;
  for (int64_t j = 0; j < s->of.d; j++) {
    double half = .5 * step * s->q[j];
    for (int l = 0; l < L; l++) {
      double m = mean[j * L + l], way = y[j * L + l] - before[j * L + l];
      out[l] += m * way - half * (m * m - one);
    }
  }
}

static void weigh(const void *self, double t, double next, const struct dun_known *x,
                  const double *before, const double *y, double *out)
{
  add_ratio(self, next - t, x->mean, before, y, out);
}

static void reach(const void *self, double t, double next, double *by)
{
  const struct gaussian *s = self;
  for (int64_t j = 0; j < s->of.d; j++)
    by[j] = sqrt((next - t) * s->q[j]);
}

/* a[d][d][64], of which the lower triangle is read, becomes the Cholesky factor of 1 + root a root'
 * with root_j = sqrt(step q_j). */
DUN_CLONES static void factor_covariance(const struct gaussian *s, double step, double *restrict a)
{
  const int64_t d = s->of.d;
  for (int64_t i = 0; i < d; i++)
    for (int64_t j = 0; j <= i; j++) {
      double *restrict out = a + (i * d + j) * L, by = step * sqrt(s->q[i] * s->q[j]);
      for (int l = 0; l < L; l++)
        out[l] = DUN_FMA(by, out[l], i == j ? 1 : 0);
      for (int64_t k = 0; k < j; k++)
        for (int l = 0; l < L; l++)
          out[l] = DUN_FMA(-a[(i * d + k) * L + l], a[(j * d + k) * L + l], out[l]);
      for (int l = 0; l < L; l++)
        out[l] = i == j ? sqrt(out[l]) : out[l] / a[(j * d + j) * L + l];
    }
}

/* In units of the noise the step is z = root m + factor xi: its log density over that of noise. */
DUN_CLONES static void add_correct(const struct gaussian *s, double step,
                                   const double *restrict mean, const double *restrict factor,
                                   double *restrict y, double *restrict out)
{
  const int64_t d = s->of.d;
  double z[L] __attribute__((aligned(64)));
  for (int64_t i = 0; i < d; i++) {
    double root = sqrt(step * s->q[i]), constant = s->of.spins ? .5 * root * root : 0;
    for (int l = 0; l < L; l++)
      z[l] = root * mean[i * L + l];
    for (int64_t j = 0; j <= i; j++)
      for (int l = 0; l < L; l++)
        z[l] = DUN_FMA(factor[(i * d + j) * L + l], s->normal[j * L + l], z[l]);
    for (int l = 0; l < L; l++) {
      double xi = s->normal[i * L + l];
      y[i * L + l] = DUN_FMA(root, z[l], y[i * L + l]);
      out[l] += .5 * (z[l] * z[l] - xi * xi) - dun_log(factor[(i * d + i) * L + l]) + constant;
    }
  }
}

static void correct(const void *self, double t, double next, const struct dun_known *x,
                    double *covariance, struct dun_address address, double *y, double *out)
{
  const struct gaussian *s = self;
  dun_normals(address, s->of.d, s->normal);
  factor_covariance(s, next - t, covariance);
  add_correct(s, next - t, x->mean, covariance, y, out);
}

static void square(const void *self, const double *off, double *out)
{
  const struct gaussian *s = self;
  for (int64_t j = 0; j < s->of.d; j++)
    for (int l = 0; l < L; l++)
      out[l] += s->q[j] * off[j * L + l] * off[j * L + l];
}

static void tilt(const void *self, double t, const double *y, const struct dun_evidence *e)
{
  const struct gaussian *s = self;
  int64_t column = (int64_t)s->of.d * L;
  for (int64_t i = 0; i < column && s->of.spins; i++) {
    e->factor[i] -= y[i];
    e->factor[column + i] += y[i];
  }
  for (int64_t i = 0; i < column && !s->of.spins; i++)
    e->h[i] += y[i];
  for (int l = 0; l < L && !s->of.spins; l++)
    e->lambda[l] += s->rate.count > 1 ? t : t * s->q[0]; /* `scale` is of several rates */
}

static const double *scale(const void *self)
{
  const struct gaussian *s = self;
  return s->rate.count > 1 && !s->of.spins ? s->q : NULL; /* of spins x^2 is 1 */
}

static const struct dun_option options[] = {
    {.name = "rate",
     .type = DUN_NUMBERS,
     .offset = offsetof(struct gaussian, rate),
     .initial = "1",
     .minimum = 1e-6,
     .maximum = 1e6,
     .doc =
         "How fast the signal to noise ratio of a coordinate grows; one number or one for each."},
    {.name = "horizon",
     .type = DUN_NUMBER,
     .offset = offsetof(struct gaussian, horizon),
     .initial = "100",
     .minimum = 1e-100,
     .maximum = 1e100,
     .doc = "The last time: noise of the variance 1 / (horizon rate) is then left."},
    {0},
};

const struct dun_observation dun_observation_gaussian = {
    .type = {DUN_TYPE(struct dun_observation), .name = "gaussian",
             .doc = "A point times the time, and Brownian motion, of each coordinate at its rate.",
             .citation = "Eldan 2013, GAFA 23, 532; Montanari 2023, arXiv 2305.10690",
             .size = sizeof(struct gaussian), .options = options, .free = release},
    .init = init,
    .width = width,
    .ends = ends,
    .time = dun_observation_arctan,
    .step = step,
    .mix = mix,
    .weigh = weigh,
    .correct = correct,
    .reach = reach,
    .square = square,
    .tilt = tilt,
    .scale = scale,
};
