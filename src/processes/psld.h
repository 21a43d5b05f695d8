/* What samplers of phase space diffusions know of the process beside its channels. */
#ifndef DUNLIN_PROCESSES_PSLD_H
#define DUNLIN_PROCESSES_PSLD_H

#include "numerics/phase_space.h"
#include "processes/process.h"

extern const struct dun_process dun_process_psld;

/* Constants and clock of a process psld, after init. */
const struct dun_phase_space *dun_psld_space(const void *self);

#endif
