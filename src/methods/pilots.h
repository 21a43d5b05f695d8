/* Pilot chains of a path whose base is fitted: particles that move on the target until their points
 * are a fair picture of it.
 *
 * They begin far out and know nothing: their metric is at first that of their starts, then that of
 * their points after 4, 8, 16, ... moves, correlations included where the fit has them; the step
 * size begins anew with each, unless next to none could move.  Trajectories are short as long as
 * the metric is young.  Chains that are stuck far below the others teach nothing, begin again where
 * others are, and those that still are at the end are left out of the fit.  Where many are far
 * below the highest, or means and deviations still change, they are on the way: if no number is
 * stated, there are twice as many moves then.  None of this needs to leave anything invariant:
 * where the base lies does not change log Z. */
#ifndef DUNLIN_METHODS_PILOTS_H
#define DUNLIN_METHODS_PILOTS_H

#include "methods/run.h"
#include "population/weights.h"

struct dun_pilots {
  /* state */
  int64_t moves; /* done */
  int64_t due;   /* of them, as far as is known */
  int64_t lost;  /* chains that the last look left out, of so many */
  int64_t chains;
  int64_t near;               /* the others were within reach of the highest at that look */
  double first_step;          /* log of the step size at which a window begins */
  struct dun_numbers moments; /* [2][d]: means and deviations at that look */

  struct dun_weights weights; /* of run->logw: 1 for chains that count, 0 for all else */
};

/* The state rows, for a struct that has it as `member`. */
#define DUN_PILOTS_STATE(type_, member_)                                                           \
  DUN_STATE_ROW("pilots", DUN_STATE_INTEGER, offsetof(type_, member_.moves), 1),                   \
      DUN_STATE_ROW("pilots due", DUN_STATE_INTEGER, offsetof(type_, member_.due), 1),             \
      DUN_STATE_ROW("pilots near", DUN_STATE_INTEGER, offsetof(type_, member_.near), 1),           \
      DUN_STATE_ROW("pilots lost", DUN_STATE_INTEGER, offsetof(type_, member_.lost), 1),           \
      DUN_STATE_ROW("pilots all", DUN_STATE_INTEGER, offsetof(type_, member_.chains), 1),          \
      DUN_STATE_ROW("pilots step", DUN_STATE_NUMBER, offsetof(type_, member_.first_step), 1),      \
      DUN_STATE_ROW("pilots moments", DUN_STATE_NUMBERS, offsetof(type_, member_.moments), 1)

/* How many moves the path's pilot chains make at least; 0: it has none. */
int64_t dun_pilots_due(const struct dun_run *run);
/* Whether there are enough of them for the fit: DUN_ERROR_INPUT.  Of fewer chains than dimensions a
 * covariance is singular: found before they have run, not after. */
int dun_pilots_check(const struct dun_run *run);

/* Collective: first draws, and their metric.  DUN_INTERRUPTED, DUN_ERROR_MEMORY. */
int dun_pilots_start(struct dun_context *context, struct dun_pilots *pilots, struct dun_run *run);
/* Collective: a move.  Returns 1 after the last, when the path is fitted, else 0, or a negative
 * status. */
int dun_pilots_move(struct dun_context *context, struct dun_pilots *pilots, struct dun_run *run);

/* Whether many of them were left out. */
void dun_pilots_diagnose(const struct dun_pilots *pilots, struct dun_diagnosis *out);
/* Safe twice, and on zeroes. */
void dun_pilots_free(struct dun_pilots *pilots);

#endif
