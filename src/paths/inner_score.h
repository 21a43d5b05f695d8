/* The score of pi * N(0, tau^2 I), the target blurred by a Gaussian, by Monte Carlo: in any
 * dimension, without a grid.  With U = y + tau z, z standard normal, and self-normalised weights
 * W proportional to gamma(U), where gamma is the target's density and s its score:
 *
 *   dsi    E[W (U - y)] / tau^2    the denoising identity, good where tau is larger than a mode
 *   tsi    E[W s(U)]               the target score identity, good where it is smaller
 *   mixed  a tsi + (1 - a) dsi     a = c^2 / (c^2 + tau^2), for modes of width c
 *
 * On a Gaussian of standard deviation c the terms of `mixed` are all the same: it then has no
 * error at all, and it is the best of the three at every tau for mixtures of such (De Bortoli,
 * Hutchinson, Wirnsberger & Doucet 2024, arXiv 2402.08667, on the identities). */
#ifndef DUNLIN_PATHS_INNER_SCORE_H
#define DUNLIN_PATHS_INNER_SCORE_H

#include "base/random.h"
#include "population/evaluator.h"

enum dun_estimator { DUN_ESTIMATOR_MIXED, DUN_ESTIMATOR_DSI, DUN_ESTIMATOR_TSI };
#define DUN_ESTIMATOR_WORDS "mixed|dsi|tsi"

struct dun_inner_score {
  /* given */
  struct dun_evaluator *target;
  long long samples; /* M */
  enum dun_estimator estimator;
  double crossover; /* c */

  double *work; /* owned */
};

/* Allocates.  DUN_ERROR_INPUT for more than 2^27 numbers for a point; DUN_ERROR_MEMORY.  Local. */
int dun_inner_score_init(struct dun_inner_score *inner);
void dun_inner_score_free(struct dun_inner_score *inner);

/* score[d][64] at points y[d][64], of which n are particles, from M d columns of normals at
 * `address`; 0 where every weight vanishes. */
void dun_inner_score(const struct dun_inner_score *inner, struct dun_address address, double tau,
                     int n, const double *y, double *score);

#endif
