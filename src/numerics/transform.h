/* Maps from all of R^n to parameters that live on less, as include/dunlin/target.h lists them
 * (enum dun_transform), with the logs of their Jacobians: what it takes to sample a density of
 * constrained parameters without constraints (Stan Development Team, Reference Manual, chapter
 * "Constraint transforms").  Points of one parameter at a time; no libm, so that the bits are the
 * same everywhere. */
#ifndef DUNLIN_NUMERICS_TRANSFORM_H
#define DUNLIN_NUMERICS_TRANSFORM_H

#include "dunlin/target.h"

struct dun_transforming {
  enum dun_transform type;
  double lower, upper;
  int entries; /* n of theta; of a correlation factor size × size */
  int size;    /* of a correlation factor: rows */
  int free;    /* numbers of x: dun_transform_free */
};

/* How many unconstrained numbers stand for a parameter; -1: it cannot have that shape, or these
 * bounds, with the reason in *why. */
int dun_transform_free(const struct dun_parameter *parameter, const char **why);
/* The parameter must have passed it. */
struct dun_transforming dun_transforming_of(const struct dun_parameter *parameter);

/* theta[entries] at x[free]; returns log |d theta / dx|, of parameters on a surface the log of what
 * makes the integral over x that over the surface. */
double dun_transform(const struct dun_transforming *transforming, const double *x, double *theta);

/* gradient[free] of f(theta(x)) + log |d theta / dx| at x, where slope[entries] is that of f, which
 * is used up.  `theta` as dun_transform gave it. */
void dun_transform_back(const struct dun_transforming *transforming, const double *x,
                        const double *theta, double *slope, double *gradient);

#endif
