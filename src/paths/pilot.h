/* Fits a path's base to pilot chains. */
#ifndef DUNLIN_PATHS_PILOT_H
#define DUNLIN_PATHS_PILOT_H

#include "paths/path.h"
#include "population/population.h"

/* Collective.  Mean and covariance of the first particles, as many as path->pilot says (whole tiles
 * of them, at most all), as points of the column x; told to path->fit.  The same bits at any number
 * of ranks. */
int dun_path_fit(struct dun_context *context, const struct dun_path *path, void *path_self,
                 const struct dun_population *population, const struct dun_column *x);

#endif
