#include "kernels/splitting.h"
#include "base/vmath.h"
#include "kernels/metropolis.h"
#include "numerics/columns.h"
#include <math.h>
#include <string.h>

static void scaled_steps(const struct dun_move *m, double factor, double *by)
{
  for (int l = 0; l < DUN_LANES; l++)
    by[l] = factor * m->step_size[l];
}

void dun_kick(const struct dun_move *m, double factor, const double *g, double *p)
{
  double by[DUN_LANES] __attribute__((aligned(64)));

  if (!m->metric) {
    dun_columns_add_scaled(m->d, factor, m->step_size, m->scale, g, p);
    return;
  }
  scaled_steps(m, factor, by);
  m->metric->transposed(m->metric, by, g, p);
}

void dun_drift(const struct dun_move *m, double factor, const double *p, double *x)
{
  double by[DUN_LANES] __attribute__((aligned(64)));

  if (!m->metric) {
    dun_columns_add_scaled(m->d, factor, m->step_size, m->scale, p, x);
    return;
  }
  scaled_steps(m, factor, by);
  m->metric->apply(m->metric, by, p, x);
}

DUN_CLONES static void kick_and_drift(int d, double factor, const double *restrict h,
                                      const double *restrict scale, const double *restrict g,
                                      double *restrict p, double *restrict x)
{
  for (int j = 0; j < d; j++)
    for (int l = 0; l < DUN_LANES; l++) {
      double step = h[l] * scale[j];
      double q = DUN_FMA(factor * step, g[j * DUN_LANES + l], p[j * DUN_LANES + l]);
      p[j * DUN_LANES + l] = q;
      x[j * DUN_LANES + l] = DUN_FMA(step, q, x[j * DUN_LANES + l]);
    }
}

void dun_kick_and_drift(const struct dun_move *m, double factor, const double *g, double *p,
                        double *x)
{
  if (!m->metric) {
    kick_and_drift(m->d, factor, m->step_size, m->scale, g, p, x);
    return;
  }
  dun_kick(m, factor, g, p);
  dun_drift(m, 1, p, x);
}

DUN_CLONES void dun_refresh(int d, const double *restrict keep, const double *restrict z,
                            double *restrict p)
{
  double noise[DUN_LANES];

  for (int l = 0; l < DUN_LANES; l++)
    noise[l] = sqrt(1 - keep[l] * keep[l]);
  for (int j = 0; j < d; j++)
    for (int l = 0; l < DUN_LANES; l++)
      p[j * DUN_LANES + l] =
          DUN_FMA(noise[l], z[j * DUN_LANES + l], keep[l] * p[j * DUN_LANES + l]);
}

DUN_CLONES void dun_add_kinetic(int d, double sign, const double *p, double *energy)
{
  double square[DUN_LANES] __attribute__((aligned(64))) = {0};

  dun_columns_add_square(d, p, square);
  for (int l = 0; l < DUN_LANES; l++)
    energy[l] = DUN_FMA(.5 * sign, square[l], energy[l]);
}

int dun_leapfrog_scratch(int d, int K)
{
  return 2 * d + (d + K + 1); /* momentum, gradient, proposal */
}

void dun_leapfrog_trajectory(const struct dun_move *m, int leapfrogs, double *p, double *g,
                             double *proposal, double *energy)
{
  dun_add_kinetic(m->d, 1, p, energy);
  dun_kick_and_drift(m, .5, g, p, proposal);
  for (int step = 1; step < leapfrogs; step++) {
    dun_move_gradient(m, proposal, g);
    dun_kick_and_drift(m, 1, g, p, proposal);
  }
  dun_move_evaluate(m, proposal, g);
  dun_kick(m, .5, g, p);
  dun_add_kinetic(m->d, -1, p, energy);
}

void dun_leapfrog_move(struct dun_move *m, int leapfrogs, int forced)
{
  int64_t block = (int64_t)m->d * DUN_LANES;
  double *p = m->scratch, *g = p + block, *proposal = g + block;
  double *lp = proposal + block + (int64_t)m->K * DUN_LANES;
  double energy[DUN_LANES] __attribute__((aligned(64))) = {0};
  double log_ratio[DUN_LANES] __attribute__((aligned(64)));

  dun_normals(dun_move_address(m, DUN_PURPOSE_PROPOSE), m->d, p);
  memcpy(proposal, dun_move_x(m), (size_t)block * sizeof *proposal);
  dun_move_first_gradient(m, g);
  dun_leapfrog_trajectory(m, leapfrogs, p, g, proposal, energy);
  dun_metropolis_ratio(dun_move_lp(m), lp, energy, log_ratio);
  dun_metropolis_unseen(dun_move_lp(m), lp, forced ? energy : NULL, log_ratio, m->unseen);
  for (int l = 0; l < DUN_LANES && m->gain; l++)
    m->gain[l] = -energy[l];
  m->proposed_force = g;
  dun_metropolis_accept(m, proposal, log_ratio);
}
