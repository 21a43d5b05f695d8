/* How heavy the tail of importance weights is: the shape k of a generalised Pareto law fitted to
 * the largest of them (Zhang & Stephens 2009, Technometrics 51, 316), as Vehtari, Simpson, Gelman,
 * Yao & Gabry 2024 (J. Mach. Learn. Res. 25, 72) judge them: beyond .7 sums of so many weights
 * cannot be trusted, from 1 on they have no mean. */
#ifndef DUNLIN_NUMERICS_PARETO_H
#define DUNLIN_NUMERICS_PARETO_H

#include "parallel/context.h"

/* Local.  k of those of n weights, given by their logarithms, that are not 0; of m such min(m / 5,
 * 3 sqrt(m)) are the tail.  Drawn a little to 1/2 where they are few.  -INFINITY: the largest
 * weights are all alike, or all but four; NAN: fewer than 5 of them, or one that is no number.
 * DUN_ERROR_MEMORY. */
int dun_pareto_shape(int64_t n, const double *log_weight, double *shape);

/* What a shape that so many independent weights show may be: with half of its standard error,
 * (1 + k) / sqrt(points of the tail), since samples that lack the far ones show lighter tails. */
double dun_pareto_may_be(double shape, double independent);

/* Weights that are spread over the ranks, rank after rank: of `total` this rank has `local` from
 * number `first` on.  Of these that many are looked at, at equal distances: number k of the sample
 * is here if from <= k < to, and is this rank's number k * stride - first. */
struct dun_pareto_sample {
  int64_t points, stride, first, from, to;
};
struct dun_pareto_sample dun_pareto_sample(int64_t total, int64_t first, int64_t local,
                                           int64_t most);
static inline int64_t dun_pareto_local(const struct dun_pareto_sample *sample, int64_t k)
{
  return k * sample->stride - sample->first;
}

/* Collective.  The shapes of m kinds of weights from log_weight[m][points], of which each rank has
 * set what is here; all of it is changed, and may be NULL where `status` tells of a failure.
 * `parted`: ten weights or more that lie far beyond a wide gap are a tail of their own, as are
 * those of a far mode that few draws are in. */
int dun_pareto_shapes(struct dun_context *context, int status,
                      const struct dun_pareto_sample *sample, int parted, int64_t m,
                      double *log_weight, double *shape);

#endif
