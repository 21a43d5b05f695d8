/* Weights in log space, normalised over all ranks, with sums that do not depend on the partition.
 *
 * Every weight is exp(logw - max) as an integer of two limbs (its share of 2^2b, rounded;
 * b, from N, such that no total overflows: limbs.h), so that totals, prefix sums and differences
 * are exact.  A particle with logw = -INFINITY has weight 0; less than 2^-2b of the largest weight
 * is nothing (b = 40 up to N = 2^21).  NaN and +inf are errors. */
#ifndef DUNLIN_POPULATION_WEIGHTS_H
#define DUNLIN_POPULATION_WEIGHTS_H

#include "parallel/sum.h"
#include "population/population.h"

/* Zeroed before its first use; may be used again for any population. */
struct dun_weights {
  double maximum;              /* exact maximum of logw */
  dun_u128 before, own, total; /* integer weights: of lower ranks, of this rank, of all */
  double log_mean;             /* log of the mean weight: log(sum exp(logw) / N) */
  double ess;                  /* (sum w)^2 / sum w^2 */
  dun_u128 *tile_before; /* [count + 1]: integer weight of lower ranks and earlier tiles here */
  int64_t capacity;      /* of tile_before, in tiles */
};

/* Collective.  Fills the struct from the f64 column `logw` of width 1.  DUN_ERROR_NUMERIC if no
 * particle has any weight, or one is NaN. */
int dun_weights_compute(struct dun_context *context, const struct dun_population *population,
                        const struct dun_column *logw, struct dun_weights *weights);
void dun_weights_free(struct dun_weights *weights);

/* The normalised weights W of one tile (64 lanes, 0 behind the last particle), from the same
 * integers. */
void dun_weights_tile(const struct dun_population *population, const struct dun_column *logw,
                      const struct dun_weights *weights, int64_t local_tile, double *weight);

/* ---- the genealogy: errors by ancestor --------------------------------------------------- */

struct dun_genealogy {
  int64_t roots;            /* distinct ancestors with descendants of positive weight */
  double square_sum;        /* sum over ancestors of W_r^2: 1 / it is their effective number */
  double relative_variance; /* of the estimate of Z: sum_r (W_r - 1/N)^2 over all N ancestors
                             * (Chan & Lai 2013, Ann. Stat. 41, centred); of a single particle NAN:
                             * nothing tells */
  double variance_roots;    /* how many equal terms that sum is worth: (sum of squares)^2 / sum of
                          * fourth powers.  Of few terms it is too small as often as log Z is */
};

/* Collective.  `root` is the i64 column of ancestors, never decreasing along the global order
 * (DUN_ERROR_NUMERIC if it does); `weights` are those of `logw`. */
int dun_genealogy_compute(struct dun_context *context, const struct dun_population *population,
                          const struct dun_column *root, const struct dun_column *logw,
                          const struct dun_weights *weights, struct dun_genealogy *genealogy);
/* The same where the genealogy began with so many ancestors of equal weight, not N. */
int dun_genealogy_from(struct dun_context *context, const struct dun_population *population,
                       const struct dun_column *root, const struct dun_column *logw,
                       const struct dun_weights *weights, int64_t ancestors,
                       struct dun_genealogy *genealogy);

/* Collective.  Weighted means of m functions of the particles, their weighted standard deviations,
 * and the standard errors of the means by ancestor:
 * sqrt(sum_r (sum_{i in r} W_i (f_i - mean))^2).  `function(data, local_tile, f)` writes f[m][64]
 * for a tile; lanes behind the last particle are ignored, and so are those of weight 0.  A value
 * that is not finite makes its function's results not finite (the error NaN).  Two passes, memory
 * O(m).  `error` may be NULL, `root` too then. */
int dun_weighted_moments(struct dun_context *context, const struct dun_population *population,
                         const struct dun_column *root, const struct dun_column *logw,
                         const struct dun_weights *weights, int m,
                         void (*function)(void *data, int64_t local_tile, double *f), void *data,
                         double *mean, double *deviation, double *error);

/* Collective.  Weighted mean[w] and deviation[w] of the numbers of an f64 column of width w. */
int dun_column_moments(struct dun_context *context, const struct dun_population *population,
                       const struct dun_column *column, const struct dun_column *logw,
                       const struct dun_weights *weights, double *mean, double *deviation);

/* Collective.  Of a column of width 1 with the log of a particle's whole weight: its weighted mean
 * and deviation, and the standard error by ancestor of that mean less log Z as the weights tell it,
 * sqrt(sum_r (sum_{i in r} W_i (f_i - mean - 1) + 1 / N)^2) over all N ancestors. */
int dun_log_weight_moments(struct dun_context *context, const struct dun_population *population,
                           const struct dun_column *root, const struct dun_column *logw,
                           const struct dun_weights *weights, const struct dun_column *column,
                           double *mean, double *deviation, double *error);

#endif
