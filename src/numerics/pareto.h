/* How heavy the tail of importance weights is: the shape k of a generalised Pareto law fitted to
 * the largest of them (Zhang & Stephens 2009, Technometrics 51, 316), as Vehtari, Simpson, Gelman,
 * Yao & Gabry 2024 (J. Mach. Learn. Res. 25, 72) judge them: beyond .7 sums of so many weights
 * cannot be trusted, from 1 on they have no mean.  Never communicates. */
#ifndef DUNLIN_NUMERICS_PARETO_H
#define DUNLIN_NUMERICS_PARETO_H

#include <stdint.h>

/* k of those of n weights, given by their logarithms, that are not 0; of m such min(m / 5,
 * 3 sqrt(m)) are the tail.  Drawn a little to 1/2 where they are few.  -INFINITY: the largest
 * weights are all alike, or all but four; NAN: fewer than 5 of them, or one that is no number.
 * DUN_ERROR_MEMORY. */
int dun_pareto_shape(int64_t n, const double *log_weight, double *shape);

#endif
