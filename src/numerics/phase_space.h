/* The noising of positions and momenta at critical damping (phase space Langevin diffusion), in
 * closed form, for one coordinate:
 *
 *   dx = (beta / 2) (-gamma x + m / M) dt + sqrt(beta gamma) dw
 *   dm = (beta / 2) (-x - nu m) dt + sqrt(beta M nu) dw'         1 / M = (nu - gamma)^2 / 4
 *
 * gamma = 0 is critically damped Langevin diffusion.  Its law at rest is x ~ N(0, 1), m ~ N(0, M).
 * Pandey & Mandt 2023, arXiv 2303.01748; noise and determinant written without cancellation. */
#ifndef DUNLIN_NUMERICS_PHASE_SPACE_H
#define DUNLIN_NUMERICS_PHASE_SPACE_H

struct dun_phase_space {
  /* given */
  double gamma, nu; /* friction of positions and momenta; nu != gamma */
  double beta[2];   /* speed at t = 0 and t = 1, linear between */
  double kappa;     /* the momentum of a point begins as N(0, kappa M) */
  /* made */
  double width;              /* w = (nu - gamma) / 2 */
  double rate;               /* a = (nu + gamma) / 2 */
  double product;            /* gamma nu */
  double mass, inverse_mass; /* M, 1 / M = w^2 */
};

/* Makes the rest.  DUN_ERROR_INPUT where gamma, nu, beta or kappa can be none. */
int dun_phase_space_set(struct dun_phase_space *space);

/* The integral of beta from 0 to t, by which all else goes: the clock. */
double dun_phase_space_clock(const struct dun_phase_space *space, double t);

/* What happens while the clock goes on by b: z becomes mean z + N(0, noise). */
struct dun_phase_flow {
  double mean[2][2], noise[2][2];
  double mean_determinant, noise_determinant;
};
void dun_phase_space_flow(const struct dun_phase_space *space, double b,
                          struct dun_phase_flow *flow);

/* The covariance and its determinant after a flow from independent x and m of these variances. */
void dun_phase_flow_spread(const struct dun_phase_flow *flow, double xx, double mm,
                           double covariance[2][2], double *determinant);

/* Lower Cholesky factor of a covariance [2][2] whose determinant is known; of a variance 0 its
 * column is 0. */
void dun_phase_root(const double covariance[2][2], double determinant, double root[2][2]);

#endif
