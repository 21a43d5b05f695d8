/* Warm-up of chains: step size, metric and trajectory length, learned from all chains of all ranks.
 *
 * Windows, each about twice as long as the one before, fill the first three quarters of the
 * warm-up.  At the end of each the metric becomes the pooled standard deviations, or the whole
 * covariance, of the chains' points in it (Stan's windows, but of all chains).  The step size
 * follows the pooled acceptance, the trajectory length the trial tiles; what is kept of both is
 * their average since the last window.  Four chains learn in some 1000 sweeps what 1000 chains
 * learn in 100. */
#ifndef DUNLIN_KERNELS_WARMUP_H
#define DUNLIN_KERNELS_WARMUP_H

#include "kernels/adaptation.h"
#include "population/population.h"

struct dun_warmup {
  /* given */
  int64_t sweeps; /* of the whole warm-up */

  /* state */
  int64_t done;                /* sweeps */
  int64_t window, window_end;  /* sweeps since the last window's end; when this one ends */
  double count;                /* points in the window */
  struct dun_numbers moments;  /* [d] their mean, [d] squares around it; for a dense metric [d][d]
                                * products; owned */
  double origin, error;        /* log step size at its begin; averaged error of the acceptance */
  double log_step, log_length; /* averages since then */

  /* what the trials and the chains' distances from the centre were over the last moves */
  struct dun_trial_look trial[DUN_TRIALS];
  double radius, radius_square, radius_moves;
};

/* For chains in d dimensions; `dense`: correlations are learned too.  Local; DUN_ERROR_MEMORY. */
int dun_warmup_init(struct dun_warmup *warmup, int d, int dense, int64_t sweeps);
void dun_warmup_free(struct dun_warmup *warmup);

/* Collective.  Learns from a sweep; after the last one the adaptation is final.  `x` and `logw`
 * are the population's columns; the weights are equal. */
int dun_warmup_update(struct dun_context *context, struct dun_warmup *warmup,
                      struct dun_adaptation *adaptation, const struct dun_population *population,
                      const struct dun_column *x, const struct dun_column *logw,
                      const struct dun_look *look);

#endif
