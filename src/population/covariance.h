/* Covariances of a column. */
#ifndef DUNLIN_POPULATION_COVARIANCE_H
#define DUNLIN_POPULATION_COVARIANCE_H

#include "population/weights.h"

/* Collective.  mean[d] and covariance[d][d] (both triangles) of the f64 column `x` of width d under
 * `weights` of `logw`: sum_i W_i (x_i - mean)(x_i - mean)^T.  Particles of weight 0 do not count.
 * The same bits at any number of ranks.  Memory O(d), beside some megabytes; about d passes over
 * the column beyond d = 100.  DUN_ERROR_MEMORY, or what dun_weighted_moments returns. */
int dun_weighted_covariance(struct dun_context *context, const struct dun_population *population,
                            const struct dun_column *x, const struct dun_column *logw,
                            const struct dun_weights *weights, double *mean, double *covariance);

/* Collective.  The same of all particles alike in the tiles with a global index below `tiles` (all
 * there are: INT64_MAX), divided by their number less one.  Unless `dense`, only the diagonal, in
 * two passes: covariance[d], to the bit that of the whole. */
int dun_plain_covariance(struct dun_context *context, const struct dun_population *population,
                         const struct dun_column *x, int64_t tiles, int dense, double *mean,
                         double *covariance);

#endif
