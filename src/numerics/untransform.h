/* The way back of numerics/transform.h: unconstrained numbers that stand for a parameter. */
#ifndef DUNLIN_NUMERICS_UNTRANSFORM_H
#define DUNLIN_NUMERICS_UNTRANSFORM_H

#include "numerics/transform.h"

/* x[free] at theta[entries], which dun_transform gives back but for rounding; lengths that have no
 * say (of directions and angles) become usual ones.  Returns -1, or the first entry that lies
 * outside, with what was expected in *expected.  Sums and lengths of 1 may be off by 1e-6. */
int dun_untransform(const struct dun_transforming *transforming, const double *theta, double *x,
                    const char **expected);

#endif
