/* What method psld asks of a field, and what it makes of the answer.  Columns of one tile,
 * aligned. */
#ifndef DUNLIN_METHODS_PSLD_SCORE_H
#define DUNLIN_METHODS_PSLD_SCORE_H

#include "processes/channel.h"

/* h[d][64] = tilt' z of states z[2 d][64] of a channel with r = 2 and no offset. */
void dun_psld_tilt(const struct dun_channel *channel, int d, const double *z, double *h);
/* score[2 d][64] = -precision (z - gain mean[d][64]). */
void dun_psld_score(const struct dun_channel *channel, int d, const double *z, const double *mean,
                    double *score);

#endif
