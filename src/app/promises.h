/* What the target promises is tried before a run, at points that a run would start from. */
#ifndef DUNLIN_APP_PROMISES_H
#define DUNLIN_APP_PROMISES_H

#include "app/assemble.h"
#include "population/promises.h"

/* Collective.  Takes about a hundredth of a second, or four evaluations of a target that is slower
 * than 2 ms each; counts none of them and shifts no random number of the run.  DUN_ERROR_INPUT with
 * complaints where a promise is broken; other findings are warnings; assembly->other_bits is
 * set. */
int dun_promises_try(struct dun_context *context, struct dun_assembly *assembly);

/* Collective.  The same points once more, after the run: assembly->other_bits is set if it gives
 * other bits now. */
int dun_promises_again(struct dun_context *context, struct dun_assembly *assembly);

/* Local.  How much can be tried in so many seconds of evaluations of the target, whose points are
 * x[d][64], and, if it has one, of its prior.  Where that is one point, one inside the support
 * comes to lane 0, if the first few hold one. */
int dun_promises_effort(struct dun_caller *caller, double *x, double budget,
                        struct dun_effort *effort);

#endif
