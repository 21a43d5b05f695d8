/* What method smc asks of the path and the kernel. */
#ifndef DUNLIN_METHODS_SMC_CHECK_H
#define DUNLIN_METHODS_SMC_CHECK_H

#include "methods/moves.h"

/* In its init.  *at_point: the path begins at one point, not at a density.  DUN_ERROR_INPUT. */
int dun_smc_check(const struct dun_run *run, const struct dun_moves *moves, int *at_point);

#endif
