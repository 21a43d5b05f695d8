/* What is known of points that were observed: the laws that an observation leaves of the target, as
 * a field tells them, tile by tile. */
#ifndef DUNLIN_METHODS_POSTERIOR_H
#define DUNLIN_METHODS_POSTERIOR_H

#include "fields/field.h"
#include "methods/run.h"
#include "observations/observation.h"

struct dun_posterior {
  /* given */
  const struct dun_observation *observation;
  void *observation_self;
  const struct dun_field *field;
  void *field_self;
  int classes_first; /* a point's class is found before anything is seen of it */

  /* made by init */
  struct dun_observed of;
  unsigned gives; /* of the field */
  int width;      /* of y, whose last column, if so, is the class */
  int remembers;  /* columns of the field's memory */

  /* A tile's columns. */
  double *block;                     /* owned: all of these */
  double *y;                         /* [width] */
  double *law, *factor;              /* [letters][d], none of reals */
  double *mean, *draw, *h, *uniform; /* [d] */
  double *lambda, *mass;             /* [1] */
  double *memory;                    /* [remembers]; owned */
  double *covariance, *spare; /* [d (d + 1) / 2] of observations that have `matrix`; owned, one
                                      * block */

  int classes;       /* 0: none is found */
  double *log_share; /* [classes] of the target; owned */
  double *other;     /* [2 d + 1], and as `covariance`: scratch; owned */
};

/* Collective.  Both for the run's target, and whether the field can make use of what is observed.
 * DUN_ERROR_INPUT, DUN_ERROR_MEMORY. */
int dun_posterior_init(struct dun_context *context, struct dun_posterior *posterior,
                       const struct dun_run *run);
void dun_posterior_free(struct dun_posterior *posterior);

/* y where nothing is known. */
void dun_posterior_begin(const struct dun_posterior *posterior, struct dun_address address);

/* What to ask for: means, the laws of letters too; a draw in posterior->draw that takes the means'
 * place; or both. */
enum dun_posterior_what { DUN_POSTERIOR_MEAN, DUN_POSTERIOR_DRAW, DUN_POSTERIOR_BOTH };
/* Of the points of n lanes given y at time t. */
void dun_posterior_ask(const struct dun_posterior *posterior, double t, int n,
                       struct dun_address address, enum dun_posterior_what what);
/* The same in two parts, where the field is spread over the ranks, of spins by their tilts: before
 * all tiles' h are handed to the field together, and behind it, with a tile's means. */
int dun_posterior_together(const struct dun_posterior *posterior);
void dun_posterior_tilt(const struct dun_posterior *posterior, double t);
void dun_posterior_know(const struct dun_posterior *posterior);
/* The covariance of what y at time t leaves open, [d][d][64], symmetric: how the means change with
 * y, by differences at the distances by[d].  Of observations that say all by `tilt`, of reals or
 * spins, and of fields that have neither memory nor `show`.  The posterior's means are scratch. */
void dun_posterior_covariance(const struct dun_posterior *posterior, double t, int n,
                              struct dun_address address, const double *by, double *covariance);
/* Whether the field tells how much of the target what was seen leaves; then the same as
 * dun_posterior_ask, with the log of that in posterior->mass; and that of all of it. */
int dun_posterior_has_mass(const struct dun_posterior *posterior);
void dun_posterior_ask_mass(const struct dun_posterior *posterior, double t, int n,
                            struct dun_address address, enum dun_posterior_what what);
double dun_posterior_whole(const struct dun_posterior *posterior);
/* Letters into posterior->draw, each by its own probabilities in the law. */
void dun_posterior_draw_letters(const struct dun_posterior *posterior, struct dun_address address);

/* Where classes come first: in init, after the field's; in dun_posterior_begin; in a call of the
 * field, whose lanes are each of its own class; and out[64] less the log shares of these. */
int dun_posterior_find_classes(struct dun_posterior *posterior);
void dun_posterior_draw_classes(const struct dun_posterior *posterior, struct dun_address address);
void dun_posterior_ask_classes(const struct dun_posterior *posterior,
                               const struct dun_field_call *asked);
void dun_posterior_less_classes(const struct dun_posterior *posterior, double *out);

#endif
