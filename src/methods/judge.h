/* Verdicts on a weighted population. */
#ifndef DUNLIN_METHODS_JUDGE_H
#define DUNLIN_METHODS_JUDGE_H

#include "methods/run.h"

/* The error of log Z: its size, the equal ancestors that have descendants, and those on which the
 * error itself rests. */
void dun_judge_evidence(const struct dun_now *now, double ancestors, struct dun_diagnosis *out);

/* Of the log density over the last step's moves. */
void dun_judge_autocorrelation(const struct dun_now *now, struct dun_diagnosis *out);

/* The change of log Z, `drift`, in weighed moves, which leave its expectation alone. */
void dun_judge_weighed(const struct dun_run *run, double drift, struct dun_diagnosis *out);

#endif
