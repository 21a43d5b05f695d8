/* What a summary says of the rungs of parallel tempering. */
#ifndef DUNLIN_APP_RUNGS_H
#define DUNLIN_APP_RUNGS_H

#include "base/table.h"
#include "base/text.h"

/* Rungs, barrier, round trips and rejections at the ends of the replicates, in a line; with `all`
 * also a line for each rung of the last replicate.  Nothing if the table has no rows. */
void dun_rungs_tell(struct dun_text *out, const struct dun_table *table, int all);

#endif
