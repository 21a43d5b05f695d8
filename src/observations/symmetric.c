/* Letters through a symmetric channel: at time t, from 0 to 1, a letter is shown as it is with
 * probability t, and else as any, all alike.  Of spins it is the binary symmetric channel, which
 * flips with probability (1 - t) / 2 (Montanari 2023, arXiv 2305.10690).
 *
 * y at t is y at `next` kept with probability t / next, else any letter.  So with P_t(a | x) =
 * (1 - t) / q + t [a = x] and r = t / next
 *
 *   P(b | y_t = a, x) = P_next(b | x) P_r(a | b) / P_t(a | x)
 *
 * which is averaged over the probabilities of x: exact for letters that are independent. */
#include "base/error.h"
#include "base/memory.h"
#include "base/scalar.h"
#include "base/vmath.h"
#include "observations/observation.h"
#include <string.h>

enum { L = DUN_LANES };

struct symmetric {
  double horizon;

  struct dun_observed of;
  double *uniform, *share; /* [d][64]; [letters][64]; scratch, owned */
};

static int init(void *self, const struct dun_observed *of)
{
  struct symmetric *s = self;
  if (!of->letters)
    return dun_fail(DUN_ERROR_INPUT, "observation symmetric is of spins and letters, not of reals");
  s->of = *of;
  s->uniform = dun_allocate(of->d, L * sizeof *s->uniform);
  s->share = dun_allocate(of->letters, L * sizeof *s->share);
  return s->uniform && s->share ? 0 : DUN_ERROR_MEMORY;
}

static void release(void *self)
{
  struct symmetric *s = self;
  DUN_FREE(s->uniform);
  DUN_FREE(s->share);
}

static int width(const void *self)
{
  return ((const struct symmetric *)self)->of.d;
}

static void ends(const void *self, double *first, double *last)
{
  *first = 0;
  *last = ((const struct symmetric *)self)->horizon;
}

/* Evenly in artanh t. */
static double time_at(const void *self, double first, double last, double share)
{
  double a = dun_scalar_log((1 + first) / (1 - first));
  double b = dun_scalar_log((1 + last) / (1 - last)), e = dun_scalar_expm1(a + (b - a) * share);
  (void)self;
  return share < 1 ? e / (e + 2) : last;
}

/* y is the number of a letter, here any. */
static void start(const void *self, struct dun_address address, double *y)
{
  const struct symmetric *s = self;
  dun_uniforms(address, s->of.d, s->uniform);
  for (int64_t i = 0; i < (int64_t)s->of.d * L; i++) {
    int letter = (int)(s->uniform[i] * s->of.letters);
    y[i] = letter < s->of.letters ? letter : s->of.letters - 1;
  }
}

/* share[q][64] of the later letters at site j, and their sum[64]. */
DUN_CLONES static void share_out(const struct symmetric *s, int64_t j, double t, double next,
                                 const double *restrict law, const double *restrict y,
                                 double *restrict sum)
{
  const int q = s->of.letters;
  const double kept = t / next, other = (1 - t) / q, later = (1 - next) / q;
  double all[L] = {0};
  for (int b = 0; b < q; b++)
    for (int l = 0; l < L; l++) {
      double p = other + (y[l] == b ? t : 0);
      s->share[b * L + l] = law[(b * (int64_t)s->of.d + j) * L + l] / p;
      all[l] += s->share[b * L + l];
    }
  for (int l = 0; l < L; l++)
    sum[l] = 0;
  for (int b = 0; b < q; b++)
    for (int l = 0; l < L; l++) {
      double back = (1 - kept) / q + (y[l] == b ? kept : 0);
      s->share[b * L + l] = back * DUN_FMA(next, s->share[b * L + l], later * all[l]);
      sum[l] += s->share[b * L + l];
    }
}

static void step(const void *self, double t, double next, const struct dun_known *x,
                 struct dun_address address, double *y)
{
  const struct symmetric *s = self;
  double left[L] __attribute__((aligned(64)));
  dun_uniforms(address, s->of.d, s->uniform);
  for (int64_t j = 0; j < s->of.d; j++) {
    share_out(s, j, t, next, x->letters, y + j * L, left);
    for (int l = 0; l < L; l++)
      y[j * L + l] =
          dun_observation_letter(s->of.letters, s->share + l, L, left[l] * s->uniform[j * L + l]);
  }
}

/* The log probability of the later letters, over that of the way back from them, which does not
 * depend on the point; at the beginning all letters are alike likely. */
static void weigh(const void *self, double t, double next, const struct dun_known *x,
                  const double *before, const double *y, double *out)
{
  const struct symmetric *s = self;
  const double kept = t / next, other = (1 - kept) / s->of.letters;
  double sum[L] __attribute__((aligned(64))), begun = t > 0 ? 1 : 1. / s->of.letters;
  for (int64_t j = 0; j < s->of.d; j++) {
    const double *from = before + j * L, *to = y + j * L;
    share_out(s, j, t, next, x->letters, from, sum);
    for (int l = 0; l < L; l++) {
      double back = other + (from[l] == to[l] ? kept : 0);
      out[l] += dun_scalar_log(begun * s->share[(int)to[l] * L + l] / (sum[l] * back));
    }
  }
}

static void tilt(const void *self, double t, const double *y, const struct dun_evidence *e)
{
  const struct symmetric *s = self;
  int64_t column = (int64_t)s->of.d * L;
  double shown = dun_scalar_log((1 - t) / s->of.letters + t), other = DUN_RULED_OUT;
  if (t < 1)
    other = dun_scalar_log((1 - t) / s->of.letters);
  for (int a = 0; a < s->of.letters; a++)
    for (int64_t i = 0; i < column; i++)
      e->factor[a * column + i] += y[i] == a ? shown : other;
}

static const struct dun_option options[] = {
    {.name = "horizon",
     .type = DUN_NUMBER,
     .offset = offsetof(struct symmetric, horizon),
     .initial = ".995",
     .minimum = 1e-6,
     .maximum = .999999999,
     .doc = "The last time, below 1, where every letter would be shown as it is."},
    {0},
};

const struct dun_observation dun_observation_symmetric = {
    .type = {DUN_TYPE(struct dun_observation), .name = "symmetric",
             .doc = "Letters shown as they are with a probability that grows, else as any.",
             .citation = "Montanari 2023, arXiv 2305.10690", .size = sizeof(struct symmetric),
             .options = options, .free = release},
    .init = init,
    .width = width,
    .ends = ends,
    .time = time_at,
    .start = start,
    .step = step,
    .weigh = weigh,
    .tilt = tilt,
};
