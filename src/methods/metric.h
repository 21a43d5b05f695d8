/* The metric that weighted particles teach an adaptation. */
#ifndef DUNLIN_METHODS_METRIC_H
#define DUNLIN_METHODS_METRIC_H

#include "methods/run.h"
#include "numerics/fisher.h"
#include "population/weights.h"

/* Collective.  From run->x with weights that were computed from logw: standard deviations, or those
 * and correlations, drawn a little to 0 as those of so many `points`.  Fills mean[d] and
 * deviation[d].  DUN_ERROR_MEMORY. */
int dun_metric_learn(struct dun_context *context, const struct dun_run *run,
                     const struct dun_column *logw, const struct dun_weights *weights, int dense,
                     double points, double *mean, double *deviation,
                     struct dun_adaptation *adaptation);

/* Whether it is left to what is learned whether the metric is dense: metric: auto in at most
 * DUN_FISHER_MOST dimensions, and none was loaded that says so. */
int dun_metric_is_open(const struct dun_run *run);

/* Collective.  Two parts of the particles, whose points do not depend on each other, judge whether
 * correlations pay (numerics/fisher.h).  Returns 1 if they do: the adaptation then has the dense
 * metric of both, and *ridge how far it is drawn to its diagonal.  Else 0, and nothing was changed.
 * DUN_ERROR_MEMORY. */
int dun_metric_choose(struct dun_context *context, const struct dun_fisher_half part[2],
                      struct dun_adaptation *adaptation, double *ridge);

#endif
