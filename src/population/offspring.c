#include "population/offspring.h"
#include "base/error.h"
#include "base/vmath.h"
#include "population/draws.h"
#include "population/limbs.h"

typedef __int128 integer; /* signed: sums stay below 2^125 */

/* What every scheme knows. */
struct wheel {
  const struct dun_population *population;
  double *logw; /* becomes the ends */
  const struct dun_weights *weights;
  struct dun_limbs limbs;
  integer children, total; /* N, S */
  double ratio;            /* N / S in units of the largest weight */
  double tolerance;        /* bounds the error of N C / S in doubles */
  struct dun_address address;

  _Alignas(64) int64_t high[DUN_LIMB_LANES], low[DUN_LIMB_LANES]; /* of the current tile */
};

/* ---- a tile's weights -------------------------------------------------------------------- */

static struct wheel wheel_of(const struct dun_population *population, struct dun_column *logw,
                             const struct dun_weights *weights, int64_t children,
                             struct dun_address address)
{
  struct wheel wheel = {.population = population,
                        .logw = dun_f64(logw),
                        .weights = weights,
                        .limbs = dun_limbs_of(population->tiles.total),
                        .children = children,
                        .total = (integer)weights->total,
                        .tolerance = (double)population->tiles.total * 0x1p-47,
                        .address = address};
  wheel.ratio = (double)children / ((double)weights->total * wheel.limbs.unit[1]);
  return wheel;
}

/* The tile's weights in limbs; returns how many particles it has. */
static int tile_limbs(struct wheel *wheel, int64_t tile)
{
  const struct dun_tiles *tiles = &wheel->population->tiles;
  const int n = dun_tile_size(tiles, tiles->first_tile + tile);
  _Alignas(64) double pad[DUN_LIMB_LANES];
  dun_weight_limbs(&wheel->limbs, wheel->weights->maximum,
                   dun_full_lanes(n, wheel->logw + tile * tiles->tile, -INFINITY, pad), wheel->high,
                   wheel->low);
  return n;
}

static void lanes_accumulate(int64_t *restrict high, int64_t *restrict low)
{
  for (int lane = 1; lane < DUN_LIMB_LANES; lane++) {
    high[lane] += high[lane - 1];
    low[lane] += low[lane - 1];
  }
}

/* The integer in a lane: a weight, or a sum of weights behind lanes_accumulate. */
static integer lane_integer(const struct wheel *wheel, int lane)
{
  return dun_limbs_join(&wheel->limbs, wheel->high[lane], wheel->low[lane]);
}

static void tile_store(const struct wheel *wheel, int64_t tile, int n, const double *end)
{
  memcpy(wheel->logw + tile * wheel->population->tiles.tile, end, (size_t)n * sizeof *end);
}

/* floor(u S) for the offset u = uniform - 2^-52, a multiple of 2^-52 in [0, 1). */
static integer offset_integer(const struct wheel *wheel, double uniform)
{
  const dun_u128 share = (dun_u128)(uniform * 0x1p52) - 1, total = (dun_u128)wheel->total;
  const dun_u128 mask = ((dun_u128)1 << 52) - 1;
  return (integer)(share * (total >> 52) + (share * (total & mask) >> 52));
}

static double offset_double(double uniform)
{
  return uniform - 0x1p-52;
}

/* ---- systematic -------------------------------------------------------------------------- */

/* ceil(q) for q = base + (sum of weights) * ratio; counts the lanes too near to an integer. */
DUN_CLONES
static int64_t lanes_systematic(const struct wheel *wheel, double base,
                                const int64_t *restrict high, const int64_t *restrict low,
                                double *restrict end)
{
  const double coarse = wheel->limbs.unit[0], fine = wheel->limbs.unit[1], ratio = wheel->ratio;
  const double tolerance = wheel->tolerance, shift = 0x1.8p52;
  int64_t near = 0;
  for (int lane = 0; lane < DUN_LIMB_LANES; lane++) {
    double sum = dun_limb_double(high[lane]) * coarse + dun_limb_double(low[lane]) * fine;
    double q = base + sum * ratio, nearest = (q + shift) - shift, left = q - nearest;
    double up = left > 0 ? 1 : 0;
    end[lane] = nearest + up;
    near += fabs(left) < tolerance;
  }
  return near;
}

static void tile_systematic(struct wheel *wheel, int64_t tile, double uniform)
{
  const integer before = (integer)wheel->weights->tile_before[tile];
  const double base = (double)before * wheel->limbs.unit[1] * wheel->ratio - offset_double(uniform);
  const int n = tile_limbs(wheel, tile);
  _Alignas(64) double end[DUN_LIMB_LANES];
  lanes_accumulate(wheel->high, wheel->low);
  if (lanes_systematic(wheel, base, wheel->high, wheel->low, end) > 0) {
    const integer offset = offset_integer(wheel, uniform);
    for (int lane = 0; lane < n; lane++) {
      const integer q = (before + lane_integer(wheel, lane)) * wheel->children - offset;
      double k = end[lane] - 1; /* ceil(q / S) is k, k + 1 or k + 2 */
      k += q > (integer)k * wheel->total;
      end[lane] = k + (q > (integer)k * wheel->total);
    }
  }
  tile_store(wheel, tile, n, end);
}

static int64_t begin_systematic(const struct wheel *wheel, double uniform)
{
  const integer q = (integer)wheel->weights->before * wheel->children;
  const integer left = q - offset_integer(wheel, uniform);
  return left <= 0 ? 0 : (int64_t)((left - 1) / wheel->total + 1);
}

static int64_t offspring_systematic(struct wheel *wheel)
{
  const double uniform = dun_uniform_one(wheel->address, 0);
  for (int64_t t = 0; t < wheel->population->tiles.count; t++)
    tile_systematic(wheel, t, uniform);
  return begin_systematic(wheel, uniform);
}

/* ---- stratified -------------------------------------------------------------------------- */

struct strata {
  int64_t tile; /* of the uniforms at hand; -1: none */
  _Alignas(64) double uniform[DUN_DRAW_LANES];
};

static double stratum_uniform(const struct wheel *wheel, struct strata *strata, int64_t slot)
{
  if (strata->tile != slot / DUN_DRAW_LANES) {
    struct dun_address address = wheel->address;
    strata->tile = slot / DUN_DRAW_LANES;
    address.tile = (uint32_t)strata->tile;
    dun_uniforms(address, 1, strata->uniform);
  }
  return strata->uniform[slot % DUN_DRAW_LANES];
}

/* The number of slots below C, in integers; `slot` is within one of floor(N C / S). */
static int64_t stratum_exact(const struct wheel *wheel, struct strata *strata, integer sum,
                             int64_t slot)
{
  const integer q = sum * wheel->children;
  slot += q >= (integer)(slot + 1) * wheel->total;
  slot -= q < (integer)slot * wheel->total;
  if (slot >= wheel->children)
    return (int64_t)wheel->children;
  return slot + (q - (integer)slot * wheel->total >
                 offset_integer(wheel, stratum_uniform(wheel, strata, slot)));
}

static int64_t stratum_end(const struct wheel *wheel, struct strata *strata, integer sum)
{
  const double q = dun_limbs_estimate((dun_u128)sum) * wheel->limbs.unit[1] * wheel->ratio;
  const int64_t slot = (int64_t)q;
  const double tolerance = wheel->tolerance, left = q - (double)slot;
  double distance;
  if (left <= tolerance || left >= 1 - tolerance)
    return stratum_exact(wheel, strata, sum, slot);
  distance = left - offset_double(stratum_uniform(wheel, strata, slot));
  if (fabs(distance) <= tolerance)
    return stratum_exact(wheel, strata, sum, slot);
  return slot + (distance > 0);
}

static int64_t offspring_stratified(struct wheel *wheel)
{
  struct strata strata = {.tile = -1};
  const int64_t begin = stratum_end(wheel, &strata, (integer)wheel->weights->before);
  for (int64_t t = 0; t < wheel->population->tiles.count; t++) {
    const integer before = (integer)wheel->weights->tile_before[t];
    const int n = tile_limbs(wheel, t);
    double end[DUN_LIMB_LANES] = {0};
    lanes_accumulate(wheel->high, wheel->low);
    for (int lane = 0; lane < n; lane++)
      end[lane] = (double)stratum_end(wheel, &strata, before + lane_integer(wheel, lane));
    tile_store(wheel, t, n, end);
  }
  return begin;
}

/* ---- multinomial and residual ------------------------------------------------------------ */

static int offspring_multinomial(struct dun_context *context, struct wheel *wheel, int64_t *begin)
{
  struct dun_draws draws;
  int status = dun_draws_init(context, (int64_t)wheel->children, wheel->weights->total,
                              wheel->address, &draws);
  if (status < 0)
    goto out;
  *begin = dun_draws_below(&draws, wheel->weights->before);
  for (int64_t t = 0; t < wheel->population->tiles.count; t++) {
    const dun_u128 before = wheel->weights->tile_before[t];
    const int n = tile_limbs(wheel, t);
    double end[DUN_LIMB_LANES] = {0};
    lanes_accumulate(wheel->high, wheel->low);
    for (int lane = 0; lane < n; lane++)
      end[lane] = (double)dun_draws_below(&draws, before + (dun_u128)lane_integer(wheel, lane));
    tile_store(wheel, t, n, end);
  }
out:
  dun_draws_free(&draws);
  return status;
}

/* The whole part of N W for the weight in a lane. */
static int64_t whole_part(const struct wheel *wheel, int lane)
{
  const integer weight = lane_integer(wheel, lane);
  const double q = dun_limbs_estimate((dun_u128)weight) * wheel->limbs.unit[1] * wheel->ratio;
  int64_t whole = (int64_t)q;
  const double left = q - (double)whole;
  if (left <= wheel->tolerance || left >= 1 - wheel->tolerance) {
    const integer share = weight * wheel->children;
    whole += share >= (integer)(whole + 1) * wheel->total;
    whole -= share < (integer)whole * wheel->total;
  }
  return whole;
}

static int64_t whole_parts(struct wheel *wheel)
{
  int64_t sum = 0;
  for (int64_t t = 0; t < wheel->population->tiles.count; t++) {
    const int n = tile_limbs(wheel, t);
    for (int lane = 0; lane < n; lane++)
      sum += whole_part(wheel, lane);
  }
  return sum;
}

static void tile_residual(struct wheel *wheel, struct dun_draws *draws, int64_t tile,
                          int64_t *whole)
{
  const int n = tile_limbs(wheel, tile);
  integer sum = (integer)wheel->weights->tile_before[tile];
  double end[DUN_LIMB_LANES] = {0};
  for (int lane = 0; lane < n; lane++) {
    integer rest;
    sum += lane_integer(wheel, lane);
    *whole += whole_part(wheel, lane);
    rest = sum * wheel->children - wheel->total * *whole;
    end[lane] = (double)(*whole + dun_draws_below(draws, (dun_u128)rest));
  }
  tile_store(wheel, tile, n, end);
}

static int offspring_residual(struct dun_context *context, struct wheel *wheel, int64_t *begin)
{
  struct dun_draws draws = {0};
  dun_u128 before, total;
  int64_t whole, left;
  integer rest;
  int status = dun_prefix(context, 0, (dun_u128)whole_parts(wheel), &before, &total);
  if (status < 0)
    return status;
  whole = (int64_t)before;
  left = (int64_t)(wheel->children - (integer)total);
  status = dun_draws_init(context, left, (dun_u128)(left > 0 ? left : 1) * wheel->weights->total,
                          wheel->address, &draws);
  if (status < 0)
    goto out;
  rest = (integer)wheel->weights->before * wheel->children - wheel->total * whole;
  *begin = whole + dun_draws_below(&draws, (dun_u128)rest);
  for (int64_t t = 0; t < wheel->population->tiles.count; t++)
    tile_residual(wheel, &draws, t, &whole);
out:
  dun_draws_free(&draws);
  return status;
}

/* ---- all of them ------------------------------------------------------------------------- */

int dun_offspring(struct dun_context *context, const struct dun_population *population,
                  struct dun_column *logw, const struct dun_weights *weights, int64_t children,
                  enum dun_resampling resampling, struct dun_address address, int64_t *begin)
{
  struct wheel wheel = wheel_of(population, logw, weights, children, address);
  switch (resampling) {
  case DUN_SYSTEMATIC: *begin = offspring_systematic(&wheel); return 0;
  case DUN_STRATIFIED: *begin = offspring_stratified(&wheel); return 0;
  case DUN_RESIDUAL: return offspring_residual(context, &wheel, begin);
  case DUN_MULTINOMIAL: return offspring_multinomial(context, &wheel, begin);
  }
  return dun_fail(DUN_ERROR_NUMERIC, "There is no resampling scheme number %d.", (int)resampling);
}
