/* How far the ways of particles are from a process that is run backwards, in nats.
 *
 * A way z_0 ... z_K is drawn from q, with Gaussian steps.  Under p the last state is a point of the
 * target seen through noise, and each state before it comes from the next by the process's own
 * noising.  Both densities are known, p but for log Z: with
 *
 *   log w = log p(z_K) + sum_k [log p(z_k | z_{k+1}) - log q(z_{k+1} | z_k)] - log q(z_0)
 *
 * E w = Z, and log Z - E log w is the Kullback-Leibler divergence of q from p on whole ways.  That
 * of the last states' law is not larger, nor that of points that are drawn given them; in total
 * variation it is at most the root of half of it. */
#ifndef DUNLIN_METHODS_WAYS_H
#define DUNLIN_METHODS_WAYS_H

#include "methods/run.h"

enum { DUN_WAYS_SUMS = 4 }; /* largest log w; sums of log w, of w / largest, of its square */

struct dun_ways {
  int wanted; /* set by the method, where steps have densities */

  /* state */
  int64_t particles; /* of finite log weight; 0: not summed yet, -1: none */
  double sum[DUN_WAYS_SUMS];
};

/* Collective.  Sums the log weights in a column of width 1. */
int dun_ways_sum(struct dun_context *context, struct dun_ways *ways, const struct dun_run *run,
                 const struct dun_column *log_weight);

/* The divergence, with the target's log Z; by the ways' own, what they never reach would be in
 * neither.  NAN: some have no density. */
double dun_ways_nats(const struct dun_ways *ways, const struct dun_run *run, double log_evidence);
/* What it is and what it bounds; `drawn`: points are drawn given the last states.  Others are no
 * points of the target's law, and never good. */
void dun_ways_diagnose(const struct dun_ways *ways, const struct dun_run *run, double log_evidence,
                       int drawn, struct dun_diagnosis *out);

#endif
