/* Where the rungs of parallel tempering should stand.
 *
 * Lambda(t), the integral of the local barrier lambda(t) = E_t |V - V'| / 2, is the distance by
 * which neighbours refuse to swap; a ladder at equal distances has equal rejections (Syed et al.
 * 2022).  lambda between two rungs comes from V's drawn at both, weighed by exp((t - t_k) V); how
 * far the two lie apart comes from their rejection, unless that is so near 1 that it tells
 * nothing. */
#ifndef DUNLIN_METHODS_BARRIER_H
#define DUNLIN_METHODS_BARRIER_H

#include <stdint.h>

struct dun_barrier {
  int64_t rungs;           /* R */
  const double *time;      /* [R] of the present ladder */
  const double *rejection; /* [R]: of rungs k and k + 1, without what is lost */
  double lost;             /* share of the first rung's points that every t > 0 kills */
  int64_t drawn, stride;
  const double *value; /* [R] rows of `drawn` V's each, `stride` apart */
};

/* Lambda between two rungs of that rejection, where V is about normal: r^2 = 1 - exp(-Lambda^2). */
double dun_barrier_distance(double rejection);

/* The next ladder of so many rungs, time[rungs], and where they lie among the present ones,
 * origin[rungs]: 1.5 is halfway between the rungs 1 and 2.  Local; 0, or 1 where nothing tells
 * where they should be and they are not placed; DUN_ERROR_MEMORY. */
int dun_barrier_place(const struct dun_barrier *barrier, int64_t rungs, double *time,
                      double *origin);

#endif
