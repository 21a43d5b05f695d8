/* One tile of points near the target's, before there is a grid: what a tuned one looks at. */
#ifndef DUNLIN_METHODS_PSLD_PILOT_H
#define DUNLIN_METHODS_PSLD_PILOT_H

#include "methods/march.h"
#include "numerics/phase_space.h"

/* Columns of scratch. */
int64_t dun_psld_pilot_scratch(int d);
/* Marches 64 particles by em on a quadratic grid to the last time of the march's, and writes the
 * tilt h[d][64] of what is left of them there.  Local: all ranks march the same.  DUN_ERROR_MEMORY,
 * DUN_ERROR_NUMERIC. */
int dun_psld_pilot(const struct dun_phase_space *space, const struct dun_march *march,
                   const struct dun_run *run, double *h, double *scratch);

#endif
