/* A normalised Gaussian, evaluated and drawn in columns [d][DUN_LANES]: as a target, as the base
 * of a path, as a prior.  Its covariance is D R D with D = diag(deviation) and R the identity,
 * the matrix correlation^|i-j| (an autoregression, evaluated in O(d) through its bidiagonal
 * factor), or any positive definite matrix.  Never communicates. */
#ifndef DUNLIN_NUMERICS_GAUSSIAN_H
#define DUNLIN_NUMERICS_GAUSSIAN_H

#include "dunlin/target.h"

enum dun_gaussian_form { DUN_GAUSSIAN_DIAGONAL, DUN_GAUSSIAN_TOEPLITZ, DUN_GAUSSIAN_DENSE };

struct dun_gaussian {
  int dimension; /* d */
  enum dun_gaussian_form form;

  double *mean;      /* [d] */
  double *deviation; /* [d], standard deviations; DENSE: roots of the covariance's diagonal */
  double *inverse;   /* [d], 1 / deviation */
  double log_peak;   /* log density at the mean, natural logarithm */

  double correlation, innovation; /* TOEPLITZ: rho and sqrt(1 - rho^2) */
  const double *factor;    /* DENSE: lower Cholesky factor of the covariance [d][factor_stride] */
  const double *precision; /* DENSE: inverse covariance [d][stride], padded with zeros */
  int factor_stride;       /* d where they are owned */
  int stride;              /* d rounded up to a multiple of 4 */
  double *own[2];          /* factor and precision where they are owned, else NULL */
};

/* Each sets the whole struct (whatever it held before); mean[d] and deviation[d] > 0 are copied.
 * DUN_ERROR_NUMERIC if |correlation| >= 1, a deviation is not positive and finite, or the matrix is
 * not positive definite; DUN_ERROR_MEMORY.  dun_gaussian_free is safe afterwards in any case. */
int dun_gaussian_diagonal(struct dun_gaussian *gaussian, int dimension, const double *mean,
                          const double *deviation);
int dun_gaussian_toeplitz(struct dun_gaussian *gaussian, int dimension, const double *mean,
                          const double *deviation, double correlation);
/* covariance[d][d] by rows; only its lower triangle is read. */
int dun_gaussian_dense(struct dun_gaussian *gaussian, int dimension, const double *mean,
                       const double *covariance);
/* By tables that others own, and keep for as long: a lower factor [d][factor_stride], of which what
 * is above the diagonal is not read, and a precision [d][d rounded up to a multiple of 4]. */
int dun_gaussian_of_tables(struct dun_gaussian *gaussian, int dimension, const double *mean,
                           const double *factor, int factor_stride, const double *precision);
void dun_gaussian_free(struct dun_gaussian *gaussian);

/* Number of columns of scratch that dun_gaussian_evaluate needs; may be 0. */
int dun_gaussian_work_columns(const struct dun_gaussian *gaussian);

/* x[d][64].  Writes lp[64] unless NULL; ADDS scale[lane] * gradient to gradient[d][64] unless
 * NULL. Same bits at any vector width.  All arrays aligned to 64 bytes; only `work` may be NULL
 * if it needs no columns. */
void dun_gaussian_evaluate(const struct dun_gaussian *gaussian, const double *x, double *lp,
                           const double *scale, double *gradient, double *work);

/* The same, but WRITES scale[lane] * gradient: for the first of several parts. */
void dun_gaussian_write(const struct dun_gaussian *gaussian, const double *x, double *lp,
                        const double *scale, double *gradient, double *work);

/* x[d][64] = mean + factor * normal[d][64]; x may be normal itself only for DIAGONAL and
 * TOEPLITZ. */
void dun_gaussian_draw(const struct dun_gaussian *gaussian, const double *normal, double *x);

/* The laws that struct dun_tilted asks for: everything that is not NULL is written.  `work` has
 * dun_gaussian_tilted_columns.  O(d) for a chain, O(d^3 + 64 d^2) for a dense covariance and each
 * lambda that occurs.  < 0: where the dense precision, as rounded, is not positive definite.  With
 * a matrix in the place of lambda (`precision`) as the second does, without scratch, O(64 d^3). */
int dun_gaussian_tilted_columns(const struct dun_gaussian *gaussian);
int dun_gaussian_tilted(const struct dun_gaussian *gaussian, const struct dun_tilted *tilted,
                        double *work);
void dun_gaussian_tilted_matrix(const struct dun_gaussian *gaussian,
                                const struct dun_tilted *tilted);

#endif
