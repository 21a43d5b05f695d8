/* Energy distance of the output parameters from a reference (Szekely & Rizzo 2013, J. Stat. Plan.
 * Inference 143, 1249): 2 E|X - Y| - E|X - X'| - E|Y - Y'|, in units of the reference's standard
 * deviations, 0 only for equal laws.
 *
 * X are equally spaced particles with their weights, or, at the end of chains, equally spaced draws
 * of theirs; Y are as many exact draws of the target, or draws of an earlier result.  Unbiased:
 * pairs of a point with itself, also of one taken twice where there are fewer, are left out, so
 * that it may be negative.  With exact draws there is
 * `chance` beside it, the same of a second set of them: what is not larger than that is nothing. */
#include "base/error.h"
#include "base/memory.h"
#include "base/scalar.h"
#include "data/result_array.h"
#include "parallel/sum.h"
#include "population/weights.h"
#include "probes/probe.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

struct energy_distance {
  struct dun_probe_head head;
  long long points; /* option */
  char *reference;  /* option */

  /* made by init */
  int outputs;
  double *inverse;       /* [outputs]: 1 / deviation of the reference */
  double *own;           /* [points][outputs + 1]: X and weights */
  int64_t taken_from;    /* so many particles or draws; X repeats some if there are fewer */
  int64_t given_from;    /* the same of the reference */
  double *given, *again; /* the same of the reference and of a second one; NULL: none */

  /* made by the first look */
  int compared;
  double of_reference; /* mean distance of the reference from itself */
  double chance;       /* distance of the second one */
};

static const struct dun_table_column columns[] = {
    {"energy_distance", "", "From the reference, in units of its standard deviations."},
    {"chance", "", "What a second set of exact draws has; NaN: the reference is a file."},
    {"points", "", "Points on each side."},
};
enum { COLUMNS = sizeof columns / sizeof *columns };

/* ---- the reference --------------------------------------------------------------------------- */

/* Exact draws number `set` of the target: the same on every rank. */
static int draw_exactly(const struct energy_distance *s, const struct dun_run *run, int set,
                        double *points)
{
  const struct dun_target *target = run->target;
  int d = run->evaluator->dimension, stride = s->outputs + 1;
  int64_t U = target->draw_uniforms < 0 ? d : target->draw_uniforms;
  int64_t G = target->draw_normals < 0 ? d : target->draw_normals;
  double *block = dun_allocate((U + G + d) * DUN_LANES + d, sizeof *block);
  if (!block)
    return DUN_ERROR_MEMORY;
  double *normal = block + U * DUN_LANES, *x = normal + G * DUN_LANES, *one = x + d * DUN_LANES;
  for (long long k = 0; k < s->points; k++) {
    int lane = (int)(k % DUN_LANES);
    if (lane == 0) {
      struct dun_address address = {.seed = (uint64_t)run->options.seed,
                                    .purpose = DUN_PURPOSE_PROBE,
                                    .step = (uint32_t)set,
                                    .tile = (uint32_t)(k / DUN_LANES)};
      dun_normals(address, (int)G, normal);
      address.purpose = DUN_PURPOSE_PROBE_UNIFORM;
      dun_uniforms(address, (int)U, block);
      target->draw(run->evaluator->self, block, normal, x);
    }
    for (int j = 0; j < d; j++)
      one[j] = x[j * DUN_LANES + lane];
    dun_evaluator_constrain(run->evaluator, one, points + k * stride);
  }
  dun_free(block);
  return 0;
}

static int read_reference(struct dun_context *context, struct energy_distance *s,
                          const struct dun_run *run)
{
  int count = dun_evaluator_parameters(run->evaluator, 0, NULL), status, at = 0;
  struct dun_parameter *parameter = dun_allocate(count, sizeof *parameter);
  status = dun_agree(context, parameter ? 0 : DUN_ERROR_MEMORY);
  if (status >= 0)
    dun_evaluator_parameters(run->evaluator, count, parameter);
  for (int i = 0; i < count && status >= 0; i++) {
    char place[96];
    int width = 1;
    for (int axis = 0; axis < parameter[i].rank; axis++)
      width *= parameter[i].shape[axis];
    snprintf(place, sizeof place, "/posterior/%s", parameter[i].name);
    status = dun_result_points(context, s->reference, place, width, s->points, s->outputs + 1,
                               s->given + at, &s->given_from);
    at += width;
  }
  dun_free(parameter);
  return status;
}

static void set_weights(const struct energy_distance *s, double *points)
{
  for (long long k = 0; k < s->points; k++)
    points[k * (s->outputs + 1) + s->outputs] = 1;
}

static void find_scale(struct energy_distance *s)
{
  int stride = s->outputs + 1;
  double n = (double)s->points;
  for (int j = 0; j < s->outputs; j++) {
    double mean = 0, square = 0;
    for (long long k = 0; k < s->points; k++)
      mean += s->given[k * stride + j] / n;
    for (long long k = 0; k < s->points; k++)
      square += (s->given[k * stride + j] - mean) * (s->given[k * stride + j] - mean);
    s->inverse[j] = square > 0 ? 1 / sqrt(square / n) : 1;
  }
}

static int allocate(struct energy_distance *s, const struct dun_run *run)
{
  s->outputs = run->evaluator->outputs;
  int64_t size = s->points * (s->outputs + 1);
  s->inverse = dun_allocate(s->outputs, sizeof(double));
  s->own = dun_allocate(size, sizeof(double));
  s->given = dun_allocate(size, sizeof(double));
  s->again = s->reference ? NULL : dun_allocate(size, sizeof(double));
  return s->inverse && s->own && s->given && (s->again || s->reference) ? 0 : DUN_ERROR_MEMORY;
}

static int init(struct dun_context *context, void *self, const struct dun_run *run)
{
  struct energy_distance *s = self;
  if (!s->reference && !run->target->draw)
    return dun_fail(DUN_ERROR_INPUT,
                    "probe energy_distance: target %s cannot draw exactly; give a result as "
                    "reference",
                    run->target->type.name);
  int status = dun_agree(context, allocate(s, run));
  if (status < 0)
    return status;
  if (s->reference)
    status = read_reference(context, s, run);
  else if ((status = draw_exactly(s, run, 0, s->given)) >= 0) {
    s->given_from = s->points;
    status = draw_exactly(s, run, 1, s->again);
  }
  if ((status = dun_agree(context, status)) < 0)
    return status;
  set_weights(s, s->given);
  if (s->again)
    set_weights(s, s->again);
  find_scale(s);
  return dun_probe_columns(&s->head, columns, COLUMNS);
}

static void release(void *self)
{
  struct energy_distance *s = self;
  DUN_FREE(s->inverse);
  DUN_FREE(s->own);
  DUN_FREE(s->given);
  DUN_FREE(s->again);
  dun_table_free(&s->head.table);
}

/* ---- the points ------------------------------------------------------------------------------ */

/* Numbers that one rank has and the others hold as 0: all get them, bit by bit. */
static int share(struct dun_context *context, int status, int64_t n, double *value)
{
  int64_t *bits = dun_allocate(n, sizeof *bits);
  if (!bits)
    status = DUN_ERROR_MEMORY;
  else
    memcpy(bits, value, (size_t)n * sizeof *bits);
  status = dun_sum_integers(context, status, n, bits);
  if (status >= 0)
    memcpy(value, bits, (size_t)n * sizeof *bits);
  dun_free(bits);
  return status;
}

/* Which of so many points number k is. */
static int64_t source_of(const struct energy_distance *s, int64_t from, long long k)
{
  return (int64_t)((__int128)k * from / s->points);
}

/* This rank's particles among equally spaced ones of all, with their weights. */
static int take_particles(struct energy_distance *s, const struct dun_run *run, double maximum)
{
  const struct dun_tiles *tiles = &run->population.tiles;
  s->taken_from = tiles->total;
  int d = run->evaluator->dimension, stride = s->outputs + 1;
  for (long long k = 0; k < s->points; k++) {
    int64_t i = source_of(s, s->taken_from, k) - tiles->first;
    if (i < 0 || i >= tiles->local)
      continue;
    double *point = s->own + k * stride;
    dun_evaluator_constrain(run->evaluator, dun_f64(run->x) + i * d, point);
    point[s->outputs] = dun_scalar_exp(dun_f64(run->logw)[i] - maximum);
  }
  return 0;
}

/* This rank's draws among equally spaced ones of all. */
static int take_draws(struct dun_context *context, struct energy_distance *s,
                      const struct dun_run *run)
{
  const struct dun_tiles *tiles = &run->kept.chains;
  int64_t draws = run->kept.draws, first = tiles->first * draws, count = tiles->local * draws;
  double *value;
  int status = dun_probe_kept(context, run, &value);
  s->taken_from = tiles->total * draws;
  for (int j = 0; j < s->outputs && status >= 0; j++) {
    status = run->kept.read(context, run->kept.source, j, value);
    for (long long k = 0; k < s->points && status >= 0; k++) {
      int64_t i = source_of(s, s->taken_from, k) - first;
      if (i >= 0 && i < count) {
        s->own[k * (s->outputs + 1) + j] = value[i];
        s->own[k * (s->outputs + 1) + s->outputs] = 1;
      }
    }
  }
  dun_free(value);
  return status;
}

/* ---- distances ------------------------------------------------------------------------------- */

/* Weighted mean distance of two sets; of a set from itself, taken from so many points, without
 * the pairs of one of them, each other pair once. */
static int mean_distance(struct dun_context *context, const struct energy_distance *s,
                         const double *one, const double *other, int64_t from, double *mean)
{
  int m = s->outputs;
  struct dun_exact sum[2] = {0};
  double total[2];
  for (long long a = context->rank; a < s->points; a += context->size)
    for (long long b = one == other ? a + 1 : 0; b < s->points; b++) {
      const double *x = one + a * (m + 1), *y = other + b * (m + 1);
      double square = 0, weight = x[m] * y[m];
      if (one == other && from < s->points && source_of(s, from, a) == source_of(s, from, b))
        continue;
      for (int j = 0; j < m; j++) {
        double away = (x[j] - y[j]) * s->inverse[j];
        square += away * away;
      }
      dun_exact_add(&sum[0], weight * sqrt(square));
      dun_exact_add(&sum[1], weight);
    }
  int status = dun_sum(context, 0, 2, sum, total);
  *mean = total[1] > 0 ? total[0] / total[1] : NAN; /* of a single point nothing is known */
  return status;
}

static int distance(struct dun_context *context, const struct energy_distance *s, const double *x,
                    int64_t from, double *value)
{
  double across = 0, inside = 0;
  int status = mean_distance(context, s, x, s->given, 0, &across);
  if (status >= 0)
    status = mean_distance(context, s, x, x, from, &inside);
  *value = 2 * across - inside - s->of_reference;
  return status;
}

/* What is the same at every look. */
static int compare(struct dun_context *context, struct energy_distance *s)
{
  int status = mean_distance(context, s, s->given, s->given, s->given_from, &s->of_reference);
  s->chance = NAN;
  if (status >= 0 && s->again)
    status = distance(context, s, s->again, s->points, &s->chance);
  s->compared = status >= 0;
  return status;
}

static int look(struct dun_context *context, void *self, const struct dun_run *run)
{
  struct energy_distance *s = self;
  struct dun_weights weights = {0};
  double value;
  int64_t size = s->points * (s->outputs + 1);
  int status, all_kept = run->kept.due > 0 && run->kept.draws == run->kept.due;
  memset(s->own, 0, (size_t)size * sizeof *s->own);
  if (all_kept)
    status = take_draws(context, s, run);
  else if ((status = dun_weights_compute(context, &run->population, run->logw, &weights)) >= 0)
    status = take_particles(s, run, weights.maximum);
  dun_weights_free(&weights);
  if (status >= 0)
    status = share(context, 0, size, s->own);
  if (status >= 0 && !s->compared)
    status = compare(context, s);
  if (status >= 0)
    status = distance(context, s, s->own, s->taken_from, &value);
  if (status < 0)
    return status;
  return dun_agree(context, dun_probe_row(&s->head, run, COLUMNS,
                                          (double[]){value, s->chance, (double)s->points}));
}

static const struct dun_option options[] = {
    DUN_PROBE_OPTIONS(struct energy_distance),
    {.name = "points",
     .type = DUN_INTEGER,
     .offset = offsetof(struct energy_distance, points),
     .initial = "1000",
     .minimum = 2,
     .maximum = 1e5,
     .doc = "Points on each side; the work grows with their square."},
    {.name = "reference",
     .type = DUN_FILE,
     .offset = offsetof(struct energy_distance, reference),
     .initial = "",
     .doc = "An earlier result; left out: exact draws of the target."},
    {0},
};
static const struct dun_state state[] = {DUN_PROBE_STATE(struct energy_distance), {0}};

const struct dun_probe dun_probe_energy_distance = {
    .type = {DUN_TYPE(struct dun_probe), .name = "energy_distance",
             .doc = "Energy distance of the output parameters from exact draws or another result.",
             .citation = "Szekely & Rizzo 2013, J. Stat. Plan. Inference 143, 1249",
             .size = sizeof(struct energy_distance), .options = options, .state = state,
             .free = release},
    .init = init,
    .look = look,
};
