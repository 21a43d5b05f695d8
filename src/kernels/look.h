/* What a sweep collects of the tiles that it moves: the workspace's columns, and sums over them. */
#ifndef DUNLIN_KERNELS_LOOK_H
#define DUNLIN_KERNELS_LOOK_H

#include "kernels/sweep.h"
#include "parallel/sum.h"

/* The workspace's columns, one block after the other. */
struct dun_lanes {
  double *state;                    /* [d + K + 1] */
  double *before;                   /* [d + 1]: x and lp before the move */
  double *start;                    /* [d + 1] */
  double *coefficient;              /* [K] */
  double *momentum, *gradient;      /* [d] each */
  double *force;                    /* [d] */
  double *unit, *log_weight;        /* [1] */
  double *time, *step, *acceptance; /* [1] each */
  double *counts; /* [1]: 1, or 0 outside the span and where the log density was below the floor */
  double *unseen, *spread; /* [1] each */
  /* [1] each: the probability with which a second try was accepted, and what its energy alone would
   * have made it, -1: none was made */
  double *again, *second;
  double *look;    /* [DUN_LOOK_COLUMNS] */
  double *scratch; /* the kernel's */
};

/* Lanes of a tile that are moved together: all of them, or, where the halves of the lineages meet,
 * those of one half. */
struct dun_span {
  int half;
  int from, to;
};

enum { DUN_LOOK_COLUMNS = 22 + 4 * DUN_TRIALS };

/* The columns of its workspace. */
struct dun_lanes dun_lanes_of(const struct dun_sweep *sweep);

/* How many sums this sweep collects: at most DUN_LOOK_COLUMNS. */
int dun_look_sums(const struct dun_sweep *sweep);

/* dun_adaptation_credit [64] of a moved tile by the adaptation of a half, until it is folded. */
const double *dun_look_credit(const struct dun_sweep *sweep, const struct dun_lanes *lanes,
                              int half);

/* Folds the particles of a moved tile that count into the sums. */
void dun_look_tile(const struct dun_sweep *sweep, const struct dun_lanes *lanes,
                   const double *inverse, struct dun_address address, int leapfrogs,
                   struct dun_exact *sum);
/* The same for weights [64] that became 0: 1, others 0. */
void dun_look_lost(const struct dun_lanes *lanes, const double *lost, struct dun_exact *sum);

/* From the totals of dun_look_sums sums; the others do not matter. */
void dun_look_summarise(const struct dun_sweep *sweep, const double *total, struct dun_look *look);

/* Whether trajectory lengths are being tried. */
static inline int dun_sweep_tries(const struct dun_sweep *sweep)
{
  return sweep->adaptation->adapt_length && !sweep->adaptation->frozen;
}

/* Whether moves begin with the gradient that the one before has left: where each particle has a
 * time of its own it may have another by then. */
static inline int dun_sweep_keeps(const struct dun_sweep *sweep)
{
  return sweep->force && !sweep->time;
}

#endif
