#include "app/compare.h"
#include "app/compare_tell.h"
#include "base/error.h"
#include "base/memory.h"
#include "io/file.h"
#include "numerics/mixing.h"
#include "numerics/transport.h"
#include <math.h>
#include <string.h>

/* Sets smaller than that say nothing by their distances. */
enum { FEWEST_POINTS = 10 };

/* ---- coordinate by coordinate: rank 0 -------------------------------------------------------- */

static int open_sides(struct dun_comparison *c, const struct dun_arguments *arguments)
{
  int status = dun_draws_open(&c->side[0], arguments->operand[0]);
  if (status >= 0)
    status = dun_draws_open(&c->side[1], arguments->operand[1]);
  if (status >= 0) /* tables take the names and the order of a result */
    status = c->side[1].file.name && !c->side[0].file.name
                 ? dun_draws_match(&c->side[0], &c->side[1])
                 : dun_draws_match(&c->side[1], &c->side[0]);
  return status;
}

/* The distances are of draws that may count as independent: as many of each set as the coordinate
 * known least is worth. */
static void settle_sizes(struct dun_comparison *c, int64_t most)
{
  for (int k = 0; k < 2; k++) {
    double worth = dun_draws_kish(&c->side[k]);
    for (int64_t j = 0; j < c->side[k].coordinates; j++) {
      const struct dun_contrasts *contrasts = &c->coordinate[j];
      if (contrasts->deviation.value[k] > 0) /* a NaN counts as nothing known */
        worth = contrasts->worth[k] >= worth ? worth : contrasts->worth[k];
    }
    c->worth[k] = worth;
    c->size[k] = worth >= 1 ? (int64_t)(worth + .5) : 0;
    if (c->size[k] > most)
      c->size[k] = most;
  }
}

static int read_modes(struct dun_comparison *c, const char *name)
{
  struct dun_csv_format format = {0};
  struct dun_data data = {.path = dun_copy_text(name)};
  int64_t size = 0;
  int status = data.path ? dun_file_load(name, INT64_C(1) << 30, &data.bytes, &size) : -1;
  data.size = size;
  if (status >= 0)
    status = dun_csv_parse(&c->modes, &data, &format);
  if (status >= 0)
    status = dun_csv_check(&c->modes, &data, -1);
  if (status >= 0 && c->modes.columns != c->side[0].coordinates)
    status = dun_fail(DUN_ERROR_INPUT,
                      "%s: found %d columns, expected one for each of the %lld "
                      "coordinates",
                      name, c->modes.columns, (long long)c->side[0].coordinates);
  if (status >= 0 && c->modes.rows > 1 << 20)
    status = dun_fail(DUN_ERROR_INPUT, "%s: found %lld modes, expected at most 2^20", name,
                      c->modes.rows);
  dun_free(data.path);
  dun_free(data.bytes);
  return status;
}

static int contrast_modes(struct dun_context *alone, struct dun_comparison *c, const char *name)
{
  int status = read_modes(c, name);
  if (status < 0)
    return status;
  c->share = dun_allocate(c->modes.rows, sizeof *c->share);
  return c->share ? dun_contrast_modes(alone, c->side, c->worth, (int)c->modes.rows, c->modes.value,
                                       c->share, &c->coverage)
                  : DUN_ERROR_MEMORY;
}

static int contrast(struct dun_comparison *c, const struct dun_arguments *arguments)
{
  struct dun_context alone;
  int64_t d = c->side[0].coordinates;
  int status = dun_context_init(&alone, MPI_COMM_SELF, DUN_WARNINGS);
  if (status < 0)
    return status;
  c->coordinate = dun_allocate(d, sizeof *c->coordinate);
  if (!c->coordinate)
    status = DUN_ERROR_MEMORY;
  for (int64_t j = 0; j < d && status >= 0; j++)
    status = dun_contrast_coordinate(&alone, c->side, j, &c->coordinate[j]);
  if (status >= 0)
    settle_sizes(c, arguments->points);
  if (status >= 0 && arguments->modes)
    status = contrast_modes(&alone, c, arguments->modes);
  dun_context_free(&alone);
  return status;
}

/* ---- distances: all ranks -------------------------------------------------------------------- */

/* Constants that count as the same (struct dun_contrast) are so to the distances, too: these would
 * take the last digit for a unit. */
static void level_constants(const struct dun_comparison *c, struct dun_points set[2])
{
  for (int64_t j = 0; j < c->side[0].coordinates; j++) {
    const struct dun_contrasts *all = &c->coordinate[j];
    if (all->deviation.value[0] > 0 || all->deviation.value[1] > 0 || all->mean.errors != 0)
      continue;
    for (int k = 0; k < 2; k++)
      for (int64_t i = 0; i < set[k].n; i++)
        set[k].x[i * set[k].d + j] = all->mean.value[0];
  }
}

static int share_points(struct dun_context *context, struct dun_comparison *c,
                        struct dun_points set[2])
{
  int64_t shape[3] = {c->size[0], c->size[1], context->rank ? 0 : c->side[0].coordinates};
  int status = dun_broadcast(context, shape, sizeof shape, 0);
  for (int k = 0; k < 2 && status >= 0; k++) {
    if (context->rank == 0)
      status = dun_contrast_points(&c->side[k], shape[k], &set[k]);
    else
      status = dun_points_init(&set[k], shape[k], (int)shape[2]);
    status = dun_agree(context, status);
  }
  if (status >= 0 && context->rank == 0)
    level_constants(c, set);
  for (int k = 0; k < 2 && status >= 0; k++)
    status = dun_broadcast(context, set[k].x, shape[k] * shape[2] * (int64_t)sizeof(double), 0);
  return status;
}

static void add_metric(struct dun_comparison *c, const char *name, const char *what, int deals,
                       const double *value, double lift, double (*shown)(double))
{
  struct dun_chance chance = dun_chance_of(deals, value, lift);
  c->metric[c->metrics++] = (struct dun_distance_line){
      .name = name,
      .what = what,
      .value = shown ? shown(value[0]) : value[0],
      .chance = shown ? shown(chance.mean) : chance.mean,
      .bound = shown ? shown(chance.bound) : chance.bound,
      .errors = chance.errors,
  };
}

static int add_sinkhorn(struct dun_context *context, struct dun_comparison *c,
                        const struct dun_pool *pool)
{
  double value[DUN_SINKHORN_DEALS];
  struct dun_pool fewer = *pool;
  fewer.deals = DUN_SINKHORN_DEALS;
  int status = dun_sinkhorn_deals(context, &fewer, value);
  if (status >= 0)
    add_metric(c, "sinkhorn", "Sinkhorn divergence, of squared distances", DUN_SINKHORN_DEALS,
               value, 0, NULL);
  return status;
}

static int measure(struct dun_context *context, struct dun_comparison *c, unsigned wanted,
                   const struct dun_pool *pool, uint64_t seed)
{
  double first[DUN_DEALS], second[DUN_DEALS], bandwidth;
  int status = 0;
  if (wanted >> DUN_METRIC_MMD & 1) {
    status = dun_mean_discrepancy(context, pool, first, &bandwidth);
    if (status >= 0)
      add_metric(c, "mmd", "maximum mean discrepancy", DUN_DEALS, first, 0, dun_discrepancy_root);
  }
  if (status >= 0 && wanted >> DUN_METRIC_SLICED & 1) {
    status = dun_sliced_distances(context, pool, DUN_COMPARE_DIRECTIONS, seed, first, second);
    if (status >= 0) {
      add_metric(c, "sliced_w1", "sliced Wasserstein distance", DUN_DEALS, first, 0, NULL);
      add_metric(c, "sliced_w2", "the same, of squares", DUN_DEALS, second, 0, sqrt);
    }
  }
  if (status >= 0 && wanted >> DUN_METRIC_SINKHORN & 1)
    status = add_sinkhorn(context, c, pool);
  return status;
}

/* In units of the second set's standard deviations. */
static int measure_energy(struct dun_context *context, struct dun_comparison *c,
                          const struct dun_points set[2], uint64_t seed)
{
  struct dun_pool pool = {0};
  double value[DUN_DEALS], lift;
  int status = dun_agree(context, dun_pool_init(&pool, &set[0], &set[1], DUN_DEALS, seed));
  if (status >= 0)
    status = dun_energy_distance(context, &pool, value, &lift);
  if (status >= 0)
    add_metric(c, "energy_distance", "energy distance, in standard deviations of B", DUN_DEALS,
               value, lift, NULL);
  dun_pool_free(&pool);
  return status;
}

/* The energy distance is always of scaled sets, the others if it was asked for. */
static int measure_all(struct dun_context *context, struct dun_comparison *c,
                       const struct dun_arguments *arguments, struct dun_points set[2])
{
  struct dun_pool pool = {0};
  uint64_t seed = (uint64_t)arguments->seed;
  double *factor = dun_allocate(set[0].d, sizeof *factor);
  int status = dun_agree(context, factor ? 0 : DUN_ERROR_MEMORY);
  for (int scaled = 0; scaled < 2 && status >= 0; scaled++) {
    if (scaled) {
      dun_points_units(&set[1], factor);
      dun_points_scale(&set[0], factor);
      dun_points_scale(&set[1], factor);
    }
    if (scaled == arguments->standardise)
      status = dun_agree(context, dun_pool_init(&pool, &set[0], &set[1], DUN_DEALS, seed));
  }
  if (status >= 0 && arguments->metrics >> DUN_METRIC_ENERGY & 1)
    status = measure_energy(context, c, set, seed);
  if (status >= 0)
    status = measure(context, c, arguments->metrics, &pool, seed);
  dun_pool_free(&pool);
  dun_free(factor);
  return status;
}

static int distances(struct dun_context *context, struct dun_comparison *c,
                     const struct dun_arguments *arguments)
{
  struct dun_points set[2] = {{0}, {0}};
  int64_t enough = context->rank == 0 && c->size[0] >= FEWEST_POINTS && c->size[1] >= FEWEST_POINTS;
  int status = dun_broadcast(context, &enough, sizeof enough, 0);
  if (status < 0 || !enough || !arguments->metrics)
    return status;
  status = share_points(context, c, set);
  if (status >= 0)
    status = measure_all(context, c, arguments, set);
  dun_points_free(&set[0]);
  dun_points_free(&set[1]);
  return status;
}

/* ---- the command ----------------------------------------------------------------------------- */

static void comparison_free(struct dun_comparison *c)
{
  dun_draws_close(&c->side[0]);
  dun_draws_close(&c->side[1]);
  dun_csv_free(&c->modes);
  DUN_FREE(c->coordinate);
  DUN_FREE(c->share);
}

int dun_compare(struct dun_context *context, const struct dun_arguments *arguments,
                struct dun_text *out)
{
  struct dun_comparison c = {.side = {{.file = {.handle = -1}}, {.file = {.handle = -1}}}};
  int status = 0;
  if (context->rank == 0) {
    status = open_sides(&c, arguments);
    if (status >= 0)
      status = contrast(&c, arguments);
  }
  status = dun_agree(context, status);
  if (status >= 0)
    status = distances(context, &c, arguments);
  int fails = 0;
  if (status >= 0 && context->rank == 0)
    status = fails = dun_comparison_tell(out, &c, arguments);
  if (status >= 0 && out->failed)
    status = dun_fail(DUN_ERROR_MEMORY, "no memory for the answer");
  comparison_free(&c);
  if ((status = dun_agree(context, status)) >= 0)
    status = dun_broadcast(context, &fails, sizeof fails, 0);
  return status < 0 ? status : fails;
}
