#include "numerics/columns.h"
#include "base/vmath.h"
#include "dunlin/target.h"
#include <stdint.h>

DUN_CLONES void dun_columns_add(int d, double a, const double *restrict x, double *restrict y)
{
  for (int64_t i = 0; i < (int64_t)d * DUN_LANES; i++)
    y[i] = DUN_FMA(a, x[i], y[i]);
}

DUN_CLONES void dun_columns_sum(int d, const double *restrict y, double a, const double *restrict x,
                                double *restrict out)
{
  for (int64_t i = 0; i < (int64_t)d * DUN_LANES; i++)
    out[i] = DUN_FMA(a, x[i], y[i]);
}

DUN_CLONES void dun_columns_add_scaled(int d, double a, const double *restrict h,
                                       const double *restrict scale, const double *restrict x,
                                       double *restrict y)
{
  for (int64_t j = 0; j < d; j++)
    for (int l = 0; l < DUN_LANES; l++)
      y[j * DUN_LANES + l] =
          DUN_FMA(a * (h[l] * scale[j]), x[j * DUN_LANES + l], y[j * DUN_LANES + l]);
}

DUN_CLONES void dun_columns_add_square(int d, const double *restrict x, double *restrict sum)
{
  for (int64_t j = 0; j < d; j++)
    for (int l = 0; l < DUN_LANES; l++)
      sum[l] = DUN_FMA(x[j * DUN_LANES + l], x[j * DUN_LANES + l], sum[l]);
}
