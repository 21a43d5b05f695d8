#include "population/weights.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/scalar.h"
#include "base/vmath.h"
#include "population/limbs.h"
#include <math.h>

/* The largest of n log weights; *odd counts those that are NaN or +inf. */
DUN_CLONES
static double maximum_of(int64_t n, const double *restrict logw, int64_t *odd)
{
  double most[DUN_LIMB_LANES];
  int64_t bad[DUN_LIMB_LANES] = {0}, i = 0;
  for (int lane = 0; lane < DUN_LIMB_LANES; lane++)
    most[lane] = -INFINITY;
  for (; i + DUN_LIMB_LANES <= n; i += DUN_LIMB_LANES)
    for (int lane = 0; lane < DUN_LIMB_LANES; lane++) {
      double x = logw[i + lane], m = most[lane];
      most[lane] = x > m ? x : m;
      bad[lane] += !(x < INFINITY);
    }
  for (int lane = 0; i < n; i++, lane++) {
    most[lane] = logw[i] > most[lane] ? logw[i] : most[lane];
    bad[lane] += !(logw[i] < INFINITY);
  }
  *odd = 0;
  for (int lane = 0; lane < DUN_LIMB_LANES; lane++) {
    *odd += bad[lane];
    most[0] = most[lane] > most[0] ? most[lane] : most[0];
  }
  return most[0];
}

/* Sums of the two limbs, and the squares lane by lane. */
DUN_CLONES
static void tile_totals(const struct dun_limbs *limbs, double maximum, const double *restrict logw,
                        int64_t *restrict sum, double *restrict square)
{
  const double coarse = limbs->shift[0], fine = limbs->shift[1];
  int64_t high = 0, low = 0;
  for (int lane = 0; lane < DUN_LIMB_LANES; lane++) {
    int64_t h, l;
    double w = dun_exp_weight(logw[lane] - maximum);
    double head = dun_limb_cut(w, coarse, &h);
    dun_limb_cut(w - head, fine, &l);
    square[lane] = w * w;
    high += h;
    low += l;
  }
  sum[0] = high;
  sum[1] = low;
}

DUN_CLONES
void dun_weight_limbs(const struct dun_limbs *limbs, double maximum, const double *restrict logw,
                      int64_t *restrict high, int64_t *restrict low)
{
  const double coarse = limbs->shift[0], fine = limbs->shift[1];
  for (int lane = 0; lane < DUN_LIMB_LANES; lane++) {
    double w = dun_exp_weight(logw[lane] - maximum);
    double head = dun_limb_cut(w, coarse, &high[lane]);
    dun_limb_cut(w - head, fine, &low[lane]);
  }
}

DUN_CLONES
static void tile_weights(const struct dun_limbs *limbs, double maximum, double factor,
                         const double *restrict logw, double *restrict weight)
{
  const double coarse = limbs->shift[0], fine = limbs->shift[1];
  for (int lane = 0; lane < DUN_LIMB_LANES; lane++) {
    int64_t unused;
    double w = dun_exp_weight(logw[lane] - maximum);
    double head = dun_limb_cut(w, coarse, &unused);
    weight[lane] = (head + dun_limb_cut(w - head, fine, &unused)) * factor;
  }
}

static int reserve(struct dun_weights *weights, int64_t tiles)
{
  if (weights->tile_before && weights->capacity >= tiles)
    return 0;
  dun_weights_free(weights);
  weights->tile_before = dun_allocate(tiles + 1, sizeof *weights->tile_before);
  if (!weights->tile_before)
    return DUN_ERROR_MEMORY;
  weights->capacity = tiles;
  return 0;
}

/* This rank's maximum, or the complaint about a weight that is none. */
static int local_maximum(const struct dun_tiles *tiles, const double *logw, double *maximum)
{
  int64_t odd, i = 0;
  *maximum = maximum_of(tiles->local, logw, &odd);
  if (!odd)
    return 0;
  while (i < tiles->local && logw[i] < INFINITY)
    i++;
  *maximum = -INFINITY;
  return dun_fail(DUN_ERROR_NUMERIC, "the log weight of particle %lld is %s",
                  (long long)(tiles->first + i), isnan(logw[i]) ? "NaN" : "+inf");
}

/* tile_before without the lower ranks' share; returns the rank's own total. */
static dun_u128 local_totals(const struct dun_tiles *tiles, const double *logw,
                             struct dun_weights *weights, struct dun_exact *squares)
{
  const struct dun_limbs limbs = dun_limbs_of(tiles->total);
  dun_u128 own = 0;
  for (int64_t t = 0; t < tiles->count; t++) {
    _Alignas(64) double pad[DUN_LIMB_LANES], square[DUN_LIMB_LANES];
    int64_t sum[2];
    const int n = dun_tile_size(tiles, tiles->first_tile + t);
    tile_totals(&limbs, weights->maximum, dun_full_lanes(n, logw + t * tiles->tile, -INFINITY, pad),
                sum, square);
    weights->tile_before[t] = own;
    own += (dun_u128)dun_limbs_join(&limbs, sum[0], sum[1]);
    dun_exact_add(squares, dun_fold(square));
  }
  weights->tile_before[tiles->count] = own;
  return own;
}

int dun_weights_compute(struct dun_context *context, const struct dun_population *population,
                        const struct dun_column *logw, struct dun_weights *weights)
{
  const struct dun_tiles *tiles = &population->tiles;
  const double *data = dun_f64(logw);
  struct dun_exact squares = {0};
  double square_sum, sum;
  int status = reserve(weights, tiles->count);
  if (status >= 0)
    status = local_maximum(tiles, data, &weights->maximum);
  else
    weights->maximum = -INFINITY;
  status = dun_max(context, status, 1, &weights->maximum);
  if (status < 0)
    return status;
  if (weights->maximum == -INFINITY)
    return dun_fail(DUN_ERROR_NUMERIC, "none of the %lld particles has any weight left",
                    (long long)tiles->total);
  weights->own = local_totals(tiles, data, weights, &squares);
  if ((status = dun_prefix(context, 0, weights->own, &weights->before, &weights->total)) < 0)
    return status;
  if ((status = dun_sum(context, 0, 1, &squares, &square_sum)) < 0)
    return status;
  for (int64_t t = 0; t <= tiles->count; t++)
    weights->tile_before[t] += weights->before;
  sum = (double)weights->total * dun_limbs_of(tiles->total).unit[1];
  weights->ess = sum * sum / square_sum;
  weights->log_mean = weights->maximum + dun_scalar_log(sum / (double)tiles->total);
  return 0;
}

void dun_weights_free(struct dun_weights *weights)
{
  DUN_FREE(weights->tile_before);
  weights->capacity = 0;
}

void dun_weights_tile(const struct dun_population *population, const struct dun_column *logw,
                      const struct dun_weights *weights, int64_t local_tile, double *weight)
{
  const struct dun_tiles *tiles = &population->tiles;
  const struct dun_limbs limbs = dun_limbs_of(tiles->total);
  const int n = dun_tile_size(tiles, tiles->first_tile + local_tile);
  const double sum = (double)weights->total * limbs.unit[1];
  _Alignas(64) double pad[DUN_LIMB_LANES];
  tile_weights(&limbs, weights->maximum, 1 / sum,
               dun_full_lanes(n, dun_f64(logw) + local_tile * tiles->tile, -INFINITY, pad), weight);
}
