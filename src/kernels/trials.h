/* What the warm-up's trial tiles, which take .7 and 1.4 of the trajectory length, say of it. */
#ifndef DUNLIN_KERNELS_TRIALS_H
#define DUNLIN_KERNELS_TRIALS_H

#include "kernels/warmup.h"

/* Adds a sweep's to what is remembered, which fades; forgets it. */
void dun_trials_remember(struct dun_warmup *warmup, const struct dun_look *look);
void dun_trials_forget(struct dun_warmup *warmup);

/* The change of log length that they ask for after this sweep of so many chains: where both score
 * alike, the best lies between; 0 where they cannot tell. */
double dun_trials_wish(const struct dun_warmup *warmup, const struct dun_adaptation *adaptation,
                       const struct dun_look *look, double chains);

#endif
