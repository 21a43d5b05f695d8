#include "base/error.h"
#include "base/memory.h"
#include "base/vmath.h"
#include "population/runs.h"
#include "population/tile.h"
#include "population/weights.h"
#include <math.h>

/* ---- the variance of the estimate of Z --------------------------------------------------- */

int dun_genealogy_compute(struct dun_context *context, const struct dun_population *population,
                          const struct dun_column *root, const struct dun_column *logw,
                          const struct dun_weights *weights, struct dun_genealogy *genealogy)
{
  return dun_genealogy_from(context, population, root, logw, weights, population->tiles.total,
                            genealogy);
}

int dun_genealogy_from(struct dun_context *context, const struct dun_population *population,
                       const struct dun_column *root, const struct dun_column *logw,
                       const struct dun_weights *weights, int64_t ancestors,
                       struct dun_genealogy *genealogy)
{
  const struct dun_tiles *tiles = &population->tiles;
  const double share = 1 / (double)ancestors;
  struct dun_exact power[2] = {0}; /* squares and fourth powers */
  struct dun_runs runs;
  double unit, sum[2];
  int64_t count[2];
  int status = dun_runs_init(context, 0, tiles, dun_i64(root), 1, &runs);
  if (status < 0)
    goto out;
  unit = 1 / ((double)weights->total * runs.limbs.unit[1]);
  runs.unit = &unit;
  runs.centre = share;
  runs.square = &power[0];
  runs.fourth = &power[1];
  for (int64_t t = 0; t < tiles->count; t++) {
    _Alignas(64) double pad[DUN_LIMB_LANES];
    _Alignas(64) int64_t high[DUN_LIMB_LANES], low[DUN_LIMB_LANES];
    const int n = dun_tile_size(tiles, tiles->first_tile + t);
    dun_weight_limbs(&runs.limbs, weights->maximum,
                     dun_full_lanes(n, dun_f64(logw) + t * tiles->tile, -INFINITY, pad), high, low);
    dun_runs_tile(&runs, t);
    dun_runs_add(&runs, 0, high, low);
  }
  if ((status = dun_runs_close(context, &runs)) < 0)
    goto out;
  count[0] = runs.positive;
  count[1] = runs.ended;
  if ((status = dun_sum(context, 0, 2, power, sum)) < 0 ||
      (status = dun_sum_integers(context, 0, 2, count)) < 0)
    goto out;
  genealogy->roots = count[0];
  sum[0] += (double)(ancestors - count[1]) * share * share;
  sum[1] += (double)(ancestors - count[1]) * share * share * (share * share);
  genealogy->square_sum = sum[0] + share; /* the W_r add up to 1 */
  genealogy->relative_variance = ancestors > 1 ? sum[0] : NAN;
  genealogy->variance_roots = sum[1] > 0 ? sum[0] * sum[0] / sum[1] : NAN;
out:
  dun_runs_free(&runs);
  return status;
}

/* ---- weighted moments -------------------------------------------------------------------- */

struct moments {
  const struct dun_population *population;
  const struct dun_column *logw;
  const struct dun_weights *weights;
  int m;
  void (*function)(void *data, int64_t local_tile, double *f);
  void *data;
  double *f;    /* [m][64] */
  double *most; /* [m]: the largest |W f|; then the power of two that bounds |W (f - mean)| */
  struct dun_exact *sum; /* [2m]: of the means; then of the squares and of the errors */
  _Alignas(64) double weight[DUN_LIMB_LANES];
};

/* W f, 0 where W is 0 whatever f; raises *most to the largest |W f|. */
DUN_CLONES
static void lanes_weigh(const double *restrict weight, const double *restrict f,
                        double *restrict product, double *most)
{
  double largest[DUN_LIMB_LANES];
  for (int lane = 0; lane < DUN_LIMB_LANES; lane++) {
    double w = weight[lane], x = f[lane] * w;
    product[lane] = w > 0 ? x : 0;
    largest[lane] = fabs(product[lane]);
  }
  for (int half = DUN_LIMB_LANES / 2; half > 0; half /= 2)
    for (int lane = 0; lane < half; lane++) {
      double a = largest[lane], b = largest[lane + half];
      largest[lane] = a > b ? a : b;
    }
  *most = largest[0] > *most ? largest[0] : *most;
}

/* W (f - mean)^2, and W (f - mean) / 2^e in limbs. */
DUN_CLONES
static void lanes_deviate(const struct dun_limbs *limbs, double mean, double scale,
                          const double *restrict weight, const double *restrict f,
                          double *restrict square, int64_t *restrict high, int64_t *restrict low)
{
  const double coarse = limbs->shift[0], fine = limbs->shift[1];
  for (int lane = 0; lane < DUN_LIMB_LANES; lane++) {
    double w = weight[lane], distance = f[lane] - mean, product = w * distance;
    double squared = product * distance, share = product * scale, head;
    square[lane] = w > 0 ? squared : 0;
    share = w > 0 && fabs(share) <= 2 ? share : 0; /* not finite: told by the deviation */
    head = dun_limb_cut(share, coarse, &high[lane]);
    dun_limb_cut(share - head, fine, &low[lane]);
  }
}

static void means_add(struct moments *s)
{
  const struct dun_tiles *tiles = &s->population->tiles;
  _Alignas(64) double product[DUN_LIMB_LANES];
  for (int64_t t = 0; t < tiles->count; t++) {
    dun_weights_tile(s->population, s->logw, s->weights, t, s->weight);
    s->function(s->data, t, s->f);
    for (int j = 0; j < s->m; j++) {
      lanes_weigh(s->weight, s->f + (size_t)j * DUN_LIMB_LANES, product, &s->most[j]);
      dun_exact_add(&s->sum[j], dun_fold(product));
    }
  }
}

static void deviations_add(struct moments *s, const double *mean, struct dun_runs *runs)
{
  const struct dun_tiles *tiles = &s->population->tiles;
  const struct dun_limbs limbs = dun_limbs_of(tiles->total);
  _Alignas(64) double square[DUN_LIMB_LANES];
  _Alignas(64) int64_t high[DUN_LIMB_LANES], low[DUN_LIMB_LANES];
  for (int64_t t = 0; t < tiles->count; t++) {
    dun_weights_tile(s->population, s->logw, s->weights, t, s->weight);
    s->function(s->data, t, s->f);
    if (runs)
      dun_runs_tile(runs, t);
    for (int j = 0; j < s->m; j++) {
      lanes_deviate(&limbs, mean[j], 1 / s->most[j], s->weight, s->f + (size_t)j * DUN_LIMB_LANES,
                    square, high, low);
      dun_exact_add(&s->sum[j], dun_fold(square));
      if (runs)
        dun_runs_add(runs, j, high, low);
    }
  }
}

/* Powers of two above every |W (f - mean)|; 1 where there is no finite bound. */
static void bounds_set(struct moments *s, const double *mean)
{
  const double sum = (double)s->weights->total * dun_limbs_of(s->population->tiles.total).unit[1];
  for (int j = 0; j < s->m; j++) {
    int exponent = 0;
    double bound = s->most[j] + fabs(mean[j]) / sum;
    if (isfinite(bound) && bound > 0)
      frexp(bound, &exponent);
    exponent = exponent < -1000 ? -1000 : exponent > 1000 ? 1000 : exponent;
    s->most[j] = ldexp(1, exponent);
  }
}

static int moments_init(struct moments *s)
{
  s->f = dun_allocate((int64_t)s->m * DUN_LIMB_LANES, sizeof *s->f);
  s->most = dun_allocate(s->m, sizeof *s->most);
  s->sum = dun_allocate(2 * (int64_t)s->m, sizeof *s->sum);
  return s->f && s->most && s->sum ? 0 : DUN_ERROR_MEMORY;
}

static void moments_free(struct moments *s)
{
  DUN_FREE(s->f);
  DUN_FREE(s->most);
  DUN_FREE(s->sum);
}

/* The second pass: deviations from centre[m] into deviation[m], and what they add up to in each
 * ancestor, less `share`, into error[m] unless it is NULL. */
static int moments_second(struct dun_context *context, struct moments *s,
                          const struct dun_column *root, const double *centre, double share,
                          double *deviation, double *error)
{
  struct dun_runs runs = {0};
  double *total = dun_allocate(2 * (int64_t)s->m, sizeof *total);
  int status = total ? 0 : DUN_ERROR_MEMORY;
  memset(s->sum, 0, 2 * (size_t)s->m * sizeof *s->sum);
  if (error) {
    status = dun_runs_init(context, status, &s->population->tiles, dun_i64(root), s->m, &runs);
    if (status < 0)
      goto out;
    runs.unit = s->most;
    runs.centre = share;
    runs.square = s->sum + s->m;
  }
  if (status >= 0)
    deviations_add(s, centre, error ? &runs : NULL);
  if (error && (status = dun_runs_close(context, &runs)) < 0)
    goto out;
  if ((status = dun_sum(context, status, error ? 2 * s->m : s->m, s->sum, total)) < 0)
    goto out;
  if (error && share != 0) {
    int64_t ended = runs.ended; /* the others have no descendants */
    if ((status = dun_sum_integers(context, 0, 1, &ended)) < 0)
      goto out;
    for (int j = 0; j < s->m; j++)
      total[s->m + j] += (double)(s->population->tiles.total - ended) * share * share;
  }
  for (int j = 0; j < s->m; j++) {
    deviation[j] = sqrt(total[j]);
    if (error)
      error[j] = isfinite(deviation[j]) ? sqrt(total[s->m + j]) : NAN;
  }
out:
  dun_free(total);
  dun_runs_free(&runs);
  return status;
}

/* The means, and bounds about them plus `beyond`; then the second pass about that. */
static int moments_find(struct dun_context *context, struct moments *s,
                        const struct dun_column *root, double beyond, double share, double *mean,
                        double *deviation, double *error)
{
  int status = moments_init(s);
  if (status >= 0)
    means_add(s);
  if ((status = dun_sum(context, status, s->m, s->sum, mean)) < 0 ||
      (status = dun_max(context, 0, s->m, s->most)) < 0)
    return status;
  for (int j = 0; j < s->m; j++)
    mean[j] += beyond;
  bounds_set(s, mean);
  status = moments_second(context, s, root, mean, share, deviation, error);
  for (int j = 0; j < s->m; j++)
    mean[j] -= beyond;
  return status;
}

int dun_weighted_moments(struct dun_context *context, const struct dun_population *population,
                         const struct dun_column *root, const struct dun_column *logw,
                         const struct dun_weights *weights, int m,
                         void (*function)(void *data, int64_t local_tile, double *f), void *data,
                         double *mean, double *deviation, double *error)
{
  struct moments s = {.population = population,
                      .logw = logw,
                      .weights = weights,
                      .m = m,
                      .function = function,
                      .data = data};
  int status = moments_find(context, &s, root, 0, 0, mean, deviation, error);
  moments_free(&s);
  return status;
}

struct source {
  const struct dun_population *population;
  const struct dun_column *column;
};

static void load(void *data, int64_t tile, double *f)
{
  const struct source *s = data;
  dun_tile_load(s->population, s->column, tile, f);
}

int dun_column_moments(struct dun_context *context, const struct dun_population *population,
                       const struct dun_column *column, const struct dun_column *logw,
                       const struct dun_weights *weights, double *mean, double *deviation)
{
  struct source source = {population, column};
  return dun_weighted_moments(context, population, NULL, logw, weights, column->width, load,
                              &source, mean, deviation, NULL);
}

int dun_log_weight_moments(struct dun_context *context, const struct dun_population *population,
                           const struct dun_column *root, const struct dun_column *logw,
                           const struct dun_weights *weights, const struct dun_column *column,
                           double *mean, double *deviation, double *error)
{
  struct source source = {population, column};
  struct moments s = {.population = population,
                      .logw = logw,
                      .weights = weights,
                      .m = 1,
                      .function = load,
                      .data = &source};
  int status = moments_find(context, &s, root, 1, -1 / (double)population->tiles.total, mean,
                            deviation, error);
  moments_free(&s);
  if (status >= 0)
    *deviation = sqrt(fmax(*deviation * *deviation - 1, 0));
  return status;
}
