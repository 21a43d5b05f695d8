/* Metrics from points and the gradients of the log density there, by the Fisher divergence: M
 * minimises tr(M Cov(g)) + tr(M^-1 Cov(x)), so that M Cov(g) M = Cov(x): it is the geometric
 * mean of Cov(x) and Cov(g)^-1 (Seyboldt, Carlson & Carpenter, Preconditioning HMC by minimizing
 * Fisher divergence).  Where log densities are quadratic it is their inverse curvature exactly,
 * whatever the law of the points.
 *
 * Two halves of the points tell how much of a dense metric is to be trusted: fitted on the one
 * with ridges of several sizes, and judged on the other.  Plain arithmetic: the bits do not
 * depend on BLAS.  None of these functions communicates. */
#ifndef DUNLIN_NUMERICS_FISHER_H
#define DUNLIN_NUMERICS_FISHER_H

enum dun_fisher_form {
  DUN_FISHER_AUTO,    /* what the halves find better */
  DUN_FISHER_SHORTER, /* a dense metric only where, by the gradients, trajectories take fewer steps:
                       * many modes have correlations that no move follows */
  DUN_FISHER_DIAGONAL,
  DUN_FISHER_DENSE
};

/* Largest d of a dense metric that is chosen by itself. */
enum { DUN_FISHER_MOST = 256 };

/* Of one half of the points: means [d], and covariances, both triangles [d][d], or for a diagonal
 * metric their diagonals [d].  g NULL: there are no gradients, and the covariance of the points is
 * all that there is to learn from. */
struct dun_fisher_half {
  double count;
  const double *mean_x, *mean_g, *x, *g;
};

struct dun_fisher {
  double *scale;  /* [d] roots of M's diagonal; allocated by the caller */
  double *factor; /* [d][d] lower Cholesky factor of M; by the caller; not used of a diagonal one */
  int dense;      /* the factor was made */
  double ridge;   /* of the dense metric */
  double score;   /* of the metric on the other half: (tr(M B) + tr(M^-1 A)) / d, 2 at best; without
                   * gradients (tr(M^-1 A) + log |M|) / d; NAN: not judged */
};

/* `old`[d] are scales for coordinates in which nothing can be learned.  DUN_ERROR_MEMORY. */
int dun_fisher_learn(int d, enum dun_fisher_form form, const struct dun_fisher_half half[2],
                     const double *old, struct dun_fisher *out);

/* The largest |log eigenvalue| of M_old^-1 M_new of two metrics, each of which is a factor [d][d]
 * or, if that is NULL, scales [d].  DUN_ERROR_MEMORY. */
int dun_fisher_change(int d, const double *old_scale, const double *old_factor,
                      const double *new_scale, const double *new_factor, double *change);

#endif
