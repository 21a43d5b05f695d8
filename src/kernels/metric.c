#include "kernels/metric.h"
#include "base/vmath.h"
#include "dunlin/target.h"
#include <string.h>

DUN_CLONES static void apply(const struct dun_metric *metric, const double *restrict w,
                             double *restrict x)
{
  for (int i = 0; i < metric->d; i++) {
    const double *row = metric->entries + (int64_t)i * metric->d;
    double sum[DUN_LANES] = {0};
    for (int j = 0; j <= i; j++)
      for (int l = 0; l < DUN_LANES; l++)
        sum[l] = DUN_FMA(row[j], w[j * DUN_LANES + l], sum[l]);
    memcpy(x + (int64_t)i * DUN_LANES, sum, sizeof sum);
  }
}

DUN_CLONES static void transposed(const struct dun_metric *metric, const double *restrict g,
                                  double *restrict w)
{
  int d = metric->d;

  for (int j = 0; j < d; j++) {
    double sum[DUN_LANES] = {0};
    for (int i = j; i < d; i++)
      for (int l = 0; l < DUN_LANES; l++)
        sum[l] = DUN_FMA(metric->entries[(int64_t)i * d + j], g[i * DUN_LANES + l], sum[l]);
    memcpy(w + (int64_t)j * DUN_LANES, sum, sizeof sum);
  }
}

struct dun_metric dun_metric_dense(int d, const double *factor)
{
  return (struct dun_metric){.d = d, .apply = apply, .transposed = transposed, .entries = factor};
}

static void filter(const struct dun_metric *metric, const double *restrict w, double *restrict x)
{
  dun_lattice_filter(metric->lattice, metric->entries, w, x);
}

struct dun_metric dun_metric_fourier(const struct dun_lattice *lattice, const double *scale)
{
  return (struct dun_metric){.d = (int)lattice->sites,
                             .apply = filter,
                             .transposed = filter,
                             .entries = scale,
                             .lattice = lattice};
}

DUN_CLONES static void scale_lanes(const struct dun_metric *metric, const double *restrict w,
                                   double *restrict x)
{
  const double *scale = metric->entries;
  for (int64_t i = 0; i < (int64_t)metric->d * DUN_LANES; i++)
    x[i] = scale[i] * w[i];
}

struct dun_metric dun_metric_lanes(int d, const double *scale)
{
  return (struct dun_metric){
      .d = d, .apply = scale_lanes, .transposed = scale_lanes, .entries = scale};
}
