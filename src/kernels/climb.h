/* Starts climb before chains are warmed up: steps along S S^T grad log pi, as leapfrogs from rest,
 * with the metric S that all chains' points and gradients teach (kernels/warmup.h), which after
 * Fisher's divergence is Newton's step where the log density is quadratic.
 *
 * They end where draws of a normal law would lie: where |S^T grad|^2, in the mean d for draws, is
 * no larger than it may be by chance.  So a step is as much shorter as leaves the chain at that
 * distance, and chains that came from different sides stay apart: those which a maximiser has put
 * at one mode would teach no metric, and R-hat would see nothing of where they came from. */
#ifndef DUNLIN_KERNELS_CLIMB_H
#define DUNLIN_KERNELS_CLIMB_H

#include "kernels/sweep.h"

/* Collective, a pass.  One step at time t of all chains that are not there yet, those that would go
 * down with a shorter one the next time: x, parts and forces, which are to be kept and known.
 * `share` is the sweep's column of what part of a step is dared, 1 at first, 0 of chains that
 * climb no more.  *left: how many do. */
int dun_climb(struct dun_context *context, struct dun_sweep *sweep, struct dun_column *share,
              double t, int64_t *left);

#endif
