#include "numerics/discrepancy.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/random.h"
#include "base/scalar.h"
#include "base/vmath.h"
#include "dunlin/target.h"
#include "numerics/order.h"
#include "parallel/sum.h"
#include "parallel/tiles.h"
#include <math.h>
#include <string.h>

enum { L = DUN_LANES, B = DUN_POINTS_BLOCK, R = DUN_DEALS };

/* ---- the pool -------------------------------------------------------------------------------- */

/* Fisher and Yates; the numbers are the same on every rank. */
static void deal_out(struct dun_pool *pool, int deal, uint64_t seed, int64_t *order)
{
  struct dun_address address = {seed, DUN_PURPOSE_DEAL, 0, (uint32_t)deal, 0};
  int64_t n = pool->points.n;
  for (int64_t i = 0; i < n; i++)
    order[i] = i;
  for (int64_t i = 0; i < pool->first; i++) {
    int64_t other = i + (int64_t)((1 - dun_uniform_one(address, i)) * (double)(n - i));
    int64_t taken = order[other];
    order[other] = order[i];
    order[i] = taken;
    pool->side[taken] |= (uint64_t)1 << deal;
  }
}

int dun_pool_init(struct dun_pool *pool, const struct dun_points *first,
                  const struct dun_points *second, int deals, uint64_t seed)
{
  int64_t n = first->n + second->n, *order = NULL;
  int d = first->d, status;
  *pool = (struct dun_pool){.first = first->n, .deals = deals};
  status = dun_points_init(&pool->points, n, d);
  pool->side = dun_allocate(n, sizeof *pool->side);
  order = dun_allocate(n, sizeof *order);
  if (status >= 0 && (!pool->side || !order))
    status = DUN_ERROR_MEMORY;
  if (status >= 0) {
    memcpy(pool->points.x, first->x, (size_t)(first->n * d) * sizeof(double));
    memcpy(pool->points.x + first->n * d, second->x, (size_t)(second->n * d) * sizeof(double));
    memcpy(pool->points.weight, first->weight, (size_t)first->n * sizeof(double));
    memcpy(pool->points.weight + first->n, second->weight, (size_t)second->n * sizeof(double));
    for (int64_t i = 0; i < first->n; i++)
      pool->side[i] = 1;
    for (int deal = 1; deal < deals; deal++)
      deal_out(pool, deal, seed, order);
  }
  dun_free(order);
  return status;
}

void dun_pool_free(struct dun_pool *pool)
{
  dun_points_free(&pool->points);
  DUN_FREE(pool->side);
}

int dun_pool_deal(const struct dun_pool *pool, int deal, struct dun_points *first,
                  struct dun_points *second)
{
  int64_t n = pool->points.n, at[2] = {0};
  int d = pool->points.d;
  int status = dun_points_init(first, pool->first, d);
  int other = dun_points_init(second, n - pool->first, d);
  if (status < 0 || other < 0)
    return status < 0 ? status : other;
  for (int64_t i = 0; i < n; i++) {
    int k = (int)(pool->side[i] >> deal & 1);
    struct dun_points *to = k ? first : second;
    to->weight[at[k]] = pool->points.weight[i];
    memcpy(to->x + at[k]++ * d, pool->points.x + i * d, (size_t)d * sizeof(double));
  }
  return 0;
}

/* ---- sums over pairs ------------------------------------------------------------------------- */

enum form { DISTANCE, KERNEL };

/* What a pair counts, for blocks of 64 × count squared distances. */
DUN_CLONES
static void weigh_pairs(enum form form, double factor, int count, double *restrict square)
{
  square = DUN_ALIGNED(square);
  if (form == DISTANCE)
    for (int i = 0; i < count * L; i++)
      square[i] = sqrt(square[i]);
  else
    for (int i = 0; i < count * L; i++)
      square[i] = dun_exp_weight(square[i] * factor);
}

/* all[64] += sum over the block of pair × weight, for each lane; own[64][R]: the same of the points
 * that each of the first `lanes` deals has on the first side, dealt[count][R] their weights there
 * or 0. */
DUN_CLONES
static void add_pairs(int lanes, int count, const double *restrict pair,
                      const double *restrict weight, const double *restrict dealt,
                      double *restrict all, double *restrict own)
{
  for (int b = 0; b < count; b++)
    for (int l = 0; l < L; l++)
      all[l] = DUN_FMA(weight[b], pair[b * L + l], all[l]);
  for (int l = 0; l < L; l++) {
    double *restrict sum = DUN_ALIGNED(own + (int64_t)l * R);
    for (int b = 0; b < count; b++) {
      const double *restrict each = DUN_ALIGNED(dealt + (int64_t)b * R);
      double value = pair[b * L + l];
      for (int r = 0; r < lanes; r++)
        sum[r] = DUN_FMA(value, each[r], sum[r]);
    }
  }
}

/* Scratch of a tile's pairs. */
struct pairs {
  double *column;        /* [d][64] */
  double *square;        /* [B][64] */
  double *all, *own;     /* [64], [64][R] */
  double *dealt;         /* [B][R] */
  struct dun_exact *sum; /* [R][3]: over pairs within the first side, within the second, across */
};

static int pairs_init(struct pairs *p, int d)
{
  p->column = dun_allocate((int64_t)d * L, sizeof(double));
  p->square = dun_allocate(B * L, sizeof(double));
  p->all = dun_allocate(L, sizeof(double));
  p->own = dun_allocate(L * R, sizeof(double));
  p->dealt = dun_allocate(B * R, sizeof(double));
  p->sum = dun_allocate(3 * R, sizeof *p->sum);
  return p->column && p->square && p->all && p->own && p->dealt && p->sum ? 0 : DUN_ERROR_MEMORY;
}

static void pairs_free(struct pairs *p)
{
  dun_free(p->column);
  dun_free(p->square);
  dun_free(p->all);
  dun_free(p->own);
  dun_free(p->dealt);
  dun_free(p->sum);
}

static void deal_weights(const struct dun_pool *pool, int64_t first, int count, double *dealt)
{
  for (int b = 0; b < count; b++)
    for (int r = 0; r < R; r++)
      dealt[b * R + r] = pool->side[first + b] >> r & 1 ? pool->points.weight[first + b] : 0;
}

/* What the points of a tile and all others come to. */
static void add_tile(const struct dun_pool *pool, const struct dun_tiles *tiles, int64_t tile,
                     enum form form, double factor, struct pairs *p)
{
  const struct dun_points *points = &pool->points;
  int lanes = (pool->deals + 7) / 8 * 8;
  memset(p->all, 0, L * sizeof(double));
  memset(p->own, 0, L * R * sizeof(double));
  dun_points_tile(points, tile, p->column);
  for (int64_t j = 0; j < points->n; j += B) {
    int count = (int)(points->n - j < B ? points->n - j : B);
    dun_points_squares(points->d, p->column, count, points->x + j * points->d, p->square);
    weigh_pairs(form, factor, count, p->square);
    deal_weights(pool, j, count, p->dealt);
    add_pairs(lanes, count, p->square, points->weight + j, p->dealt, p->all, p->own);
  }
  for (int l = 0; l < dun_tile_size(tiles, tile); l++) {
    int64_t i = tile * L + l;
    double weight = points->weight[i];
    for (int r = 0; r < pool->deals; r++) {
      double own = p->own[l * R + r], others = p->all[l] - own;
      int is_first = (int)(pool->side[i] >> r & 1);
      dun_exact_add(&p->sum[3 * r + !is_first], weight * (is_first ? own : others));
      dun_exact_add(&p->sum[3 * r + 2], is_first ? weight * others : 0);
    }
  }
}

/* Collective.  total[deals][3]. */
static int sum_pairs(struct dun_context *context, const struct dun_pool *pool, enum form form,
                     double factor, double *total)
{
  struct pairs pairs = {0};
  struct dun_tiles tiles = dun_tiles_of(pool->points.n, L, context->rank, context->size);
  int status = pairs_init(&pairs, pool->points.d);
  for (int64_t t = 0; t < tiles.count && status >= 0; t++)
    add_tile(pool, &tiles, tiles.first_tile + t, form, factor, &pairs);
  status = dun_sum(context, status, 3 * pool->deals, pairs.sum, total);
  pairs_free(&pairs);
  return status;
}

/* Sums of the weights of both sides, and of their squares. */
struct weights {
  double sum[2], square[2];
};

static struct weights weights_of(const struct dun_pool *pool, int deal)
{
  struct weights weights = {{0}, {0}};
  for (int64_t i = 0; i < pool->points.n; i++) {
    double weight = pool->points.weight[i];
    int k = !(pool->side[i] >> deal & 1);
    weights.sum[k] += weight;
    weights.square[k] += weight * weight;
  }
  return weights;
}

/* Means over the pairs within both sides, those of a point with itself not counted, and across. */
static void means_of(const struct dun_pool *pool, int deal, const double *total, double *mean)
{
  struct weights w = weights_of(pool, deal);
  for (int k = 0; k < 2; k++)
    mean[k] = total[k] / (w.sum[k] * w.sum[k] - w.square[k]);
  mean[2] = total[2] / (w.sum[0] * w.sum[1]);
}

/* The diagonal adds nothing to distances.  With it a side's mean would be smaller by the share of
 * the pairs that it is, 1 / n: by so much the values are lifted. */
int dun_energy_distance(struct dun_context *context, const struct dun_pool *pool, double *value,
                        double *lift)
{
  double total[3 * R], mean[3];
  int status = sum_pairs(context, pool, DISTANCE, 0, total);
  for (int r = 0; r < pool->deals && status >= 0; r++) {
    means_of(pool, r, total + 3 * r, mean);
    value[r] = 2 * mean[2] - mean[0] - mean[1];
  }
  if (status >= 0) {
    struct weights w = weights_of(pool, 0);
    double all = total[0] + total[1] + 2 * total[2], sum = w.sum[0] + w.sum[1];
    *lift = all / (sum * sum) *
            (w.square[0] / (w.sum[0] * w.sum[0]) + w.square[1] / (w.sum[1] * w.sum[1]));
  }
  return status;
}

/* ---- the median distance --------------------------------------------------------------------- */

/* Number `place` from 0 of all numbers of the upper triangle, the diagonal included, is found digit
 * by digit of its key: each pass counts those that agree in the higher ones. */
enum { DIGIT = 16, COUNTS = 1 << DIGIT };

static void count_tile(const struct dun_points *points, const struct dun_tiles *tiles, int64_t tile,
                       int shift, uint64_t prefix, double *column, double *square, int64_t *counts)
{
  dun_points_tile(points, tile, column);
  for (int64_t j = tile * L; j < points->n; j += B) {
    int count = (int)(points->n - j < B ? points->n - j : B);
    dun_points_squares(points->d, column, count, points->x + j * points->d, square);
    for (int b = 0; b < count; b++)
      for (int l = 0; l < dun_tile_size(tiles, tile); l++) {
        uint64_t key = dun_bits(square[b * L + l]);
        int above = shift + DIGIT;
        if (j + b >= tile * L + l && (above == 64 || key >> above == prefix))
          counts[key >> shift & (COUNTS - 1)]++;
      }
  }
}

/* Collective.  Squares are not negative: their bits are ordered as they are. */
static int find_square(struct dun_context *context, const struct dun_points *points, int64_t place,
                       double *square)
{
  struct dun_tiles tiles = dun_tiles_of(points->n, L, context->rank, context->size);
  int64_t *counts = dun_allocate(COUNTS, sizeof *counts);
  double *column = dun_allocate((int64_t)points->d * L, sizeof *column);
  double *block = dun_allocate(B * L, sizeof *block);
  uint64_t prefix = 0;
  int status = counts && column && block ? 0 : DUN_ERROR_MEMORY;
  status = dun_agree(context, status);
  for (int shift = 64 - DIGIT; shift >= 0 && status >= 0; shift -= DIGIT) {
    memset(counts, 0, COUNTS * sizeof *counts);
    /* tiles in turn: the first ones have the longest rows */
    for (int64_t t = context->rank; t < tiles.tiles; t += context->size)
      count_tile(points, &tiles, t, shift, prefix, column, block, counts);
    status = dun_sum_integers(context, 0, COUNTS, counts);
    uint64_t digit = 0;
    while (status >= 0 && place >= counts[digit])
      place -= counts[digit++];
    prefix = prefix << DIGIT | digit;
  }
  *square = dun_from_bits(prefix);
  dun_free(counts);
  dun_free(column);
  dun_free(block);
  return status;
}

static int find_median(struct dun_context *context, const struct dun_points *points, double *median)
{
  int64_t count = points->n * (points->n + 1) / 2;
  double low, high;
  int status = find_square(context, points, (count - 1) / 2, &low);
  if (status >= 0)
    status = find_square(context, points, count / 2, &high);
  *median = status >= 0 ? .5 * (sqrt(low) + sqrt(high)) : 0;
  return status;
}

int dun_mean_discrepancy(struct dun_context *context, const struct dun_pool *pool, double *value,
                         double *bandwidth)
{
  double total[3 * R], mean[3], h;
  int status = find_median(context, &pool->points, &h);
  *bandwidth = h;
  if (status < 0)
    return status;
  if (!isfinite(h * h))
    return dun_fail(DUN_ERROR_NUMERIC, "the squared distances of the points are out of bounds");
  /* where most points are one, those count that are not there */
  status = sum_pairs(context, pool, KERNEL, h > 0 ? -.5 / (h * h) : -1e300, total);
  for (int r = 0; r < pool->deals && status >= 0; r++) {
    means_of(pool, r, total + 3 * r, mean);
    value[r] = mean[0] + mean[1] - 2 * mean[2];
  }
  return status;
}

double dun_discrepancy_root(double square)
{
  return sqrt(square > 1e-20 ? square : 1e-20);
}

/* ---- slices ---------------------------------------------------------------------------------- */

/* One direction's points in order. */
struct slice {
  double *direction;  /* [tiles of d][64] */
  uint64_t *key;      /* [2 n] */
  uint32_t *place;    /* [2 n] */
  double *value;      /* [n] */
  double *ordered[2]; /* [n] each: the sides of a deal, */
  double *weight[2];  /* [n] each: and their weights, of sum 1 */
};

static int slice_init(struct slice *s, int64_t n, int d)
{
  s->direction = dun_allocate(((int64_t)d + L - 1) / L * L, sizeof(double));
  s->key = dun_allocate(2 * n, sizeof *s->key);
  s->place = dun_allocate(2 * n, sizeof *s->place);
  s->value = dun_allocate(n, sizeof *s->value);
  int bad = !s->direction || !s->key || !s->place || !s->value;
  for (int k = 0; k < 2; k++) {
    s->ordered[k] = dun_allocate(n, sizeof(double));
    s->weight[k] = dun_allocate(n, sizeof(double));
    bad |= !s->ordered[k] || !s->weight[k];
  }
  return bad ? DUN_ERROR_MEMORY : 0;
}

static void slice_free(struct slice *s)
{
  dun_free(s->direction);
  dun_free(s->key);
  dun_free(s->place);
  dun_free(s->value);
  for (int k = 0; k < 2; k++) {
    dun_free(s->ordered[k]);
    dun_free(s->weight[k]);
  }
}

static void project(const struct dun_points *points, uint64_t seed, int number, struct slice *s)
{
  struct dun_address address = {seed, DUN_PURPOSE_DIRECTION, 0, (uint32_t)number, 0};
  double square = 0;
  dun_normals(address, (points->d + L - 1) / L, s->direction);
  for (int j = 0; j < points->d; j++)
    square += s->direction[j] * s->direction[j];
  for (int64_t i = 0; i < points->n; i++) {
    double sum = 0;
    for (int j = 0; j < points->d; j++)
      sum += points->x[i * points->d + j] * s->direction[j];
    s->value[i] = sum / sqrt(square);
    s->key[i] = dun_order_key(s->value[i]);
  }
  dun_order_sort(points->n, s->key, s->place);
}

static void split(const struct dun_pool *pool, int deal, struct slice *s, int64_t *count)
{
  struct weights total = weights_of(pool, deal);
  count[0] = count[1] = 0;
  for (int64_t i = 0; i < pool->points.n; i++) {
    uint32_t place = s->place[i];
    int k = !(pool->side[place] >> deal & 1);
    s->ordered[k][count[k]] = s->value[place];
    s->weight[k][count[k]++] = pool->points.weight[place] / total.sum[k];
  }
}

/* Moves the weight of one sorted set to the other from below: mean |distance| and its square. */
static void move_over(const struct slice *s, const int64_t *count, double *first, double *second)
{
  int64_t i = 0, j = 0;
  double left = s->weight[0][0], right = s->weight[1][0];
  *first = *second = 0;
  for (;;) {
    double away = fabs(s->ordered[0][i] - s->ordered[1][j]), part = left < right ? left : right;
    *first += part * away;
    *second += part * away * away;
    left -= part;
    right -= part;
    if (left <= right ? ++i == count[0] : ++j == count[1])
      break;
    if (left <= right)
      left = s->weight[0][i];
    else
      right = s->weight[1][j];
  }
}

int dun_sliced_distances(struct dun_context *context, const struct dun_pool *pool, int directions,
                         uint64_t seed, double *first, double *second)
{
  struct slice slice = {0};
  struct dun_exact *sum = dun_allocate(2 * R, sizeof *sum);
  double total[2 * R], one, two;
  int64_t count[2];
  int status = slice_init(&slice, pool->points.n, pool->points.d);
  if (!sum)
    status = DUN_ERROR_MEMORY;
  for (int k = context->rank; k < directions && status >= 0; k += context->size) {
    project(&pool->points, seed, k, &slice);
    for (int r = 0; r < pool->deals; r++) {
      split(pool, r, &slice, count);
      move_over(&slice, count, &one, &two);
      dun_exact_add(&sum[2 * r], one);
      dun_exact_add(&sum[2 * r + 1], two);
    }
  }
  status = dun_sum(context, status, 2 * pool->deals, sum, total);
  for (int r = 0; r < pool->deals && status >= 0; r++) {
    first[r] = total[2 * r] / directions;
    second[r] = total[2 * r + 1] / directions;
  }
  slice_free(&slice);
  dun_free(sum);
  return status;
}

/* ---- modes and chance ------------------------------------------------------------------------ */

double dun_mode_coverage(int count, const double *share)
{
  double entropy = 0;
  for (int k = 0; k < count; k++)
    entropy -= share[k] > 0 ? share[k] * dun_scalar_log(share[k]) : 0;
  return count > 1 ? entropy / dun_scalar_log(count) : 1;
}

/* Cube roots of values of a gamma law are all but normal. */
static double errors_of(double value, double mean, double variance)
{
  double ninth = variance / (9 * mean * mean); /* 1 / (9 × its shape) */
  double ratio = value > 0 ? value / mean : 0;
  return (dun_scalar_exp(dun_scalar_log(ratio) / 3) - (1 - ninth)) / sqrt(ninth);
}

struct dun_chance dun_chance_of(int deals, const double *value, double lift)
{
  struct dun_chance chance = {NAN, NAN, NAN};
  int others = deals - 1;
  double mean = 0, variance = 0, sorted[R] = {0};
  if (others < 2)
    return chance;
  for (int r = 0; r < others; r++) {
    int at = r;
    for (; at > 0 && sorted[at - 1] > value[r + 1]; at--)
      sorted[at] = sorted[at - 1];
    sorted[at] = value[r + 1];
    mean += value[r + 1] / others;
  }
  for (int r = 1; r < deals; r++)
    variance += (value[r] - mean) * (value[r] - mean) / (others - 1);
  chance.mean = mean;
  chance.bound = sorted[(int)ceil(.95 * others) - 1];
  if (variance > 0 && mean + lift > 0)
    chance.errors = errors_of(value[0] + lift, mean + lift, variance);
  else if (value[0] == mean) /* all points are one */
    chance.errors = 0;
  return chance;
}
