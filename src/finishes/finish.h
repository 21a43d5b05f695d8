/* A finish works on what a method leaves behind, before the last selection and the probes' last
 * look: it may replace the particles, their weights and the estimate of log Z.  Those of an input
 * work one after the other, each to its end. */
#ifndef DUNLIN_FINISHES_FINISH_H
#define DUNLIN_FINISHES_FINISH_H

#include "methods/run.h"

struct dun_finish {
  struct dun_type type; /* the own struct begins with struct dun_finish_head */

  /* Checks options against the run, before allocation; may declare columns.  DUN_ERROR_INPUT if
   * the finish does not fit the run. */
  int (*init)(struct dun_context *context, void *self, struct dun_run *run);
  /* Collective.  One tick: DUN_TICK_DONE or DUN_TICK_GOING.  The state when a replicate's first
   * tick begins is the one that the last replicate, or init, left behind.  A finish that replaced
   * particles completes one step (run->now.step), so that the probes look again. */
  int (*advance)(struct dun_context *context, void *self, struct dun_run *run);
  /* Names of verdicts on the method that no longer matter behind this finish, up to a NULL. */
  const char *settles[4];
  /* Says what there is to say of it; the method has spoken before.  NULL: nothing. */
  void (*diagnose)(void *self, const struct dun_run *run, struct dun_diagnosis *diagnosis);
};

/* What every finish's own struct begins with. */
struct dun_finish_head {
  struct dun_table table; /* goes to /trace/<name> of the result */
};

/* The state row of a finish: the cells of its table. */
#define DUN_FINISH_STATE(type_)                                                                    \
  {                                                                                                \
    .name = "cells", .type = DUN_STATE_NUMBERS, .offset = offsetof(type_, head.table.cells),       \
    .count = 1                                                                                     \
  }

#endif
