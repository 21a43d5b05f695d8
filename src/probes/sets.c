#include "probes/sets.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/scalar.h"
#include "data/result_array.h"
#include "parallel/sum.h"
#include "paths/given_points.h"
#include "population/weights.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- what they are held against -------------------------------------------------------------- */

/* The numbers of a point x[d]. */
static void tell(const struct dun_probe_sets *s, const struct dun_run *run, const double *x,
                 double *out)
{
  if (s->coordinates == DUN_UNCONSTRAINED)
    memcpy(out, x, (size_t)s->outputs * sizeof *x);
  else
    dun_evaluator_constrain(run->evaluator, x, out);
}

/* Exact draws number `set` of the target: the same on every rank. */
static int draw_exactly(const struct dun_probe_sets *s, const struct dun_run *run, int set,
                        struct dun_points *points)
{
  int d = run->evaluator->dimension;
  int64_t U = dun_evaluator_uniforms(run->evaluator), G = dun_evaluator_normals(run->evaluator);
  double *block = dun_allocate((U + G + d) * DUN_LANES + d, sizeof *block);
  if (!block)
    return DUN_ERROR_MEMORY;
  double *normal = block + U * DUN_LANES, *x = normal + G * DUN_LANES, *one = x + d * DUN_LANES;
  for (int64_t k = 0; k < points->n; k++) {
    int lane = (int)(k % DUN_LANES);
    if (lane == 0) {
      struct dun_address address = {.seed = (uint64_t)run->options.seed,
                                    .purpose = DUN_PURPOSE_PROBE,
                                    .step = (uint32_t)set,
                                    .tile = (uint32_t)(k / DUN_LANES)};
      dun_normals(address, (int)G, normal);
      address.purpose = DUN_PURPOSE_PROBE_UNIFORM;
      dun_uniforms(address, (int)U, block);
      dun_evaluator_draw(run->evaluator, block, normal, x);
    }
    for (int j = 0; j < d; j++)
      one[j] = x[j * DUN_LANES + lane];
    tell(s, run, one, points->x + k * points->d);
  }
  dun_free(block);
  return 0;
}

static int draw_both(struct dun_probe_sets *s, const struct dun_run *run)
{
  int status = draw_exactly(s, run, 0, &s->given);
  if (status >= 0)
    status = dun_points_init(&s->again, s->points, s->outputs);
  return status < 0 ? status : draw_exactly(s, run, 1, &s->again);
}

/* Spread rows of every `step` from the first on. */
static void take_rows(const struct dun_probe_sets *s, const struct dun_run *run,
                      const struct dun_given_points *from, int64_t first, int64_t step,
                      struct dun_points *to)
{
  int64_t rows = from->rows / step;
  to->n = rows < s->points ? rows : s->points;
  for (int64_t k = 0; k < to->n; k++)
    tell(s, run,
         from->row + (first + step * dun_points_pick(rows, to->n, k)) * run->evaluator->dimension,
         to->x + k * s->outputs);
}

/* All go by way of what particles move in, so that what is no point of the target is refused by its
 * line.  Rows of a table count as independent, as in `compare`: every other one of a long table is
 * the second set, without which each look would measure points dealt out by chance, too. */
static int read_points(struct dun_context *context, struct dun_probe_sets *s,
                       const struct dun_run *run, int is_table)
{
  struct dun_given_points given = {.file = s->reference, .coordinates = s->coordinates};
  int status = dun_given_points_read(context, &given, run->evaluator);
  int64_t step = is_table && given.rows >= 2 * s->points ? 2 : 1;
  if (status >= 0 && step == 2)
    status = dun_agree(context, dun_points_init(&s->again, s->points, s->outputs));
  if (status >= 0)
    take_rows(s, run, &given, 0, step, &s->given);
  if (status >= 0 && step == 2)
    take_rows(s, run, &given, 1, step, &s->again);
  dun_free(given.row);
  return status;
}

static int read_result(struct dun_context *context, struct dun_probe_sets *s,
                       const struct dun_run *run)
{
  int count = dun_evaluator_parameters(run->evaluator, 0, NULL), status, at = 0;
  struct dun_parameter *parameter = dun_allocate(count, sizeof *parameter);
  int64_t draws = 0, first = 0;
  status = dun_agree(context, parameter ? 0 : DUN_ERROR_MEMORY);
  if (status >= 0)
    dun_evaluator_parameters(run->evaluator, count, parameter);
  for (int i = 0; i < count && status >= 0; i++) {
    char place[96];
    int width = 1;
    for (int axis = 0; axis < parameter[i].rank; axis++)
      width *= parameter[i].shape[axis];
    snprintf(place, sizeof place, "/posterior/%s", parameter[i].name);
    status = dun_result_points(context, s->reference, place, &parameter[i], s->points, s->outputs,
                               s->given.x + at, &draws);
    if (status >= 0 && i > 0 && draws != first)
      status =
          dun_fail(DUN_ERROR_INPUT, "'%s' of '%s' has %lld draws, and those before it have %lld",
                   place, s->reference, (long long)draws, (long long)first);
    first = draws;
    s->given.n = draws < s->given.n ? draws : s->given.n;
    at += width;
  }
  dun_free(parameter);
  return status;
}

static int read_reference(struct dun_context *context, struct dun_probe_sets *s,
                          const struct dun_run *run)
{
  int is_result = context->rank == 0 && dun_hdf_is(s->reference);
  int status = dun_broadcast(context, &is_result, sizeof is_result, 0);
  if (status < 0)
    return status;
  return is_result && s->coordinates == DUN_CONSTRAINED ? read_result(context, s, run)
                                                        : read_points(context, s, run, !is_result);
}

/* What is no number stays so. */
static void cut(const struct dun_points *points, double most)
{
  for (int64_t i = 0; i < points->n * points->d && most > 0; i++)
    if (fabs(points->x[i]) > most)
      points->x[i] = copysign(most, points->x[i]);
}

static int find_factor(struct dun_probe_sets *s)
{
  s->factor = dun_allocate(s->outputs, sizeof *s->factor);
  if (!s->factor)
    return DUN_ERROR_MEMORY;
  dun_points_units(&s->given, s->factor);
  dun_points_scale(&s->given, s->factor);
  dun_points_scale(&s->again, s->factor);
  return 0;
}

int dun_probe_sets_init(struct dun_context *context, struct dun_probe_sets *sets,
                        const struct dun_run *run, const char *probe, int scaled, int required)
{
  int available = sets->reference || run->target->draw;
  if (!available && required)
    return dun_fail(
        DUN_ERROR_INPUT,
        "probe %s: target %s cannot draw exactly; give a result or a table as reference", probe,
        run->target->type.name);
  if (sets->coordinates == DUN_UNCONSTRAINED && run->kept.due > 0)
    return dun_fail(DUN_ERROR_INPUT,
                    "probe %s: chains keep their output parameters: take coordinates: constrained",
                    probe);
  sets->outputs =
      sets->coordinates == DUN_UNCONSTRAINED ? run->evaluator->dimension : run->evaluator->outputs;
  int status = dun_points_init(&sets->own, sets->points, sets->outputs);
  int other = dun_points_init(&sets->given, available ? sets->points : 0, sets->outputs);
  status = dun_agree(context, status < 0 ? status : other);
  if (status >= 0 && sets->reference)
    status = read_reference(context, sets, run);
  else if (status >= 0 && available)
    status = draw_both(sets, run);
  if (status >= 0 && available && sets->given.n < 2)
    status = dun_fail(DUN_ERROR_INPUT, "%s: found %lld draw, expected at least 2", sets->reference,
                      (long long)sets->given.n);
  if (status >= 0) {
    cut(&sets->given, sets->cut);
    cut(&sets->again, sets->cut);
  }
  if (status >= 0 && scaled)
    status = find_factor(sets);
  return dun_agree(context, status);
}

void dun_probe_sets_free(struct dun_probe_sets *sets)
{
  dun_points_free(&sets->own);
  dun_points_free(&sets->given);
  dun_points_free(&sets->again);
  DUN_FREE(sets->factor);
}

/* ---- the run's points ------------------------------------------------------------------------ */

static void set_size(struct dun_probe_sets *s, int64_t available)
{
  s->own.n = available < s->points ? available : s->points;
}

/* This rank's particles among equally spaced ones of all, with their weights. */
static void take_particles(struct dun_probe_sets *s, const struct dun_run *run, double maximum)
{
  const struct dun_tiles *tiles = &run->population.tiles;
  int d = run->evaluator->dimension;
  set_size(s, tiles->total);
  for (int64_t k = 0; k < s->own.n; k++) {
    int64_t i = dun_points_pick(tiles->total, s->own.n, k) - tiles->first;
    if (i < 0 || i >= tiles->local)
      continue;
    tell(s, run, dun_f64(run->x) + i * d, s->own.x + k * s->outputs);
    s->own.weight[k] = dun_scalar_exp(dun_f64(run->logw)[i] - maximum);
  }
}

/* This rank's draws among equally spaced ones of all. */
static int take_draws(struct dun_context *context, struct dun_probe_sets *s,
                      const struct dun_run *run)
{
  const struct dun_tiles *tiles = &run->kept.chains;
  int64_t draws = run->kept.draws, first = tiles->first * draws, count = tiles->local * draws;
  double *value;
  int status = dun_probe_kept(context, run, &value);
  set_size(s, tiles->total * draws);
  for (int j = 0; j < s->outputs && status >= 0; j++) {
    status = run->kept.read(context, run->kept.source, j, value);
    for (int64_t k = 0; k < s->own.n && status >= 0; k++) {
      int64_t i = dun_points_pick(tiles->total * draws, s->own.n, k) - first;
      if (i >= 0 && i < count) {
        s->own.x[k * s->outputs + j] = value[i];
        s->own.weight[k] = 1;
      }
    }
  }
  dun_free(value);
  return status;
}

int dun_probe_sets_take(struct dun_context *context, struct dun_probe_sets *sets,
                        const struct dun_run *run)
{
  struct dun_weights weights = {0};
  int status, all_kept = run->kept.due > 0 && run->kept.draws == run->kept.due;
  memset(sets->own.x, 0, (size_t)(sets->points * sets->outputs) * sizeof(double));
  memset(sets->own.weight, 0, (size_t)sets->points * sizeof(double));
  if (all_kept)
    status = take_draws(context, sets, run);
  else if ((status = dun_weights_compute(context, &run->population, run->logw, &weights)) >= 0)
    take_particles(sets, run, weights.maximum);
  dun_weights_free(&weights);
  if (status >= 0)
    status = dun_share(context, 0, sets->own.n * sets->outputs, sets->own.x);
  if (status >= 0)
    status = dun_share(context, 0, sets->own.n, sets->own.weight);
  if (status >= 0 && sets->factor)
    dun_points_scale(&sets->own, sets->factor);
  return status;
}

int dun_probe_sets_are_sound(const struct dun_points *points)
{
  double total = 0;
  for (int64_t i = 0; i < points->n * points->d; i++)
    if (!isfinite(points->x[i]))
      return 0;
  for (int64_t i = 0; i < points->n; i++)
    total += points->weight[i];
  return total > 0 && isfinite(total);
}

/* ---- a look ---------------------------------------------------------------------------------- */

static void fill_nan(int deals, double *value)
{
  for (int m = 0; m < DUN_MOST_DISTANCES * deals; m++)
    value[m] = NAN;
}

/* A run does not end because points are too far apart to be measured. */
static int measure_sets(struct dun_context *context, const struct dun_points *x,
                        const struct dun_points *y, int deals, uint64_t seed,
                        dun_probe_measure *measure, double *value)
{
  struct dun_pool pool = {0};
  fill_nan(deals, value);
  if (!dun_probe_sets_are_sound(x) || !dun_probe_sets_are_sound(y))
    return 0;
  int status = dun_agree(context, dun_pool_init(&pool, x, y, deals, seed));
  if (status >= 0)
    status = measure(context, &pool, value);
  if (status == DUN_ERROR_NUMERIC) {
    fill_nan(deals, value);
    status = 0;
  }
  dun_pool_free(&pool);
  return status;
}

/* Of as many exact draws as the run has points; the same at every look of as many. */
static int find_chance(struct dun_context *context, struct dun_probe_sets *s,
                       const struct dun_run *run, dun_probe_measure *measure)
{
  struct dun_points as_many = s->again;
  if (s->size == s->own.n)
    return 0;
  as_many.n = s->own.n;
  s->size = s->own.n;
  return measure_sets(context, &as_many, &s->given, 1, (uint64_t)run->options.seed, measure,
                      s->chance);
}

int dun_probe_sets_look(struct dun_context *context, struct dun_probe_sets *sets,
                        const struct dun_run *run, dun_probe_measure *measure, int count, int deals,
                        struct dun_probe_distance *distance)
{
  double value[DUN_MOST_DISTANCES * DUN_DEALS];
  int exact = sets->again.n > 0, status = dun_probe_sets_take(context, sets, run);
  deals = exact ? 1 : deals;
  if (status >= 0)
    status = measure_sets(context, &sets->own, &sets->given, deals, (uint64_t)run->options.seed,
                          measure, value);
  if (status >= 0 && exact)
    status = find_chance(context, sets, run, measure);
  for (int m = 0; m < count && status >= 0; m++) {
    struct dun_chance chance = dun_chance_of(deals, value + m * deals, 0);
    distance[m] = (struct dun_probe_distance){
        .value = value[m * deals],
        .chance = exact ? sets->chance[m] : chance.mean,
        .bound = chance.bound,
    };
  }
  return status;
}
