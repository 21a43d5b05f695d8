/* What targets of spins share, beside their couplings. */
#ifndef DUNLIN_TARGETS_SPINS_H
#define DUNLIN_TARGETS_SPINS_H

#include "dunlin/target.h"
#include <stdint.h>

/* For `columns`: lp[64] of sums [64]; what overflows is outside.  Nothing where lp is NULL. */
void dun_spins_density(const double *sum, double *lp);

/* For `site`: value[2][64] of the local field in value[1]. */
void dun_spins_site(double *value);

/* For `tilted`: mass and spread, where they are asked for, of d spins whose means stand in `tilted`
 * and whose states have the sums exp(log_sum[64]) under its field. */
void dun_spins_tilted(int64_t d, const double *log_sum, const struct dun_tilted *tilted);

#endif
