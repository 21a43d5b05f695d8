/* How heavy the tail of a step's weights is: where the path's base does not reach the target's
 * tails, the few particles that come near them have all the say in a step, and the many that should
 * be farther out are missing unseen. */
#ifndef DUNLIN_METHODS_TAILS_H
#define DUNLIN_METHODS_TAILS_H

#include "methods/run.h"

/* Local.  What dun_tails_shape needs of the log weights before a step: of at most 4096 particles at
 * equal distances.  NULL without memory; dun_tails_shape frees it. */
double *dun_tails_before(const struct dun_run *run);
/* The same where all weights were 1. */
double *dun_tails_none(const struct dun_run *run);
/* Collective.  run->now.pareto_k from what the weights of a step were multiplied by
 * (numerics/pareto.h).  `status` of the step: if it failed, on all ranks, that is what is
 * returned. */
int dun_tails_shape(struct dun_context *context, struct dun_run *run, int status, double *before);

/* The heaviest of the last replicate's steps; `steps` is its trace. */
void dun_tails_diagnose(const struct dun_table *steps, struct dun_diagnosis *diagnosis);

#endif
