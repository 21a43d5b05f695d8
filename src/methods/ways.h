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
 * variation it is at most the root of half of it.
 *
 * A law may be near and still off by many of the errors that means of so many draws have.  What
 * the weights make of means that are looked at says by how many. */
#ifndef DUNLIN_METHODS_WAYS_H
#define DUNLIN_METHODS_WAYS_H

#include "methods/run.h"

/* Largest log w; sums of log w, of w / largest, of its square, of log w squared; the shift. */
enum { DUN_WAYS_SUMS = 6 };

struct dun_ways {
  int wanted; /* set by the method, where steps have densities */

  /* state */
  int64_t particles; /* of finite log weight; 0: not summed yet, -1: none */
  double sum[DUN_WAYS_SUMS];
};

/* What they tell, with the target's log Z; by the ways' own, what they never reach would be in
 * neither. */
struct dun_ways_facts {
  double nats, error;           /* the divergence, and its standard error */
  double found, found_error;    /* log Z by the weights */
  double effective, deviations; /* share of the weights; errors between that log Z and the target's
                                 */
  double bias;                  /* root of 2 n (nats + error): about so many errors at most may a
                                 * mean of n draws be off, and the laws of n draws are at most half
                                 * of it in total variation apart */
  double shift; /* the most that weights move a mean, of coordinates and of products of two, each
                 * and all together, in errors of as many draws; by chance each moves by about the
                 * root of 1 / effective - 1 */
};

/* Collective.  Sums the log weights in a column of width 1; run->x are the points. */
int dun_ways_sum(struct dun_context *context, struct dun_ways *ways, const struct dun_run *run,
                 const struct dun_column *log_weight);

/* Whether all ways have a density; else nothing is written. */
int dun_ways_tell(const struct dun_ways *ways, const struct dun_run *run, double log_evidence,
                  struct dun_ways_facts *facts);
/* Good where so many draws cannot tell the law from the target's: no mean is off by more than about
 * an error. */
enum dun_verdict_level dun_ways_level(const struct dun_ways_facts *facts);
/* Whether the weights are too few to tell of log Z and means. */
int dun_ways_are_few(const struct dun_ways_facts *facts, const struct dun_run *run);
/* Means that weights move; and weights of all of the target's mass have its log Z, in which what no
 * way reaches is missing. */
void dun_ways_judge(const struct dun_ways_facts *facts, struct dun_diagnosis *out);
/* What it is and what it bounds; `drawn`: points are drawn given the last states.  Others are no
 * points of the target's law, and never good. */
void dun_ways_diagnose(const struct dun_ways *ways, const struct dun_run *run, double log_evidence,
                       int drawn, struct dun_diagnosis *out);

#endif
