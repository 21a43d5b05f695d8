/* Gradient ascent of a tile of points to their modes. */
#ifndef DUNLIN_FINISHES_ASCENT_H
#define DUNLIN_FINISHES_ASCENT_H

#include "population/evaluator.h"

/* x[d][64] ascends, at most `steps` steps of x + h scale^2 gradient, none longer than `step` in
 * units of scale[d]; one that goes down is refused and h halved.  Ends early where the proposals
 * of all n points have become short.  Writes lp[64] at the ends.  work[3 d + 3][64], aligned.
 * Local. */
void dun_ascend(struct dun_evaluator *evaluator, int n, const double *scale, double step,
                long long steps, double *x, double *lp, double *work);

#endif
