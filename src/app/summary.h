/* What a result file says: evidence, diagnosis, means and quantiles with their errors, cost. */
#ifndef DUNLIN_APP_SUMMARY_H
#define DUNLIN_APP_SUMMARY_H

#include "base/text.h"

/* Reads one component of the draws at a time.  DUN_ERROR_INPUT if the file is no complete
 * result. */
int dun_summary(struct dun_text *out, const char *file, int json);

/* The end of a run: the same on standard output without what needs the draws, at most ten
 * parameters. */
int dun_summary_brief(const char *file);

#endif
