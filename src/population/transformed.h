/* A `constrained` target as one without constraints: what evaluators and kernels see of it. */
#ifndef DUNLIN_POPULATION_TRANSFORMED_H
#define DUNLIN_POPULATION_TRANSFORMED_H

#include "dunlin/target.h"
#include "population/foreign.h"

struct dun_transformed;

/* A target by point in unconstrained coordinates of the one given, which has been initialised and
 * stays; its name and sentence are the same.  `self` is the new target's own.  DUN_ERROR_INPUT with
 * what is wrong with its parameters, DUN_ERROR_MEMORY; NULL then.  Local. */
struct dun_transformed *dun_transformed_make(const struct dun_target *target, void *self);
void dun_transformed_free(struct dun_transformed *transformed);
/* The inner target is called with those arrays, which stay, from here on. */
void dun_transformed_fence(struct dun_transformed *transformed, struct dun_foreign *foreign);

/* The target it was made of, and its self. */
const struct dun_target *dun_transformed_inner(const struct dun_transformed *transformed,
                                               const void **self);

/* x[dimension] at theta[entries]; the reason in `why` and DUN_ERROR_INPUT where an entry lies
 * outside. */
int dun_transformed_unconstrain(const struct dun_transformed *transformed, const double *theta,
                                double *x, struct dun_message why);

/* The table, whose functions take the dun_transformed as their self. */
const struct dun_target *dun_transformed_target(const struct dun_transformed *transformed);

#endif
