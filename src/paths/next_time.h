/* The next temperature of an affine path, and weights for a change of time on any path.
 *
 * On an affine path a step from t to t' multiplies weights by exp((t' - t) D), D = sum_k b_k
 * part_k.  The conditional effective sample size of such a step, as a share of the particles
 * (Zhou, Johansen & Aston 2016, eq. 3.16), is (sum w u)^2 / (sum w · sum w u^2) with u = exp((t'
 * - t) D). */
#ifndef DUNLIN_PATHS_NEXT_TIME_H
#define DUNLIN_PATHS_NEXT_TIME_H

#include "paths/path.h"
#include "population/population.h"

struct dun_next {
  double time;           /* t' */
  double mean, variance; /* of D = d log pi_t / dt under the weights at t, of those that live on */
  double killed;         /* how many particles have a weight at t and none at any later time */
};

/* Collective.  Adaptive: the largest of the candidate times whose conditional effective sample
 * size is at least `conditional_ess`, to within 1/64 of the step; each pass looks at sixteen
 * candidates at once and costs one Allreduce.  The share is that of the particles which live on:
 * those that any step kills, or whose density is so low that this one does, are no matter of its
 * size.  With conditional_ess 0 the time is 1, and one pass finds the moments.  Nothing is
 * evaluated.  DUN_ERROR_NUMERIC if no step however small would do, no particle lives on, or D is
 * beyond all bounds. */
int dun_next_time(struct dun_context *context, const struct dun_population *population,
                  const struct dun_path *path, const void *path_self,
                  const struct dun_column *part_lp, const struct dun_column *logw, double t,
                  double conditional_ess, struct dun_next *next);

/* Local.  Adds log pi_t'(x) - log pi_t(x) to logw, from the parts of an affine path.  A particle
 * outside the support of pi_t' gets -INFINITY. */
void dun_reweight(struct dun_population *population, const struct dun_path *path,
                  const void *path_self, const struct dun_column *part_lp, struct dun_column *logw,
                  double t, double next);

#endif
