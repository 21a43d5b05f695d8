/* Evaluates a target at the points of a tile, whatever layout the target is written for.  Never
 * communicates.  One evaluator per rank: it owns scratch memory and counts. */
#ifndef DUNLIN_POPULATION_EVALUATOR_H
#define DUNLIN_POPULATION_EVALUATOR_H

#include "dunlin/target.h"
#include <stdint.h>

struct dun_evaluator {
  const struct dun_target *target;
  void *self;
  int dimension; /* d */

  int64_t evaluations; /* points whose density or gradient was asked for, by this rank */
  int64_t nans;        /* log densities that were NaN, counted as outside */

  /* Scratch, aligned: the target's work columns; rows of points and gradients [64][d]. */
  double *work, *rows, *row_gradient;
  double lane[2][DUN_LANES]; /* aligned by the allocator of the evaluator's owner */
};

/* Checks the table and the dimension, allocates scratch.  The target has been initialised. */
int dun_evaluator_init(struct dun_evaluator *evaluator, const struct dun_target *target, void *self);
void dun_evaluator_free(struct dun_evaluator *evaluator);

/* The first n lanes of x[d][64] hold points; the rest repeat lane 0.  Writes lp[64] unless NULL; ADDS
 * scale[lane] * gradient to gradient[d][64] unless NULL.  In a lane whose log density is -inf or NaN,
 * lp is -INFINITY and nothing is added.  (If lp is NULL, a non-finite gradient adds nothing.)  The
 * floating-point control register is restored behind foreign code. */
void dun_evaluate(struct dun_evaluator *evaluator, int n, const double *x, double *lp,
                  const double *scale, double *gradient);
/* The same for the target's prior, which must exist. */
void dun_evaluate_prior(struct dun_evaluator *evaluator, int n, const double *x, double *lp,
                        const double *scale, double *gradient);

/* Output parameters: returns how many, with the default one for targets that declare none. */
int dun_evaluator_parameters(const struct dun_evaluator *evaluator, int capacity,
                             struct dun_parameter *parameter);
/* Total count of numbers of all output parameters. */
int dun_evaluator_outputs(const struct dun_evaluator *evaluator);
/* theta[outputs] of one point x[d]. */
void dun_evaluator_constrain(const struct dun_evaluator *evaluator, const double *x, double *theta);

#endif
