#include "numerics/points.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/vmath.h"
#include "dunlin/target.h"
#include <math.h>
#include <string.h>

enum { L = DUN_LANES };

int dun_points_init(struct dun_points *points, int64_t n, int d)
{
  int64_t count;
  *points = (struct dun_points){.n = n, .d = d};
  if (__builtin_mul_overflow(n, (int64_t)d, &count))
    count = INT64_MAX; /* refused by the allocation */
  points->x = dun_allocate(count, sizeof *points->x);
  points->weight = dun_allocate(n, sizeof *points->weight);
  if (!points->x || !points->weight)
    return DUN_ERROR_MEMORY;
  for (int64_t i = 0; i < n; i++)
    points->weight[i] = 1;
  return 0;
}

void dun_points_free(struct dun_points *points)
{
  DUN_FREE(points->x);
  DUN_FREE(points->weight);
  points->n = 0;
}

void dun_points_scale(struct dun_points *points, const double *factor)
{
  for (int64_t i = 0; i < points->n; i++)
    for (int j = 0; j < points->d; j++)
      points->x[i * points->d + j] *= factor[j];
}

void dun_points_units(const struct dun_points *points, double *factor)
{
  double total = 0;
  for (int64_t i = 0; i < points->n; i++)
    total += points->weight[i];
  for (int j = 0; j < points->d; j++) {
    double mean = 0, square = 0;
    for (int64_t i = 0; i < points->n; i++)
      mean += points->weight[i] / total * points->x[i * points->d + j];
    for (int64_t i = 0; i < points->n; i++) {
      double away = points->x[i * points->d + j] - mean;
      square += points->weight[i] / total * away * away;
    }
    double least = 1e-12 * fabs(mean); /* what rounding leaves of a coordinate that does not vary */
    factor[j] = square > least * least ? 1 / sqrt(square) : 1;
  }
}

int64_t dun_points_pick(int64_t from, int64_t to, int64_t k)
{
  return (int64_t)((__int128)k * from / to);
}

void dun_points_tile(const struct dun_points *points, int64_t tile, double *x)
{
  for (int l = 0; l < L; l++) {
    int64_t i = tile * L + l < points->n ? tile * L + l : points->n - 1;
    for (int j = 0; j < points->d; j++)
      x[(int64_t)j * L + l] = points->x[i * points->d + j];
  }
}

/* Two points at a time, so that a column is loaded once for both. */
DUN_CLONES
void dun_points_squares(int d, const double *restrict x, int count, const double *restrict y,
                        double *restrict square)
{
  x = DUN_ALIGNED(x);
  square = DUN_ALIGNED(square);
  for (int b = 0; b < count; b += 2) {
    const double *restrict one = y + (int64_t)b * d;
    const double *restrict other = b + 1 < count ? one + d : one;
    double near[L] __attribute__((aligned(64))) = {0};
    double far[L] __attribute__((aligned(64))) = {0};
    for (int j = 0; j < d; j++) {
      const double *restrict xj = DUN_ALIGNED(x + (int64_t)j * L);
      double u = one[j], v = other[j];
      for (int l = 0; l < L; l++) {
        double p = xj[l] - u, q = xj[l] - v;
        near[l] = DUN_FMA(p, p, near[l]);
        far[l] = DUN_FMA(q, q, far[l]);
      }
    }
    memcpy(square + (int64_t)b * L, near, sizeof near);
    if (b + 1 < count)
      memcpy(square + (int64_t)(b + 1) * L, far, sizeof far);
  }
}
