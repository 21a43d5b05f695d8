/* Chains that are lost while the others have settled: outside the support, or with a log density so
 * far below the others' that the target's own spread does not explain it.  While warming up they
 * are left out of what is learned, and begin again where others are. */
#ifndef DUNLIN_KERNELS_LOST_H
#define DUNLIN_KERNELS_LOST_H

#include "kernels/sweep.h"

/* Collective.  *floor: log densities at time t below it are lost: as far below the median as 20
 * times the spread of the middle half, and as 5 a dimension, which differences of volume explain,
 * and 50.  -INFINITY for fewer than 4 particles, or where half of them have no density.
 * DUN_ERROR_MEMORY. */
int dun_lost_floor(struct dun_context *context, const struct dun_sweep *sweep, double t,
                   double *floor);

/* Collective.  *floor: particles whose log density is below it teach nothing of where most are: it
 * is below the median, of 64 tiles at most, by 10 and by five times the spread of the upper half,
 * which they do not widen, or of a normal law's log density if that is more.  -INFINITY and errors
 * as before. */
int dun_lost_core(struct dun_context *context, const struct dun_sweep *sweep, double t,
                  double *floor);

/* Collective.  Particles below the floor, or outside the support, but a quarter of all at most,
 * take over points, parts and forces of others, drawn from 64 that are not; momenta are drawn anew.
 * *moved: how many; *left: how many stay.  The address is that of the tick.  DUN_ERROR_MEMORY. */
int dun_lost_restart(struct dun_context *context, struct dun_sweep *sweep,
                     struct dun_address address, double t, double floor, int64_t *moved,
                     int64_t *left);

#endif
