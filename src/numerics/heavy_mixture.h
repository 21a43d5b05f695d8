/* A mixture of multivariate Student laws with one even number of degrees of freedom: evaluated and
 * drawn in columns [d][DUN_LANES], and fitted to points by expectation-maximisation.  Importance
 * weights of what has lighter tails are bounded under it.  Never communicates. */
#ifndef DUNLIN_NUMERICS_HEAVY_MIXTURE_H
#define DUNLIN_NUMERICS_HEAVY_MIXTURE_H

#include "dunlin/target.h"
#include <stdint.h>

/* What a checkpoint holds of it; `count` and `freedom` are beside. */
struct dun_heavy_shape {
  int d, dense;   /* covariances, or variances alone */
  int components; /* K */
  int freedom;    /* even; degrees of freedom */
};

struct dun_heavy_mixture {
  struct dun_heavy_shape shape;
  int stride;     /* of the rows of `inverse`: d rounded up to a multiple of 4 */
  double *share;  /* [K], sum 1; owned, and with it all behind */
  double *peak;   /* [K]: log of a component's share and density at its mean */
  double *mean;   /* [K][d] */
  double *factor; /* [K][d][d]: lower Cholesky factors of the matrices; or deviations [K][d] */

  /* scratch of an evaluation; owned */
  double *inverse; /* [K][d][stride]: the factors' inverses, padded with zeros; or [K][d] */
  double *square;  /* [K][64]: Mahalanobis distances squared */
  double *own;     /* [K][64]: the component's part of the density, sum 1 */
  double *work;    /* [stride][64] */
};

/* Numbers of a component: share, mean[d], and the matrix [d][d] or its diagonal [d]. */
int64_t dun_heavy_stride(const struct dun_heavy_shape *shape);

/* From parameter[K][stride]; the shares sum to 1.  Whatever the struct held before is lost.
 * DUN_ERROR_NUMERIC if a matrix is not positive definite; DUN_ERROR_MEMORY.  Free it in any
 * case. */
int dun_heavy_init(struct dun_heavy_mixture *mixture, const struct dun_heavy_shape *shape,
                   const double *parameter);
void dun_heavy_free(struct dun_heavy_mixture *mixture);

/* x[d][64]; log_density[64].  Leaves own and square. */
void dun_heavy_evaluate(struct dun_heavy_mixture *mixture, const double *x, double *log_density);

/* Columns of uniforms that a draw takes. */
int dun_heavy_uniforms(const struct dun_heavy_mixture *mixture);
/* x[d][64] from so many columns of uniforms and d of normals; one[d][64] is scratch. */
void dun_heavy_draw(const struct dun_heavy_mixture *mixture, const double *uniform,
                    const double *normal, double *one, double *x);

/* ---- the fit (heavy_fit.c) ------------------------------------------------------------------- */

/* Points of equal weight, by rows. */
struct dun_heavy_points {
  int64_t n;
  int d;
  const double *x; /* [n][d] */
};

struct dun_heavy_limits {
  int most;   /* components */
  int rounds; /* of expectation and maximisation for each number of components */
};

/* Components are split in two along their longest axis as long as that makes points which the fit
 * has not seen (the second half) more likely; their degrees of freedom are chosen so too; a last
 * few rounds then take all points.  *parameter[K][stride] is allocated; points and result are in
 * the points' own units, and dun_heavy_init takes it.  The same points give the same bits where
 * BLAS has the same kernels.  DUN_ERROR_NUMERIC: the points do not span a volume;
 * DUN_ERROR_MEMORY. */
int dun_heavy_fit(const struct dun_heavy_points *points, struct dun_heavy_limits limits,
                  struct dun_heavy_shape *shape, double **parameter);

#endif
