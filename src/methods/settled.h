/* What a warm-up of chains tells of itself. */
#ifndef DUNLIN_METHODS_SETTLED_H
#define DUNLIN_METHODS_SETTLED_H

#include "kernels/warmup.h"
#include "methods/run.h"

/* The metric that was chosen, whether the chains were at rest, and how many lost ones began
 * again. */
void dun_settled_diagnose(const struct dun_warmup *warmup, const struct dun_run *run,
                          struct dun_diagnosis *diagnosis);

#endif
