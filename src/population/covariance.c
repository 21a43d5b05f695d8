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
  const struct dun_weights *weights; /* NULL: 1 for each particle */
  int64_t tiles;                     /* of this rank that take part */
  const double *mean;
  double *lanes; /* [d + 1][64]: the tile's points relative to the mean; their weights */
};

static void weigh(const struct products *p, int64_t tile, double *weight)
{
  const struct dun_tiles *tiles = &p->population->tiles;

  if (p->weights) {
    dun_weights_tile(p->population, p->logw, p->weights, tile, weight);
    return;
  }
  for (int l = 0; l < DUN_LANES; l++)
    weight[l] = l < dun_tile_size(tiles, tiles->first_tile + tile);
}

/* Points of weight 0 may lie anywhere, also where nothing is a number.  Returns 0 for a tile
 * without any weight: it adds nothing. */
static int load(const struct products *p, int64_t tile)
{
  int d = p->x->width, any = 0;
  double *weight = p->lanes + (int64_t)d * DUN_LANES;

  weigh(p, tile, weight);
  for (int l = 0; l < DUN_LANES; l++)
    any |= weight[l] > 0;
  if (!any)
    return 0;
  dun_tile_load(p->population, p->x, tile, p->lanes);
  for (int j = 0; j < d; j++)
    for (int l = 0; l < DUN_LANES; l++) {
      double off = p->lanes[j * DUN_LANES + l] - p->mean[j];
      p->lanes[j * DUN_LANES + l] = weight[l] > 0 ? off : 0;
    }
  return 1;
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

  for (int64_t tile = 0; tile < p->tiles; tile++) {
    struct dun_exact *next = sum;
    if (!load(p, tile))
      continue;
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

struct scratch {
  struct dun_exact *sum; /* [SUMS] or [d], whatever is more */
  double *total;         /* as many */
  double *folded;        /* [d]: one row of a tile; before, deviations that nobody wants */
};

static int scratch_init(struct dun_context *context, struct products *p, struct scratch *s)
{
  int64_t d = p->x->width, most = SUMS > d ? SUMS : d;

  s->sum = dun_allocate(most, sizeof *s->sum);
  s->total = dun_allocate(most, sizeof *s->total);
  s->folded = dun_allocate(d, sizeof *s->folded);
  p->lanes = dun_allocate((d + 1) * DUN_LANES, sizeof *p->lanes);
  return dun_agree(context, s->sum && s->total && s->folded && p->lanes ? 0 : DUN_ERROR_MEMORY);
}

static void scratch_free(struct products *p, struct scratch *s)
{
  dun_free(s->sum);
  dun_free(s->total);
  dun_free(s->folded);
  dun_free(p->lanes);
}

static int add_all(struct dun_context *context, const struct products *p, struct scratch *s,
                   double *covariance)
{
  int d = p->x->width, status = 0;

  for (int first = 0, last; status >= 0 && first < d; first = last) {
    int64_t count = 0;
    last = last_row(d, first);
    for (int j = first; j < last; j++)
      count += j + 1;
    memset(s->sum, 0, (size_t)count * sizeof *s->sum);
    add_rows(p, first, last, s->folded, s->sum);
    if ((status = dun_sum(context, 0, count, s->sum, s->total)) >= 0)
      unpack(d, first, last, s->total, covariance);
  }
  return status < 0 ? status : 0;
}

/* Only the diagonal. */
static int add_squares(struct dun_context *context, const struct products *p, struct scratch *s,
                       double *variance)
{
  int64_t d = p->x->width;

  memset(s->sum, 0, (size_t)d * sizeof *s->sum);
  for (int64_t tile = 0; tile < p->tiles; tile++) {
    if (!load(p, tile))
      continue;
    for (int64_t j = 0; j < d; j++) {
      const double *off = p->lanes + j * DUN_LANES;
      fold_products(1, p->lanes + d * DUN_LANES, off, off, s->folded);
      dun_exact_add(&s->sum[j], *s->folded);
    }
  }
  return dun_sum(context, 0, d, s->sum, variance);
}

int dun_weighted_covariance(struct dun_context *context, const struct dun_population *population,
                            const struct dun_column *x, const struct dun_column *logw,
                            const struct dun_weights *weights, double *mean, double *covariance)
{
  struct products p = {population, x, logw, weights, population->tiles.count, mean, NULL};
  struct scratch scratch = {0};
  int status = scratch_init(context, &p, &scratch);

  if (status >= 0)
    status = dun_column_moments(context, population, x, logw, weights, mean, scratch.folded);
  if (status >= 0)
    status = add_all(context, &p, &scratch, covariance);
  scratch_free(&p, &scratch);
  return status;
}

static int find_mean(struct dun_context *context, const struct products *p, struct scratch *s,
                     int64_t count, double *mean)
{
  int d = p->x->width;

  memset(mean, 0, (size_t)d * sizeof *mean);
  for (int64_t tile = 0; tile < p->tiles; tile++) {
    if (!load(p, tile))
      continue;
    for (int j = 0; j < d; j++)
      dun_exact_add(&s->sum[j], dun_fold(p->lanes + (int64_t)j * DUN_LANES));
  }
  int status = dun_sum(context, 0, d, s->sum, mean);
  for (int j = 0; j < d && status >= 0; j++)
    mean[j] /= (double)count;
  return status;
}

int dun_plain_covariance(struct dun_context *context, const struct dun_population *population,
                         const struct dun_column *x, int64_t tiles, int dense, double *mean,
                         double *covariance)
{
  const struct dun_tiles *t = &population->tiles;
  int64_t here = tiles < t->first_tile ? 0 : tiles - t->first_tile, d = x->width;
  int64_t count = tiles > t->total / t->tile ? t->total : tiles * t->tile;
  struct products p = {population, x, NULL, NULL, here < t->count ? here : t->count, mean, NULL};
  struct scratch scratch = {0};
  int status = scratch_init(context, &p, &scratch);

  if (status >= 0)
    status = find_mean(context, &p, &scratch, count, mean);
  if (status >= 0)
    status = (dense ? add_all : add_squares)(context, &p, &scratch, covariance);
  for (int64_t i = 0; i < (dense ? d * d : d) && status >= 0; i++)
    covariance[i] /= (double)(count - 1);
  scratch_free(&p, &scratch);
  return status;
}
