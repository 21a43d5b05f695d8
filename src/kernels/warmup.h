/* Warm-up of chains: metric, step size and trajectory length, learned from all chains of all
 * ranks.
 *
 * Windows of 4, 8, 16, ... sweeps.  Before the first one and at the end of each the metric is
 * learned from the chains' points and the gradients there (numerics/fisher.h), lost chains begin
 * again where others are (kernels/lost.h), and the step size begins anew.  A trajectory is a
 * quarter of the whitened target's period long, with few leapfrogs in the first windows; from
 * the fourth on trial tiles teach its length, and one coordinate that is slow asks for more.  Not
 * while log densities still rise and the metric changes with them: windows stay short then, and
 * so do trajectories.  Chains far below the others teach nothing; once these are at rest they begin
 * again, too.  In the last window the metric stays, and step size and length become their averages
 * over it.
 *
 * So many sweeps as the input says: the last window is the last quarter of them.  By itself:
 * it begins as soon as the chains are at rest (kernels/drift.h) and there were enough points to
 * learn from; where it finds that they are not, it is repeated once or twice. */
#ifndef DUNLIN_KERNELS_WARMUP_H
#define DUNLIN_KERNELS_WARMUP_H

#include "kernels/adaptation.h"
#include "kernels/cloud.h"
#include "kernels/drift.h"

struct dun_warmup {
  /* given */
  int64_t sweeps;           /* of the whole warm-up; -1: as many as it takes */
  int form;                 /* enum dun_metric_form, that of the input */
  struct dun_column *drift; /* [dun_drift_width] or NULL */
  int64_t climb;            /* at most so many steps of the starts (kernels/climb.h) */
  struct dun_column *share; /* [1], theirs, if there are any */

  /* state */
  int64_t begun;          /* the first metric was learned */
  int64_t done;           /* sweeps */
  int64_t window, length; /* sweeps since this window's begin, and how many it has */
  int64_t number, last;   /* of the window, from 1; whether it is the last one */
  int64_t repeats;        /* of the last one */
  int64_t over;           /* the warm-up is */
  int64_t restarted;      /* lost chains that began again */
  int64_t rising;         /* log densities were, over the window before */
  int64_t climbs;         /* steps of the starts */
  int64_t climbing;       /* the next tick makes one; the metric was learned for it */
  int64_t below;          /* chains that would go on climbing */
  double floor, core;     /* log densities below them are lost, and teach nothing */
  double tau, least;      /* trajectory length in units of the metric, and its least */
  double origin, error; /* log step size at the window's begin; averaged error of the acceptance */
  double log_step, log_tau; /* averages since then */
  double frozen;            /* share of moves without a chance in this window's latter half */
  double narrow; /* the same of the windows before, the older the less, since chains are at rest */
  double change, ridge, score; /* of the metric, when it was learned last */
  struct dun_drift rest;       /* of the last window tested */
  struct dun_cloud cloud;      /* of this window */
  int quiet;                   /* made at a window's end: the chains that teach are at rest */
  int64_t left;                /* lost chains that did not begin again there */

  /* what the trials and the chains' distances from the centre were over the last moves */
  struct dun_trial_look trial[DUN_TRIALS];
  double radius, radius_square, radius_moves;
};

/* State rows of a struct dun_warmup that is a member of another struct. */
#define DUN_WARMUP_ROW(type_, member_, name_, kind_, count_)                                       \
  {                                                                                                \
    .name = "learning." #name_, .type = kind_, .offset = offsetof(type_, member_.name_),           \
    .count = count_                                                                                \
  }
#define DUN_WARMUP_STATE(type_, member_)                                                           \
  DUN_WARMUP_ROW(type_, member_, begun, DUN_STATE_INTEGER, 13),                                    \
      DUN_WARMUP_ROW(type_, member_, floor, DUN_STATE_NUMBER, 13),                                 \
      DUN_WARMUP_ROW(type_, member_, rest, DUN_STATE_NUMBER, DUN_DRIFT_STATE),                     \
      DUN_WARMUP_ROW(type_, member_, cloud.sums, DUN_STATE_NUMBERS, 1),                            \
      DUN_WARMUP_ROW(type_, member_, cloud.centre, DUN_STATE_NUMBERS, 1),                          \
      DUN_WARMUP_ROW(type_, member_, trial, DUN_STATE_NUMBER,                                      \
                     DUN_TRIALS *(sizeof(struct dun_trial_look) / sizeof(double))),                \
      DUN_WARMUP_ROW(type_, member_, radius, DUN_STATE_NUMBER, 3)

/* At most so many sweeps, where the input does not say. */
int64_t dun_warmup_most(int64_t chains);

/* What is given, but for columns and what comes with them: chains in d dimensions and a metric of
 * such a form; `forces`: the sweep keeps them. */
void dun_warmup_init(struct dun_warmup *warmup, int d, int form, int forces, int64_t sweeps);
/* The state before the first sweep; `pilot`: the adaptation begins at what was loaded.  Local;
 * DUN_ERROR_MEMORY. */
int dun_warmup_start(struct dun_warmup *warmup, int pilot);
void dun_warmup_free(struct dun_warmup *warmup);
/* Whether what a checkpoint gave can be gone on with. */
int dun_warmup_fits(const struct dun_warmup *warmup);

/* Collective.  Before the first sweep, tick by tick until `begun`: the metric of the starts, whose
 * forces are in the sweep's column if it has one; and in turn with it their climb, after which
 * those that teach nothing begin again.  The address is that of the tick. */
int dun_warmup_begin(struct dun_context *context, struct dun_warmup *warmup,
                     struct dun_adaptation *adaptation, struct dun_sweep *sweep,
                     struct dun_address address, double t);

/* Chains whose log density is below it are left out of what a sweep looks at. */
double dun_warmup_floor(const struct dun_warmup *warmup);

/* Whether moves without a chance are tried again: in the last window and behind it.  Before, chains
 * that stand still are to be seen as such, and begin again elsewhere. */
int dun_warmup_retries(const struct dun_warmup *warmup);

/* Collective.  Learns from a sweep; `over` tells when the adaptation is final.  The address is that
 * of the tick. */
int dun_warmup_update(struct dun_context *context, struct dun_warmup *warmup,
                      struct dun_adaptation *adaptation, struct dun_sweep *sweep,
                      struct dun_address address, double t, const struct dun_look *look);

#endif
