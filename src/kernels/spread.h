/* Step sizes that differ from particle to particle, for laws with parts much narrower than others.
 *
 * Tempered posteriors with scale parameters are funnels: beside the bulk there are particles for
 * which the pooled step is far too long.  No mean acceptance shows the few of them; they stand
 * still, selections multiply them all the same, and log Z comes out too small.  So the steps of a
 * move are spread log-uniformly, h exp(-spread u) with a uniform u of each particle's own, as soon
 * as some moves are all but hopeless: until particles with the shortest steps move, and no longer
 * than any are hopeless.  A mixture of kernels that leave pi_t invariant does so, too. */
#ifndef DUNLIN_KERNELS_SPREAD_H
#define DUNLIN_KERNELS_SPREAD_H

#include "kernels/adaptation.h"

/* Moves with a smaller acceptance are frozen; those with u above this are the shortest third. */
#define DUN_SPREAD_FROZEN .05
#define DUN_SPREAD_SHORT  (2. / 3)

/* u[64] of a tile's particles: the address is the tile's. */
void dun_spread_draw(struct dun_address address, double *u);

/* step[64] *= exp(-spread u). */
void dun_spread_steps(const struct dun_adaptation *adaptation, const double *u, double *step);

/* The acceptance that the step is to have where `spread` of them are shorter: what the longest
 * third then has is the target. */
double dun_spread_target(const struct dun_adaptation *adaptation);

/* Widens or narrows the spread after a sweep. */
void dun_spread_update(struct dun_adaptation *adaptation, const struct dun_look *look);

#endif
