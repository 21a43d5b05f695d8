/* Steps of localization by means and covariances of what is open: y at the next time has its mean
 * and its covariance given y, t' - t + (t' - t)^2 Sigma, and not that of the noise alone (Montanari
 * 2023, arXiv 2305.10690).  Of a Gaussian target that is its law; of others an error is left of one
 * order higher than without the covariance, for 2 d questions to the field more. */
#ifndef DUNLIN_METHODS_CORRECTED_H
#define DUNLIN_METHODS_CORRECTED_H

#include "methods/certificate.h"

struct dun_corrected {
  int wanted;
  double *covariance, *reach, *ratio; /* [d][d][64], [d] and [64], scratch of a tile; owned; the
                                       * first two NULL: the observation has its own */
};

/* If it is wanted; `plain`: steps are the observation's own.  Local.  DUN_ERROR_INPUT where there
 * is no such step, DUN_ERROR_MEMORY; dun_corrected_free is safe afterwards, and twice. */
int dun_corrected_init(struct dun_corrected *corrected, const struct dun_posterior *posterior,
                       int wanted, int plain);
void dun_corrected_free(struct dun_corrected *corrected);

/* The covariance at time t, in reach of a step to `next`; the means are scratch. */
void dun_corrected_look(const struct dun_corrected *corrected,
                        const struct dun_posterior *posterior, double t, double next, int n,
                        struct dun_address address);
/* The step, with what is known of the point there. */
void dun_corrected_step(const struct dun_corrected *corrected,
                        const struct dun_posterior *posterior, double t, double next,
                        const struct dun_known *known, struct dun_address address,
                        const struct dun_certificate *certificate);

#endif
