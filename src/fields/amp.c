/* Magnetisations of spins that are all coupled at random, by approximate message passing, and
 * descent from there (El Alaoui, Montanari & Sellke 2022, arXiv 2203.05093): with the couplings
 * beta A, whose entries have the variance beta^2 / n, and the tilt h,
 *
 *   passing   z' = beta A m + h - beta^2 (1 - q) m_before,  m' = tanh z',  q = |m|^2 / n; first 0
 *   descent   u' = u - rate (u - beta A m - h + beta^2 (1 - q) m),  m = tanh u,  q as it is behind
 *             the passing: a natural gradient step of the free energy, which rests where the
 *             equations of Thouless, Anderson and Palmer hold
 *
 * right but for errors that vanish with n where beta < 1, at the cost of a gradient of the target
 * for each.  beta A m and external fields are the gradient of the log density, continued to means
 * between the spins.
 *
 * Distributed, every rank has some of A's rows and makes these entries of A m, for the particles of
 * all ranks in turn; all ranks then do the rest for all of them.  A sum never goes over ranks, so
 * that the bits are those of the whole matrix. */
#include "base/error.h"
#include "base/memory.h"
#include "base/vmath.h"
#include "fields/field.h"
#include "numerics/columns.h"
#include "parallel/sum.h"
#include "population/tile.h"
#include <math.h>
#include <string.h>

enum { L = DUN_LANES, BLOCKS = 3 };

struct amp {
  /* options */
  double beta; /* -1: auto */
  long long passes, descents;
  double rate;
  int distributed;

  /* made */
  struct dun_evaluator *target;
  double square; /* beta^2 */
  double *work;  /* [BLOCKS d][64]; owned */

  /* This rank's of the couplings, where they are distributed. */
  int first, rows;
  double *A, *field; /* [rows][d]; [rows]; owned */
};

/* ---- setting up ---------------------------------------------------------------------------- */

static void release(void *self)
{
  struct amp *s = self;
  DUN_FREE(s->work);
  DUN_FREE(s->A);
  DUN_FREE(s->field);
}

/* force[d][64] = gradient at m. */
static void ask_target(const struct amp *s, int n, const double *m, double *force)
{
  double one[L] __attribute__((aligned(64)));
  for (int l = 0; l < L; l++)
    one[l] = 1;
  memset(force, 0, (size_t)s->target->dimension * L * sizeof *force);
  dun_evaluate(s->target, n, m, NULL, one, force);
}

/* The same, of the first n lanes, from the rows of all ranks.  Collective. */
static int ask_ranks(struct dun_context *context, const struct amp *s, int n, const double *m,
                     double *force)
{
  int64_t d = s->target->dimension;
  double *own = force + (int64_t)s->first * L;
  memset(force, 0, (size_t)(d * L) * sizeof *force);
  dun_columns_multiply(s->rows, d, s->A, n, m, own);
  for (int64_t i = 0; i < s->rows; i++)
    for (int l = 0; l < L; l++)
      own[i * L + l] += s->field[i];
  return dun_share(context, 0, d * L, force);
}

/* By the context, NULL: by the target alone. */
static int ask(struct dun_context *context, const struct amp *s, int n, const double *m,
               double *force)
{
  if (context)
    return ask_ranks(context, s, n, m, force);
  ask_target(s, n, m, force);
  return 0;
}

/* m[d][64]: random signs. */
static void draw_signs(const struct amp *s, double *m)
{
  for (int64_t j = 0; j < s->target->dimension; j++) {
    dun_uniforms((struct dun_address){.purpose = DUN_PURPOSE_TRIAL, .tile = (uint32_t)j}, 1,
                 m + j * L);
    for (int l = 0; l < L; l++)
      m[j * L + l] = m[j * L + l] < .5 ? 1 : -1;
  }
}

/* Of random signs s: the mean of |force(s) - force(0)|^2 / n is the sum of the squares of a row. */
static int find_square(struct dun_context *context, struct amp *s)
{
  int64_t d = s->target->dimension;
  double *m = s->work, *force = m + d * L, *none = force + d * L, sum = 0;
  memset(m, 0, (size_t)d * L * sizeof *m);
  int status = ask(context, s, 1, m, none);
  draw_signs(s, m);
  if (status >= 0)
    status = ask(context, s, L, m, force);
  for (int64_t i = 0; i < d * L; i++)
    sum += (force[i] - none[i / L * L]) * (force[i] - none[i / L * L]);
  s->square = sum / (double)(d * L);
  return status;
}

/* Whether the rows are those of the gradient: at random signs, with sums in the same order. */
static int try_rows(struct dun_context *context, const struct amp *s)
{
  int64_t d = s->target->dimension;
  double *m = s->work, *force = m + d * L, *own = force + d * L;
  draw_signs(s, m);
  ask_target(s, 1, m, force);
  int status = ask_ranks(context, s, 1, m, own);
  for (int64_t i = 0; i < d && status >= 0; i++)
    if (!(fabs(own[i * L] - force[i * L]) <= 1e-9 * (1 + fabs(force[i * L]))))
      status = dun_fail(DUN_ERROR_INPUT,
                        "target %s: `couplings` makes %.9g of coordinate %lld of the gradient at "
                        "spins, and the gradient is %.9g",
                        s->target->target->type.name, own[i * L], (long long)i, force[i * L]);
  return dun_agree(context, status);
}

static int make_rows(const struct dun_context *context, struct amp *s)
{
  int64_t d = s->target->dimension;
  s->first = (int)(d * context->rank / context->size);
  s->rows = (int)(d * (context->rank + 1) / context->size) - s->first;
  s->A = dun_allocate((int64_t)s->rows * d, sizeof *s->A);
  s->field = dun_allocate(s->rows, sizeof *s->field);
  if (!s->A || !s->field)
    return DUN_ERROR_MEMORY;
  if (s->rows > 0)
    dun_evaluate_couplings(s->target, s->first, s->rows, s->A, s->field);
  return 0;
}

static int init_here(const struct dun_context *context, struct amp *s, struct dun_evaluator *target)
{
  const struct dun_target *t = target->target;
  s->target = target;
  if (t->support != DUN_SPINS)
    return dun_fail(DUN_ERROR_INPUT, "field amp is of spins, which target %s has not",
                    t->type.name);
  if (s->distributed && !t->couplings)
    return dun_fail(DUN_ERROR_INPUT,
                    "field amp: target %s does not tell its couplings row by row: leave out "
                    "distributed",
                    t->type.name);
  int status = dun_evaluator_need_gradient(target, "field amp", "field atoms");
  if (status < 0)
    return status;
  release(s);
  s->work = dun_allocate(BLOCKS * (int64_t)target->dimension, L * sizeof *s->work);
  if (!s->work)
    return DUN_ERROR_MEMORY;
  return s->distributed ? make_rows(context, s) : 0;
}

static int init(struct dun_context *context, void *self, struct dun_evaluator *target,
                double lambda)
{
  struct amp *s = self;
  int64_t evaluations = target->evaluations, gradients = target->gradients;
  int status = dun_agree(context, init_here(context, s, target));
  (void)lambda;
  if (status >= 0 && s->distributed)
    status = try_rows(context, s);
  if (status >= 0 && s->beta < 0)
    status = find_square(s->distributed ? context : NULL, s);
  if (s->beta >= 0)
    s->square = s->beta * s->beta;
  target->evaluations = evaluations;
  target->gradients = gradients;
  return status;
}

/* ---- steps --------------------------------------------------------------------------------- */

/* factor[64] = beta^2 (1 - |m|^2 / n). */
DUN_CLONES static void reaction(const struct amp *s, const double *restrict m,
                                double *restrict factor)
{
  int d = s->target->dimension;
  double sum[L] __attribute__((aligned(64))) = {0};
  dun_columns_add_square(d, m, sum);
  for (int l = 0; l < L; l++)
    factor[l] = s->square * (1 - sum[l] / d);
}

/* m' in the place of m_before, and z. */
DUN_CLONES static void pass(int d, const double *restrict h, const double *restrict force,
                            const double *restrict factor, double *restrict before,
                            double *restrict z)
{
  for (int64_t i = 0; i < (int64_t)d * L; i += L)
    for (int l = 0; l < L; l++) {
      z[i + l] = force[i + l] + h[i + l] - factor[l] * before[i + l];
      before[i + l] = dun_tanh(z[i + l]);
    }
}

DUN_CLONES static void descend(int d, double rate, const double *restrict h,
                               const double *restrict force, const double *restrict factor,
                               double *restrict m, double *restrict u)
{
  for (int64_t i = 0; i < (int64_t)d * L; i += L)
    for (int l = 0; l < L; l++) {
      u[i + l] -= rate * (u[i + l] - force[i + l] - h[i + l] + factor[l] * m[i + l]);
      m[i + l] = dun_tanh(u[i + l]);
    }
}

/* mean[d][64] of n lanes under the tilts h[d][64].  Collective with a context, in which the same n
 * and h are of all ranks. */
static int find_means(struct dun_context *context, const struct amp *s, int n, const double *h,
                      double *mean)
{
  int64_t d = s->target->dimension;
  double factor[L] __attribute__((aligned(64)));
  double *force = s->work, *other = force + d * L, *z = other + d * L;
  double *m = mean, *before = other;
  int status = 0;
  memset(m, 0, (size_t)d * L * sizeof *m);
  memset(before, 0, (size_t)d * L * sizeof *m);
  for (int64_t k = 0; k < s->passes && status >= 0; k++) {
    double *held = m;
    status = ask(context, s, n, m, force);
    reaction(s, m, factor);
    pass((int)d, h, force, factor, before, z);
    m = before;
    before = held;
  }
  reaction(s, m, factor);
  for (int64_t k = 0; k < s->descents && status >= 0; k++) {
    status = ask(context, s, n, m, force);
    descend((int)d, s->rate, h, force, factor, m, z);
  }
  if (m != mean)
    memcpy(mean, m, (size_t)d * L * sizeof *m);
  return status;
}

static void value(const void *self, const struct dun_field_call *call)
{
  find_means(NULL, self, call->n, call->h, call->mean);
}

static long long evaluations(const void *self, int first)
{
  (void)first;
  const struct amp *s = self;
  return s->passes + s->descents;
}

/* ---- all ranks together ---------------------------------------------------------------------- */

/* Tilts of n <= 64 particles of rank `owner`, and their means. */
static int rows_of(struct dun_context *context, const struct amp *s, int owner, int n,
                   const double *h, double *mean, double *tile)
{
  int64_t d = s->target->dimension, column = d * L;
  int own = context->rank == owner;
  memset(tile, 0, (size_t)column * sizeof *tile);
  if (own)
    dun_columns_from_rows(n, (int)d, h, tile);
  int status = dun_share(context, 0, column, tile);
  if (status >= 0)
    status = find_means(context, s, n, tile, tile + column);
  if (own && status >= 0) {
    dun_rows_from_columns(n, (int)d, tile + column, mean);
    s->target->evaluations += n * evaluations(s, 0);
    s->target->gradients += n * evaluations(s, 0);
  }
  return status;
}

static int rows(struct dun_context *context, void *self, int64_t n, const double *h, double *mean)
{
  const struct amp *s = self;
  int64_t d = s->target->dimension, *count = dun_allocate(context->size, sizeof *count);
  double *tile = dun_allocate(2 * d, L * sizeof *tile);
  int status = dun_agree(context, count && tile ? 0 : DUN_ERROR_MEMORY);
  if (status >= 0)
    MPI_Allgather(&n, 1, MPI_INT64_T, count, 1, MPI_INT64_T, context->comm);
  for (int owner = 0; owner < context->size && status >= 0; owner++)
    for (int64_t i = 0; i < count[owner] && status >= 0; i += L) {
      int64_t left = count[owner] - i;
      int64_t place = owner == context->rank ? i * d : 0;
      status = rows_of(context, s, owner, left < L ? (int)left : L, h + place, mean + place, tile);
    }
  dun_free(count);
  dun_free(tile);
  return status;
}

static int spread_out(const void *self)
{
  return ((const struct amp *)self)->distributed ? DUN_FIELD_SPREAD : DUN_FIELD_WHOLE;
}

static int64_t memory(const void *self)
{
  const struct amp *s = self;
  return s->A ? (int64_t)s->rows * s->target->dimension * (int64_t)sizeof *s->A : 0;
}

/* ---------------------------------------------------------------------------------------------- */

static const struct dun_option options[] = {
    {.name = "beta",
     .type = DUN_NUMBER,
     .offset = offsetof(struct amp, beta),
     .initial = "auto",
     .words = "auto",
     .minimum = 0,
     .maximum = 1e3,
     .doc = "Inverse temperature, the root of the sum of a row's squared couplings; auto: found by "
            "the forces at random signs."},
    {.name = "passes",
     .type = DUN_INTEGER,
     .offset = offsetof(struct amp, passes),
     .initial = "10",
     .minimum = 1,
     .maximum = 10000,
     .doc = "Steps of message passing."},
    {.name = "descents",
     .type = DUN_INTEGER,
     .offset = offsetof(struct amp, descents),
     .initial = "10",
     .minimum = 0,
     .maximum = 10000,
     .doc = "Steps of descent from there."},
    {.name = "rate",
     .type = DUN_NUMBER,
     .offset = offsetof(struct amp, rate),
     .initial = "0.2",
     .minimum = 1e-6,
     .maximum = 1,
     .doc = "Length of these."},
    {.name = "distributed",
     .type = DUN_CHOICE,
     .offset = offsetof(struct amp, distributed),
     .initial = "no",
     .words = "no|yes",
     .doc =
         "Couplings row by row over the ranks, which then work on the particles of all of them in "
         "turn, with the same bits; of targets that tell their couplings."},
    {0},
};

const struct dun_field dun_field_amp = {
    .type = {DUN_TYPE(struct dun_field), .name = "amp",
             .doc =
                 "Magnetisations of spins that are all coupled at random, by approximate message "
                 "passing.",
             .citation = "El Alaoui, Montanari & Sellke 2022, arXiv 2203.05093",
             .size = sizeof(struct amp), .options = options, .free = release},
    .init = init,
    .value = value,
    .spread_out = spread_out,
    .rows = rows,
    .evaluations = evaluations,
    .memory = memory,
};
