#include "targets/cox_field.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/scalar.h"
#include "base/vmath.h"
#include "numerics/grid.h"
#include "numerics/linear.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { L = DUN_LANES, WIDEST = 4 };
#define FARTHEST 1e150 /* of a coordinate: beyond it its density is 0 anyway */

double dun_cox_field_covariance(const struct dun_cox_field *s, int rows, int columns)
{
  double y = (double)rows / s->size[0], x = (double)columns / s->size[1];
  return s->variance * dun_scalar_exp(-sqrt(y * y + x * x) / s->length);
}

/* ---- dense ------------------------------------------------------------------------------- */

/* Covariances of cells so many rows and columns apart, [size[0]][size[1]]; NULL without memory. */
static double *make_distances(const struct dun_cox_field *s)
{
  int64_t n = s->cells, width = s->size[1];
  double *table = dun_allocate(n, sizeof *table);
  for (int64_t i = 0; i < n && table; i++)
    table[i] = dun_cox_field_covariance(s, (int)(i / width), (int)(i % width));
  return table;
}

/* The covariance of all cells [cells][cells]; NULL without memory. */
static double *make_covariance(const struct dun_cox_field *s)
{
  int64_t n = s->cells, width = s->size[1];
  double *all = dun_allocate(n * n, sizeof *all), *table = make_distances(s);
  for (int64_t i = 0; i < n && table && all; i++)
    for (int64_t j = 0; j < n; j++)
      all[i * n + j] = table[llabs(i / width - j / width) * width + llabs(i % width - j % width)];
  if (!table)
    DUN_FREE(all);
  dun_free(table);
  return all;
}

static double *make_mean(const struct dun_cox_field *s)
{
  double *mean = dun_allocate(s->cells, sizeof *mean);
  for (int i = 0; i < s->cells && mean; i++)
    mean[i] = s->mean;
  return mean;
}

static int init_field(struct dun_cox_field *s, double *covariance)
{
  double *mean = make_mean(s);
  int status = mean ? dun_gaussian_dense(&s->prior, s->cells, mean, covariance) : DUN_ERROR_MEMORY;
  dun_free(mean);
  return status;
}

/* Independent standard normals. */
static int init_normals(struct dun_cox_field *s)
{
  double *number = dun_allocate(2 * (int64_t)s->dimension, sizeof *number);
  int status = number ? 0 : DUN_ERROR_MEMORY;
  for (int i = 0; i < s->dimension && number; i++)
    number[s->dimension + i] = 1;
  if (status == 0)
    status = dun_gaussian_diagonal(&s->prior, s->dimension, number, number + s->dimension);
  dun_free(number);
  return status;
}

/* Both triangles in one table, the upper one 4 to the right: rows of both are read in fours. */
static int init_whitened(struct dun_cox_field *s, double *covariance)
{
  int64_t n = s->cells, stride = s->columns + 4;
  int status = dun_cholesky(s->cells, covariance);
  double *table = s->triangles = dun_allocate(n * stride, sizeof *table);
  if (status < 0 || !table)
    return status < 0 ? status : DUN_ERROR_MEMORY;
  for (int64_t i = 0; i < n; i++)
    for (int64_t j = 0; j <= i; j++)
      table[i * stride + j] = table[j * stride + 4 + i] = covariance[i * n + j];
  s->stride = stride;
  s->lower = table;
  s->upper = table + 4;
  return init_normals(s);
}

struct distances {
  double *table;
  int64_t width;
};

static double entry(const void *self, int64_t i, int64_t j)
{
  const struct distances *by = self;
  int64_t width = by->width;
  return by->table[(i / width - j / width) * width + llabs(i % width - j % width)];
}

/* What is left for each rank to do by itself. */
static int take_shared(struct dun_cox_field *s)
{
  const struct dun_shared_factor *f = &s->shared;
  if (s->coordinates == DUN_COX_FIELD) {
    double *mean = make_mean(s);
    int status = mean ? dun_gaussian_of_tables(&s->prior, s->cells, mean, f->lower, (int)f->stride,
                                               f->inverse)
                      : DUN_ERROR_MEMORY;
    dun_free(mean);
    return status;
  }
  s->lower = f->lower;
  s->upper = f->upper;
  s->stride = f->stride;
  return init_normals(s);
}

int dun_cox_field_together(struct dun_context *context, struct dun_cox_field *s)
{
  struct distances by = {make_distances(s), s->size[1]};
  int status = dun_agree(context, by.table ? 0 : DUN_ERROR_MEMORY);
  if (status == 0)
    status = dun_shared_factor_init(context, &s->shared, s->cells, s->coordinates == DUN_COX_FIELD,
                                    entry, &by);
  if (status == 0)
    status = dun_agree(context, take_shared(s));
  DUN_FREE(by.table);
  return status;
}

/* ---- waves ------------------------------------------------------------------------------- */

/* Lane 0 of the waves of the covariance with the corner's cell, and of that cell alone. */
static void transform(const struct dun_cox_field *s, double *x, double *ones, double *covariance,
                      double *corner)
{
  const int *size = s->lattice.size;
  double by[L] = {1};
  for (int i = 0; i < s->dimension; i++)
    ones[i] = 1;
  for (int i = 0; i < s->dimension; i++) {
    int row = i / size[1], column = i % size[1];
    row = 2 * row < size[0] ? row : size[0] - row;
    column = 2 * column < size[1] ? column : size[1] - column;
    x[(int64_t)i * L] = dun_cox_field_covariance(s, row, column);
  }
  dun_lattice_add_waves(&s->lattice, ones, by, x, covariance);
  memset(x, 0, (size_t)s->dimension * L * sizeof *x);
  x[0] = 1;
  dun_lattice_add_waves(&s->lattice, ones, by, x, corner);
}

/* The waves' variances: covariance and corner are diagonal in them.  Where the corner is 0, in
 * sines, they are those of the cosines.  1: one is negative. */
static int set_roots(struct dun_cox_field *s, const double *covariance, const double *corner)
{
  const int *size = s->lattice.size;
  double most = 0, least = 0;
  for (int i = 0; i < s->dimension; i++) {
    int row = i / size[1], column = i % size[1];
    row = 2 * row <= size[0] ? row : size[0] - row;
    column = 2 * column <= size[1] ? column : size[1] - column;
    int64_t from = ((int64_t)row * size[1] + column) * L;
    s->root[i] = covariance[from] / corner[from];
    most = fmax(most, s->root[i]);
    least = fmin(least, s->root[i]);
  }
  for (int i = 0; i < s->dimension; i++)
    s->root[i] = sqrt(fmax(s->root[i], 0));
  return least < -1e-13 * most;
}

/* On a lattice so many times as wide as the grid. */
static int make_lattice(struct dun_cox_field *s, int times)
{
  int size[2], status;
  for (int a = 0; a < 2; a++)
    size[a] = (int)dun_grid_friendly((int64_t)times * s->size[a]);
  dun_lattice_free(&s->lattice);
  DUN_FREE(s->root);
  if ((status = dun_lattice_init(&s->lattice, 2, size)) < 0)
    return status;
  s->dimension = s->columns = (int)s->lattice.sites;
  int64_t count = (int64_t)s->dimension * L;
  double *x = dun_allocate(count, sizeof *x), *ones = dun_allocate(s->dimension, sizeof *ones);
  double *covariance = dun_allocate(count, sizeof *x), *corner = dun_allocate(count, sizeof *x);
  s->root = dun_allocate(s->dimension, sizeof *s->root);
  status = x && ones && covariance && corner && s->root ? 0 : DUN_ERROR_MEMORY;
  if (status == 0) {
    transform(s, x, ones, covariance, corner);
    status = set_roots(s, covariance, corner);
  }
  dun_free(x);
  dun_free(ones);
  dun_free(covariance);
  dun_free(corner);
  return status;
}

/* Row i has what the lattice's waves are at place i of an axis. */
static int make_waves(struct dun_cox_field *s, int a)
{
  int64_t n = s->lattice.size[a];
  s->wave[a] = dun_allocate(s->size[a] * n, sizeof *s->wave[a]);
  for (int64_t i = 0; i < s->size[a] && s->wave[a]; i++)
    for (int64_t k = 0; k < n; k++) {
      double sine, cosine, norm = sqrt((k == 0 || 2 * k == n ? 1. : 2.) / (double)n);
      int64_t frequency = 2 * k <= n ? k : n - k;
      dun_scalar_sincos2pi((double)(frequency * i % n) / (double)n, &sine, &cosine);
      s->wave[a][i * n + k] = norm * (2 * k <= n ? cosine : -sine);
    }
  return s->wave[a] ? 0 : DUN_ERROR_MEMORY;
}

static int init_circulant(struct dun_cox_field *s)
{
  int status = 1;
  for (int times = 2; times <= WIDEST && status == 1; times++)
    status = make_lattice(s, times);
  if (status == 1)
    return dun_fail(DUN_ERROR_INPUT,
                    "length: found %g, but a periodic lattice %d times as wide has no such "
                    "covariance; take coordinates: whitened",
                    s->length, WIDEST);
  for (int a = 0; a < 2 && status == 0; a++)
    status = make_waves(s, a);
  s->half = dun_allocate((int64_t)s->size[0] * s->lattice.size[1], sizeof *s->half);
  if (status == 0 && !s->half)
    status = DUN_ERROR_MEMORY;
  return status < 0 ? status : init_normals(s);
}

/* ---- set-up ------------------------------------------------------------------------------ */

int dun_cox_field_init(struct dun_cox_field *s)
{
  s->cells = s->size[0] * s->size[1];
  s->dimension = s->cells;
  s->columns = (s->cells + 3) / 4 * 4;
  if (s->coordinates == DUN_COX_CIRCULANT)
    return init_circulant(s);
  if (s->distributed)
    return 0;
  double *covariance = make_covariance(s);
  int status = !covariance                       ? DUN_ERROR_MEMORY
               : s->coordinates == DUN_COX_FIELD ? init_field(s, covariance)
                                                 : init_whitened(s, covariance);
  dun_free(covariance);
  return status;
}

void dun_cox_field_free(struct dun_cox_field *s)
{
  dun_gaussian_free(&s->prior);
  dun_lattice_free(&s->lattice);
  DUN_FREE(s->triangles);
  dun_shared_factor_free(&s->shared);
  DUN_FREE(s->root);
  DUN_FREE(s->wave[0]);
  DUN_FREE(s->wave[1]);
  DUN_FREE(s->half);
}

double dun_cox_field_memory(const struct dun_cox_field *s, double *most)
{
  double d = s->dimension, whole = 8. * s->cells * s->cells, held;
  if (s->coordinates == DUN_COX_CIRCULANT) {
    double waves = (double)s->lattice.size[0] * s->size[0] +
                   (double)s->lattice.size[1] * (s->size[0] + s->size[1]);
    held = (double)dun_lattice_memory(&s->lattice) + 8 * (4 * d + waves);
    *most = held + 8 * d * (3 * L + 1);
  } else if (s->distributed) {
    const struct dun_shared_factor *f = &s->shared;
    held = dun_shared_factor_memory(f->n, f->inverted, f->host.size, f->ranks, most);
  } else { /* the covariance goes, and of a field the inverse before it is padded */
    held = s->coordinates == DUN_COX_FIELD ? 2 * whole : whole;
    *most = s->coordinates == DUN_COX_FIELD ? 4 * whole : 2 * whole;
  }
  return held;
}

/* ---- maps of a tile ---------------------------------------------------------------------- */

/* out += row y, from and to multiples of four. */
DUN_INLINE void add_row(const double *restrict row, const double *restrict y, int64_t from,
                        int64_t to, double *restrict out)
{
  for (int64_t j = from; j < to; j += 4) {
    const double *restrict b = DUN_ALIGNED(y + j * L);
    double p0 = row[j], p1 = row[j + 1], p2 = row[j + 2], p3 = row[j + 3];
    for (int l = 0; l < L; l++) {
      double sum = DUN_FMA(p0, b[l], out[l]);
      sum = DUN_FMA(p1, b[L + l], sum);
      sum = DUN_FMA(p2, b[2 * L + l], sum);
      out[l] = DUN_FMA(p3, b[3 * L + l], sum);
    }
  }
}

DUN_CLONES static void multiply_lower(const struct dun_cox_field *s, const double *restrict w,
                                      double *restrict f)
{
  double sum[L] __attribute__((aligned(64)));
  for (int64_t i = 0; i < s->cells; i++) {
    for (int l = 0; l < L; l++)
      sum[l] = s->mean;
    add_row(s->lower + i * s->stride, w, 0, i / 4 * 4 + 4, sum);
    for (int l = 0; l < L; l++)
      f[i * L + l] = sum[l];
  }
}

DUN_CLONES static void pull_upper(const struct dun_cox_field *s, const double *restrict g,
                                  const double *restrict scale, double *restrict gradient)
{
  double sum[L] __attribute__((aligned(64)));
  for (int64_t j = 0; j < s->cells; j++) {
    for (int l = 0; l < L; l++)
      sum[l] = 0;
    add_row(s->upper + j * s->stride, g, j / 4 * 4, s->columns, sum);
    for (int l = 0; l < L; l++)
      gradient[j * L + l] = DUN_FMA(scale[l], sum[l], gradient[j * L + l]);
  }
}

DUN_CLONES static void copy_clamped(int64_t count, const double *restrict x, double *restrict out)
{
  for (int64_t i = 0; i < count; i++) {
    double low = x[i] > -FARTHEST ? x[i] : -FARTHEST;
    out[i] = low < FARTHEST ? low : FARTHEST;
  }
}

void dun_cox_field_make(const struct dun_cox_field *s, const double *x, double *f, double *work)
{
  static const double one[L] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
                                1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
                                1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
  int64_t count = (int64_t)s->dimension * L, all = (int64_t)s->columns * L;
  if (s->coordinates == DUN_COX_FIELD) {
    memcpy(f, x, (size_t)count * sizeof *f);
    return;
  }
  copy_clamped(count, x, work);
  if (s->coordinates == DUN_COX_WHITENED) {
    memset(work + count, 0, (size_t)(all - count) * sizeof *work);
    multiply_lower(s, work, f);
    return;
  }
  for (int64_t i = 0; i < all; i++)
    f[i] = s->mean;
  dun_lattice_add_field(&s->lattice, s->root, one, work, f);
}

void dun_cox_field_pull(const struct dun_cox_field *s, const double *g, const double *scale,
                        double *gradient)
{
  if (s->coordinates == DUN_COX_CIRCULANT)
    dun_lattice_add_waves(&s->lattice, s->root, scale, g, gradient);
  else if (s->coordinates == DUN_COX_WHITENED)
    pull_upper(s, g, scale, gradient);
  else
    for (int64_t i = 0; i < (int64_t)s->cells * L; i++)
      gradient[i] += scale[i % L] * g[i];
}

/* ---- one point --------------------------------------------------------------------------- */

/* Waves along the first axis become places, then those along the second. */
static void one_of_waves(const struct dun_cox_field *s, const double *x, double *f)
{
  int64_t rows = s->lattice.size[0], columns = s->lattice.size[1];
  for (int64_t i = 0; i < s->size[0]; i++) {
    double *half = s->half + i * columns;
    memset(half, 0, (size_t)columns * sizeof *half);
    for (int64_t k = 0; k < rows; k++)
      for (int64_t j = 0; j < columns; j++)
        half[j] += s->wave[0][i * rows + k] * (s->root[k * columns + j] * x[k * columns + j]);
    for (int64_t j = 0; j < s->size[1]; j++) {
      double sum = s->mean;
      for (int64_t k = 0; k < columns; k++)
        sum += s->wave[1][j * columns + k] * half[k];
      f[i * s->size[1] + j] = sum;
    }
  }
}

/* Sums of eight parts, since this goes through a large table for every draw. */
DUN_CLONES static void one_of_rows(const struct dun_cox_field *s, const double *restrict x,
                                   double *restrict f)
{
  for (int64_t i = 0; i < s->cells; i++) {
    const double *restrict row = s->lower + i * s->stride;
    double sum[8] = {0};
    int64_t j = 0;
    for (; j + 8 <= i + 1; j += 8)
      for (int k = 0; k < 8; k++)
        sum[k] = DUN_FMA(row[j + k], x[j + k], sum[k]);
    for (int k = 0; j + k <= i; k++)
      sum[k] = DUN_FMA(row[j + k], x[j + k], sum[k]);
    f[i] = s->mean +
           (((sum[0] + sum[4]) + (sum[2] + sum[6])) + ((sum[1] + sum[5]) + (sum[3] + sum[7])));
  }
}

void dun_cox_field_one(const struct dun_cox_field *s, const double *x, double *f)
{
  if (s->coordinates == DUN_COX_CIRCULANT)
    one_of_waves(s, x, f);
  else if (s->coordinates == DUN_COX_WHITENED)
    one_of_rows(s, x, f);
  else
    memcpy(f, x, (size_t)s->cells * sizeof *f);
}
