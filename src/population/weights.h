/* Weights in log space, normalised over all ranks, with sums that do not depend on the partition.
 *
 * Every particle's weight is exp(logw - max) cut to two limbs of integer bits (floor of its share of
 * 2^b, b chosen from N so that no total overflows), so that totals, prefix sums and differences are
 * exact integers.  A particle with logw = -INFINITY has weight 0.  NaN is an error. */
#ifndef DUNLIN_POPULATION_WEIGHTS_H
#define DUNLIN_POPULATION_WEIGHTS_H

#include "parallel/sum.h"
#include "population/population.h"

struct dun_weights {
  double maximum;        /* exact maximum of logw */
  dun_u128 before, own, total; /* integer weights: of lower ranks, of this rank, of all */
  double log_mean;       /* log of the mean weight: log(sum exp(logw) / N) */
  double ess;            /* (sum w)^2 / sum w^2 */
  dun_u128 *tile_before; /* [count + 1]: integer weight of lower ranks and this rank's earlier tiles */
  int64_t capacity;      /* of tile_before, in tiles */
};

/* Collective.  Fills the struct from the f64 column `logw` of width 1.  DUN_ERROR_NUMERIC if no particle
 * has any weight, or one is NaN. */
int dun_weights_compute(struct dun_context *context, const struct dun_population *population,
                        const struct dun_column *logw, struct dun_weights *weights);
void dun_weights_free(struct dun_weights *weights);

/* The normalised weights W of one tile (64 lanes, 0 behind the last particle), from the same integers. */
void dun_weights_tile(const struct dun_population *population, const struct dun_column *logw,
                      const struct dun_weights *weights, int64_t local_tile, double *weight);

/* ---- the genealogy: errors by ancestor ---------------------------------------------------------- */

struct dun_genealogy {
  int64_t roots;           /* distinct ancestors with descendants of positive weight */
  double square_sum;       /* sum over ancestors of W_r^2: 1 / it is their effective number */
  double relative_variance; /* of the estimate of Z: sum_r (W_r - 1/N)^2 over all N ancestors
                             * (Chan & Lai 2013, Ann. Stat. 41, centred) */
};

/* Collective.  `root` is the i64 column of ancestors, never decreasing along the global order. */
int dun_genealogy_compute(struct dun_context *context, const struct dun_population *population,
                          const struct dun_column *root, const struct dun_column *logw,
                          const struct dun_weights *weights, struct dun_genealogy *genealogy);

/* Collective.  Weighted means of m functions of the particles, their weighted standard deviations, and
 * the standard errors of the means by ancestor: sqrt(sum_r (sum_{i in r} W_i (f_i - mean))^2).
 * `function(data, local_tile, f)` writes f[m][64] for a tile; lanes behind the last particle are
 * ignored.  Two passes.  `error` may be NULL. */
int dun_weighted_moments(struct dun_context *context, const struct dun_population *population,
                         const struct dun_column *root, const struct dun_column *logw,
                         const struct dun_weights *weights, int m,
                         void (*function)(void *data, int64_t local_tile, double *f), void *data,
                         double *mean, double *deviation, double *error);

#endif
