#include "paths/pilot.h"
#include "base/error.h"
#include "base/memory.h"
#include "parallel/sum.h"
#include "population/tile.h"
#include <string.h>

struct moments {
  const struct dun_population *population;
  const struct dun_column *x;
  int d;
  int64_t tiles, count; /* that take part: this rank's tiles, all ranks' particles */
  double *lanes;        /* [d + 1][64] */
  double *mean;         /* [d] */
  struct dun_exact *sum;
};

/* Loads a tile relative to the mean so far, 0 behind its last particle. */
static void load(struct moments *m, int64_t i)
{
  int n = dun_tile_size(&m->population->tiles, m->population->tiles.first_tile + i);
  dun_tile_load(m->population, m->x, i, m->lanes);
  for (int j = 0; j < m->d; j++)
    for (int l = 0; l < DUN_LANES; l++) {
      double v = m->lanes[j * DUN_LANES + l] - m->mean[j];
      m->lanes[j * DUN_LANES + l] = l < n ? v : 0;
    }
}

static int fit_mean(struct dun_context *context, struct moments *m, double *total)
{
  for (int64_t i = 0; i < m->tiles; i++) {
    load(m, i);
    for (int j = 0; j < m->d; j++)
      dun_exact_add(&m->sum[j], dun_fold(m->lanes + (int64_t)j * DUN_LANES));
  }
  int status = dun_sum(context, 0, m->d, m->sum, total);
  for (int j = 0; j < m->d && status >= 0; j++)
    m->mean[j] = total[j] / (double)m->count;
  return status;
}

/* The lower triangle, row by row, of the sums of products. */
static int fit_products(struct dun_context *context, struct moments *m, double *total)
{
  int64_t pairs = (int64_t)m->d * (m->d + 1) / 2;
  double *product = m->lanes + (int64_t)m->d * DUN_LANES;

  memset(m->sum, 0, (size_t)pairs * sizeof *m->sum);
  for (int64_t i = 0; i < m->tiles; i++) {
    struct dun_exact *sum = m->sum;
    load(m, i);
    for (int j = 0; j < m->d; j++)
      for (int k = 0; k <= j; k++) {
        for (int l = 0; l < DUN_LANES; l++)
          product[l] = m->lanes[j * DUN_LANES + l] * m->lanes[k * DUN_LANES + l];
        dun_exact_add(sum++, dun_fold(product));
      }
  }
  return dun_sum(context, 0, pairs, m->sum, total);
}

static void unpack(int d, const double *triangle, double count, double *covariance)
{
  for (int j = 0; j < d; j++)
    for (int k = 0; k <= j; k++)
      covariance[j * d + k] = covariance[k * d + j] = *triangle++ / (count - 1);
}

int dun_path_fit(struct dun_context *context, const struct dun_path *path, void *path_self,
                 const struct dun_population *population, const struct dun_column *x,
                 long long chains)
{
  const struct dun_tiles *tiles = &population->tiles;
  int64_t most = (chains + tiles->tile - 1) / tiles->tile, d = x->width;
  struct moments m = {.population = population, .x = x, .d = x->width};
  double *total, *covariance;
  int status;

  m.count = most * tiles->tile < tiles->total ? most * tiles->tile : tiles->total;
  m.tiles = most - tiles->first_tile < 0              ? 0
            : most - tiles->first_tile < tiles->count ? most - tiles->first_tile
                                                      : tiles->count;
  m.lanes = dun_allocate((d + 1) * DUN_LANES, sizeof *m.lanes);
  m.mean = dun_allocate(d, sizeof *m.mean);
  m.sum = dun_allocate(d * (d + 1) / 2 + d, sizeof *m.sum);
  total = dun_allocate(d * (d + 1) / 2 + d, sizeof *total);
  covariance = dun_allocate(d * d, sizeof *covariance);
  status = m.lanes && m.mean && m.sum && total && covariance ? 0 : DUN_ERROR_MEMORY;
  if ((status = dun_agree(context, status)) < 0)
    goto out;
  if ((status = fit_mean(context, &m, total)) < 0 ||
      (status = fit_products(context, &m, total)) < 0)
    goto out;
  unpack((int)d, total, (double)m.count, covariance);
  status = path->fit(path_self, m.mean, covariance);
out:
  dun_free(m.lanes);
  dun_free(m.mean);
  dun_free(m.sum);
  dun_free(total);
  dun_free(covariance);
  return status;
}
