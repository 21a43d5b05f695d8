/* What a target tells for results beyond its density: the log likelihood of each observation, and
 * draws of its prior as output parameters.  Local; none of it counts as an evaluation. */
#ifndef DUNLIN_POPULATION_POINTWISE_H
#define DUNLIN_POPULATION_POINTWISE_H

#include "population/evaluator.h"

/* The variables of the log likelihood, as dun_evaluator_parameters has those of a draw; 0: the
 * target tells none. */
int dun_pointwise_variables(const struct dun_evaluator *evaluator, int capacity,
                            struct dun_parameter *variable);
/* Numbers in all of them; DUN_ERROR_INPUT with what is wrong, also where there are none. */
int dun_pointwise_width(const struct dun_evaluator *evaluator);
/* Writes them for one point x[d]. */
void dun_pointwise(const struct dun_evaluator *evaluator, const double *x, double *out);

/* Whether the target draws from its prior. */
int dun_prior_is_drawn(const struct dun_evaluator *evaluator);
/* Output parameters theta[count][outputs] of so many draws of the prior, at most 2^31 tiles of
 * them; their random numbers have the seed and a purpose of their own.  DUN_ERROR_MEMORY. */
int dun_prior_draws(const struct dun_evaluator *evaluator, uint64_t seed, int64_t count,
                    double *theta);

#endif
