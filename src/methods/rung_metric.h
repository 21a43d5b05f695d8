/* Dense metrics of parallel tempering's rungs, and whether they are better than diagonal ones.
 *
 * Some sweeps of a round of the warm-up add each rung's points, and the forces there, to sums of
 * its own (kernels/cloud.h); at its end they teach the rung's metric (numerics/fisher.h).  What is
 * learned goes into the ladder; all of it is the same on every rank. */
#ifndef DUNLIN_METHODS_RUNG_METRIC_H
#define DUNLIN_METHODS_RUNG_METRIC_H

#include "methods/ladder.h"
#include "methods/run.h"

/* Largest d: each lane of a tile has a factor. */
enum { DUN_RUNGS_DENSE_MOST = 100 };

struct dun_rung_metric {
  /* given */
  int d, form; /* form: enum dun_metric_form */
  int gradients;
  int64_t rungs;

  /* state */
  struct dun_numbers sums, centre; /* [R][..] of the clouds; [0]: none is dense */
};

/* Whether dense metrics are stated, or left to be found. */
int dun_rung_metric_may_be_dense(const struct dun_run *run);
/* In a method's init: what is given, and the column of forces.  DUN_ERROR_MEMORY. */
int dun_rung_metric_init(struct dun_rung_metric *metric, struct dun_run *run, int64_t rungs,
                         unsigned flags);
/* For a new replicate.  Local; DUN_ERROR_MEMORY. */
int dun_rung_metric_start(struct dun_rung_metric *metric);
int dun_rung_metric_is_sound(const struct dun_rung_metric *metric);
void dun_rung_metric_free(struct dun_rung_metric *metric);

/* Collective.  Adds the replicas' points, if this sweep, the done-th of the warm-up, is one of
 * those that do.  DUN_ERROR_MEMORY. */
int dun_rung_metric_look(struct dun_context *context, struct dun_rung_metric *metric,
                         const struct dun_run *run, const struct dun_ladder *ladder, int64_t done);
/* Local.  Gives the ladder the metrics that were found, and forgets the points; where one is dense
 * its step size begins anew.  DUN_ERROR_MEMORY. */
int dun_rung_metric_learn(struct dun_rung_metric *metric, const struct dun_adaptation *adaptation,
                          struct dun_ladder *ladder);

/* Tells what was chosen. */
void dun_rung_metric_diagnose(const struct dun_rung_metric *metric, const struct dun_ladder *ladder,
                              struct dun_diagnosis *diagnosis);

#endif
