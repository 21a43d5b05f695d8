/* The banana of Haario, Saksman & Tamminen (1999): x_1 ~ N(0, scale^2), and x_2 given x_1 is
 * N(curvature (x_1^2 - scale^2), width^2). */
#ifndef DUNLIN_TARGETS_BANANA_H
#define DUNLIN_TARGETS_BANANA_H

#include "base/vmath.h"

struct dun_banana {
  double scale, curvature, width;
};

/* x no farther than `most` from 0: beyond it densities are 0 anyway, and no product overflows. */
DUN_INLINE double dun_banana_clamp(double x, double most)
{
  double low = x > -most ? x : -most;
  return low < most ? low : most;
}

/* The exponent of the normalised density, without its constant -log(2 pi scale width), and its
 * gradient. */
DUN_INLINE double dun_banana_exponent(const struct dun_banana *b, double x0, double x1, double *g0,
                                      double *g1)
{
  double p0 = 1 / (b->scale * b->scale), p1 = 1 / (b->width * b->width);
  double u = dun_banana_clamp(x0, 1e70);
  double bend = b->curvature * (u * u - b->scale * b->scale);
  double y = dun_banana_clamp(x1 - bend, 1e147);
  *g1 = -p1 * y;
  *g0 = -p0 * u - 2 * b->curvature * u * *g1;
  return -0.5 * (p0 * u * u + p1 * y * y);
}

#endif
