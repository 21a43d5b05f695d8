/* The Sherrington-Kirkpatrick model: log pi(s) = beta / 2 <s, A s> + <h, s>, not normalised, with a
 * symmetric A whose entries beside the diagonal are normal of variance 1 / n (Sherrington &
 * Kirkpatrick 1975), to which a signal may be added: signal / n theta theta^T of random signs theta
 * (the spiked Wigner model).  The instance follows from its seed, and every coupling from its
 * place: a table of them is kept, or they are drawn again wherever they are needed, with the same
 * bits. */
#include "base/error.h"
#include "base/memory.h"
#include "base/random.h"
#include "base/vmath.h"
#include "numerics/columns.h"
#include "targets/setup.h"
#include "targets/spins.h"
#include <math.h>
#include <string.h>

enum { L = DUN_LANES, MOST = 131072, MOST_KEPT = 16384, TOGETHER = 4 };
enum { KEPT, DRAWN };

struct sherrington_kirkpatrick {
  long long dimension, instance;
  double beta, signal;
  struct dun_numbers field;
  int couplings;

  double *A;      /* [d][d], with beta; NULL where they are drawn; owned */
  double *h;      /* [d]; owned */
  double *hidden; /* [d]: signs; owned */

  /* Scratch, owned: rows of couplings [TOGETHER][length], and where they are drawn forces
   * [d][64]. */
  int64_t length; /* d, and as many as fill up the last 64 and 64 more */
  double *row, *force;
};

static const struct dun_option options[] = {
    {.name = "dimension",
     .type = DUN_INTEGER,
     .offset = offsetof(struct sherrington_kirkpatrick, dimension),
     .minimum = 2,
     .maximum = MOST,
     .doc = "Number of spins, n."},
    {.name = "beta",
     .type = DUN_NUMBER,
     .offset = offsetof(struct sherrington_kirkpatrick, beta),
     .minimum = 0,
     .maximum = 1e3,
     .doc = "Inverse temperature; above 1 the spins freeze."},
    {.name = "instance",
     .type = DUN_INTEGER,
     .offset = offsetof(struct sherrington_kirkpatrick, instance),
     .initial = "1",
     .minimum = 0,
     .maximum = 1e15,
     .doc = "Seed of the random couplings and signs."},
    {.name = "signal",
     .type = DUN_NUMBER,
     .offset = offsetof(struct sherrington_kirkpatrick, signal),
     .initial = "0",
     .minimum = 0,
     .maximum = 1e3,
     .doc = "Strength of a hidden vector of signs in the couplings; at beta that law is the "
            "posterior of the signs, which can be found above 1."},
    {.name = "field",
     .type = DUN_NUMBERS,
     .offset = offsetof(struct sherrington_kirkpatrick, field),
     .initial = "0",
     .minimum = -1e6,
     .maximum = 1e6,
     .doc = "External field, one number for all spins or one for each."},
    {.name = "couplings",
     .type = DUN_CHOICE,
     .offset = offsetof(struct sherrington_kirkpatrick, couplings),
     .initial = "kept",
     .words = "kept|drawn",
     .doc =
         "A table of n^2 numbers on every rank, or none: each coupling is drawn again where it is "
         "needed, to the same bits, which takes kernels far longer.  For field amp, distributed."},
    {0}};

/* ---- the instance ---------------------------------------------------------------------------- */

static struct dun_address address_of(const struct sherrington_kirkpatrick *t, int step, int row)
{
  return (struct dun_address){.seed = (uint64_t)t->instance,
                              .purpose = DUN_PURPOSE_DATA,
                              .step = (uint32_t)step,
                              .tile = (uint32_t)row};
}

/* out[to - from], couplings of a row with columns from <= j < to <= row, and out has room for 128
 * more.  Normals number 64 i + l of the row are those of columns 64 i + l. */
static void draw_part(const struct sherrington_kirkpatrick *t, int64_t row, int64_t from,
                      int64_t to, double *out)
{
  double d = (double)t->dimension, deviation = t->beta / sqrt(d);
  double signal = t->beta * t->signal / d * t->hidden[row];
  int64_t first = from / L, skip = from - first * L;
  if (to <= from)
    return;
  dun_normals_from(address_of(t, 0, (int)row), first, (int)((to + L - 1) / L - first), out);
  for (int64_t j = from; j < to; j++)
    out[j - from] = deviation * out[j - from + skip];
  for (int64_t j = from; j < to && t->signal > 0; j++)
    out[j - from] += signal * t->hidden[j];
}

/* Rows first to first + count - 1, A[count][d]: what stands before the diagonal, and below them
 * what is the same by symmetry. */
static void draw_rows(const struct sherrington_kirkpatrick *t, int64_t first, int64_t count,
                      double *A)
{
  int64_t d = t->dimension, behind = first + count;
  for (int64_t i = first; i < d; i++) {
    int64_t from = i < behind ? 0 : first, to = i < behind ? i : behind;
    draw_part(t, i, from, to, t->row);
    if (i < behind) {
      memcpy(A + (i - first) * d, t->row, (size_t)i * sizeof *A);
      A[(i - first) * d + i] = 0;
    }
    for (int64_t j = first; j < to; j++)
      A[(j - first) * d + i] = t->row[j - from];
  }
}

static void draw_signs(struct sherrington_kirkpatrick *t)
{
  dun_uniforms(address_of(t, 1, 0), (int)(t->length / L), t->row);
  for (int64_t i = 0; i < t->dimension; i++)
    t->hidden[i] = t->signal > 0 ? t->row[i] < .5 ? -1 : 1 : 0;
}

static int init(void *self, struct dun_message why)
{
  struct sherrington_kirkpatrick *t = self;
  int64_t d = t->dimension;
  if (t->couplings == KEPT && d > MOST_KEPT)
    return dun_refuse(why, "dimension: found %lld, expected at most %d where couplings are kept",
                      t->dimension, MOST_KEPT);
  t->length = (d / L + 2) * L;
  t->row = dun_allocate(TOGETHER * t->length, sizeof *t->row);
  t->h = dun_allocate(d, sizeof *t->h);
  t->hidden = dun_allocate(d, sizeof *t->hidden);
  if (t->couplings == KEPT)
    t->A = dun_allocate(d * d, sizeof *t->A);
  else
    t->force = dun_allocate(d, L * sizeof *t->force);
  if (!t->row || !t->h || !t->hidden || !(t->couplings == KEPT ? t->A : t->force))
    return dun_refuse_failed(why);
  draw_signs(t);
  if (t->A)
    draw_rows(t, 0, d, t->A);
  return dun_spread(why, "field", &t->field, 0, d, t->h);
}

static void free_tables(void *self)
{
  struct sherrington_kirkpatrick *t = self;
  DUN_FREE(t->A);
  DUN_FREE(t->h);
  DUN_FREE(t->hidden);
  DUN_FREE(t->row);
  DUN_FREE(t->force);
}

static int dimension_of(const void *self)
{
  return (int)((const struct sherrington_kirkpatrick *)self)->dimension;
}

/* ---- density --------------------------------------------------------------------------------- */

/* force[n][64] += of TOGETHER rows, in their order, times their spins x[TOGETHER][64]. */
DUN_CLONES static void add_columns(int64_t n, const double *restrict row, int64_t length,
                                   const double *restrict x, double *restrict force)
{
  for (int64_t j = 0; j < n; j++)
    for (int l = 0; l < L; l++) {
      double sum = force[j * L + l];
      sum = DUN_FMA(row[j], x[l], sum);
      sum = DUN_FMA(row[length + j], x[L + l], sum);
      sum = DUN_FMA(row[2 * length + j], x[2 * L + l], sum);
      force[j * L + l] = DUN_FMA(row[3 * length + j], x[3 * L + l], sum);
    }
}

DUN_CLONES static void add_column(int64_t first, int64_t behind, const double *restrict row,
                                  const double *restrict x, double *restrict force)
{
  for (int64_t j = first; j < behind; j++)
    for (int l = 0; l < L; l++)
      force[j * L + l] = DUN_FMA(row[j], x[l], force[j * L + l]);
}

/* force[d][64] = A x by couplings that are drawn, each once: of every spin first what stands before
 * the diagonal, then row by row what stands below it, in the order in which a table's rows are. */
static void draw_forces(const struct sherrington_kirkpatrick *t, const double *x, double *force)
{
  int64_t d = t->dimension;
  for (int64_t i = 0; i < d; i += TOGETHER) {
    int64_t rows = d - i < TOGETHER ? d - i : TOGETHER;
    for (int64_t k = 0; k < rows; k++)
      draw_part(t, i + k, 0, i + k, t->row + k * t->length);
    if (rows == TOGETHER)
      add_columns(i, t->row, t->length, x + i * L, force);
    for (int64_t k = 0; k < rows; k++) {
      const double *row = t->row + k * t->length, *own = x + (i + k) * L;
      dun_columns_multiply(1, i + k, row, L, x, force + (i + k) * L);
      add_column(rows == TOGETHER ? i : 0, i + k, row, own, force);
    }
  }
}

DUN_CLONES static void add_site(double h, const double *restrict x, const double *restrict field,
                                double *restrict lp, const double *restrict scale,
                                double *restrict gradient)
{
  for (int l = 0; l < L; l++)
    lp[l] = DUN_FMA(x[l], DUN_FMA(.5, field[l], h), lp[l]);
  for (int l = 0; gradient && l < L; l++)
    gradient[l] = DUN_FMA(scale[l], field[l] + h, gradient[l]);
}

static void columns(const void *self, const double *x, double *lp, const double *scale,
                    double *gradient, double *work)
{
  const struct sherrington_kirkpatrick *t = self;
  double sum[L] __attribute__((aligned(64))) = {0};
  double some[TOGETHER * L] __attribute__((aligned(64)));
  int64_t d = t->dimension;
  (void)work;
  if (!t->A)
    draw_forces(t, x, t->force);
  for (int64_t i = 0; i < d; i++) {
    const double *force = t->A ? some + i % TOGETHER * L : t->force + i * L;
    if (t->A && i % TOGETHER == 0)
      dun_columns_multiply(d - i < TOGETHER ? d - i : TOGETHER, d, t->A + i * d, L, x, some);
    add_site(t->h[i], x + i * L, force, sum, scale, gradient ? gradient + i * L : NULL);
  }
  dun_spins_density(sum, lp);
}

/* Row j, or a draw of it in scratch. */
static const double *row_of(const struct sherrington_kirkpatrick *t, int64_t j)
{
  double *made = t->row + t->length;
  if (t->A)
    return t->A + j * t->dimension;
  draw_rows(t, j, 1, made);
  return made;
}

static void site(const void *self, int j, const double *x, double *value)
{
  const struct sherrington_kirkpatrick *t = self;
  dun_columns_multiply(1, t->dimension, row_of(t, j), L, x, value + L);
  for (int l = 0; l < L; l++)
    value[L + l] += t->h[j];
  dun_spins_site(value);
}

static void couplings(const void *self, int first, int count, double *row, double *field)
{
  const struct sherrington_kirkpatrick *t = self;
  int64_t d = t->dimension;
  if (t->A)
    memcpy(row, t->A + first * d, (size_t)(count * d) * sizeof *row);
  else
    draw_rows(t, first, count, row);
  memcpy(field, t->h + first, (size_t)count * sizeof *field);
}

/* ---- output ---------------------------------------------------------------------------------- */

static int parameters(const void *self, int capacity, struct dun_parameter *parameter)
{
  const struct sherrington_kirkpatrick *t = self;
  const struct dun_parameter row[] = {
      {.name = "energy",
       .doc = "<s, A s> / (2 n), without field; to the mean beta / 2 where it is hot."},
      {.name = "x", .rank = 1, .shape = {(int)t->dimension}, .doc = "The spins."},
      {.name = "overlap", .doc = "|<s, theta>| / n with the hidden signs theta."}};
  int count = t->signal > 0 ? 3 : 2;
  for (int i = 0; i < count && i < capacity; i++)
    parameter[i] = row[i];
  return count;
}

static void constrain(const void *self, const double *x, double *theta)
{
  const struct sherrington_kirkpatrick *t = self;
  int64_t d = t->dimension;
  double sum = 0, overlap = 0;
  for (int64_t i = 0; i < d; i++) {
    const double *row = t->A ? t->A + i * d : t->row;
    double force = 0;
    if (!t->A)
      draw_part(t, i, 0, i, t->row);
    for (int64_t j = 0; j < i; j++)
      force += row[j] * x[j];
    sum += force * x[i];
    overlap += t->hidden[i] * x[i];
    theta[1 + i] = x[i];
  }
  theta[0] = t->beta > 0 ? sum / (t->beta * (double)d) : 0;
  if (t->signal > 0)
    theta[1 + d] = fabs(overlap) / (double)d;
}

const struct dun_target dun_target_sherrington_kirkpatrick = {
    .type = {DUN_TYPE(struct dun_target), .name = "sherrington_kirkpatrick",
             .doc = "Spins that are all coupled at random, with or without a hidden signal.",
             .citation = "Sherrington & Kirkpatrick 1975, Phys. Rev. Lett. 35, 1792",
             .size = sizeof(struct sherrington_kirkpatrick), .options = options,
             .free = free_tables},
    .init = init,
    .dimension_of = dimension_of,
    .columns = columns,
    .parameters = parameters,
    .constrain = constrain,
    .support = DUN_SPINS,
    .site = site,
    .couplings = couplings,
};
