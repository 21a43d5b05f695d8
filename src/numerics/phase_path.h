/* How probable a way of a splitting program is, against the noising run backwards along it: where
 * a step ends with its only noise and that is on positions and momenta both (em, rbao and their
 * like with gamma > 0), both densities are Gaussian.
 *
 *   log w = log p(z_n) - log prior(z_0) + sum_k log N(z_k; E z_k+1, Q) - log N(z_k+1; mean, noise)
 *
 * has the mean E w = 1 whatever the score was, and -E log w is the Kullback-Leibler divergence of
 * the ways, which bounds that of the last states. */
#ifndef DUNLIN_NUMERICS_PHASE_PATH_H
#define DUNLIN_NUMERICS_PHASE_PATH_H

#include "numerics/phase_program.h"

/* Of one step. */
struct dun_phase_ratio {
  double mean[2][2], precision[2][2]; /* of the flow that leads back */
  double constant;                    /* per coordinate: log |noise root| - log |Q| / 2 */
};

/* Whether a program's ways have a density. */
int dun_phase_path_has_density(const struct dun_phase_table *table);
/* For all steps, ratio[steps]. */
void dun_phase_path_ratios(const struct dun_phase_table *table, const struct dun_phase_space *space,
                           struct dun_phase_ratio *ratio);
/* log_weight[64] -= log prior(z) at the beginning, z[2 d][64]. */
void dun_phase_path_begin(const struct dun_phase_space *space, int d, const double *z,
                          double *log_weight);
/* log_weight[64] += the step's logarithm: from z to next, whose noise was xi; all [2 d][64]. */
void dun_phase_path_step(const struct dun_phase_ratio *ratio, int d, const double *z,
                         const double *next, const double *xi, double *log_weight);

#endif
