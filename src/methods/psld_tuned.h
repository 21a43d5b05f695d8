/* grid tuned of method psld: the best program for the target's spectrum. */
#ifndef DUNLIN_METHODS_PSLD_TUNED_H
#define DUNLIN_METHODS_PSLD_TUNED_H

#include "methods/march.h"
#include "numerics/phase_tuned.h"
#include "processes/psld.h"

struct dun_psld_tuned {
  /* given */
  const struct dun_phase_space *space;
  const struct dun_program *given; /* NULL: to be chosen */
  double eta[2];

  struct dun_phase_choice choice; /* made */
};

/* Collective, after dun_march_init.  The spectrum is that of the given variances, or else of the
 * target's covariance, by Lanczos' method from the field: the slope of the mean in h; and, where
 * that slope is not the same everywhere, also of what the target is like about its points, those of
 * a pilot march.  All ranks choose for themselves, and alike.  DUN_ERROR_INPUT, DUN_ERROR_MEMORY,
 * DUN_ERROR_NUMERIC. */
int dun_psld_tune(struct dun_context *context, struct dun_psld_tuned *tuned,
                  const struct dun_march *march, const struct dun_numbers *variances,
                  const struct dun_run *run);

#endif
