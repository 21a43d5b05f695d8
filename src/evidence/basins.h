/* Parts of the target that the particles have lost, or never held in their due share.
 *
 * Fresh first draws climb the target's log density (iRprop-, Igel & Huesken 2003), and Newton's
 * method ends the climb.  Around each different top the mass inside an ellipsoid of its curvature
 * comes from importance weights of normal draws, and the method's points tell what share of them
 * lies there.  The two must agree, whatever the shape of the target: a narrow mode that died out
 * while it weighed little leaves nothing behind that its particles could tell.
 *
 *   x ~ first draws, a quarter of them moved 2 to 16 times as far off, since modes that first draws
 *       do not reach are missing in all that began there; 40 steps up
 *   H = -(second derivatives at the top) = L L^T
 *   y = top + L^-T z,  mass = mean of gamma(y) / N(y; top, H^-1) 1[|z|^2 <= d + 2 sqrt(2 d)]
 *   share = weighted share of the particles x with |L^T (x - top)|^2 <= the same
 *
 * About a fiftieth of the run's evaluations climb, of short runs up to a tenth.  Tops that no climb
 * reaches stay unknown. */
#ifndef DUNLIN_EVIDENCE_BASINS_H
#define DUNLIN_EVIDENCE_BASINS_H

#include "methods/run.h"

struct dun_basins {
  /* state */
  int64_t climbed, starts;    /* of so many starts */
  int64_t tops;               /* compared */
  double errors, mass, share; /* of the one that disagrees most: mass is relative to Z */
  struct dun_numbers end;     /* [starts][d + 1]: where climbs ended, and the log density there */
};

#define DUN_BASINS_STATE(type_, member_)                                                           \
  DUN_STATE_ROW("basins climbed", DUN_STATE_INTEGER, offsetof(type_, member_.climbed), 1),         \
      DUN_STATE_ROW("basins starts", DUN_STATE_INTEGER, offsetof(type_, member_.starts), 1),       \
      DUN_STATE_ROW("basins tops", DUN_STATE_INTEGER, offsetof(type_, member_.tops), 1),           \
      DUN_STATE_ROW("basins errors", DUN_STATE_NUMBER, offsetof(type_, member_.errors), 1),        \
      DUN_STATE_ROW("basins mass", DUN_STATE_NUMBER, offsetof(type_, member_.mass), 1),            \
      DUN_STATE_ROW("basins share", DUN_STATE_NUMBER, offsetof(type_, member_.share), 1),          \
      DUN_STATE_ROW("basins end", DUN_STATE_NUMBERS, offsetof(type_, member_.end), 1)

/* Points of the method, of equal weight, known on all ranks, and what they are held against. */
struct dun_basin_points {
  int64_t count;
  const double *x; /* [count][d] */
  int64_t chains;  /* they are draws of so many chains, one of each after the other; 0: particles */
  double log_evidence, error; /* the method's, or the mixture's where it has none */
};

void dun_basins_start(struct dun_basins *basins);
void dun_basins_free(struct dun_basins *basins); /* safe twice */

/* Collective, tick by tick.  `afford`: evaluations.  DUN_TICK_DONE or DUN_TICK_GOING;
 * DUN_INTERRUPTED: nothing of the tick counts. */
int dun_basins_advance(struct dun_context *context, struct dun_basins *basins,
                       const struct dun_run *run, const struct dun_basin_points *points,
                       double afford);

/* Nothing where nothing was compared. */
void dun_basins_diagnose(const struct dun_basins *basins, struct dun_diagnosis *diagnosis);

#endif
