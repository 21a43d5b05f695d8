#include "base/error.h"
#include "base/memory.h"
#include "finishes/fit.h"
#include "parallel/sum.h"
#include "population/tile.h"
#include <math.h>
#include <string.h>

static int find_basins(struct dun_fit *w)
{
  w->basin = dun_allocate(w->tiles->local + 1, sizeof *w->basin);
  if (!w->basin)
    return DUN_ERROR_MEMORY;
  const double *x = dun_f64(w->run->x);
  for (int64_t i = 0; i < w->tiles->local; i++) {
    double least = INFINITY;
    w->basin[i] = 0;
    for (int k = 0; k < w->modes; k++) {
      double away = dun_fit_distance(w, x + i * w->d, w->centre.value + (int64_t)k * w->d);
      if (away < least) {
        least = away;
        w->basin[i] = k;
      }
    }
  }
  return 0;
}

/* Weights of the lanes in basin k; 0: none. */
static int basin_weights(struct dun_fit *w, int64_t tile, int k, double *weight)
{
  int n = dun_fit_tile_size(w, tile), any = 0;
  const int *basin = w->basin + tile * w->tiles->tile;
  for (int l = 0; l < n; l++)
    any |= basin[l] == k;
  if (!any)
    return 0;
  dun_weights_tile(&w->run->population, w->run->logw, &w->weights, tile, weight);
  for (int l = 0; l < DUN_LANES; l++)
    weight[l] = l < n && basin[l] == k ? weight[l] : 0;
  return 1;
}

static void add_product(struct dun_exact *sum, const double *weight, const double *a,
                        const double *b)
{
  double product[DUN_LANES];
  for (int l = 0; l < DUN_LANES; l++)
    product[l] = b ? weight[l] * a[l] * b[l] : weight[l] * a[l];
  dun_exact_add(sum, dun_fold(product));
}

/* Collective.  mass[k] and mean[k]. */
static int first_moments(struct dun_context *context, struct dun_fit *w, int k)
{
  double *weight = w->lanes + (int64_t)w->d * DUN_LANES;
  double *mean = w->mean.value + (int64_t)k * w->d;
  memset(w->sum, 0, (size_t)(w->d + 1) * sizeof *w->sum);
  for (int64_t i = 0; i < w->tiles->count; i++) {
    if (!basin_weights(w, i, k, weight))
      continue;
    dun_tile_load(&w->run->population, w->run->x, i, w->lanes);
    for (int j = 0; j < w->d; j++)
      add_product(&w->sum[j], weight, w->lanes + (int64_t)j * DUN_LANES, NULL);
    dun_exact_add(&w->sum[w->d], dun_fold(weight));
  }
  int status = dun_sum(context, 0, w->d + 1, w->sum, w->total);
  w->mass.value[k] = status < 0 ? 0 : w->total[w->d];
  for (int j = 0; j < w->d && status >= 0; j++)
    mean[j] = w->mass.value[k] > 0 ? w->total[j] / w->mass.value[k]
                                   : w->centre.value[(int64_t)k * w->d + j];
  return status;
}

/* Collective.  spread[k]: variances, or the covariance. */
static int second_moments(struct dun_context *context, struct dun_fit *w, int k)
{
  int d = w->d, dense = w->covariance == DUN_FIT_DENSE;
  double *weight = w->lanes + (int64_t)d * DUN_LANES, *x = w->lanes;
  double *spread = w->spread.value + (int64_t)k * d * (dense ? d : 1);
  memset(w->sum, 0, (size_t)w->moments * sizeof *w->sum);
  for (int64_t i = 0; i < w->tiles->count; i++) {
    struct dun_exact *sum = w->sum;
    if (!basin_weights(w, i, k, weight))
      continue;
    dun_tile_load(&w->run->population, w->run->x, i, x);
    for (int j = 0; j < d; j++)
      for (int l = 0; l < DUN_LANES; l++)
        x[j * DUN_LANES + l] -= w->mean.value[(int64_t)k * d + j];
    for (int j = 0; j < d; j++)
      for (int m = dense ? 0 : j; m <= j; m++)
        add_product(sum++, weight, x + (int64_t)j * DUN_LANES, x + (int64_t)m * DUN_LANES);
  }
  int status = dun_sum(context, 0, w->moments - 1, w->sum, w->total);
  const double *total = w->total;
  double inverse = w->mass.value[k] > 0 ? 1 / w->mass.value[k] : 0;
  for (int j = 0; j < d && status >= 0; j++)
    for (int m = dense ? 0 : j; m <= j; m++, total++)
      if (dense)
        spread[j * d + m] = spread[m * d + j] = *total * inverse;
      else
        spread[j] = *total * inverse;
  return status;
}

int dun_fit_moments(struct dun_context *context, struct dun_fit *w)
{
  int64_t d = w->d, entries = dun_fit_entries(w);
  int k = (int)w->done, status = dun_agree(context, w->basin ? 0 : find_basins(w));
  if (status >= 0 && !w->weights.tile_before) /* a restart came in between */
    status = dun_weights_compute(context, &w->run->population, w->run->logw, &w->weights);
  if (status < 0 || (status = first_moments(context, w, k)) < 0 ||
      (status = second_moments(context, w, k)) < 0)
    return status;
  for (int64_t j = 0; j < d; j++)
    w->within.value[j] +=
        w->mass.value[k] * w->spread.value[k * entries + (entries > d ? j * d + j : j)];
  return 0;
}

static void lean(struct dun_fit *w, int k)
{
  int64_t d = w->d, entries = dun_fit_entries(w);
  int dense = w->covariance == DUN_FIT_DENSE;
  double n = w->mass.value[k] * w->weights.ess, lent = dense ? (double)d + 2 : 5;
  double factor = w->inflate * w->inflate / (n + lent);
  double *mean = w->mean.value + k * d, *spread = w->spread.value + k * entries;
  for (int64_t i = 0; i < entries; i++)
    spread[i] *= n * factor;
  for (int64_t j = 0; j < d; j++) {
    spread[dense ? j * d + j : j] += lent * factor * w->within.value[j];
    mean[j] = (n * mean[j] + w->centre.value[k * d + j]) / (n + 1);
  }
}

void dun_fit_lean(struct dun_fit *w)
{
  for (int j = 0; j < w->d; j++)
    w->within.value[j] = fmax(w->within.value[j], 1e-6 * w->scale.value[j] * w->scale.value[j]);
  for (int k = 0; k < (int)w->modes; k++)
    lean(w, k);
}

double dun_fit_share(const struct dun_fit *w, int k)
{
  return .5 * w->mass.value[k] + .5 / (double)w->modes;
}

static int make_gaussian(struct dun_fit *w, int k)
{
  int64_t d = w->d, entries = dun_fit_entries(w);
  const double *mean = w->mean.value + k * d;
  double *spread = w->spread.value + k * entries;
  if (w->covariance == DUN_FIT_DENSE)
    return dun_gaussian_dense(&w->gaussian[k], (int)d, mean, spread);
  for (int64_t j = 0; j < d; j++)
    w->total[j] = sqrt(spread[j]);
  return dun_gaussian_diagonal(&w->gaussian[k], (int)d, mean, w->total);
}

int dun_fit_gaussians(struct dun_fit *w)
{
  int status = 0;
  w->gaussian = dun_allocate(w->modes, sizeof *w->gaussian);
  w->log_share = dun_allocate(w->modes, sizeof *w->log_share);
  w->log_q = dun_allocate(w->modes * DUN_LANES, sizeof *w->log_q);
  w->scratch = dun_allocate((4 * (int64_t)w->d + 8) * DUN_LANES, sizeof *w->scratch);
  if (!w->gaussian || !w->log_share || !w->log_q || !w->scratch)
    return DUN_ERROR_MEMORY;
  for (int k = 0; k < (int)w->modes && status >= 0; k++)
    status = make_gaussian(w, k);
  return status;
}
