#include "population/covariance.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/vmath.h"
#include "dunlin/target.h"
#include "population/tile.h"
#include <string.h>

/* So many sums at a time, of half a kilobyte each. */
static const int64_t SUMS = 8192;

struct products {
  const struct dun_population *population;
  const struct dun_column *x, *logw;
  const struct dun_weights *weights;
  const double *mean;
  double *lanes; /* [d + 1][64]: the tile's points relative to the mean; their weights */
};

static void points(void *data, int64_t tile, double *f)
{
  const struct products *p = data;
  dun_tile_load(p->population, p->x, tile, f);
}

/* Points of weight 0 may lie anywhere, also where nothing is a number. */
static void load(const struct products *p, int64_t tile)
{
  int d = p->x->width;
  double *weight = p->lanes + (int64_t)d * DUN_LANES;

  dun_tile_load(p->population, p->x, tile, p->lanes);
  dun_weights_tile(p->population, p->logw, p->weights, tile, weight);
  for (int j = 0; j < d; j++)
    for (int l = 0; l < DUN_LANES; l++) {
      double off = p->lanes[j * DUN_LANES + l] - p->mean[j];
      p->lanes[j * DUN_LANES + l] = weight[l] > 0 ? off : 0;
    }
}

/* sum[k] = sum over lanes of weight a b_k, for `count` columns b. */
DUN_CLONES static void fold_products(int count, const double *restrict weight,
                                     const double *restrict a, const double *restrict b,
                                     double *restrict sum)
{
  double weighted[DUN_LANES], product[DUN_LANES];

  for (int l = 0; l < DUN_LANES; l++)
    weighted[l] = weight[l] * a[l];
  for (int k = 0; k < count; k++) {
    for (int l = 0; l < DUN_LANES; l++)
      product[l] = weighted[l] * b[k * DUN_LANES + l];
    sum[k] = dun_fold_lanes(product);
  }
}

/* Rows first <= j < last of the lower triangle, one after the other. */
static void add_rows(const struct products *p, int first, int last, double *folded,
                     struct dun_exact *sum)
{
  int d = p->x->width;

  for (int64_t tile = 0; tile < p->population->tiles.count; tile++) {
    struct dun_exact *next = sum;
    load(p, tile);
    for (int j = first; j < last; j++) {
      fold_products(j + 1, p->lanes + (int64_t)d * DUN_LANES, p->lanes + (int64_t)j * DUN_LANES,
                    p->lanes, folded);
      for (int k = 0; k <= j; k++)
        dun_exact_add(next++, folded[k]);
    }
  }
}

static void unpack(int d, int first, int last, const double *row, double *covariance)
{
  for (int j = first; j < last; j++)
    for (int k = 0; k <= j; k++)
      covariance[(int64_t)j * d + k] = covariance[(int64_t)k * d + j] = *row++;
}

/* Behind the last row that fits with those from `first` on. */
static int last_row(int d, int first)
{
  int last = first;

  for (int64_t sums = 0; last < d && (last == first || sums + last + 1 <= SUMS); last++)
    sums += last + 1;
  return last;
}

int dun_weighted_covariance(struct dun_context *context, const struct dun_population *population,
                            const struct dun_column *x, const struct dun_column *logw,
                            const struct dun_weights *weights, double *mean, double *covariance)
{
  int d = x->width;
  int64_t most = SUMS > d ? SUMS : d;
  struct products p = {population, x, logw, weights, mean, NULL};
  struct dun_exact *sum = dun_allocate(most, sizeof *sum);
  double *total = dun_allocate(most, sizeof *total);
  double *folded = dun_allocate(2 * (int64_t)d, sizeof *folded); /* and deviations, not wanted */
  p.lanes = dun_allocate((d + 1) * (int64_t)DUN_LANES, sizeof *p.lanes);
  int status = dun_agree(context, sum && total && folded && p.lanes ? 0 : DUN_ERROR_MEMORY);

  if (status >= 0)
    status = dun_weighted_moments(context, population, NULL, logw, weights, d, points, &p, mean,
                                  folded, NULL);
  for (int first = 0, last; status >= 0 && first < d; first = last) {
    int64_t count = 0;
    last = last_row(d, first);
    for (int j = first; j < last; j++)
      count += j + 1;
    memset(sum, 0, (size_t)count * sizeof *sum);
    add_rows(&p, first, last, folded, sum);
    if ((status = dun_sum(context, 0, count, sum, total)) >= 0)
      unpack(d, first, last, total, covariance);
  }
  dun_free(sum);
  dun_free(total);
  dun_free(folded);
  dun_free(p.lanes);
  return status < 0 ? status : 0;
}
