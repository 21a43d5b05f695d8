/* The metric that weighted particles teach an adaptation. */
#ifndef DUNLIN_METHODS_METRIC_H
#define DUNLIN_METHODS_METRIC_H

#include "methods/run.h"
#include "population/weights.h"

/* Collective.  From run->x with weights that were computed from logw: standard deviations, or those
 * and correlations, drawn a little to 0 as those of so many `points`.  Fills mean[d] and
 * deviation[d].  DUN_ERROR_MEMORY. */
int dun_metric_learn(struct dun_context *context, const struct dun_run *run,
                     const struct dun_column *logw, const struct dun_weights *weights, int dense,
                     double points, double *mean, double *deviation,
                     struct dun_adaptation *adaptation);

#endif
