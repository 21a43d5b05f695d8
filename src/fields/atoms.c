/* The posterior of a point that is one of finitely many, by a sum over all of them: all states of
 * spins or letters, or the points of a file.  It answers whatever is known of the point.
 *
 * States are counted with the first site fastest, in blocks of those that differ at the first
 * sites alone: what is known of single sites is then a sum of two terms, one of the block and one
 * of the place in it. */
#include "base/error.h"
#include "base/memory.h"
#include "base/vmath.h"
#include "data/csv.h"
#include "fields/field.h"
#include "numerics/packed.h"
#include <math.h>
#include <string.h>

enum { L = DUN_LANES, BLOCK = 1024, MOST = 1 << 20, EQUAL = 0, BY_TARGET };

struct atoms {
  /* options */
  struct dun_data points;
  int weights;

  /* made; owned */
  struct dun_evaluator *target;
  int64_t count, size, blocks; /* of atoms, of those in a block, of blocks */
  int sites;                   /* that differ within a block */
  double *x;                   /* [count][d] of reals */
  double *log_weight;          /* [count] */
  double *square;              /* [count] of reals: scratch, <x, scale x> */

  /* scratch; owned */
  double *own, *weight, *sum; /* [size][64]: of the sites of a block; weights, and their sums */
  double *block;              /* [blocks][64]: sums of the blocks */
  double *law;                /* [letters][d][64], for who does not ask for it */
  double *uniform;            /* [1][64] */
  double *row;                /* [d] */
};

/* ---- setting up ---------------------------------------------------------------------------- */

static int count_states(struct atoms *s)
{
  s->count = 1;
  for (int j = 0; j < s->target->dimension; j++) {
    s->count *= s->target->letters;
    if (s->count > MOST)
      return dun_fail(DUN_ERROR_INPUT,
                      "field atoms goes through all states, of which it takes %d at most: %d sites "
                      "of %d letters have more; take field exact, or a target that it knows",
                      MOST, s->target->dimension, s->target->letters);
    if (s->count <= BLOCK) {
      s->size = s->count;
      s->sites = j + 1;
    }
  }
  return 0;
}

static int read_points(struct atoms *s)
{
  static const struct dun_csv_format as_it_shows = {0};
  struct dun_csv csv = {0};
  int d = s->target->dimension, status;
  if (!s->points.path)
    return dun_fail(DUN_ERROR_INPUT,
                    "field atoms: the points of target %s are reals: give "
                    "field.points, a file of those that there are",
                    s->target->target->type.name);
  if ((status = dun_csv_parse(&csv, &s->points, &as_it_shows)) >= 0)
    status = dun_csv_check(&csv, &s->points, -1);
  if (status >= 0 && csv.columns != d)
    status = dun_fail(DUN_ERROR_INPUT, "%s: found %d columns, expected the target's %d coordinates",
                      s->points.path, csv.columns, d);
  if (status >= 0 && (csv.rows < 1 || csv.rows > MOST))
    status = dun_fail(DUN_ERROR_INPUT, "%s: found %lld points, expected 1 to %d", s->points.path,
                      csv.rows, MOST);
  if (status >= 0) {
    s->x = csv.value;
    csv.value = NULL;
    s->count = csv.rows;
    s->size = s->count < BLOCK ? s->count : BLOCK;
  }
  dun_csv_free(&csv);
  return status;
}

static void put_atom(const struct atoms *s, int64_t atom, double *x)
{
  int d = s->target->dimension, q = s->target->letters;
  if (q == 0) {
    memcpy(x, s->x + atom * d, (size_t)d * sizeof *x);
    return;
  }
  for (int j = 0; j < d; j++, atom /= q)
    x[j] = dun_evaluator_letter(s->target, (int)(atom % q));
}

/* The target's log density at all of them; what it evaluates here is not counted. */
static int weigh_atoms(struct atoms *s)
{
  struct dun_evaluator *e = s->target;
  int64_t d = e->dimension, evaluations = e->evaluations, nans = e->nans;
  double lp[L] __attribute__((aligned(64))), *x = dun_allocate(d, L * sizeof *x);
  if (!x)
    return DUN_ERROR_MEMORY;
  for (int64_t first = 0; first < s->count; first += L) {
    int n = s->count - first < L ? (int)(s->count - first) : L;
    for (int l = 0; l < L; l++) {
      put_atom(s, first + (l < n ? l : 0), s->row);
      for (int64_t j = 0; j < d; j++)
        x[j * L + l] = s->row[j];
    }
    dun_evaluate(e, n, x, lp, NULL, NULL);
    memcpy(s->log_weight + first, lp, (size_t)n * sizeof *lp);
  }
  e->evaluations = evaluations;
  e->nans = nans;
  dun_free(x);
  return 0;
}

static int allocate(struct atoms *s)
{
  s->blocks = (s->count + s->size - 1) / s->size;
  s->log_weight = dun_allocate(s->count, sizeof *s->log_weight);
  s->square = dun_allocate(s->count, sizeof *s->square);
  s->own = dun_allocate(s->size, L * sizeof *s->own);
  s->weight = dun_allocate(s->size, L * sizeof *s->weight);
  s->sum = dun_allocate(s->size, L * sizeof *s->sum);
  s->block = dun_allocate(s->blocks, L * sizeof *s->block);
  s->uniform = dun_allocate(1, L * sizeof *s->uniform);
  s->row = dun_allocate(s->target->dimension, sizeof *s->row);
  s->law = dun_allocate((int64_t)s->target->letters * s->target->dimension + 1, L * sizeof *s->law);
  return s->log_weight && s->square && s->own && s->weight && s->sum && s->block && s->uniform &&
                 s->row && s->law
             ? 0
             : DUN_ERROR_MEMORY;
}

static void release(void *self)
{
  struct atoms *s = self;
  DUN_FREE(s->x);
  DUN_FREE(s->log_weight);
  DUN_FREE(s->square);
  DUN_FREE(s->own);
  DUN_FREE(s->weight);
  DUN_FREE(s->sum);
  DUN_FREE(s->block);
  DUN_FREE(s->uniform);
  DUN_FREE(s->row);
  DUN_FREE(s->law);
}

static int init_here(struct atoms *s, struct dun_evaluator *target)
{
  int status;
  release(s);
  s->target = target;
  status = target->letters ? count_states(s) : read_points(s);
  if (status >= 0)
    status = allocate(s);
  if (status >= 0 && (target->letters || s->weights == BY_TARGET))
    status = weigh_atoms(s);
  else if (status >= 0)
    memset(s->log_weight, 0, (size_t)s->count * sizeof *s->log_weight);
  double highest = -INFINITY;
  for (int64_t a = 0; a < s->count && status >= 0; a++)
    highest = s->log_weight[a] > highest ? s->log_weight[a] : highest;
  if (status >= 0 && highest == -INFINITY)
    status =
        dun_fail(DUN_ERROR_INPUT, "field atoms: target %s has no mass at any of the %lld points",
                 target->target->type.name, (long long)s->count);
  return status;
}

static int init(struct dun_context *context, void *self, struct dun_evaluator *target,
                double lambda)
{
  (void)lambda;
  return dun_agree(context, init_here(self, target));
}

static unsigned gives(const void *self)
{
  const struct atoms *s = self;
  return DUN_TILTED_DRAW | DUN_FIELD_POINTS | DUN_FIELD_SURE |
         (s->target->letters ? DUN_TILTED_MASS | DUN_FIELD_LETTERS
                             : DUN_FIELD_MASS | DUN_FIELD_SCALE | DUN_TILTED_MATRIX);
}

static const double *points(const void *self, int64_t *count)
{
  const struct atoms *s = self;
  *count = s->x ? s->count : 0;
  return s->x;
}

static int64_t memory(const void *self)
{
  const struct atoms *s = self;
  int64_t numbers = s->count * (2 + (s->x ? s->target->dimension : 0));
  return (int64_t)sizeof(double) * (numbers + (3 * s->size + s->blocks) * L);
}

/* ---- log weights ----------------------------------------------------------------------------- */

static int letter_of(const struct atoms *s, int64_t state, int j)
{
  for (; j > 0; j--)
    state /= s->target->letters;
  return (int)(state % s->target->letters);
}

/* out[64] += what is known of site j if it has the letter a. */
static void add_letter(const struct atoms *s, const struct dun_field_call *call, int64_t j, int a,
                       double *out)
{
  double value = dun_evaluator_letter(s->target, a);
  const double *factor = call->factor ? call->factor + (a * s->target->dimension + j) * L : NULL;
  for (int l = 0; l < L; l++)
    out[l] += factor ? factor[l] : value * call->h[j * L + l];
}

/* own[size][64] of the first sites: each has one more than the states of those before it. */
static void add_sites(const struct atoms *s, const struct dun_field_call *call)
{
  int q = s->target->letters;
  int64_t known = 1;
  memset(s->own, 0, L * sizeof *s->own);
  for (int j = 0; j < s->sites; j++, known *= q)
    for (int a = q - 1; a >= 0; a--)
      for (int64_t i = 0; i < known; i++) {
        double *own = s->own + (a * known + i) * L;
        if (a > 0)
          memcpy(own, s->own + i * L, L * sizeof *own);
        add_letter(s, call, j, a, own);
      }
}

static void add_squares(const struct atoms *s, const struct dun_field_call *call)
{
  int64_t d = s->target->dimension;
  for (int64_t a = 0; a < s->count; a++) {
    double sum = 0;
    for (int64_t j = 0; j < d; j++)
      sum += s->x[a * d + j] * s->x[a * d + j] * (call->scale ? call->scale[j] : 1);
    s->square[a] = sum;
  }
}

DUN_CLONES static void weigh_states(const struct atoms *s, int64_t first, int64_t n,
                                    const double *restrict base)
{
  for (int64_t i = 0; i < n; i++)
    for (int l = 0; l < L; l++)
      s->weight[i * L + l] = s->log_weight[first + i] + base[l] + s->own[i * L + l];
}

DUN_CLONES static void weigh_points(const struct atoms *s, const struct dun_field_call *call,
                                    int64_t first, int64_t n)
{
  int64_t d = s->target->dimension;
  for (int64_t i = 0; i < n; i++) {
    double *restrict weight = s->weight + i * L;
    const double *x = s->x + (first + i) * d;
    double square = .5 * s->square[first + i];
    for (int l = 0; l < L; l++)
      weight[l] = s->log_weight[first + i] - square * call->lambda[l];
    for (int64_t j = 0; j < d; j++)
      for (int l = 0; l < L; l++)
        weight[l] = DUN_FMA(x[j], call->h[j * L + l], weight[l]);
  }
}

/* weight[64] -= <x, M x> / 2. */
DUN_CLONES static void less_square(const struct atoms *s, const double *restrict precision,
                                   const double *x, double *restrict weight)
{
  int64_t d = s->target->dimension;
  for (int64_t i = 0, e = 0; i < d; i++)
    for (int64_t j = 0; j <= i; j++, e++) {
      double product = -x[i] * x[j] * (i == j ? .5 : 1);
      for (int l = 0; l < L; l++)
        weight[l] = DUN_FMA(product, precision[e * L + l], weight[l]);
    }
}

/* weight[n][64] of the atoms of a block, in logs; returns n. */
static int64_t weigh(const struct atoms *s, const struct dun_field_call *call, int64_t block)
{
  int64_t first = block * s->size, n = s->count - first < s->size ? s->count - first : s->size;
  double base[L] __attribute__((aligned(64))) = {0};
  for (int j = s->sites; j < s->target->dimension && s->target->letters; j++)
    add_letter(s, call, j, letter_of(s, first, j), base);
  if (s->target->letters)
    weigh_states(s, first, n, base);
  else
    weigh_points(s, call, first, n);
  for (int64_t i = 0; i < n && call->precision; i++)
    less_square(s, call->precision, s->x + (first + i) * s->target->dimension, s->weight + i * L);
  for (int64_t i = 0; i < n && call->likelihood; i++) {
    put_atom(s, first + i, s->row);
    call->likelihood(call->known, s->row, s->weight + i * L);
  }
  return n;
}

/* ---- sums ------------------------------------------------------------------------------------ */

DUN_CLONES static void raise_highest(int64_t n, const double *restrict weight,
                                     double *restrict highest)
{
  for (int64_t i = 0; i < n; i++)
    for (int l = 0; l < L; l++)
      highest[l] = weight[i * L + l] > highest[l] ? weight[i * L + l] : highest[l];
}

/* From logs to weights of which the highest is 1; their sum[64], and `all` [n][64] unless NULL. */
DUN_CLONES static void take_exponents(int64_t n, const double *restrict highest,
                                      double *restrict weight, double *restrict sum,
                                      double *restrict all)
{
  for (int l = 0; l < L; l++)
    sum[l] = 0;
  for (int64_t i = 0; i < n; i++)
    for (int l = 0; l < L; l++) {
      double w = dun_exp_weight(weight[i * L + l] - highest[l]);
      weight[i * L + l] = w;
      sum[l] += w;
      if (all)
        all[i * L + l] += w;
    }
}

DUN_CLONES static void add_points(const struct atoms *s, int64_t first, int64_t n,
                                  double *restrict mean)
{
  int64_t d = s->target->dimension;
  for (int64_t i = 0; i < n; i++)
    for (int64_t j = 0; j < d; j++)
      for (int l = 0; l < L; l++)
        mean[j * L + l] = DUN_FMA(s->x[(first + i) * d + j], s->weight[i * L + l], mean[j * L + l]);
}

static void add_column(const double *from, double *to)
{
  for (int l = 0; l < L; l++)
    to[l] += from[l];
}

/* Sums over all atoms: of the weights, total[64]; of reals in `mean`, of letters in `law`. */
static void add_all(const struct atoms *s, const struct dun_field_call *call, const double *highest,
                    double *total)
{
  int64_t d = s->target->dimension, q = s->target->letters;
  memset(total, 0, L * sizeof *total);
  memset(s->sum, 0, (size_t)s->size * L * sizeof *s->sum);
  for (int64_t b = 0; b < s->blocks; b++) {
    double *block = s->block + b * L;
    int64_t n = weigh(s, call, b);
    take_exponents(n, highest, s->weight, block, q ? s->sum : NULL);
    add_column(block, total);
    if (!q)
      add_points(s, b * s->size, n, call->mean);
    for (int64_t j = s->sites; j < d && q; j++)
      add_column(block, call->law + (letter_of(s, b * s->size, (int)j) * d + j) * L);
  }
  for (int64_t i = 0; i < s->size && q; i++)
    for (int j = 0; j < s->sites; j++)
      add_column(s->sum + i * L, call->law + (letter_of(s, i, j) * d + j) * L);
}

static void divide(int64_t columns, const double *total, double *all)
{
  for (int64_t i = 0; i < columns; i++)
    for (int l = 0; l < L; l++)
      all[i * L + l] /= total[l];
}

/* The covariance, of reals, by one more sum: about the means, so that nothing cancels. */
DUN_CLONES static void add_covariance(const struct atoms *s, const double *restrict x,
                                      const double *restrict weight, const double *restrict mean,
                                      double *restrict covariance)
{
  int64_t d = s->target->dimension;
  for (int64_t i = 0, e = 0; i < d; i++)
    for (int64_t j = 0; j <= i; j++, e++)
      for (int l = 0; l < L; l++) {
        double own = x[i] - mean[i * L + l], other = x[j] - mean[j * L + l];
        covariance[e * L + l] = DUN_FMA(weight[l] * own, other, covariance[e * L + l]);
      }
}

static void set_covariance(const struct atoms *s, const struct dun_field_call *call,
                           const double *highest, const double *total)
{
  int64_t d = s->target->dimension, entries = DUN_PACKED(d);
  double unused[L] __attribute__((aligned(64)));
  memset(call->covariance, 0, (size_t)(entries * L) * sizeof *call->covariance);
  for (int64_t b = 0; b < s->blocks; b++) {
    int64_t n = weigh(s, call, b);
    take_exponents(n, highest, s->weight, unused, NULL);
    for (int64_t i = 0; i < n; i++)
      add_covariance(s, s->x + (b * s->size + i) * d, s->weight + i * L, call->mean,
                     call->covariance);
  }
  divide(entries, total, call->covariance);
}

DUN_CLONES static void set_mass(const double *restrict highest, const double *restrict total,
                                double *restrict log_mass)
{
  for (int l = 0; l < L; l++)
    log_mass[l] = highest[l] + dun_log(total[l]);
}

/* The atom of each lane up to which the weights sum to `left`, from the sums of blocks on. */
static void draw(const struct atoms *s, const struct dun_field_call *call, const double *highest,
                 const double *total)
{
  int64_t d = s->target->dimension, place[L];
  double left[L], unused[L] __attribute__((aligned(64)));
  struct dun_address address = call->address;
  address.purpose = DUN_PURPOSE_FIELD_UNIFORM;
  dun_uniforms(address, 1, s->uniform);
  for (int l = 0; l < L; l++) {
    left[l] = s->uniform[l] * total[l];
    for (place[l] = 0; place[l] + 1 < s->blocks && left[l] > s->block[place[l] * L + l]; place[l]++)
      left[l] -= s->block[place[l] * L + l];
  }
  for (int64_t b = 0; b < s->blocks; b++) {
    int64_t n = 0;
    for (int l = 0; l < L; l++) {
      int64_t i = 0;
      if (place[l] != b)
        continue;
      if (n == 0) {
        n = weigh(s, call, b);
        take_exponents(n, highest, s->weight, unused, NULL);
      }
      int64_t last = n - 1;
      while (last > 0 && !(s->weight[last * L + l] > 0))
        last--;
      for (; i < last && left[l] > s->weight[i * L + l]; i++)
        left[l] -= s->weight[i * L + l];
      put_atom(s, b * s->size + i, s->row);
      for (int64_t j = 0; j < d; j++)
        call->draw[j * L + l] = s->row[j];
    }
  }
}

/* The means of letters from their probabilities. */
static void set_means(const struct atoms *s, const struct dun_field_call *call)
{
  int64_t d = s->target->dimension;
  for (int a = 0; a < s->target->letters; a++)
    for (int64_t i = 0; i < d * L; i++)
      call->mean[i] += dun_evaluator_letter(s->target, a) * call->law[a * d * L + i];
}

static void value(const void *self, const struct dun_field_call *given)
{
  const struct atoms *s = self;
  struct dun_field_call call = *given;
  if (!call.law)
    call.law = s->law;
  int64_t d = s->target->dimension, q = s->target->letters;
  double highest[L] __attribute__((aligned(64))), total[L] __attribute__((aligned(64)));
  for (int l = 0; l < L; l++)
    highest[l] = -INFINITY;
  memset(call.mean, 0, (size_t)d * L * sizeof *call.mean);
  if (q)
    memset(call.law, 0, (size_t)(q * d) * L * sizeof *call.law);
  if (q)
    add_sites(s, &call);
  else
    add_squares(s, &call);
  for (int64_t b = 0; b < s->blocks; b++)
    raise_highest(weigh(s, &call, b), s->weight, highest);
  add_all(s, &call, highest, total);
  divide(q ? q * d : d, total, q ? call.law : call.mean);
  if (q)
    set_means(s, &call);
  if (call.covariance)
    set_covariance(s, &call, highest, total);
  if (call.log_mass)
    set_mass(highest, total, call.log_mass);
  if (call.draw)
    draw(s, &call, highest, total);
}

static const struct dun_option options[] = {
    {.name = "points",
     .type = DUN_DATA,
     .offset = offsetof(struct atoms, points),
     .initial = "",
     .doc = "Of reals: a table of the points that there are, a row of coordinates for each."},
    {.name = "weights",
     .type = DUN_CHOICE,
     .offset = offsetof(struct atoms, weights),
     .initial = "equal",
     .words = "equal|target",
     .doc = "How likely each of those is before anything is seen: all alike, or as the target's "
            "density there."},
    {0},
};

const struct dun_field dun_field_atoms = {
    .type = {DUN_TYPE(struct dun_field), .name = "atoms",
             .doc = "Sums over all states of spins and letters, or over the points of a file.",
             .size = sizeof(struct atoms), .options = options, .free = release},
    .init = init,
    .gives = gives,
    .points = points,
    .value = value,
    .memory = memory,
};
