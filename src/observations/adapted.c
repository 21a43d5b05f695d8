/* A point through Gaussian noise that is adapted to what is open: dY = Q x dt + Q^1/2 dB, where Q
 * is the inverse of the covariance C of the point given what was seen so far, along each particle's
 * own path (Montanari 2023, arXiv 2305.10690, the anisotropic process; "drives all directions at
 * equal speed").  With the matrix M = int Q the pair (Y, M) is Markov, and the law that it leaves
 * of the target is in proportion to exp(<y, x> - <x, M x> / 2).
 *
 * The clock: E C = C_0 exp(-t) in every direction, of a Gaussian target C itself, for dC = -C Q C
 * dt and what is 0 on average.  In a step from t to t' the shape of Q stands and its size follows
 * the clock, so that M' = M + a C^-1 with a = exp(t' - t) - 1: of a Gaussian the clock is met
 * however long steps are, of others less is open than it says.  Any Q that is made of the past
 * alone is an observation, this one too: with draws of the point steps make no error.  With F F^T =
 * C and a normal g
 *
 *   by a draw x, or a mean:   Y' = Y + F^-T (a F^-1 x + a^1/2 g)
 *   by mean and covariance:   Y' = Y + F^-T (a F^-1 m + (a (1 + a))^1/2 g)
 *
 * y holds Y, and behind it M. */
#include "base/error.h"
#include "base/memory.h"
#include "base/vmath.h"
#include "numerics/packed.h"
#include "observations/observation.h"
#include <math.h>

enum { L = DUN_LANES };

struct adapted {
  double horizon, floor;

  struct dun_observed of;
  double *factor;        /* [d (d + 1) / 2][64], scratch; owned */
  double *normal, *step; /* [d][64], scratch, in the same block */
};

static int init(void *self, const struct dun_observed *of)
{
  struct adapted *s = self;
  int64_t column = (int64_t)of->d * L;
  if (of->letters)
    return dun_fail(DUN_ERROR_INPUT, "observation adapted is of reals; spins and letters are seen "
                                     "by gaussian, symmetric or erasure");
  if (of->d > DUN_TILTED_MOST)
    return dun_fail(DUN_ERROR_INPUT,
                    "observation adapted keeps a matrix of each particle: found %d coordinates, "
                    "expected at most %d: take observation gaussian with a rate for each",
                    of->d, DUN_TILTED_MOST);
  if (of->finite && !(s->floor > 0))
    return dun_fail(DUN_ERROR_INPUT, "observation.floor: of one of finitely many points nothing "
                                     "stays open in the end: give a deviation above 0, well below "
                                     "the distances of the points");
  s->of = *of;
  DUN_FREE(s->factor);
  s->factor = dun_allocate(DUN_PACKED(of->d) * L + 2 * column, sizeof *s->factor);
  if (!s->factor)
    return DUN_ERROR_MEMORY;
  s->normal = s->factor + DUN_PACKED(of->d) * L;
  s->step = s->normal + column;
  return 0;
}

static void release(void *self)
{
  struct adapted *s = self;
  DUN_FREE(s->factor);
}

static int width(const void *self)
{
  int d = ((const struct adapted *)self)->of.d;
  return (int)(d + DUN_PACKED(d));
}

static void ends(const void *self, double *first, double *last)
{
  *first = 0;
  *last = ((const struct adapted *)self)->horizon;
}

static const double *matrix(const void *self, const double *y)
{
  return y + (int64_t)((const struct adapted *)self)->of.d * L;
}

/* ---- steps ----------------------------------------------------------------------------------- */

/* The factor of what is open, and of the floor. */
static void take_factor(const struct adapted *s, const double *covariance)
{
  int64_t d = s->of.d;
  memcpy(s->factor, covariance, (size_t)(DUN_PACKED(d) * L) * sizeof *s->factor);
  for (int64_t i = 0; i < d; i++)
    for (int l = 0; l < L; l++)
      s->factor[(DUN_PACKED(i) + i) * L + l] += s->floor * s->floor;
  dun_packed_cholesky((int)d, s->factor, NULL);
}

/* y += F^-T step, and to M `a` times the inverse of what was factored; the factor is lost. */
DUN_CLONES static void add_step(const struct adapted *s, double a, double *y)
{
  int64_t d = s->of.d;
  double *m = y + d * L;
  dun_packed_solve_transposed((int)d, s->factor, s->step);
  for (int64_t i = 0; i < d * L; i++)
    y[i] += s->step[i];
  dun_packed_inverse((int)d, s->factor);
  for (int64_t i = 0; i < DUN_PACKED(d) * L; i++)
    m[i] = DUN_FMA(a, s->factor[i], m[i]);
}

DUN_CLONES static void step(const void *self, double t, double next, const struct dun_known *x,
                            struct dun_address address, double *y)
{
  const struct adapted *s = self;
  int64_t column = (int64_t)s->of.d * L;
  double a = dun_expm1(next - t), root = sqrt(a);
  dun_normals(address, s->of.d, s->normal);
  take_factor(s, x->covariance);
  memcpy(s->step, x->mean, (size_t)column * sizeof *s->step);
  dun_packed_solve(s->of.d, s->factor, s->step);
  for (int64_t i = 0; i < column; i++)
    s->step[i] = DUN_FMA(a, s->step[i], root * s->normal[i]);
  add_step(s, a, y);
}

/* In units of the noise, a^1/2 F^-T, the step is z = a^1/2 F^-1 m + (1 + a)^1/2 g: its log density
 * over that of noise. */
DUN_CLONES static void correct(const void *self, double t, double next, const struct dun_known *x,
                               double *covariance, struct dun_address address, double *y,
                               double *out)
{
  const struct adapted *s = self;
  int64_t d = s->of.d;
  double a = dun_expm1(next - t), root = sqrt(a), wide = sqrt(1 + a);
  (void)covariance;
  dun_normals(address, s->of.d, s->normal);
  take_factor(s, x->covariance);
  memcpy(s->step, x->mean, (size_t)(d * L) * sizeof *s->step);
  dun_packed_solve((int)d, s->factor, s->step);
  for (int l = 0; l < L; l++)
    out[l] -= .5 * (double)d * (next - t); /* log(1 + a) */
  for (int64_t i = 0; i < d * L; i++) {
    double g = s->normal[i], z = DUN_FMA(root, s->step[i], wide * g);
    out[i % L] += .5 * (z * z - g * g);
    s->step[i] = root * z;
  }
  add_step(s, a, y);
}

/* <y' - y, x> - <x, (M' - M) x> / 2. */
DUN_CLONES static void weigh(const void *self, double t, double next, const struct dun_known *x,
                             const double *before, const double *y, double *out)
{
  const struct adapted *s = self;
  int64_t d = s->of.d;
  (void)t;
  (void)next;
  for (int64_t i = 0; i < d * L; i++)
    out[i % L] = DUN_FMA(x->mean[i], y[i] - before[i], out[i % L]);
  for (int64_t i = 0; i < DUN_PACKED(d) * L; i++)
    s->factor[i] = y[d * L + i] - before[d * L + i];
  dun_packed_square((int)d, s->factor, -.5, x->mean, out);
}

static void tilt(const void *self, double t, const double *y, const struct dun_evidence *e)
{
  (void)t;
  for (int64_t i = 0; i < (int64_t)((const struct adapted *)self)->of.d * L; i++)
    e->h[i] += y[i];
}

static const struct dun_option options[] = {
    {.name = "horizon",
     .type = DUN_NUMBER,
     .offset = offsetof(struct adapted, horizon),
     .initial = "7",
     .minimum = 1e-6,
     .maximum = 30,
     .doc = "The last time: exp(-horizon) of the target's covariance is then left on average, in "
            "every direction."},
    {.name = "floor",
     .type = DUN_NUMBER,
     .offset = offsetof(struct adapted, floor),
     .initial = "0",
     .minimum = 0,
     .maximum = 1e100,
     .doc = "A standard deviation below which directions need not be driven: its square is added "
            "to the variances that are open.  Field atoms needs one above 0."},
    {0},
};

const struct dun_observation dun_observation_adapted = {
    .type = {DUN_TYPE(struct dun_observation), .name = "adapted",
             .doc = "A point through Gaussian noise that drives all directions at equal speed: as "
                    "wide as what each particle has open.",
             .citation = "Montanari 2023, arXiv 2305.10690", .size = sizeof(struct adapted),
             .options = options, .free = release},
    .init = init,
    .width = width,
    .ends = ends,
    .step = step,
    .weigh = weigh,
    .correct = correct,
    .tilt = tilt,
    .matrix = matrix,
};
