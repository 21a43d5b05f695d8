#include "numerics/lattice.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/vmath.h"
#include "dunlin/target.h"
#include <math.h>

enum { L = DUN_LANES, W = DUN_LINE_LANES };

/* ---- tables ------------------------------------------------------------------------------ */

/* 4 sin^2(pi k / N) of one axis. */
DUN_CLONES static double wave_of(int64_t size, int64_t k)
{
  double sine, cosine;
  dun_sincos2pi(.5 * (double)(2 * k < size ? k : size - k) / (double)size, &sine, &cosine);
  return 4 * sine * sine;
}

static void set_waves(struct dun_lattice *s)
{
  for (int64_t i = 0; i < s->sites; i++) {
    int64_t rest = i;
    s->norm[i] = 1 / sqrt((double)s->sites);
    for (int a = s->axes - 1; a >= 0; a--) {
      int64_t k = rest % s->size[a];
      s->wave[i] += wave_of(s->size[a], k);
      s->norm[i] *= k > 0 && 2 * k != s->size[a] ? sqrt(.5) : 1;
      rest /= s->size[a];
    }
  }
}

static int init_lines(struct dun_lattice *s, int64_t *work)
{
  *work = 0;
  for (int a = 0; a < s->axes; a++) {
    int status = dun_line_init(&s->line[a], s->size[a]);
    if (status < 0)
      return status;
    int64_t more = dun_line_work(&s->line[a]);
    *work = more > *work ? more : *work;
    if (__builtin_mul_overflow(s->sites, s->size[a], &s->sites) || s->sites > INT32_MAX)
      return dun_fail(DUN_ERROR_NUMERIC, "a lattice of too many sites along axis %d: %d", a,
                      s->size[a]);
  }
  return 0;
}

/* One site more than there is, or lines along the other axes would meet in a few sets of the cache
 * where sides are powers of 2.  Returns the doubles of a field. */
static int64_t set_room(struct dun_lattice *s)
{
  int64_t apart = W;
  for (int a = s->axes - 1; a >= 0; a--) {
    s->room[a] = apart;
    apart = apart * s->size[a] + W;
  }
  return s->room[0] * s->size[0];
}

int dun_lattice_init(struct dun_lattice *s, int axes, const int *size)
{
  int64_t work;

  *s = (struct dun_lattice){.axes = axes, .size = {1, 1, 1}, .sites = 1};
  if (axes < 1 || axes > DUN_LATTICE_AXES) {
    s->axes = 0;
    return dun_fail(DUN_ERROR_NUMERIC, "a lattice of %d axes, expected 1 to %d", axes,
                    DUN_LATTICE_AXES);
  }
  for (int a = 0; a < axes; a++)
    s->size[a] = size[a];
  int status = init_lines(s, &work);
  if (status < 0)
    return status;
  s->wave = dun_allocate(s->sites, sizeof *s->wave);
  s->norm = dun_allocate(s->sites, sizeof *s->norm);
  s->scratch = dun_allocate(set_room(s) + work, sizeof *s->scratch);
  if (!s->wave || !s->norm || !s->scratch)
    return DUN_ERROR_MEMORY;
  set_waves(s);
  return 0;
}

void dun_lattice_free(struct dun_lattice *s)
{
  for (int a = 0; a < DUN_LATTICE_AXES; a++)
    dun_line_free(&s->line[a]);
  DUN_FREE(s->wave);
  DUN_FREE(s->norm);
  DUN_FREE(s->scratch);
}

int64_t dun_lattice_memory(const struct dun_lattice *s)
{
  return dun_block_bytes(s->wave) + dun_block_bytes(s->norm) + dun_block_bytes(s->scratch);
}

/* ---- eight lanes ------------------------------------------------------------------------- */

typedef void transform(const struct dun_line *line, const double *a, const double *b,
                       int64_t stride, double *to_a, double *to_b, int64_t to_stride, double *work);

/* Where line i along axis a begins, with neighbours along the axes b `step[b]` apart; an axis that
 * is not there: rows. */
static int64_t begin(const struct dun_lattice *s, int a, int64_t i, const int64_t *step)
{
  int64_t at = 0;
  for (int b = s->axes - 1; b >= 0; b--)
    if (b != a) {
      at += i % s->size[b] * step[b];
      i /= s->size[b];
    }
  return at;
}

/* All lines along axis a, two by two, from x, where neighbours are `step` doubles apart, to
 * scratch, which may be x. */
static void along(const struct dun_lattice *s, int a, transform *go, const double *x,
                  const int64_t *step)
{
  int64_t lines = s->sites / s->size[a], apart = s->room[a];
  double *work = s->scratch + s->room[0] * s->size[0];

  if (s->size[a] == 1 && s->scratch == x)
    return;
  for (int64_t i = 0; i < lines; i += 2) {
    int two = i + 1 < lines;
    const double *other = two ? x + begin(s, a, i + 1, step) : NULL;
    double *to_other = two ? s->scratch + begin(s, a, i + 1, s->room) : NULL;
    go(&s->line[a], x + begin(s, a, i, step), other, step[a], s->scratch + begin(s, a, i, s->room),
       to_other, apart, work);
  }
}

/* Columns from x on to waves in scratch, but for the norm. */
static void to_waves(const struct dun_lattice *s, const double *x)
{
  int64_t step[DUN_LATTICE_AXES], apart = L;
  for (int a = s->axes - 1; a >= 0; a--) {
    step[a] = apart;
    apart *= s->size[a];
  }
  along(s, s->axes - 1, dun_line_forward, x, step);
  for (int a = s->axes - 2; a >= 0; a--)
    along(s, a, dun_line_forward, s->scratch, s->room);
}

/* The transpose, in scratch. */
static void to_field(const struct dun_lattice *s)
{
  for (int a = 0; a < s->axes; a++)
    along(s, a, dun_line_backward, s->scratch, s->room);
}

/* ---- rows of scratch --------------------------------------------------------------------- */

/* A row: `count` sites in scratch, the same ones in columns and in tables. */
struct row {
  int64_t count, first;
  double *at;
};

static struct row row_of(const struct dun_lattice *s, int64_t r)
{
  int last = s->axes - 1;
  return (struct row){s->size[last], r * s->size[last], s->scratch + begin(s, last, r, s->room)};
}

static int64_t rows_of(const struct dun_lattice *s)
{
  return s->sites / s->size[s->axes - 1];
}

/* to += by factor row; factor NULL: 1. */
DUN_CLONES static void add(struct row row, const double *restrict norm,
                           const double *restrict factor, const double *restrict by,
                           double *restrict to)
{
  for (int64_t i = 0; i < row.count; i++) {
    double f = factor ? norm[row.first + i] * factor[row.first + i] : 1;
    double *out = to + (row.first + i) * L;
#pragma omp simd
    for (int l = 0; l < W; l++)
      out[l] = DUN_FMA(by[l], f * row.at[i * W + l], out[l]);
  }
}

DUN_CLONES static void load(struct row row, const double *restrict norm,
                            const double *restrict factor, const double *restrict w)
{
  for (int64_t i = 0; i < row.count; i++) {
    double f = norm[row.first + i] * factor[row.first + i];
    const double *in = w + (row.first + i) * L;
#pragma omp simd
    for (int l = 0; l < W; l++)
      row.at[i * W + l] = f * in[l];
  }
}

DUN_CLONES static void store(struct row row, double *restrict to)
{
  for (int64_t i = 0; i < row.count; i++)
#pragma omp simd
    for (int l = 0; l < W; l++)
      to[(row.first + i) * L + l] = row.at[i * W + l];
}

/* The norms of both ways. */
DUN_CLONES static void multiply(struct row row, const double *restrict norm,
                                const double *restrict factor)
{
  for (int64_t i = 0; i < row.count; i++) {
    double n = norm[row.first + i], f = n * n * factor[row.first + i];
#pragma omp simd
    for (int l = 0; l < W; l++)
      row.at[i * W + l] *= f;
  }
}

/* Lanes that all have one `by` share the exponentials. */
DUN_CLONES static void grow(struct row row, const double *restrict norm,
                            const double *restrict rate, const double *restrict by)
{
  double f[W];
  int alike = 1;
  for (int l = 1; l < W; l++)
    alike &= by[l] == by[0];
  for (int64_t i = 0; i < row.count; i++) {
    double n = norm[row.first + i], r = rate[row.first + i];
    if (alike) {
      double one = n * n * dun_exp(r * by[0]);
      for (int l = 0; l < W; l++)
        f[l] = one;
    } else {
#pragma omp simd
      for (int l = 0; l < W; l++)
        f[l] = n * n * dun_exp(r * by[l]);
    }
#pragma omp simd
    for (int l = 0; l < W; l++)
      row.at[i * W + l] *= f[l];
  }
}

/* ---- operators --------------------------------------------------------------------------- */

void dun_lattice_add_waves(const struct dun_lattice *s, const double *factor, const double *by,
                           const double *x, double *w)
{
  for (int l = 0; l < L; l += W) {
    to_waves(s, x + l);
    for (int64_t r = 0; r < rows_of(s); r++)
      add(row_of(s, r), s->norm, factor, by + l, w + l);
  }
}

void dun_lattice_add_field(const struct dun_lattice *s, const double *factor, const double *by,
                           const double *w, double *x)
{
  for (int l = 0; l < L; l += W) {
    for (int64_t r = 0; r < rows_of(s); r++)
      load(row_of(s, r), s->norm, factor, w + l);
    to_field(s);
    for (int64_t r = 0; r < rows_of(s); r++)
      add(row_of(s, r), NULL, NULL, by + l, x + l);
  }
}

void dun_lattice_filter(const struct dun_lattice *s, const double *factor, const double *x,
                        double *out)
{
  for (int l = 0; l < L; l += W) {
    to_waves(s, x + l);
    for (int64_t r = 0; r < rows_of(s); r++)
      multiply(row_of(s, r), s->norm, factor);
    to_field(s);
    for (int64_t r = 0; r < rows_of(s); r++)
      store(row_of(s, r), out + l);
  }
}

void dun_lattice_grow(const struct dun_lattice *s, const double *rate, const double *by,
                      const double *x, double *out)
{
  for (int l = 0; l < L; l += W) {
    to_waves(s, x + l);
    for (int64_t r = 0; r < rows_of(s); r++)
      grow(row_of(s, r), s->norm, rate, by + l);
    to_field(s);
    for (int64_t r = 0; r < rows_of(s); r++)
      store(row_of(s, r), out + l);
  }
}

double dun_lattice_trace(const struct dun_lattice *s, const double *value)
{
  double sum = 0;
  for (int64_t k = 0; k < s->sites; k++)
    sum += value[k];
  return sum;
}
