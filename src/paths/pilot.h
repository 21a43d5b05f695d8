/* Fits a path's base to pilot chains. */
#ifndef DUNLIN_PATHS_PILOT_H
#define DUNLIN_PATHS_PILOT_H

#include "paths/path.h"
#include "population/weights.h"

/* Collective.  Mean and covariance of the points of the column x under `weights` of logw; told to
 * path->fit.  The same bits at any number of ranks.  DUN_ERROR_MEMORY. */
int dun_path_fit(struct dun_context *context, const struct dun_path *path, void *path_self,
                 const struct dun_population *population, const struct dun_column *x,
                 const struct dun_column *logw, const struct dun_weights *weights);

#endif
