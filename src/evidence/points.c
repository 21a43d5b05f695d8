#include "evidence/points.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/vmath.h"
#include "parallel/sum.h"
#include "population/weights.h"
#include <math.h>
#include <string.h>

int64_t dun_points_most(int d)
{
  int64_t room = (INT64_C(1) << 18) / d, most = room < 2048 ? room : 2048;
  return most / DUN_LANES * DUN_LANES;
}

/* ---- weighted particles ---------------------------------------------------------------------- */

struct picker {
  const struct dun_run *run;
  struct dun_weights weights;
  int64_t n;
  dun_u128 unit; /* weight between two points */
  int64_t *bits; /* [n][d], and behind it how many particles were taken */
};

/* How many points lie below so much weight: they stand at half units. */
static int64_t below(const struct picker *p, dun_u128 weight)
{
  int64_t count = (int64_t)((weight + p->unit / 2) / p->unit);
  return count < p->n ? count : p->n;
}

static void take(struct picker *p, int64_t local, int64_t from, int64_t to)
{
  int d = p->run->evaluator->dimension;
  for (int64_t i = from; i < to; i++)
    for (int j = 0; j < d; j++)
      p->bits[i * d + j] = (int64_t)dun_bits(dun_f64(p->run->x)[local * d + j]);
  p->bits[p->n * d] += to > from;
}

/* The borders of tiles are exact; within a tile doubles do, the last weight taking what is left. */
static void take_tile(struct picker *p, int64_t tile)
{
  const struct dun_population *population = &p->run->population;
  int64_t first = below(p, p->weights.tile_before[tile]);
  int64_t last = below(p, p->weights.tile_before[tile + 1]), at = first;
  double weight[DUN_LANES], sum = 0, all = 0;
  int n = dun_tile_size(&population->tiles, population->tiles.first_tile + tile), end = 0;
  if (first == last)
    return;
  dun_weights_tile(population, p->run->logw, &p->weights, tile, weight);
  for (int l = 0; l < n; l++) {
    all += weight[l];
    end = weight[l] > 0 ? l : end;
  }
  for (int l = 0; l <= end; l++) {
    sum += weight[l];
    int64_t next = first + (int64_t)floor((double)(last - first) * (sum / all) + .5);
    next = l == end || next > last ? last : next;
    take(p, tile * population->tiles.tile + l, at, next);
    at = next;
  }
}

/* Every place is filled by one rank: integer sums bring the bits to all unchanged. */
int dun_points_weighted(struct dun_context *context, const struct dun_run *run, int64_t n,
                        double *point, int64_t *distinct)
{
  int64_t count = n * run->evaluator->dimension;
  struct picker p = {.run = run, .n = n};
  p.bits = dun_allocate(count + 1, sizeof *p.bits);
  int status = dun_agree(context, p.bits ? 0 : DUN_ERROR_MEMORY);
  if (status >= 0)
    status = dun_weights_compute(context, &run->population, run->logw, &p.weights);
  if (status >= 0) {
    p.unit = p.weights.total / (dun_u128)n;
    for (int64_t i = 0; i < run->population.tiles.count; i++)
      take_tile(&p, i);
    status = dun_sum_integers(context, 0, count + 1, p.bits);
  }
  for (int64_t i = 0; i < count && status >= 0; i++)
    point[i] = dun_from_bits((uint64_t)p.bits[i]);
  *distinct = status >= 0 ? p.bits[count] : 0;
  dun_weights_free(&p.weights);
  dun_free(p.bits);
  return status;
}

/* ---- chains ---------------------------------------------------------------------------------- */

/* The particle of a chain that is its draw, if it is here; -1: not. */
static int64_t draw_of(const struct dun_run *run, int64_t chain)
{
  const struct dun_tiles *tiles = &run->population.tiles;
  for (int64_t i = 0; i < run->kept.members; i++) {
    int64_t local = chain * run->kept.members + i - tiles->first;
    if (local >= 0 && local < tiles->local && dun_f64(run->logw)[local] > -INFINITY)
      return local;
  }
  return -1;
}

/* d log pi_t / dt of a particle by the path's coefficients; c[2][K] is scratch. */
static double slope_of(const struct dun_run *run, int64_t local, double *c)
{
  int K = run->path->parts;
  double sum = 0;
  if (!run->path->affine || run->path->piece_end)
    return 0;
  run->path->coefficients(run->path_self, 0, c);
  run->path->coefficients(run->path_self, 1, c + K);
  for (int k = 0; k < K; k++)
    if (c[K + k] != c[k])
      sum += (c[K + k] - c[k]) * dun_f64(run->sweep.part_lp)[local * K + k];
  return sum;
}

static void take_chain(const struct dun_run *run, int64_t local, double *c, int64_t *bits)
{
  int d = run->evaluator->dimension;
  for (int j = 0; j < d; j++)
    bits[j] = (int64_t)dun_bits(dun_f64(run->x)[local * d + j]);
  bits[d] = (int64_t)dun_bits(slope_of(run, local, c));
}

int dun_points_chains(struct dun_context *context, const struct dun_run *run, int64_t count,
                      double *point, double *slope)
{
  int64_t d = run->evaluator->dimension, stride = d + 1;
  int64_t chains = run->population.tiles.total / run->kept.members;
  int64_t *bits = dun_allocate(count * stride, sizeof *bits);
  double *c = dun_allocate(2 * run->path->parts, sizeof *c);
  int status = dun_agree(context, bits && c ? 0 : DUN_ERROR_MEMORY);
  for (int64_t i = 0; i < count && status >= 0; i++) {
    int64_t local = draw_of(run, (int64_t)((__int128)i * chains / count));
    if (local >= 0)
      take_chain(run, local, c, bits + i * stride);
  }
  if (status >= 0)
    status = dun_sum_integers(context, 0, count * stride, bits);
  for (int64_t i = 0; i < count && status >= 0; i++) {
    for (int64_t j = 0; j < d; j++)
      point[i * d + j] = dun_from_bits((uint64_t)bits[i * stride + j]);
    slope[i] = dun_from_bits((uint64_t)bits[i * stride + d]);
  }
  dun_free(bits);
  dun_free(c);
  return status;
}

int dun_points_gap(struct dun_context *context, const struct dun_run *run, double *gap)
{
  const struct dun_column *time = run->sweep.time;
  double most = 0;
  for (int64_t i = 0; time && i < run->population.tiles.local; i++)
    if (dun_f64(time)[i] < 1 && dun_f64(time)[i] > most)
      most = dun_f64(time)[i];
  int status = dun_max(context, 0, 1, &most);
  *gap = time ? 1 - most : 0;
  return status;
}
