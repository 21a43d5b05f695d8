/* Runs the members of a sweep: one after the other, or several at a time on groups of ranks.  Each
 * has the bits that it would have alone. */
#ifndef DUNLIN_APP_RUNNING_H
#define DUNLIN_APP_RUNNING_H

#include "app/plan.h"

/* Collective.  Members first <= i < last, which must be bound; those that are done are left alone.
 * Returns the exit code: 0; 1 if some failed; 85 if stopped early. */
int dun_running(struct dun_context *context, const struct dun_plan *plan, int first, int last,
                double began);

#endif
