/* Weighted points in R^d that every rank holds, and their distances, 64 at a time. */
#ifndef DUNLIN_NUMERICS_POINTS_H
#define DUNLIN_NUMERICS_POINTS_H

#include <stdint.h>

struct dun_points {
  int64_t n;
  int d;
  double *x;      /* [n][d], finite; owned */
  double *weight; /* [n], not negative, of any positive sum; owned */
};

/* Room for n points of weight 1.  DUN_ERROR_MEMORY; local. */
int dun_points_init(struct dun_points *points, int64_t n, int d);
void dun_points_free(struct dun_points *points);

/* Multiplies coordinate j of all points with factor[j]. */
void dun_points_scale(struct dun_points *points, const double *factor);
/* factor[j] = 1 / standard deviation of coordinate j; 1 where that is 0 but for rounding. */
void dun_points_units(const struct dun_points *points, double *factor);

/* Which points of `from` stand for it if `to` of them are taken, number k of those: spread evenly,
 * none twice where there are enough. */
int64_t dun_points_pick(int64_t from, int64_t to, int64_t k);

/* The points of one tile of 64 as columns x[d][64]; lanes behind the last repeat it. */
void dun_points_tile(const struct dun_points *points, int64_t tile, double *x);

enum { DUN_POINTS_BLOCK = 32 };
/* square[count][64]: squared distances of `count` points y[count][d] from those of a tile of
 * columns; count <= DUN_POINTS_BLOCK. */
void dun_points_squares(int d, const double *x, int count, const double *y, double *square);

#endif
