/* What Metropolised kernels share: evaluation along the path, the ratio and the decision. */
#ifndef DUNLIN_KERNELS_METROPOLIS_H
#define DUNLIN_KERNELS_METROPOLIS_H

#include "kernels/kernel.h"
#include "numerics/decision.h"

/* The move's address for one purpose. */
struct dun_address dun_move_address(const struct dun_move *move, enum dun_purpose purpose);

/* A proposal is a block like the state: x[d], parts[K], lp[1].  Evaluates parts and lp at its x,
 * and the gradient [d][64] of log pi_t unless it is NULL. */
void dun_move_evaluate(const struct dun_move *move, double *proposal, double *gradient);
/* Only the gradient at x[d][64]. */
void dun_move_gradient(const struct dun_move *move, const double *x, double *gradient);
/* The same at the point where the move begins, of kernels that `keep`: evaluated only where it is
 * not known. */
void dun_move_first_gradient(const struct dun_move *move, double *gradient);

/* unseen[64] of a move, see there, from the same and the ratio; energy NULL: it follows no forces.
 * A rejection is unseen where the log density fell and the forces on the way had hardly any part
 * in it. */
void dun_metropolis_unseen(const double *lp, const double *proposed_lp, const double *energy,
                           const double *log_ratio, double *unseen);
/* Writes the acceptance probabilities min(1, exp(log_ratio)); where a uniform is below, the state
 * becomes the proposal, and a force that is kept its force. */
void dun_metropolis_accept(struct dun_move *move, const double *proposal, const double *log_ratio);

/* Guards moves that nothing rejects.  Lanes of `after` [columns][64] with a number that is not
 * finite in their first d columns become those of `before`, and their acceptance 0; that of the
 * others is left as it is.  Returns 1 if there were any. */
int dun_move_guard(struct dun_move *move, int64_t columns, const double *before, double *after);

#endif
