/* A normalised mixture of factor analysers: component k is
 * N(mean_k, noise^2 I + U_k diag(variance_k - noise^2) U_k^T) with orthonormal columns U_k and
 * few of them, so that an evaluation costs two products with a matrix of K (q + 1) rows.  Fitted
 * component by component as probabilistic principal components (Tipping & Bishop 1999, J. R. Stat.
 * Soc. B 61, 611, equations 3 and 7-8).  Never communicates; its bits are those of BLAS. */
#ifndef DUNLIN_NUMERICS_FACTORS_H
#define DUNLIN_NUMERICS_FACTORS_H

#include <stdint.h>

struct dun_factors {
  int dimension;  /* d */
  int components; /* K */
  int factors;    /* q */

  double *rows;       /* [K][q + 1][d]: of each component its mean, then its directions */
  double *variance;   /* [K][q], along the directions */
  double *noise;      /* [K], standard deviation across them */
  double *weight;     /* [K], sum 1 */
  double *cumulative; /* [K], weights summed; the last is 1 */
  double *log_peak;   /* [K], log of weight × density at the mean */
  double *offset;     /* [K][q + 1]: the mean's square, then its products with the directions */
};

/* Allocates everything. dun_factors_free is safe in any case. */
int dun_factors_init(struct dun_factors *factors, int dimension, int components, int most_factors);
void dun_factors_free(struct dun_factors *factors);

/* Fits component k to x[n][d], n >= 1: the mean, the q directions of largest variance, and as noise
 * the mean variance across them, of which at least `floor`^2 is taken in every direction.  Its
 * weight becomes n.  Uses its own random numbers, the same for the same `seed`; overwrites x with
 * deviations from the mean. */
int dun_factors_fit(struct dun_factors *factors, int k, int64_t n, double *x, double floor,
                    uint64_t seed);
/* After all components are fitted: gives them the same noise, the mean of their variances (a
 * component of more noise would win everywhere far out), normalises the weights and makes the other
 * tables. */
void dun_factors_set(struct dun_factors *factors);

/* Number of columns of scratch that dun_factors_evaluate needs. */
int dun_factors_work_columns(const struct dun_factors *factors);

/* x[n][d], n <= DUN_LANES.  Writes lp[n] (-INFINITY where squares overflow); writes gradient[n][d]
 * unless NULL. */
void dun_factors_evaluate(const struct dun_factors *factors, int n, const double *x, double *lp,
                          double *gradient, double *work);

/* x[d][DUN_LANES] from one column of uniforms and d columns of normals. */
void dun_factors_draw(const struct dun_factors *factors, const double *uniform,
                      const double *normal, double *x);

#endif
