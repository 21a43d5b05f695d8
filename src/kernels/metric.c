#include "kernels/metric.h"
#include "base/vmath.h"
#include "dunlin/target.h"

DUN_CLONES static void apply(const struct dun_metric *metric, const double *restrict by,
                             const double *restrict w, double *restrict x)
{
  for (int i = 0; i < metric->d; i++) {
    const double *row = metric->entries + (int64_t)i * metric->d;
    double sum[DUN_LANES] = {0};
    for (int j = 0; j <= i; j++)
      for (int l = 0; l < DUN_LANES; l++)
        sum[l] = DUN_FMA(row[j], w[j * DUN_LANES + l], sum[l]);
    for (int l = 0; l < DUN_LANES; l++)
      x[i * DUN_LANES + l] = DUN_FMA(by[l], sum[l], x[i * DUN_LANES + l]);
  }
}

DUN_CLONES static void transposed(const struct dun_metric *metric, const double *restrict by,
                                  const double *restrict g, double *restrict w)
{
  int d = metric->d;

  for (int j = 0; j < d; j++) {
    double sum[DUN_LANES] = {0};
    for (int i = j; i < d; i++)
      for (int l = 0; l < DUN_LANES; l++)
        sum[l] = DUN_FMA(metric->entries[(int64_t)i * d + j], g[i * DUN_LANES + l], sum[l]);
    for (int l = 0; l < DUN_LANES; l++)
      w[j * DUN_LANES + l] = DUN_FMA(by[l], sum[l], w[j * DUN_LANES + l]);
  }
}

DUN_CLONES static void solve(const struct dun_metric *metric, const double *restrict y,
                             double *restrict w)
{
  for (int i = 0; i < metric->d; i++) {
    const double *row = metric->entries + (int64_t)i * metric->d;
    double sum[DUN_LANES];
    for (int l = 0; l < DUN_LANES; l++)
      sum[l] = y[i * DUN_LANES + l];
    for (int j = 0; j < i; j++)
      for (int l = 0; l < DUN_LANES; l++)
        sum[l] = DUN_FMA(-row[j], w[j * DUN_LANES + l], sum[l]);
    for (int l = 0; l < DUN_LANES; l++)
      w[i * DUN_LANES + l] = sum[l] / row[i];
  }
}

struct dun_metric dun_metric_dense(int d, const double *factor)
{
  return (struct dun_metric){
      .d = d, .apply = apply, .transposed = transposed, .solve = solve, .entries = factor};
}

static void to_field(const struct dun_metric *metric, const double *by, const double *w, double *x)
{
  dun_lattice_add_field(metric->lattice, metric->entries, by, w, x);
}

static void to_waves(const struct dun_metric *metric, const double *by, const double *g, double *w)
{
  dun_lattice_add_waves(metric->lattice, metric->entries, by, g, w);
}

struct dun_metric dun_metric_fourier(const struct dun_lattice *lattice, const double *scale)
{
  return (struct dun_metric){.d = (int)lattice->sites,
                             .apply = to_field,
                             .transposed = to_waves,
                             .entries = scale,
                             .lattice = lattice};
}

DUN_CLONES static void scale_lanes(const struct dun_metric *metric, const double *restrict by,
                                   const double *restrict w, double *restrict x)
{
  const double *scale = metric->entries;
  for (int64_t i = 0; i < metric->d; i++)
    for (int l = 0; l < DUN_LANES; l++)
      x[i * DUN_LANES + l] =
          DUN_FMA(by[l], scale[i * DUN_LANES + l] * w[i * DUN_LANES + l], x[i * DUN_LANES + l]);
}

struct dun_metric dun_metric_lanes(int d, const double *scale)
{
  return (struct dun_metric){
      .d = d, .apply = scale_lanes, .transposed = scale_lanes, .entries = scale};
}

DUN_CLONES static void apply_lanes(const struct dun_metric *metric, const double *restrict by,
                                   const double *restrict w, double *restrict x)
{
  const double *entry = metric->entries;
  for (int i = 0; i < metric->d; i++) {
    double sum[DUN_LANES] = {0};
    for (int j = 0; j <= i; j++, entry += DUN_LANES)
      for (int l = 0; l < DUN_LANES; l++)
        sum[l] = DUN_FMA(entry[l], w[j * DUN_LANES + l], sum[l]);
    for (int l = 0; l < DUN_LANES; l++)
      x[i * DUN_LANES + l] = DUN_FMA(by[l], sum[l], x[i * DUN_LANES + l]);
  }
}

DUN_CLONES static void transposed_lanes(const struct dun_metric *metric, const double *restrict by,
                                        const double *restrict g, double *restrict w)
{
  const double *entry = metric->entries;
  for (int i = 0; i < metric->d; i++) {
    double scaled[DUN_LANES];
    for (int l = 0; l < DUN_LANES; l++)
      scaled[l] = by[l] * g[i * DUN_LANES + l];
    for (int j = 0; j <= i; j++, entry += DUN_LANES)
      for (int l = 0; l < DUN_LANES; l++)
        w[j * DUN_LANES + l] = DUN_FMA(entry[l], scaled[l], w[j * DUN_LANES + l]);
  }
}

struct dun_metric dun_metric_dense_lanes(int d, const double *factor)
{
  return (struct dun_metric){
      .d = d, .apply = apply_lanes, .transposed = transposed_lanes, .entries = factor};
}
