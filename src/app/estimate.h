/* What a run would take: memory per rank, time per evaluation, wall time. */
#ifndef DUNLIN_APP_ESTIMATE_H
#define DUNLIN_APP_ESTIMATE_H

#include "app/assemble.h"

/* Collective.  Measures evaluations of one tile of first draws, and rehearses the run with few
 * particles for some two seconds; `out` (rank 0's matters) gets lines that say what was measured
 * and what was assumed.  *small: the memory that is left is too little. */
int dun_estimate(struct dun_context *context, struct dun_assembly *assembly, struct dun_text *out,
                 int *small);

/* Local.  Bytes that a rank takes beside its particles once the run goes: buffers, matrices, and
 * what is worked out of all draws at the end. */
double dun_estimate_buffers(const struct dun_run *run);

/* Collective.  Seconds that a first draw's log density and gradient take along the run's path; of
 * the slowest rank, which takes a hundredth of a second or a single evaluation. */
int dun_estimate_evaluation(struct dun_context *context, const struct dun_run *run,
                            double *seconds);

/* Whether the kernel's metric is stated to be dense: it then takes d^2 of time and memory. */
int dun_estimate_is_dense(const struct dun_run *run);

#endif
