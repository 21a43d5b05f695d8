#include "methods/ladder.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/scalar.h"
#include "base/table.h"
#include "kernels/adaptation.h"
#include "methods/barrier.h"
#include "numerics/pareto.h"
#include "parallel/sum.h"
#include "population/tile.h"
#include <math.h>
#include <string.h>

enum { VALUES = 1024, ROUND_VALUES = 256, LOOKS = 16 };

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
      dun_numbers_make(&l->drawn, VALUES * R, 0) < 0 || dun_numbers_make(&l->accepted, R, 0) < 0 ||
      dun_numbers_make(&l->scale, R * d, 1) < 0 || dun_numbers_make(&l->place, R * d, 0) < 0 ||
      dun_numbers_make(&l->moments, 2 * R * d, 0) < 0)
    return DUN_ERROR_MEMORY;
  dun_ladder_forget_factor(l);
  for (int64_t k = 0; k < R; k++) {
    double share = (double)k / (double)(R - 1);
    l->time.value[k] = share * share * share;
  }
  l->points = l->lost = l->values = l->looks = l->turns = 0;
  return 0;
}

int64_t dun_ladder_triangle(const struct dun_ladder *l)
{
  return (int64_t)l->d * (l->d + 1) / 2;
}

/* Numbers that count something. */
static int counts(double value)
{
  return value >= 0 && value < 0x1p53;
}

int dun_ladder_is_sound(const struct dun_ladder *l)
{
  int64_t R = l->rungs;
  int sound = l->time.count == R && l->log_step.count == R && l->rejected.count == 2 * R &&
              l->drawn.count == VALUES * R && l->accepted.count == R &&
              l->scale.count == R * l->d && l->place.count == R * l->d &&
              (l->factor.count == 0 || l->factor.count == R * dun_ladder_triangle(l)) &&
              l->moments.count == 2 * R * l->d && counts(l->values) && counts(l->looks) &&
              counts(l->turns) && counts(l->points) && counts(l->lost);
  for (int64_t k = 0; k < R && sound; k++)
    sound = l->time.value[k] >= 0 && l->time.value[k] <= 1 && l->rejected.value[2 * k] >= 0 &&
            l->rejected.value[2 * k + 1] >= l->rejected.value[2 * k];
  for (int64_t k = 0; k + 1 < R && sound; k++)
    sound = l->time.value[k] < l->time.value[k + 1];
  return sound;
}

void dun_ladder_forget_factor(struct dun_ladder *l)
{
  DUN_FREE(l->factor.value);
  l->factor.count = 0;
}

void dun_ladder_free(struct dun_ladder *l)
{
  struct dun_numbers *const owned[] = {&l->time,     &l->log_step, &l->rejected, &l->drawn,
                                       &l->accepted, &l->scale,    &l->place,    &l->moments};
  for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
    DUN_FREE(owned[i]->value);
  dun_ladder_forget_factor(l);
  DUN_FREE(l->count);
}

/* ---- swaps ----------------------------------------------------------------------------------- */

void dun_ladder_refuse(struct dun_ladder *l, int64_t k, double rejection)
{
  l->rejected.value[2 * k] += rejection;
  l->rejected.value[2 * k + 1]++;
}

double dun_ladder_rejection(const struct dun_ladder *l, int64_t k)
{
  double attempts = l->rejected.value[2 * k + 1];
  return attempts > 0 ? l->rejected.value[2 * k] / attempts : 0;
}

double dun_ladder_lost(const struct dun_ladder *l)
{
  double attempts = l->rejected.value[1];
  return attempts > 0 ? l->lost / attempts : 0;
}

double dun_ladder_inside(const struct dun_ladder *l, int64_t k)
{
  double rejection = dun_ladder_rejection(l, k), kept = k == 0 ? 1 - dun_ladder_lost(l) : 1;
  double inside = kept > 0 ? 1 - (1 - rejection) / kept : 1;
  return inside > 0 ? inside : 0;
}

double dun_ladder_barrier(const struct dun_ladder *l, int64_t k)
{
  double sum = 0;
  for (int64_t j = 0; j < k; j++)
    sum += dun_ladder_rejection(l, j);
  return sum;
}

void dun_ladder_keep(struct dun_ladder *l, const double *value, int all)
{
  int64_t slot = (int64_t)l->values % (all ? VALUES : ROUND_VALUES);
  for (int64_t k = 0; k < l->rungs; k++)
    l->drawn.value[k * VALUES + slot] = value[k];
  l->values++;
}

int dun_ladder_tail(struct dun_ladder *l, double *shape, int64_t *rung)
{
  int64_t n = (int64_t)(l->values < VALUES ? l->values : VALUES);
  double *weight = dun_allocate(VALUES, sizeof *weight), k;
  int status = weight ? 0 : DUN_ERROR_MEMORY;
  *shape = -INFINITY;
  for (int64_t r = 0; r + 1 < l->rungs && status >= 0; r++) {
    double dt = l->time.value[r + 1] - l->time.value[r];
    for (int64_t i = 0; i < n; i++)
      weight[i] = dt * l->drawn.value[r * VALUES + i];
    status = dun_pareto_shape(n, weight, &k);
    if (status >= 0 && k > *shape) {
      *shape = k;
      *rung = r;
    }
  }
  dun_free(weight);
  return status;
}

void dun_ladder_forget(struct dun_ladder *l)
{
  memset(l->rejected.value, 0, (size_t)(2 * l->rungs) * sizeof(double));
  l->lost = l->values = l->turns = 0;
}

/* value[R][d] at places between the rows that are there: of the logarithms, or as they are. */
static int move_rows(const struct dun_ladder *l, struct dun_numbers *value, int64_t rungs,
                     const double *origin, int64_t d, int logarithms)
{
  const double *old = value->value;
  double *new = dun_allocate(rungs * d, sizeof *new);
  if (!new)
    return DUN_ERROR_MEMORY;
  for (int64_t k = 0; k < rungs; k++) {
    int64_t low = (int64_t)origin[k] < l->rungs - 2 ? (int64_t)origin[k] : l->rungs - 2;
    double share = origin[k] - (double)low;
    for (int64_t j = 0; j < d; j++) {
      double a = old[low * d + j], b = old[(low + 1) * d + j];
      new[k * d + j] = k == 0           ? a
                       : k == rungs - 1 ? b
                       : logarithms     ? a *dun_scalar_exp(share * dun_scalar_log(b / a))
                                        : a + share *(b - a);
    }
  }
  dun_free(value->value);
  value->value = new;
  value->count = rungs * d;
  return 0;
}

/* What is counted of rungs begins anew where there are others. */
static int resize(struct dun_ladder *l, int64_t rungs)
{
  int64_t N = l->rungs * l->ladders;
  if (rungs == l->rungs)
    return 0;
  l->points = l->lost = l->values = l->looks = l->turns = 0;
  if (dun_numbers_make(&l->rejected, 2 * rungs, 0) < 0 ||
      dun_numbers_make(&l->drawn, VALUES * rungs, 0) < 0 ||
      dun_numbers_make(&l->accepted, rungs, 0) < 0 ||
      dun_numbers_make(&l->moments, 2 * rungs * l->d, 0) < 0)
    return DUN_ERROR_MEMORY;
  return dun_ladder_scratch(l, rungs, N / rungs, l->d);
}

static int take_rungs(struct dun_ladder *l, int64_t rungs, const double *time, const double *origin)
{
  int64_t entries = l->factor.count / l->rungs;
  if (move_rows(l, &l->log_step, rungs, origin, 1, 0) < 0 ||
      move_rows(l, &l->place, rungs, origin, l->d, 0) < 0 ||
      move_rows(l, &l->scale, rungs, origin, l->d, 1) < 0 ||
      (entries > 0 && move_rows(l, &l->factor, rungs, origin, entries, 0) < 0) ||
      dun_numbers_make(&l->time, rungs, 0) < 0)
    return DUN_ERROR_MEMORY;
  memcpy(l->time.value, time, (size_t)rungs * sizeof *time);
  return resize(l, rungs);
}

int dun_ladder_respace(struct dun_ladder *l, int64_t rungs)
{
  double *rejection = dun_allocate(l->rungs, sizeof *rejection);
  double *time = dun_allocate(2 * rungs, sizeof *time), *origin = time + rungs;
  int status = rejection && time ? 0 : DUN_ERROR_MEMORY;

  if (status == 0) {
    struct dun_barrier barrier = {
        .rungs = l->rungs,
        .time = l->time.value,
        .rejection = rejection,
        .lost = dun_ladder_lost(l),
        .drawn = (int64_t)(l->values < ROUND_VALUES ? l->values : ROUND_VALUES),
        .stride = VALUES,
        .value = l->drawn.value};
    for (int64_t k = 0; k + 1 < l->rungs; k++)
      rejection[k] = dun_ladder_inside(l, k);
    status = dun_barrier_place(&barrier, rungs, time, origin);
  }
  if (status == 0)
    status = take_rungs(l, rungs, time, origin);
  dun_free(rejection);
  dun_free(time);
  return status < 0 ? status : 0;
}

double dun_ladder_wanted(const struct dun_ladder *l, double *worst)
{
  const double known = .95;
  double barrier = 0;
  *worst = 0;
  for (int64_t k = 0; k + 1 < l->rungs; k++) {
    double rejection = dun_ladder_inside(l, k);
    *worst = rejection > *worst ? rejection : *worst;
    barrier += dun_barrier_distance(rejection < known ? rejection : known);
  }
  return 1 + ceil(2 * barrier);
}

/* ---- step sizes ------------------------------------------------------------------------------ */

void dun_ladder_accept(struct dun_ladder *l, int64_t k, double acceptance)
{
  l->accepted.value[k] += acceptance;
}

void dun_ladder_adapt(struct dun_ladder *l, double target)
{
  l->looks += (double)l->ladders;
  if (l->looks < LOOKS)
    return;
  double gain = 1 / sqrt(1 + l->turns / 8);
  for (int64_t k = 0; k < l->rungs; k++) {
    l->log_step.value[k] += gain * dun_adaptation_change(l->accepted.value[k] / l->looks, target);
    l->accepted.value[k] = 0;
  }
  l->looks = 0;
  l->turns++;
}

/* ---- the metric ------------------------------------------------------------------------------ */

static const double STEPS = 512, MOST = 4, PRIOR_POINTS = 5;

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

/* Few points lean on the present scale, unless it is far too long: prior draws of a heavy tail may
 * have made it so by many orders of magnitude. */
static double learn(double *scale, double *place, double *moment, double n)
{
  double mean = moment[0] / n, variance = moment[1] / n - mean * mean, old = *scale;
  double least = 1 / (STEPS * STEPS), points = variance < 64 * least ? 0 : PRIOR_POINTS;
  variance = variance > least ? variance : least;
  *place += mean * old;
  *scale = old * sqrt((variance * n + points) / (n + points));
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
