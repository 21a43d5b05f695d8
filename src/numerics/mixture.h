/* A normalised mixture of isotropic Gaussians, evaluated and drawn in columns [d][DUN_LANES].
 * Never communicates; same bits at any vector width. */
#ifndef DUNLIN_NUMERICS_MIXTURE_H
#define DUNLIN_NUMERICS_MIXTURE_H

#include "dunlin/target.h"

struct dun_mixture {
  int dimension;      /* d */
  int components;     /* K */
  double *mean;       /* [K][d] */
  double *weight;     /* [K], sum 1 */
  double *deviation;  /* [K], standard deviation in every direction */
  double *precision;  /* [K], 1 / deviation^2 */
  double *log_peak;   /* [K], log of weight × density at the mean */
  double *cumulative; /* [K], weights summed; the last is 1 */

  /* A Gaussian as wide as the whole, from which tilted components are counted. */
  double *log_weight; /* [K] */
  double *centre;     /* [d]: the mixture's mean */
  double *square;     /* [K], squared distance of each mean from it */
  double wide;        /* its precision, no larger than any component's */
};

/* Allocates everything; the caller then fills mean, weight (any positive numbers) and deviation and
 * calls dun_mixture_set.  dun_mixture_free is safe in any case. */
int dun_mixture_init(struct dun_mixture *mixture, int dimension, int components);
/* Normalises the weights and makes the other tables.  DUN_ERROR_NUMERIC if a weight or a
 * deviation is not positive and finite. */
int dun_mixture_set(struct dun_mixture *mixture);
void dun_mixture_free(struct dun_mixture *mixture);

/* x[d][64].  Writes lp[64] unless NULL (-INFINITY where the squared distances overflow); ADDS
 * scale[lane] * gradient to gradient[d][64] unless NULL.  One exponential for each component and
 * lane, and one in all for two components. */
void dun_mixture_evaluate(const struct dun_mixture *mixture, const double *x, double *lp,
                          const double *scale, double *gradient, double *work);

/* x[d][64] from one column of uniforms, which picks the component, and d columns of normals. */
void dun_mixture_draw(const struct dun_mixture *mixture, const double *uniform,
                      const double *normal, double *x);

/* The laws that struct dun_tilted asks for, all but `scale`, which is left aside: everything else
 * that is not NULL is written.  A draw takes a uniform and d normals.  `work` has a column for each
 * component.  Constants of components are made once where lambda is the same in all lanes. */
void dun_mixture_tilted(const struct dun_mixture *mixture, const struct dun_tilted *tilted,
                        double *work);
/* The same with a matrix in the place of lambda (`precision`).  O(64 d^2) for a component and
 * O(64 d^3) for one whose width is not that of the one before. */
int dun_mixture_tilted_matrix_columns(const struct dun_mixture *mixture);
void dun_mixture_tilted_matrix(const struct dun_mixture *mixture, const struct dun_tilted *tilted,
                               double *work);

#endif
