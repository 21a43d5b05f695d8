/* Nested R-hat: have chains that began at common points forgotten them?
 *
 * Of K superchains of M chains, each from one point, with N draws of each chain
 * (Margossian, Hoffman, Sountsov, Riou-Durand, Vehtari & Gelman 2024, Bayesian Analysis):
 *
 *   B  variance of the superchains' means (K - 1)
 *   W  mean over superchains of the variance of their chains' means (M - 1; 0 if M = 1) and of the
 *      mean variance within chains (N - 1; 0 if N = 1)
 *   nested R-hat = sqrt(1 + B / W)
 *
 * Chains that have forgotten their starts are independent.  Then B is M times smaller than the
 * variance V of the chains' means: nested R-hat is near sqrt(1 + V / (M W)), also where each chain
 * has but one draw, and B / (V / M) has the law F with K - 1 and K (M - 1) degrees of freedom. */
#ifndef DUNLIN_NUMERICS_NESTED_H
#define DUNLIN_NUMERICS_NESTED_H

#include "numerics/mixing.h"

struct dun_nested {
  double rhat;       /* the larger one of normal scores and of those of the distances from the
                      * median; NAN of constants and of what is not finite */
  double bulk;       /* that of the normal scores */
  double floor;      /* where it would be if all had forgotten their starts; NAN if M = 1 */
  double deviations; /* by how many standard deviations of a normal law B / (V / M) is above what
                      * independent chains give; NAN if M = 1 */
};

/* Collective.  value[chains][draws] of this rank, the first of whose chains has the number `first`
 * among all; chain c belongs to superchain c / members, of `superchains` >= 2. */
int dun_nested_rhat(struct dun_context *context, struct dun_mixing_work *work, int64_t superchains,
                    int64_t members, int64_t first, int64_t chains, int64_t draws,
                    const double *value, struct dun_nested *nested);

#endif
