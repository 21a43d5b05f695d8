/* Cross-fitting of a population that learns from itself what it moves by.
 *
 * A metric learned from the very particles that it then moves does not leave pi_t invariant, and
 * log Z comes out wrong: for 512 particles in 50 dimensions by 5 reported errors.  So each half of
 * the lineages (the particles whose ancestors are the first half of the population, and the
 * others) moves by what the other half has learned, as in the cross-fitting of nuisance parameters
 * (Chernozhukov et al. 2018, Econometrics J. 21, C1).  Ancestors never decrease along the global
 * order, so that the halves meet in one tile only. */
#ifndef DUNLIN_METHODS_CROSS_FIT_H
#define DUNLIN_METHODS_CROSS_FIT_H

#include "methods/run.h"
#include "population/weights.h"

/* What it works with, made when needed; zeroed at first. */
struct dun_cross_fit {
  /* state */
  int64_t choices, dense; /* of metrics that are chosen, and how many of them were dense */
  double ridge;           /* of the last dense one */

  /* scratch */
  double *logw;               /* [local]: of one half, others -inf */
  double *mean, *deviation;   /* [d] each */
  struct dun_weights weights; /* of `logw` */
};

/* The state rows, for a struct that has it as `member`. */
#define DUN_CROSS_FIT_STATE(type_, member_)                                                        \
  DUN_STATE_ROW("metric choices", DUN_STATE_INTEGER, offsetof(type_, member_.choices), 1),         \
      DUN_STATE_ROW("metric dense", DUN_STATE_INTEGER, offsetof(type_, member_.dense), 1),         \
      DUN_STATE_ROW("metric ridge", DUN_STATE_NUMBER, offsetof(type_, member_.ridge), 1)

/* In a method's init, behind its columns: that of the forces, where they help to choose a metric.
 * DUN_ERROR_MEMORY. */
int dun_cross_fit_declare(struct dun_run *run);
/* For a new replicate. */
void dun_cross_fit_start(struct dun_cross_fit *fit);
/* Safe twice, and on zeroes. */
void dun_cross_fit_free(struct dun_cross_fit *fit);

/* Collective.  Each half's deviations, and its covariance for a dense metric, under the weights of
 * run->logw become the metric of the other, its mean the centre for kernels that use one.  A half
 * of which hardly anything is left teaches nothing.  With metric: auto the halves of a half find
 * whether its metric is dense.  DUN_ERROR_MEMORY, DUN_ERROR_NUMERIC. */
int dun_cross_fit_metric(struct dun_context *context, struct dun_cross_fit *fit,
                         struct dun_run *run);

/* Collective.  Where the halves meet: the global index of the first particle of the second.
 * Negative: failed. */
int64_t dun_cross_fit_boundary(struct dun_context *context, const struct dun_run *run);

/* Step size and trajectory length after a sweep: each half takes those that the other has made of
 * what it moved by.  Local. */
void dun_cross_fit_update(struct dun_run *run);

/* The metrics that were chosen, if any were. */
void dun_cross_fit_diagnose(const struct dun_cross_fit *fit, const struct dun_run *run,
                            struct dun_diagnosis *diagnosis);

#endif
