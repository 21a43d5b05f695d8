/* Verdicts on a weighted population. */
#ifndef DUNLIN_METHODS_JUDGE_H
#define DUNLIN_METHODS_JUDGE_H

#include "methods/run.h"

/* How many of so many ancestors at the start have descendants, worth `ancestors` equal ones. */
void dun_judge_genealogy(const struct dun_run *run, int64_t all, double ancestors,
                         struct dun_diagnosis *out);

/* The error of log Z: its size, the equal ancestors that have descendants, and those on which the
 * error itself rests.  Where particles move between the weights, these forget where they came from;
 * `still`: they do not, a particle's weights multiply up, and the error is to be trusted only where
 * the ancestors' shares have a tail not much heavier than an exponential law's, of which it rests
 * on 2/9 of them. */
void dun_judge_evidence(const struct dun_now *now, double ancestors, int still,
                        struct dun_diagnosis *out);

/* Of the log density over the last step's moves. */
void dun_judge_autocorrelation(const struct dun_now *now, struct dun_diagnosis *out);

/* The change of log Z, `drift`, in weighed moves, which leave its expectation alone. */
void dun_judge_weighed(const struct dun_run *run, double drift, struct dun_diagnosis *out);

#endif
