/* `dunlin sweep`: all members of a sweep, each a run of its own. */
#ifndef DUNLIN_APP_SWEEP_H
#define DUNLIN_APP_SWEEP_H

#include "app/arguments.h"
#include "parallel/context.h"

/* Collective.  All members are checked before the first one runs.  Returns the exit code: 0; 1 if
 * members failed; 2 for a faulty input, or an --index that is none; 85 if stopped early. */
int dun_command_sweep(struct dun_context *context, const struct dun_arguments *arguments,
                      double began);

#endif
