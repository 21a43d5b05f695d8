/* Reductions whose bits do not depend on ranks, tiles or order.  A local error code rides along, so
 * that agreement on failure costs nothing extra: if any rank's `status` is negative, all ranks
 * return the smallest code and hold its sentence (see dun_agree).
 *
 * Every rank passes the same m, also one that failed; its arrays are not touched and may be NULL.
 * Where the call fails, no array is changed.
 *
 * The idiom: fold the lanes of each tile in the fixed order of dun_fold, add the tile's sums to
 * exact accumulators, and call dun_sum once. */
#ifndef DUNLIN_PARALLEL_SUM_H
#define DUNLIN_PARALLEL_SUM_H

#include "base/exact.h"
#include "parallel/context.h"

/* Sum of 64 lanes in a fixed order (halves folded together: 32, 16, 8, 4, 2, 1).  Lanes that
 * hold no particle must be 0. */
double dun_fold(const double *lanes);
/* The same inside a loop of a function with DUN_CLONES. */
static inline __attribute__((always_inline)) double dun_fold_lanes(const double *restrict lanes)
{
  double a[32];
  for (int l = 0; l < 32; l++)
    a[l] = lanes[l] + lanes[l + 32];
  for (int l = 0; l < 16; l++)
    a[l] += a[l + 16];
  for (int l = 0; l < 8; l++)
    a[l] += a[l + 8];
  for (int l = 0; l < 4; l++)
    a[l] += a[l + 4];
  return (a[0] + a[2]) + (a[1] + a[3]);
}

/* Collective.  total[m] = the exactly rounded sums of all ranks' accumulators; one Allreduce
 * whatever m (messages above 8 MiB go in pieces).  `sum` may be carried. */
int dun_sum(struct dun_context *context, int status, int64_t m, struct dun_exact *sum,
            double *total);

/* Collective.  Elementwise maximum over ranks, in place.  NaN is refused (DUN_ERROR_NUMERIC on all
 * ranks); -0 becomes +0, so that the bits do not depend on the order. */
int dun_max(struct dun_context *context, int status, int64_t m, double *value);

/* Collective.  Integer sums over ranks, in place. */
int dun_sum_integers(struct dun_context *context, int status, int64_t m, int64_t *value);

/* Collective.  Numbers that one rank has and all others hold as +0: all get them, bit by bit. */
int dun_share(struct dun_context *context, int status, int64_t m, double *value);

/* A 128-bit unsigned integer as MPI carries it; sums of many ranks stay below 2^126. */
typedef unsigned __int128 dun_u128;

/* Collective.  *before = sum over lower ranks, *total = over all. */
int dun_prefix(struct dun_context *context, int status, dun_u128 value, dun_u128 *before,
               dun_u128 *total);

#endif
