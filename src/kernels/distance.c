#include "kernels/distance.h"
#include "base/vmath.h"
#include "dunlin/target.h"
#include <string.h>

DUN_CLONES void dun_squared_distance(int d, const double *restrict x, const double *restrict y,
                                     const double *restrict inverse, double *restrict out)
{
  double sum[DUN_LANES] = {0};

  for (int j = 0; j < d; j++)
    for (int l = 0; l < DUN_LANES; l++) {
      double z = (x[j * DUN_LANES + l] - y[j * DUN_LANES + l]) * inverse[j];
      sum[l] = DUN_FMA(z, z, sum[l]);
    }
  memcpy(out, sum, sizeof sum);
}

DUN_CLONES void dun_squared_lane_distance(int d, const double *restrict x, const double *restrict y,
                                          const double *restrict scale, double *restrict out)
{
  double sum[DUN_LANES] = {0};

  for (int j = 0; j < d; j++)
    for (int l = 0; l < DUN_LANES; l++) {
      double z = (x[j * DUN_LANES + l] - y[j * DUN_LANES + l]) / scale[j * DUN_LANES + l];
      sum[l] = DUN_FMA(z, z, sum[l]);
    }
  memcpy(out, sum, sizeof sum);
}

DUN_CLONES void dun_squared_radius(int d, const double *restrict x, const double *restrict centre,
                                   const double *restrict inverse, double *restrict out)
{
  double sum[DUN_LANES] = {0};

  for (int j = 0; j < d; j++)
    for (int l = 0; l < DUN_LANES; l++) {
      double z = (x[j * DUN_LANES + l] - centre[j]) * inverse[j];
      sum[l] = DUN_FMA(z, z, sum[l]);
    }
  memcpy(out, sum, sizeof sum);
}
