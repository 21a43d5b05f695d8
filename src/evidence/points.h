/* Points for a fit, brought to all ranks. */
#ifndef DUNLIN_EVIDENCE_POINTS_H
#define DUNLIN_EVIDENCE_POINTS_H

#include "methods/run.h"

/* At most so many points in d dimensions: a whole number of 64, bounded in all numbers. */
int64_t dun_points_most(int d);

/* Collective.  point[n][d]: the particles at equal distances of the cumulated weight, in the order
 * of their indices; one with much weight comes several times.  *distinct: how many there are. */
int dun_points_weighted(struct dun_context *context, const struct dun_run *run, int64_t n,
                        double *point, int64_t *distinct);

/* Collective.  Takes `count` of the present chains, at equal distances, into point[count][d]. */
int dun_points_chains(struct dun_context *context, const struct dun_run *run, int64_t count,
                      double *point);

#endif
