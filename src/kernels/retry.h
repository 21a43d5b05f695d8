/* Trajectories that had next to no chance are tried once more, with shorter steps: delayed
 * rejection (Tierney & Mira 1999, Statistics in Medicine 18, 2507; Modi, Barnett & Carpenter 2024,
 * Delayed rejection Hamiltonian Monte Carlo for sampling multiscale distributions, Bayesian
 * Analysis 19, 815).
 *
 * Where a target is much narrower than elsewhere the step of all is too long, and who gets there
 * would be stuck.  With F the trajectory of the first try, a(z) its probability, and G that of the
 * second, both from a point z with its momentum and both with the momentum turned at their end, the
 * second is accepted with probability
 *
 *     min(1, pi(G z) (1 - a(G z)) / (pi(z) (1 - a(z)))),
 *
 * or never, where a first try from G z would have had a chance: no second one would be made from
 * there.  So pi stays invariant.  How much shorter the steps are is drawn before anything is known
 * of z: which changes nothing of that. */
#ifndef DUNLIN_KERNELS_RETRY_H
#define DUNLIN_KERNELS_RETRY_H

#include "kernels/sweep_parts.h"

/* Columns of scratch of a kernel that `retries`. */
int dun_retry_scratch(int d, int K);

/* Of a tile just moved: those of its first move->n lanes whose proposals were hardly possible, for
 * all that forces show, and were rejected.  The lanes have one time.  Writes their
 * lanes->again and lanes->second. */
void dun_retry_tile(struct dun_sweep *sweep, const struct dun_lanes *lanes, struct dun_move *move);

#endif
