#include "methods/ladder.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/scalar.h"
#include "base/table.h"
#include "parallel/sum.h"
#include "population/tile.h"
#include <math.h>
#include <string.h>

enum { UP, DOWN, COUNT, SUMS }; /* of exp(dt V / 2) at k, of exp(-dt V / 2) at k + 1, how many */

/* ---- memory ---------------------------------------------------------------------------------- */

int dun_ladder_scratch(struct dun_ladder *l, int64_t rungs, int64_t ladders, int d)
{
  l->rungs = rungs;
  l->ladders = ladders;
  l->d = d;
  DUN_FREE(l->count);
  l->count = dun_allocate(2 * rungs * d, sizeof *l->count);
  return l->count ? 0 : DUN_ERROR_MEMORY;
}

int dun_ladder_init(struct dun_ladder *l, int64_t rungs, int64_t ladders, int d, double log_step)
{
  int64_t R = rungs;
  if (dun_ladder_scratch(l, rungs, ladders, d) < 0 || dun_numbers_make(&l->time, R, 0) < 0 ||
      dun_numbers_make(&l->log_step, R, log_step) < 0 ||
      dun_numbers_make(&l->rejected, 2 * R, 0) < 0 ||
      dun_numbers_make(&l->single, SUMS * R * ladders, 0) < 0 ||
      dun_numbers_make(&l->batch, SUMS * R * DUN_LADDER_BATCHES, 0) < 0 ||
      dun_numbers_make(&l->center, R, 0) < 0 || dun_numbers_make(&l->scale, R * d, 1) < 0 ||
      dun_numbers_make(&l->place, R * d, 0) < 0 || dun_numbers_make(&l->moments, 2 * R * d, 0) < 0)
    return DUN_ERROR_MEMORY;
  for (int64_t k = 0; k < R; k++) {
    double share = (double)k / (double)(R - 1);
    l->time.value[k] = share * share * share;
  }
  l->points = 0;
  return 0;
}

void dun_ladder_free(struct dun_ladder *l)
{
  struct dun_numbers *const owned[] = {&l->time,   &l->log_step, &l->rejected,
                                       &l->single, &l->batch,    &l->center,
                                       &l->scale,  &l->place,    &l->moments};
  for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
    DUN_FREE(owned[i]->value);
  DUN_FREE(l->count);
}

/* ---- swaps ----------------------------------------------------------------------------------- */

double dun_ladder_rejection(const struct dun_ladder *l, int64_t k)
{
  double attempts = l->rejected.value[2 * k + 1];
  return attempts > 0 ? l->rejected.value[2 * k] / attempts : 0;
}

double dun_ladder_barrier(const struct dun_ladder *l, int64_t k)
{
  double sum = 0;
  for (int64_t j = 0; j < k; j++)
    sum += dun_ladder_rejection(l, j);
  return sum;
}

void dun_ladder_forget(struct dun_ladder *l)
{
  memset(l->rejected.value, 0, (size_t)(2 * l->rungs) * sizeof(double));
}

int dun_ladder_respace(struct dun_ladder *l)
{
  int64_t R = l->rungs, k = 0;
  double least = 1e-3 / (double)R, below = 0;
  double total = dun_ladder_barrier(l, R - 1) + least * (double)(R - 1);
  double *next = dun_allocate(R, sizeof *next);

  if (!next)
    return DUN_ERROR_MEMORY;
  for (int64_t j = 1; j + 1 < R; j++) {
    double wanted = total * (double)j / (double)(R - 1);
    while (k + 2 < R && below + dun_ladder_rejection(l, k) + least < wanted)
      below += dun_ladder_rejection(l, k++) + least;
    double share = (wanted - below) / (dun_ladder_rejection(l, k) + least);
    share = share < 1 ? share : 1;
    next[j] = l->time.value[k] + share * (l->time.value[k + 1] - l->time.value[k]);
  }
  memcpy(l->time.value + 1, next + 1, (size_t)(R - 2) * sizeof *next);
  dun_free(next);
  return 0;
}

/* ---- log Z ----------------------------------------------------------------------------------- */

static void add(double *sum, double up, double down)
{
  sum[UP] += up;
  sum[DOWN] += down;
  sum[COUNT] += 1;
}

void dun_ladder_bridge(struct dun_ladder *l, int64_t number, int batch, int64_t k, double below,
                       double above)
{
  double half = .5 * (l->time.value[k + 1] - l->time.value[k]), *c = &l->center.value[k];
  if (batch < 0) {
    double middle = .5 * (below + above);
    if (isfinite(middle)) /* one outside the support has none */
      *c += .02 / (double)l->ladders * (middle - *c);
    return;
  }
  double up = dun_scalar_exp(half * (below - *c)), down = dun_scalar_exp(half * (*c - above));
  add(l->single.value + (number * l->rungs + k) * SUMS, up, down);
  add(l->batch.value + (batch * l->rungs + k) * SUMS, up, down);
}

/* Of the first k pairs of rungs, from `count` arrays of sums [R][3], one after the other. */
static double bridges(const struct dun_ladder *l, int64_t k, int64_t count, const double *sums)
{
  double log_z = 0;
  for (int64_t j = 0; j < k; j++) {
    double up = 0, down = 0;
    for (int64_t i = 0; i < count; i++) {
      up += sums[(i * l->rungs + j) * SUMS + UP];
      down += sums[(i * l->rungs + j) * SUMS + DOWN];
    }
    log_z += (l->time.value[j + 1] - l->time.value[j]) * l->center.value[j] + dun_scalar_log(up) -
             dun_scalar_log(down);
  }
  return log_z;
}

static double whole(const struct dun_ladder *l, int64_t count, const double *sums)
{
  return bridges(l, l->rungs - 1, count, sums);
}

double dun_ladder_log_z(const struct dun_ladder *l, int64_t k)
{
  return bridges(l, k, DUN_LADDER_BATCHES, l->batch.value);
}

/* Mean of `count` estimates and its standard error. */
static void spread(const struct dun_ladder *l, const double *sums, int64_t count, double *mean,
                   double *error)
{
  double square = 0, sum = 0;
  for (int64_t i = 0; i < count; i++)
    sum += whole(l, 1, sums + i * l->rungs * SUMS) / (double)count;
  for (int64_t i = 0; i < count; i++) {
    double deviation = whole(l, 1, sums + i * l->rungs * SUMS) - sum;
    square += deviation * deviation;
  }
  *mean = sum;
  *error = sqrt(square / ((double)count * (double)(count - 1)));
}

static double drift(const struct dun_ladder *l, int batches)
{
  double mean[2], error[2];
  int half = batches / 2;
  if (half < 4)
    return NAN;
  spread(l, l->batch.value, half, &mean[0], &error[0]);
  spread(l, l->batch.value + (batches - half) * l->rungs * SUMS, half, &mean[1], &error[1]);
  return (mean[1] - mean[0]) / sqrt(error[0] * error[0] + error[1] * error[1]);
}

void dun_ladder_evidence(const struct dun_ladder *l, int batches, struct dun_ladder_evidence *e)
{
  double mean, by_ladder = 0;
  e->log_evidence = whole(l, batches, l->batch.value);
  e->error = NAN;
  if (batches > 1)
    spread(l, l->batch.value, batches, &mean, &e->error);
  if (l->ladders >= 4)
    spread(l, l->single.value, l->ladders, &mean, &by_ladder);
  if (l->ladders >= 4 && !(by_ladder <= e->error))
    e->error = by_ladder;
  e->drift = drift(l, batches);
}

/* ---- the metric ------------------------------------------------------------------------------ */

static const double STEPS = 512, MOST = 1024, PRIOR_POINTS = 5;

/* Of n numbers, which it sorts. */
static double median(int n, double *value)
{
  for (int i = 1; i < n; i++)
    for (int j = i; j > 0 && value[j] < value[j - 1]; j--) {
      double left = value[j];
      value[j] = value[j - 1];
      value[j - 1] = left;
    }
  return n % 2 ? value[n / 2] : .5 * (value[n / 2 - 1] + value[n / 2]);
}

/* Medians of the first tile, and of the distances from them: a base with heavy tails has no
 * moments. */
static int first_tile(struct dun_ladder *l, const struct dun_population *population,
                      const struct dun_column *x)
{
  const double normal = 1.4826; /* standard deviations of a normal law in that distance */
  double *block = dun_allocate((int64_t)l->d * DUN_LANES, sizeof *block);
  int n = dun_tile_size(&population->tiles, 0);
  if (!block)
    return DUN_ERROR_MEMORY;
  dun_tile_load(population, x, 0, block);
  for (int64_t j = 0; j < l->d; j++) {
    double *column = block + j * DUN_LANES, middle = median(n, column);
    for (int lane = 0; lane < n; lane++)
      column[lane] = fabs(column[lane] - middle);
    double scale = normal * median(n, column);
    l->place.value[j] = isfinite(middle) ? middle : 0;
    l->scale.value[j] = scale > 0 && scale < INFINITY ? scale : 1;
  }
  dun_free(block);
  return 0;
}

int dun_ladder_metric_start(struct dun_context *context, struct dun_ladder *l,
                            const struct dun_population *population, const struct dun_column *x)
{
  double *place = l->place.value, *scale = l->scale.value;
  size_t bytes = (size_t)l->d * sizeof *place;
  int status = dun_agree(context, context->rank == 0 ? first_tile(l, population, x) : 0);
  if (status >= 0)
    status = dun_broadcast(context, place, (int64_t)bytes, 0);
  if (status >= 0)
    status = dun_broadcast(context, scale, (int64_t)bytes, 0);
  for (int64_t k = 1; k < l->rungs && status >= 0; k++) {
    memcpy(place + k * l->d, place, bytes);
    memcpy(scale + k * l->d, scale, bytes);
  }
  return status;
}

static int64_t whole_steps(double z)
{
  z = z < MOST ? z : MOST;
  z = z > -MOST ? z : -MOST; /* NaN too */
  return (int64_t)floor(z * STEPS + .5);
}

int dun_ladder_metric_look(struct dun_context *context, struct dun_ladder *l,
                           const struct dun_population *population, const struct dun_column *x,
                           const struct dun_column *rung)
{
  int64_t d = l->d, entries = 2 * l->rungs * d;
  memset(l->count, 0, (size_t)entries * sizeof *l->count);
  for (int64_t i = 0; i < population->tiles.local; i++) {
    int64_t first = dun_i64(rung)[2 * i] * d;
    const double *point = dun_f64(x) + i * d;
    for (int64_t j = 0; j < d; j++) {
      double z = (point[j] - l->place.value[first + j]) / l->scale.value[first + j];
      int64_t q = whole_steps(z);
      l->count[2 * (first + j)] += q;
      l->count[2 * (first + j) + 1] += q * q;
    }
  }
  int status = dun_sum_integers(context, 0, entries, l->count);
  for (int64_t e = 0; e < entries && status >= 0; e++)
    l->moments.value[e] += (double)l->count[e] / (e % 2 ? STEPS * STEPS : STEPS);
  l->points += (double)l->ladders;
  return status;
}

/* Few points lean on the present scale. */
static double learn(double *scale, double *place, double *moment, double n)
{
  double mean = moment[0] / n, variance = moment[1] / n - mean * mean, old = *scale;
  variance = variance > 0 ? variance : 0;
  *place += mean * old;
  *scale = old * sqrt((variance * n + PRIOR_POINTS) / (n + PRIOR_POINTS));
  moment[0] = moment[1] = 0;
  return dun_scalar_log(old) - dun_scalar_log(*scale);
}

void dun_ladder_metric_learn(struct dun_ladder *l, int adapt_step)
{
  for (int64_t k = 0; k < l->rungs && l->points > 0; k++) {
    double shrunk = 0;
    for (int64_t e = k * l->d; e < (k + 1) * l->d; e++)
      shrunk += learn(&l->scale.value[e], &l->place.value[e], l->moments.value + 2 * e, l->points);
    if (adapt_step)
      l->log_step.value[k] += shrunk / l->d;
  }
  l->points = 0;
}
