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

/* Collective.  Takes `count` of the present chains, at equal distances, into point[count][d], and
 * d log pi_t / dt there into slope[count]; 0 of a path that is not affine. */
int dun_points_chains(struct dun_context *context, const struct dun_run *run, int64_t count,
                      double *point, double *slope);

/* Collective.  How far from time 1 the nearest earlier replica is; 0: all are there. */
int dun_points_gap(struct dun_context *context, const struct dun_run *run, double *gap);

#endif
