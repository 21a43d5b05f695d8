/* What a summary says of the estimates of log Z that stand beside the method's own. */
#ifndef DUNLIN_APP_ESTIMATES_H
#define DUNLIN_APP_ESTIMATES_H

#include "base/table.h"
#include "base/text.h"

/* A line on the second estimate, over all replicates in which it counts, with its error against the
 * method's, `error`; one on thermodynamic integration.  Nothing of what is not known. */
void dun_estimates_tell(struct dun_text *out, const struct dun_table *table, double error);

/* Log Z of the second estimate over the replicates in which it counts, and its error; NAN: none. */
void dun_estimates_second(const struct dun_table *table, double *log_evidence, double *error);

#endif
