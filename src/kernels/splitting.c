#include "kernels/splitting.h"
#include "base/vmath.h"
#include "dunlin/target.h"
#include <math.h>

/* y += factor h S v with diagonal S: both a kick and a drift. */
DUN_CLONES static void add_scaled(int d, double factor, const double *restrict h,
                                  const double *restrict scale, const double *restrict v,
                                  double *restrict y)
{
  for (int j = 0; j < d; j++)
    for (int l = 0; l < DUN_LANES; l++)
      y[j * DUN_LANES + l] =
          DUN_FMA(factor * (h[l] * scale[j]), v[j * DUN_LANES + l], y[j * DUN_LANES + l]);
}

static void scaled_steps(const struct dun_move *m, double factor, double *by)
{
  for (int l = 0; l < DUN_LANES; l++)
    by[l] = factor * m->step_size[l];
}

void dun_kick(const struct dun_move *m, double factor, const double *g, double *p)
{
  double by[DUN_LANES] __attribute__((aligned(64)));

  if (!m->metric) {
    add_scaled(m->d, factor, m->step_size, m->scale, g, p);
    return;
  }
  scaled_steps(m, factor, by);
  m->metric->transposed(m->metric, by, g, p);
}

void dun_drift(const struct dun_move *m, double factor, const double *p, double *x)
{
  double by[DUN_LANES] __attribute__((aligned(64)));

  if (!m->metric) {
    add_scaled(m->d, factor, m->step_size, m->scale, p, x);
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

DUN_CLONES void dun_add_kinetic(int d, double sign, const double *restrict p,
                                double *restrict energy)
{
  double half[DUN_LANES] = {0};

  for (int j = 0; j < d; j++)
    for (int l = 0; l < DUN_LANES; l++)
      half[l] = DUN_FMA(p[j * DUN_LANES + l], p[j * DUN_LANES + l], half[l]);
  for (int l = 0; l < DUN_LANES; l++)
    energy[l] = DUN_FMA(.5 * sign, half[l], energy[l]);
}
