/* Annealed and reference diffusions as a path that weights follow: the sampler of sequential
 * controlled Langevin diffusions (Chen et al. 2024, arXiv 2412.07081), of annealed importance
 * sampling by unadjusted Langevin steps, of path integral samplers (Zhang & Chen 2022,
 * arXiv 2111.15141) and of denoising diffusion samplers (Vargas et al. 2023, arXiv 2302.13834),
 * with a control u or without one.
 *
 * T steps k of length 1 / T in N pieces; a time of the path is the end of a piece, t = k / T.  With
 * sigma = sigma_k and a score that is clipped in its norm, a step goes
 *
 *   annealed    to x' = x + sigma^2 (s_k(x) + u(x, k)) / T + sigma sqrt(2 / T) xi,
 *               back by the mean x' + sigma^2 (s_k(x') - u(x', k + 1)) / T,
 *               s_k = grad log pi_t, log pi_t = (1 - t) log N(mean, scale^2) + t log rho
 *   brownian    to x' = x + v (c + u) + sqrt(v) xi, v = 2 sigma^2 / T, from N(mean, scale^2), which
 *               may be a point
 *   stationary  to x' = mean + a (x - mean) + v (c + u) + sqrt(v) xi, v = scale^2 (1 - a^2),
 *               a = exp(-sigma^2 / scale^2 / T)
 *
 * The way back of the last two is their reference process, c = u = 0, reversed: with its densities
 * r_t, log pi_t = log r_t + t (log rho - log r_1), and c = t grad (log rho - log r_1) is what
 * guides without a control.  (Of the annealed one r_t is the base, too.)  All weights are exact,
 * whatever u is.
 *
 * Our names and the papers' letters: exponent t = beta_k; diffusion = sigma_k, whose noise has the
 * variance 2 sigma^2 a unit of time, where PIS's has sigma^2; pieces = N, sub-trajectories. */
#ifndef DUNLIN_PATHS_CONTROLLED_H
#define DUNLIN_PATHS_CONTROLLED_H

#include "paths/path.h"

enum dun_reference { DUN_ANNEALED, DUN_BROWNIAN, DUN_STATIONARY };

struct dun_controlled {
  /* options */
  int reference; /* enum dun_reference */
  struct {
    struct dun_numbers mean, scale;
  } base;
  long long steps, pieces; /* T, N */
  struct {
    int type;
    double largest, smallest, offset;
  } diffusion;
  double clip; /* of the score's norm */

  /* The control u[d][64] at points x[d][64] of step k, 0 to T, where the clipped score is `score`;
   * NULL: 0. */
  void (*control)(const void *data, int64_t k, const double *x, const double *score, double *u);
  const void *control_data;

  /* made by init */
  struct dun_evaluator *target;
  struct dun_schedule schedule;
  double *mean, *scale; /* [d]; owned */
  double *sigma;        /* [T]; owned */
  double *variance;     /* [T + 1]: of the Brownian noise up to step k; owned */
  double *precision;    /* [2][d]: scratch, and of r_1; owned */
  double *work;         /* [DUN_CONTROLLED_WORK d][64]; owned */
};
enum { DUN_CONTROLLED_WORK = 6 };

/* log r_t less `share` of log r_1: precision[d] and a constant, by which it is
 * constant - sum_j precision_j (x_j - mean_j)^2 / 2.  A law that is a point counts as 1. */
void dun_controlled_law(const struct dun_controlled *path, double t, double share,
                        double *precision, double *constant);
/* Its value lp[64] at x[d][64], unless NULL, and its gradient, written, unless NULL. */
void dun_controlled_law_at(const struct dun_controlled *path, const double *precision,
                           double constant, const double *x, double *lp, double *gradient);

/* The path's carry. */
void dun_controlled_carry(const void *self, double t, double next, int n,
                          struct dun_address address, double *x, double *memory, double *log_ratio);

#endif
