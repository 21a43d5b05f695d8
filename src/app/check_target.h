/* The command check-target. */
#ifndef DUNLIN_APP_CHECK_TARGET_H
#define DUNLIN_APP_CHECK_TARGET_H

#include "app/arguments.h"

/* Of one process, without MPI.  Tries at length what a library's target promises, in a child
 * process, and prints what it found, its speed and advice.  Returns the exit code: 0; 1 where a run
 * would tell of it; 2 where a run would refuse it or die of it. */
int dun_check_target(const struct dun_arguments *arguments);

#endif
