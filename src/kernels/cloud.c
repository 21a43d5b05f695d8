#include "kernels/cloud.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/table.h"
#include "base/vmath.h"
#include "kernels/sweep_parts.h"
#include "parallel/sum.h"
#include "population/tile.h"
#include <math.h>
#include <string.h>

/* So many exact sums at a time, of half a kilobyte each. */
static const int64_t SUMS = 8192;

enum { HALVES = 2 };

/* ---- where the sums lie ---------------------------------------------------------------------- */

static int kinds(const struct dun_cloud *c)
{
  return c->gradients ? 2 : 1;
}

/* Sums of row i: itself, and products. */
static int64_t width(const struct dun_cloud *c, int64_t i)
{
  return c->dense ? i + 2 : 2;
}

/* Where row i begins among those of its kind. */
static int64_t begin(const struct dun_cloud *c, int64_t i)
{
  return c->dense ? i * (i - 1) / 2 + 2 * i : 2 * i;
}

static int64_t per_half(const struct dun_cloud *c)
{
  return 1 + kinds(c) * begin(c, c->d);
}

/* Row i of points (0) or forces (1) of a half. */
static double *row_of(const struct dun_cloud *c, int half, int kind, int64_t i)
{
  return c->sums.value + half * per_half(c) + 1 + kind * begin(c, c->d) + begin(c, i);
}

int dun_cloud_start(struct dun_cloud *c)
{
  if (dun_numbers_make(&c->sums, HALVES * per_half(c), 0) < 0)
    return DUN_ERROR_MEMORY;
  return dun_numbers_make(&c->centre, 2 * (int64_t)c->d, 0);
}

void dun_cloud_free(struct dun_cloud *c)
{
  DUN_FREE(c->sums.value);
  DUN_FREE(c->centre.value);
  c->sums.count = c->centre.count = 0;
}

int dun_cloud_fits(const struct dun_cloud *c)
{
  return c->sums.count == HALVES * per_half(c) && c->centre.count == 2 * (int64_t)c->d;
}

void dun_cloud_clear(struct dun_cloud *c)
{
  memset(c->sums.value, 0, (size_t)c->sums.count * sizeof *c->sums.value);
}

double dun_cloud_count(const struct dun_cloud *c)
{
  return c->sums.value[0] + c->sums.value[per_half(c)];
}

/* ---- adding the particles -------------------------------------------------------------------- */

/* Rows from <= i < to of all kinds; the products, or the sums alone. */
struct piece {
  const struct dun_cloud *cloud;
  const struct dun_sweep *sweep;
  double t;
  int64_t tiles, turn; /* of this rank */
  int products;
  int64_t from, to;
  double *lanes;         /* [2 d][64], and [64] that tell which count */
  double *folded;        /* [2][d + 1] */
  struct dun_exact *sum; /* [2][the rows' sums of all kinds, and a count] */
};

static int64_t sums_of(const struct piece *p)
{
  const struct dun_cloud *c = p->cloud;
  return 1 + kinds(c) * (p->products ? begin(c, p->to) - begin(c, p->from) : p->to - p->from);
}

/* Lanes with even and with odd numbers apart. */
static inline __attribute__((always_inline)) void fold_pair(const double *restrict lanes,
                                                            double *restrict even,
                                                            double *restrict odd)
{
  double a[32];
  for (int l = 0; l < 32; l++)
    a[l] = lanes[l] + lanes[l + 32];
  for (int l = 0; l < 16; l++)
    a[l] += a[l + 16];
  for (int l = 0; l < 8; l++)
    a[l] += a[l + 8];
  for (int l = 0; l < 4; l++)
    a[l] += a[l + 4];
  *even = a[0] + a[2];
  *odd = a[1] + a[3];
}

/* Of `a` itself, and of its products with `count` columns b. */
DUN_CLONES static void fold_products(int64_t count, const double *restrict a,
                                     const double *restrict b, double *restrict even,
                                     double *restrict odd)
{
  double product[DUN_LANES];

  fold_pair(a, even, odd);
  for (int64_t k = 0; k < count; k++) {
    for (int l = 0; l < DUN_LANES; l++)
      product[l] = a[l] * b[k * DUN_LANES + l];
    fold_pair(product, even + 1 + k, odd + 1 + k);
  }
}

static int is_meant(const struct piece *p, int64_t tile, int64_t lane)
{
  const struct dun_sweep *s = p->sweep;
  return !p->cloud->of_rung ||
         dun_i64(s->rung)[2 * (tile * s->population->tiles.tile + lane)] == p->cloud->rung;
}

/* What counts, relative to the centre; the rest is 0. */
static void load(const struct piece *p, int64_t tile)
{
  const struct dun_sweep *s = p->sweep;
  int64_t d = p->cloud->d;
  double *counts = p->lanes + 2 * d * DUN_LANES;
  int n = dun_tile_size(&s->population->tiles, s->population->tiles.first_tile + tile);

  dun_sweep_density(s, tile, p->t, counts);
  dun_tile_load(s->population, s->x, tile, p->lanes);
  if (p->cloud->gradients)
    dun_tile_load(s->population, s->force, tile, p->lanes + d * DUN_LANES);
  for (int l = 0; l < DUN_LANES; l++)
    counts[l] = l < n && counts[l] > -INFINITY && counts[l] >= s->floor && is_meant(p, tile, l);
  for (int64_t j = 0; j < kinds(p->cloud) * d; j++)
    for (int l = 0; l < DUN_LANES; l++) {
      double *lane = p->lanes + j * DUN_LANES + l;
      *lane = counts[l] > 0 ? *lane - p->cloud->centre.value[j] : 0;
    }
}

static void add_tile(const struct piece *p, int64_t tile)
{
  const struct dun_tiles *tiles = &p->sweep->population->tiles;
  int64_t d = p->cloud->d, all = sums_of(p), place = 1;
  int odd_first = (int)((tiles->first + tile * tiles->tile + p->turn) & 1);
  struct dun_exact *even_sum = p->sum + odd_first * all, *odd_sum = p->sum + (1 - odd_first) * all;
  double *even = p->folded, *odd = even + d + 1;

  load(p, tile);
  fold_products(0, p->lanes + 2 * d * DUN_LANES, NULL, even, odd);
  dun_exact_add(&even_sum[0], even[0]);
  dun_exact_add(&odd_sum[0], odd[0]);
  for (int kind = 0; kind < kinds(p->cloud); kind++)
    for (int64_t i = p->from; i < p->to; i++) {
      const double *base = p->lanes + kind * d * DUN_LANES, *row = base + i * DUN_LANES;
      int64_t products = p->products ? width(p->cloud, i) - 1 : 0;
      fold_products(products, row, p->cloud->dense ? base : row, even, odd);
      for (int64_t k = 0; k <= products; k++, place++) {
        dun_exact_add(&even_sum[place], even[k]);
        dun_exact_add(&odd_sum[place], odd[k]);
      }
    }
}

/* As many rows as fit, at least one. */
static void next_rows(struct piece *p)
{
  p->from = p->to;
  do
    p->to++;
  while (p->to < p->cloud->d && HALVES * sums_of(p) < SUMS);
}

static int64_t most_sums(const struct piece *p)
{
  int64_t most = SUMS + 4 * ((int64_t)p->cloud->d + 2), all = HALVES * per_half(p->cloud);
  return most < all ? most : all;
}

/* Totals of the rows: of all kinds, [2][sums_of]. */
static int add_rows(struct dun_context *context, struct piece *p, double *total)
{
  int64_t all = HALVES * sums_of(p);

  memset(p->sum, 0, (size_t)all * sizeof *p->sum);
  for (int64_t i = 0; i < p->tiles; i++)
    add_tile(p, i);
  return dun_sum(context, 0, all, p->sum, total);
}

/* The centre is the mean of the first points. */
static void take_centre(const struct piece *p, const double *total)
{
  const struct dun_cloud *c = p->cloud;
  int64_t all = sums_of(p), rows = p->to - p->from;
  double count = total[0] + total[all];

  for (int kind = 0; kind < kinds(c) && count > 0; kind++)
    for (int64_t i = 0; i < rows; i++) {
      int64_t k = 1 + kind * rows + i;
      c->centre.value[kind * c->d + p->from + i] = (total[k] + total[all + k]) / count;
    }
}

static void take_sums(const struct piece *p, const double *total)
{
  const struct dun_cloud *c = p->cloud;
  int64_t all = sums_of(p);

  for (int half = 0; half < HALVES; half++) {
    const double *from = total + half * all;
    if (p->from == 0)
      c->sums.value[half * per_half(c)] += *from;
    from++;
    for (int kind = 0; kind < kinds(c); kind++)
      for (int64_t i = p->from; i < p->to; i++)
        for (int64_t k = 0; k < width(c, i); k++)
          row_of(c, half, kind, i)[k] += *from++;
  }
}

static int add_all(struct dun_context *context, struct piece *p, int products, double *total)
{
  int status = 0;

  p->products = products;
  p->to = 0;
  while (p->to < p->cloud->d && status >= 0) {
    next_rows(p);
    if ((status = add_rows(context, p, total)) >= 0)
      (products ? take_sums : take_centre)(p, total);
  }
  return status;
}

int dun_cloud_add(struct dun_context *context, struct dun_cloud *c, const struct dun_sweep *sweep,
                  double t, int64_t tiles, int64_t turn)
{
  int64_t d = c->d;
  struct piece p = {.cloud = c, .sweep = sweep, .t = t, .turn = turn};
  p.tiles = dun_sweep_tiles_below(&sweep->population->tiles, tiles);
  p.lanes = dun_allocate((2 * d + 1) * DUN_LANES + 2 * (d + 2), sizeof *p.lanes);
  p.sum = dun_allocate(most_sums(&p), sizeof *p.sum);
  double *total = dun_allocate(most_sums(&p), sizeof *total);
  int status = dun_agree(context, p.lanes && p.sum && total ? 0 : DUN_ERROR_MEMORY);

  if (status >= 0) {
    p.folded = p.lanes + (2 * d + 1) * DUN_LANES;
    if (dun_cloud_count(c) == 0) {
      memset(c->centre.value, 0, (size_t)(2 * d) * sizeof *c->centre.value);
      status = add_all(context, &p, 0, total);
    }
  }
  if (status >= 0)
    status = add_all(context, &p, 1, total);
  dun_free(p.lanes);
  dun_free(p.sum);
  dun_free(total);
  return status;
}

/* ---- moments --------------------------------------------------------------------------------- */

static void fill_half(const struct dun_cloud *c, int half, int kind, double n, double *mean,
                      double *covariance)
{
  int64_t d = c->d;

  for (int64_t i = 0; i < d; i++)
    mean[i] = n > 0 ? row_of(c, half, kind, i)[0] / n : 0;
  for (int64_t i = 0; i < d; i++) {
    const double *row = row_of(c, half, kind, i) + 1;
    for (int64_t j = 0; j <= i && c->dense; j++)
      covariance[i * d + j] = covariance[j * d + i] = n > 0 ? row[j] / n - mean[i] * mean[j] : 0;
    if (!c->dense)
      covariance[i] = n > 0 ? row[0] / n - mean[i] * mean[i] : 0;
  }
}

int dun_cloud_moments(const struct dun_cloud *c, struct dun_cloud_moments *m)
{
  int64_t d = c->d, n = c->dense ? d * d : d;
  double *rest = dun_allocate(d + HALVES * 2 * (d + n), sizeof *rest);

  *m = (struct dun_cloud_moments){.mean = rest, .block = rest};
  if (!rest)
    return DUN_ERROR_MEMORY;
  rest += d;
  for (int half = 0; half < HALVES; half++) {
    struct dun_fisher_half *h = &m->half[half];
    h->count = c->sums.value[half * per_half(c)];
    for (int kind = 0; kind < kinds(c); kind++, rest += d + n) {
      fill_half(c, half, kind, h->count, rest, rest + d);
      *(kind ? &h->mean_g : &h->mean_x) = rest;
      *(kind ? &h->g : &h->x) = rest + d;
    }
  }
  double all = dun_cloud_count(c);
  for (int64_t i = 0; i < d; i++)
    m->mean[i] = c->centre.value[i] + (m->half[0].mean_x[i] * m->half[0].count +
                                       m->half[1].mean_x[i] * m->half[1].count) /
                                          (all > 0 ? all : 1);
  return 0;
}
