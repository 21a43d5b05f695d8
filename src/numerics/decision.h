/* The Metropolis decision in the lanes of a tile. */
#ifndef DUNLIN_NUMERICS_DECISION_H
#define DUNLIN_NUMERICS_DECISION_H

#include <stdint.h>

/* log_ratio[64] = lp' - lp + energy (NULL: 0), -INFINITY where lp' is -inf or anything is NaN.
 * Outside the support any point inside is taken. */
void dun_metropolis_ratio(const double *lp, const double *proposed_lp, const double *energy,
                          double *log_ratio);
/* acceptance[64] = min(1, exp(log_ratio)); chosen[64]: 1 where a uniform is below, else 0. */
void dun_metropolis_decide(const double *log_ratio, const double *uniform, double *acceptance,
                           double *chosen);
/* state[columns][64] becomes the proposal in chosen lanes. */
void dun_metropolis_take(int64_t columns, const double *chosen, const double *proposal,
                         double *state);

#endif
