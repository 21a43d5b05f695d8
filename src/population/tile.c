/* Transposes by blocks of 8 rows and 4 columns, each two 4 × 4 shuffles: a cache line of a
 * column is written whole.  Wider blocks gain nothing with AVX-512 and cost ten times as much
 * without it. */
#include "population/tile.h"
#include "base/vmath.h"
#include "dunlin/target.h"
#include <assert.h>

typedef double pair __attribute__((vector_size(16), aligned(8), may_alias));
typedef double quad __attribute__((vector_size(32), aligned(8), may_alias));

#define INLINE  static inline __attribute__((always_inline))
#define SHUFFLE __builtin_shufflevector

struct block {
  quad line[4];
};

/* line[j][i] = from[i][j] of 4 × 4 numbers; lines are `stride` apart. */
INLINE struct block transposed4(const double *from, int64_t stride)
{
  quad a = *(const quad *)from, b = *(const quad *)(from + stride),
       c = *(const quad *)(from + 2 * stride), d = *(const quad *)(from + 3 * stride);
  quad ab_even = SHUFFLE(a, b, 0, 4, 2, 6), ab_odd = SHUFFLE(a, b, 1, 5, 3, 7),
       cd_even = SHUFFLE(c, d, 0, 4, 2, 6), cd_odd = SHUFFLE(c, d, 1, 5, 3, 7);
  return (struct block){{SHUFFLE(ab_even, cd_even, 0, 1, 4, 5), SHUFFLE(ab_odd, cd_odd, 0, 1, 4, 5),
                         SHUFFLE(ab_even, cd_even, 2, 3, 6, 7),
                         SHUFFLE(ab_odd, cd_odd, 2, 3, 6, 7)}};
}

INLINE void transpose4(const double *from, int64_t from_stride, double *to, int64_t to_stride)
{
  struct block block = transposed4(from, from_stride);
  for (int i = 0; i < 4; i++)
    *(quad *)(to + i * to_stride) = block.line[i];
}

INLINE void transpose2(const double *from, int64_t from_stride, double *to, int64_t to_stride)
{
  pair a = *(const pair *)from, b = *(const pair *)(from + from_stride);
  *(pair *)to = SHUFFLE(a, b, 0, 2);
  *(pair *)(to + to_stride) = SHUFFLE(a, b, 1, 3);
}

/* 8 rows of any width; `columns` points at their first lane. */
INLINE void load8(int width, int64_t stride, const double *restrict rows, double *restrict columns)
{
  int64_t j = 0;
  for (; j + 4 <= width; j += 4) {
    transpose4(rows + j, stride, columns + j * DUN_LANES, DUN_LANES);
    transpose4(rows + j + 4 * stride, stride, columns + j * DUN_LANES + 4, DUN_LANES);
  }
  if (j + 2 <= width) {
    for (int l = 0; l < 8; l += 2)
      transpose2(rows + j + l * stride, stride, columns + j * DUN_LANES + l, DUN_LANES);
    j += 2;
  }
  if (j < width)
    for (int l = 0; l < 8; l++)
      columns[j * DUN_LANES + l] = rows[l * stride + j];
}

INLINE void store8(int width, int64_t stride, const double *restrict columns, double *restrict rows)
{
  int64_t j = 0;
  for (; j + 4 <= width; j += 4) {
    transpose4(columns + j * DUN_LANES, DUN_LANES, rows + j, stride);
    transpose4(columns + j * DUN_LANES + 4, DUN_LANES, rows + j + 4 * stride, stride);
  }
  if (j + 2 <= width) {
    for (int l = 0; l < 8; l += 2)
      transpose2(columns + j * DUN_LANES + l, DUN_LANES, rows + j + l * stride, stride);
    j += 2;
  }
  if (j < width)
    for (int l = 0; l < 8; l++)
      rows[l * stride + j] = columns[j * DUN_LANES + l];
}

DUN_CLONES void dun_columns_from_strided_rows(int n, int width, int64_t stride, const double *rows,
                                              double *columns)
{
  int whole = n & ~7;
  for (int l = 0; l < whole; l += 8)
    load8(width, stride, rows + l * stride, columns + l);
  for (int64_t j = 0; whole < DUN_LANES && j < width; j++) {
    double *lane = columns + j * DUN_LANES;
    for (int l = whole; l < n; l++)
      lane[l] = rows[l * stride + j];
    for (int l = n; l < DUN_LANES; l++)
      lane[l] = rows[j];
  }
}

DUN_CLONES void dun_strided_rows_from_columns(int n, int width, int64_t stride,
                                              const double *columns, double *rows)
{
  int whole = n & ~7;
  for (int l = 0; l < whole; l += 8)
    store8(width, stride, columns + l, rows + l * stride);
  for (int l = whole; l < n; l++)
    for (int64_t j = 0; j < width; j++)
      rows[l * stride + j] = columns[j * DUN_LANES + l];
}

/* 4 rows of 4 * k numbers, added with their scales. */
INLINE void add4(int width, int64_t stride, const double *restrict rows, const double *scale,
                 double *restrict columns)
{
  quad s = *(const quad *)scale;
  for (int64_t j = 0; j + 4 <= width; j += 4) {
    struct block block = transposed4(rows + j, stride);
    for (int i = 0; i < 4; i++) {
      quad *line = (quad *)(columns + (j + i) * DUN_LANES);
      *line = *line + s * block.line[i];
    }
  }
}

DUN_CLONES void dun_columns_add_rows(int n, int width, int64_t stride, const double *rows,
                                     const double *scale, double *columns)
{
  int whole = n & ~3;
  for (int l = 0; l < whole; l += 4)
    add4(width, stride, rows + l * stride, scale + l, columns + l);
  for (int l = 0; l < n; l++)
    for (int64_t j = l < whole ? width & ~3 : 0; j < width; j++)
      columns[j * DUN_LANES + l] += scale[l] * rows[l * stride + j];
}

void dun_columns_from_rows(int n, int width, const double *rows, double *columns)
{
  dun_columns_from_strided_rows(n, width, width, rows, columns);
}

void dun_rows_from_columns(int n, int width, const double *columns, double *rows)
{
  dun_strided_rows_from_columns(n, width, width, columns, rows);
}

/* The tile's first row; *n = its particles. */
static double *tile_rows(const struct dun_population *population, const struct dun_column *column,
                         int64_t local_tile, int *n)
{
  const struct dun_tiles *tiles = &population->tiles;
  assert(column->type == DUN_F64 && local_tile >= 0 && local_tile < tiles->count);
  *n = dun_tile_size(tiles, tiles->first_tile + local_tile);
  return dun_f64(column) + local_tile * tiles->tile * column->width;
}

void dun_tile_load(const struct dun_population *population, const struct dun_column *column,
                   int64_t local_tile, double *columns)
{
  int n;
  const double *rows = tile_rows(population, column, local_tile, &n);
  dun_columns_from_rows(n, column->width, rows, columns);
}

void dun_tile_store(const struct dun_population *population, const struct dun_column *column,
                    int64_t local_tile, const double *columns)
{
  int n;
  double *rows = tile_rows(population, column, local_tile, &n);
  dun_rows_from_columns(n, column->width, columns, rows);
}

void dun_tile_store_lanes(const struct dun_population *population, const struct dun_column *column,
                          int64_t local_tile, int from, int to, const double *columns)
{
  int n;
  double *rows = tile_rows(population, column, local_tile, &n);
  if (from == 0)
    dun_rows_from_columns(to, column->width, columns, rows);
  for (int l = from; l < to && from > 0; l++)
    for (int64_t j = 0; j < column->width; j++)
      rows[l * column->width + j] = columns[j * DUN_LANES + l];
}
