/* A second estimate of log Z, independent of the method's: a mixture of Student laws is fitted to
 * points that the method leaves behind, and fresh draws from it get importance weights.  It stands
 * beside the method's estimate and replaces nothing.
 *
 *   points:  up to 2048, of the weighted particles at equal distances of the cumulated weight, or
 *            of the draws that chains kept
 *   q:       fitted by one rank (numerics/heavy_mixture.h)
 *   x ~ q,   logw = log gamma(x) - log q(x),  log Z = log of the mean weight
 *
 * Draws are a tenth of the method's moves and of its carries' evaluations, at most 4096: it costs
 * no more than a tenth of the run's evaluations, and less where a move takes several; of runs that
 * neither move nor carry, as much as the run did. */
#ifndef DUNLIN_EVIDENCE_SECOND_H
#define DUNLIN_EVIDENCE_SECOND_H

#include "evidence/basins.h"
#include "methods/run.h"
#include "numerics/heavy_mixture.h"

/* Rows of /trace/evidence for each replicate; all of them, also those that are not known. */
enum dun_estimator {
  DUN_ESTIMATE_METHOD,
  DUN_ESTIMATE_MIXTURE,
  DUN_ESTIMATE_THERMODYNAMIC,
  DUN_ESTIMATES
};

enum dun_evidence_column {
  DUN_EVIDENCE_REPLICATE,
  DUN_EVIDENCE_ESTIMATOR,
  DUN_EVIDENCE_LOG_EVIDENCE,
  DUN_EVIDENCE_ERROR,
  DUN_EVIDENCE_ESS,
  DUN_EVIDENCE_SHAPE,
  DUN_EVIDENCE_DRAWS,
  DUN_EVIDENCE_COMPONENTS,
  DUN_EVIDENCE_COLUMNS
};

/* Why there is none. */
enum dun_second_lack {
  DUN_SECOND_MADE,
  DUN_SECOND_UNSUITED,  /* the method leaves no weighted particles */
  DUN_SECOND_DIMENSION, /* too high */
  DUN_SECOND_POINTS,    /* too few */
  DUN_SECOND_MOVES,     /* too few to afford draws */
  DUN_SECOND_FLAT,      /* the points span no volume */
  DUN_SECOND_OUTSIDE,   /* no draw lies in the support */
};

struct dun_second {
  /* state */
  int64_t phase, done;                /* tiles drawn */
  int64_t lack;                       /* enum dun_second_lack */
  int64_t still;                      /* nothing moved before the last time */
  int64_t held;                       /* points taken from kept draws */
  int64_t dense, components, freedom; /* of the mixture */
  double tail;                  /* Pareto shape of weights between the last rungs; NAN: none */
  struct dun_numbers point;     /* [points][d] of kept draws */
  struct dun_numbers slope;     /* [points]: d log pi_t / dt there */
  struct dun_numbers parameter; /* of the mixture */
  struct dun_numbers logw;      /* [draws] */
  struct dun_basins basins;
  struct dun_table table; /* /trace/evidence */

  /* made where it is missing; owned */
  struct dun_heavy_mixture mixture;
  int made;
  double *lanes; /* of a tile */
};

extern const struct dun_state dun_second_state[];

/* The table's columns.  DUN_ERROR_MEMORY. */
int dun_second_init(struct dun_second *second);
void dun_second_free(struct dun_second *second); /* safe twice */
/* Whether a state that was read can be one. */
int dun_second_is_sound(const struct dun_second *second, int dimension);

/* A replicate begins. */
void dun_second_start(struct dun_second *second);
/* Collective.  The particles are draw number kept.draws - 1 of their chains: some of them are
 * held. */
int dun_second_keep(struct dun_context *context, struct dun_second *second,
                    const struct dun_run *run);
/* Collective.  One tick behind the method's last; `steps` is its trace.  DUN_TICK_DONE or
 * DUN_TICK_GOING. */
int dun_second_advance(struct dun_context *context, struct dun_second *second,
                       const struct dun_run *run, const struct dun_table *steps);
/* After its end: does the method's estimate agree? */
void dun_second_diagnose(const struct dun_second *second, struct dun_diagnosis *diagnosis);

/* Whether a row of a mixture is worth a comparison: draws enough, weights without a heavy tail. */
int dun_second_counts(const double *row);

/* log Z from the means and variances of d log pi_t / dt at the times of a trace's last replicate:
 * the trapezoid rule with its first correction (Friel, Hurn & Wyse 2014, Stat. Comput. 24, 709),
 * for the last interval mean and variance alone, and the first, where the integrand may begin at
 * infinity, from the method's own weights.  NAN where they are not known.  *correction: what the
 * variances change, a measure of how far apart the times are. */
double dun_thermodynamic(const struct dun_table *steps, double *correction);

#endif
