/* What options give as one number for all coordinates or as one for each. */
#ifndef DUNLIN_NUMERICS_GIVEN_H
#define DUNLIN_NUMERICS_GIVEN_H

#include "numerics/gaussian.h"

/* out[d]; `option` is its name in messages.  DUN_ERROR_INPUT for another count.  Local. */
int dun_given_numbers(const struct dun_numbers *given, const char *option, int d, double *out);

/* A diagonal Gaussian from two such options.  DUN_ERROR_INPUT, DUN_ERROR_MEMORY; dun_gaussian_free
 * is safe afterwards in any case.  Local. */
int dun_given_gaussian(struct dun_gaussian *gaussian, int d, const struct dun_numbers *mean,
                       const char *mean_option, const struct dun_numbers *deviation,
                       const char *deviation_option);

#endif
