#include "kernels/splitting.h"
#include "base/vmath.h"
#include "dunlin/target.h"
#include <math.h>

DUN_CLONES void dun_kick(int d, double factor, const double *restrict h,
                         const double *restrict scale, const double *restrict g, double *restrict p)
{
  for (int j = 0; j < d; j++)
    for (int l = 0; l < DUN_LANES; l++)
      p[j * DUN_LANES + l] =
          DUN_FMA(factor * h[l] * scale[j], g[j * DUN_LANES + l], p[j * DUN_LANES + l]);
}

DUN_CLONES void dun_drift(int d, double factor, const double *restrict h,
                          const double *restrict scale, const double *restrict p,
                          double *restrict x)
{
  for (int j = 0; j < d; j++)
    for (int l = 0; l < DUN_LANES; l++)
      x[j * DUN_LANES + l] =
          DUN_FMA(factor * (h[l] * scale[j]), p[j * DUN_LANES + l], x[j * DUN_LANES + l]);
}

DUN_CLONES void dun_kick_and_drift(int d, double factor, const double *restrict h,
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
