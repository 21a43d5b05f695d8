/* The convolutional path (Chehab & Korba 2024, arXiv 2406.14040, section 2): pi_lambda is the law
 * of sqrt(lambda) U + sqrt(1 - lambda) s0 Z with U from the target and Z standard normal; dilation
 * is its limit s0 -> 0.
 *
 * Time is lambda, and the state is the heat variable y = x / sqrt(lambda) of law
 * pi * N(0, tau^2 I), tau^2 = s0^2 (1 - lambda) / lambda: particles come from a wide Gaussian and
 * the blur tau goes down to 0.  Its score is s(y) = (E[U | y] - y) / tau^2, with the posterior mean
 * from a grid (numerics/convolution.h) or from samples (paths/inner_score.h).
 *
 * A carry from tau to tau' is a step of a sampler of diffusion models (Song et al. 2021), each
 * y <- y + a s(y) + b z:
 *
 *   reverse_sde  a = tau^2 - tau'^2     b^2 = tau^2 - tau'^2, 0 at the end
 *   ancestral    a = tau^2 - tau'^2     b^2 = (tau^2 - tau'^2) tau'^2 / tau^2
 *   ode          a = (tau - tau') tau   b = 0
 *   langevin     nothing: the kernel's moves follow the levels
 *
 * A kernel's moves use log densities and scores that are interpolated each by itself: before the
 * end one that rejects is exact only as far as the grid is fine.
 *
 * At time 0 stands the Gaussian that particles start from, in the place of the first level. */
#include "numerics/convolution.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/scalar.h"
#include "numerics/given.h"
#include "paths/convolution_path.h"
#include <math.h>
#include <string.h>

enum spacing { GEOMETRIC, LINEAR };
enum distributed { AUTO, NO, YES };

/* ---- times -------------------------------------------------------------------------------- */

static double time_of(const struct dun_convolution_path *s, double tau)
{
  return s->scale * s->scale / (s->scale * s->scale + tau * tau);
}

/* Level k of K + 1, from tau_0 to 0. */
static double level(const struct dun_convolution_path *s, long long k)
{
  long long K = s->levels.levels;
  struct dun_spacing times = {.first = time_of(s, s->levels.highest), .last = 1};
  struct dun_spacing taus = {
      .type = DUN_SPACING_GEOMETRIC, .first = s->levels.highest, .last = s->levels.lowest};

  if (k == K)
    return 1;
  if (k == 0)
    return times.first;
  if (s->levels.type == LINEAR)
    return dun_spacing_at(&times, (double)k, (double)K);
  return time_of(s, dun_spacing_at(&taus, (double)k, (double)(K - 1)));
}

static int make_levels(struct dun_convolution_path *s)
{
  long long K = s->levels.levels;

  if (s->levels.type == GEOMETRIC && s->levels.lowest >= s->levels.highest)
    return dun_fail(DUN_ERROR_INPUT, "schedule: lowest is %.6g, expected less than highest, %.6g",
                    s->levels.lowest, s->levels.highest);
  dun_schedule_free(&s->schedule);
  s->schedule.type = DUN_SCHEDULE_FIXED;
  s->schedule.times.value = dun_allocate(K + 1, sizeof(double));
  if (!s->schedule.times.value)
    return DUN_ERROR_MEMORY;
  s->schedule.times.count = K + 1;
  for (long long k = 0; k <= K; k++) {
    double t = s->schedule.times.value[k] = level(s, k);
    if (!(t > (k ? s->schedule.times.value[k - 1] : 0)))
      return dun_fail(DUN_ERROR_INPUT,
                      "schedule: level %lld of %lld is at lambda = %.17g, which is not above that "
                      "of the level before: take fewer levels, or a scale nearer to their tau",
                      k, K, t);
  }
  return 0;
}

static const struct dun_schedule *schedule(const void *self)
{
  return &((const struct dun_convolution_path *)self)->schedule;
}

static double unit(const void *self, double t)
{
  (void)self;
  return sqrt(t);
}

/* ---- the grid ----------------------------------------------------------------------------- */

static void log_density(void *data, int n, const double *x, double *lp)
{
  dun_evaluate(data, n, x, lp, NULL, NULL);
}

static int make_grid(struct dun_convolution_path *s, struct dun_grid *grid)
{
  double center[DUN_GRID_AXES], half_width[DUN_GRID_AXES], pad = s->padding;
  int d = s->target->dimension, status;

  if (d > DUN_GRID_AXES)
    return dun_fail(DUN_ERROR_INPUT,
                    "score: a grid has at most %d dimensions and the target has %d; take score: "
                    "monte_carlo",
                    DUN_GRID_AXES, d);
  status = dun_given_numbers(&s->center, "path.center", d, center);
  if (status >= 0)
    status = dun_given_numbers(&s->half_width, "path.half_width", d, half_width);
  if (status >= 0)
    status = dun_grid_init(grid, d, center, half_width, s->cells, pad > 0 ? pad : 1);
  if (status < 0)
    return status;
  double needed = dun_grid_pad_for(grid, s->levels.highest);
  if (pad < 0)
    return dun_grid_init(grid, d, center, half_width, s->cells, needed);
  if (dun_grid_largest_tau(grid) < s->levels.highest)
    return dun_fail(DUN_ERROR_INPUT,
                    "padding: with %.6g boxes the largest tau is %.6g, but schedule.highest is "
                    "%.6g: beyond it what leaves the domain comes in again from the other side; "
                    "give at least %.3g, or auto",
                    pad, dun_grid_largest_tau(grid), s->levels.highest, needed);
  return 0;
}

/* By size only: at any number of ranks it is the same. */
static int is_large(const struct dun_grid *grid)
{
  double points = 1;
  for (int j = 0; j < grid->dimension; j++)
    points *= (double)grid->points;
  return points > 1 << 26;
}

/* Of a normal mode, from the differences of neighbouring cells. */
static double deviation_in_cells(double roughness)
{
  double kept = 1 - roughness / 2;
  return kept > 0 ? .5 / sqrt(-dun_scalar_log(kept)) : 0;
}

static int check_grid(struct dun_context *context, const struct dun_convolution_path *s)
{
  const double most = 1e-3, roughest = .45; /* 0.44: cells as wide as a mode's deviation */
  const struct dun_convolution *grid = &s->grid;

  if (grid->edge > most)
    return dun_fail(DUN_ERROR_INPUT,
                    "half_width: %.2g of the mass in the box lies in its outermost cells, at most "
                    "%.2g was expected: the target does not end there, or cells are few",
                    grid->edge, most);
  if (grid->roughness > roughest)
    return dun_fail(DUN_ERROR_INPUT,
                    "cells: along coordinate %d neighbouring cells differ as if modes had a "
                    "standard deviation of %.2g cells, at least 1 was expected and 3 are well: "
                    "take more than %lld cells",
                    grid->rough_axis, deviation_in_cells(grid->roughness),
                    (long long)grid->grid.cells);
  dun_note(&context->log,
           "path convolution: %lld cells an axis, padded to %lld; log Z = %.6g by "
           "quadrature%s",
           (long long)grid->grid.cells, (long long)grid->grid.points, grid->log_evidence,
           grid->distributed ? "; tables spread over the ranks" : "");
  return 0;
}

static int init_grid(struct dun_context *context, struct dun_convolution_path *s)
{
  struct dun_grid grid;
  struct dun_convolution_options options = {0};
  struct dun_density density = {.evaluate = log_density, .data = s->target};
  double covariance[DUN_GRID_AXES * DUN_GRID_AXES];
  int d = s->target->dimension, status = dun_agree(context, make_grid(s, &grid));

  if (status < 0)
    return status;
  options.distributed = s->distributed == YES || (s->distributed == AUTO && is_large(&grid));
  if (options.distributed && d == 1)
    return dun_fail(DUN_ERROR_INPUT, "distributed: a grid of one dimension stands on every node");
  if (options.distributed && s->sampler == DUN_LANGEVIN)
    return dun_fail(DUN_ERROR_INPUT,
                    "sampler: langevin needs local tables, and those of this grid are spread over "
                    "the ranks");
  s->evaluations = -s->target->evaluations;
  s->nans = -s->target->nans;
  s->memory = dun_convolution_bytes(&grid, options.distributed, context->size);
  status = dun_convolution_init(context, &s->grid, &grid, options, density);
  s->evaluations += s->target->evaluations;
  s->nans += s->target->nans;
  if (status >= 0)
    status = check_grid(context, s);
  if (status < 0)
    return status;
  memcpy(covariance, s->grid.covariance, sizeof covariance);
  for (int j = 0; j < d; j++)
    covariance[j * (d + 1)] += s->levels.highest * s->levels.highest;
  return dun_gaussian_dense(&s->start, d, s->grid.mean, covariance);
}

/* ---- without a grid ----------------------------------------------------------------------- */

static int make_start(struct dun_convolution_path *s)
{
  int d = s->target->dimension, status = DUN_ERROR_MEMORY;
  double *mean = dun_allocate(d, sizeof *mean), *scale = dun_allocate(d, sizeof *scale);

  if (mean && scale)
    status = dun_given_numbers(&s->begin.mean, "path.begin.mean", d, mean);
  if (status >= 0)
    status = dun_given_numbers(&s->begin.scale, "path.begin.scale", d, scale);
  for (int j = 0; j < d && status >= 0; j++)
    scale[j] = sqrt(scale[j] * scale[j] + s->levels.highest * s->levels.highest);
  if (status >= 0)
    status = dun_gaussian_diagonal(&s->start, d, mean, scale);
  dun_free(mean);
  dun_free(scale);
  return status;
}

static int init_samples(struct dun_convolution_path *s)
{
  if (s->sampler == DUN_LANGEVIN)
    return dun_fail(DUN_ERROR_INPUT,
                    "sampler: langevin needs a log density at every level, which score: "
                    "monte_carlo does not give; take score: grid");
  if (s->estimator != DUN_ESTIMATOR_DSI &&
      dun_evaluator_need_gradient(s->target, "path convolution with score: monte_carlo",
                                  "estimator: dsi") < 0)
    return DUN_ERROR_INPUT;
  s->samples.target = s->target;
  s->samples.samples = s->inner;
  s->samples.estimator = (enum dun_estimator)s->estimator;
  s->samples.crossover = s->crossover < 0 ? s->scale : s->crossover;
  int status = dun_inner_score_init(&s->samples);
  return status < 0 ? status : make_start(s);
}

/* ---- set-up ------------------------------------------------------------------------------- */

static int init(struct dun_context *context, void *self, struct dun_evaluator *target)
{
  struct dun_convolution_path *s = self;
  int status;

  s->target = target;
  if ((status = dun_agree(context, make_levels(s))) < 0)
    return status;
  status = dun_agree(context, s->score == DUN_SCORE_GRID ? init_grid(context, s) : init_samples(s));
  if (status < 0)
    return status;
  int64_t columns = target->dimension + dun_gaussian_work_columns(&s->start);
  DUN_FREE(s->work);
  s->work = dun_allocate(columns * DUN_LANES, sizeof *s->work);
  return dun_agree(context, s->work ? 0 : DUN_ERROR_MEMORY);
}

/* The evaluations of the grid are in the checkpoint's count already. */
static int restore(void *self)
{
  struct dun_convolution_path *s = self;
  s->target->evaluations -= s->evaluations;
  s->target->nans -= s->nans;
  s->evaluations = s->nans = 0;
  return 0;
}

static void release(void *self)
{
  struct dun_convolution_path *s = self;
  dun_convolution_free(&s->grid);
  dun_inner_score_free(&s->samples);
  dun_gaussian_free(&s->start);
  dun_schedule_free(&s->schedule);
  DUN_FREE(s->work);
}

static void draws(const void *self, int *uniforms, int *normals)
{
  (void)self;
  *uniforms = 0;
  *normals = -1;
}

static void draw(const void *self, const double *uniform, const double *normal, double *x)
{
  (void)uniform;
  dun_gaussian_draw(&((const struct dun_convolution_path *)self)->start, normal, x);
}

static void coefficients(const void *self, double t, double *coefficient)
{
  (void)self;
  (void)t;
  coefficient[0] = 1;
}

static long long carry_evaluations(const void *self)
{
  const struct dun_convolution_path *s = self;
  return s->score == DUN_SCORE_MONTE_CARLO ? s->inner : 0;
}

static int64_t memory(const void *self)
{
  return ((const struct dun_convolution_path *)self)->memory;
}

static int deterministic(const void *self)
{
  return !((const struct dun_convolution_path *)self)->grid.distributed;
}

/* ---- options ------------------------------------------------------------------------------ */

#define LEVELS(member)                                                                             \
  offsetof(struct dun_convolution_path, levels.member) -                                           \
      offsetof(struct dun_convolution_path, levels)
static const struct dun_option level_options[] = {
    {.name = "type",
     .type = DUN_CHOICE,
     .offset = LEVELS(type),
     .initial = "geometric",
     .words = "geometric|linear",
     .doc = "Levels at equal ratios of tau, or at equal distances of lambda."},
    {.name = "levels",
     .type = DUN_INTEGER,
     .offset = LEVELS(levels),
     .initial = "100",
     .minimum = 2,
     .maximum = 1e7,
     .doc = "Number of levels with tau > 0; after them comes the target."},
    {.name = "highest",
     .type = DUN_NUMBER,
     .offset = LEVELS(highest),
     .initial = "20",
     .minimum = 1e-150,
     .maximum = 1e150,
     .doc = "The first tau: about the distance of the farthest modes, or more."},
    {.name = "lowest",
     .type = DUN_NUMBER,
     .offset = LEVELS(lowest),
     .initial = "0.1",
     .minimum = 1e-150,
     .maximum = 1e150,
     .when = "type=geometric",
     .doc = "The last tau above 0: a tenth of the narrowest mode's width, or less."},
    {0},
};

#define BEGIN(member)                                                                              \
  offsetof(struct dun_convolution_path, begin.member) - offsetof(struct dun_convolution_path, begin)
static const struct dun_option begin_options[] = {
    {.name = "mean",
     .type = DUN_NUMBERS,
     .offset = BEGIN(mean),
     .initial = "0",
     .doc = "Mean of the target, as far as it is known; one number or one for each coordinate."},
    {.name = "scale",
     .type = DUN_NUMBERS,
     .offset = BEGIN(scale),
     .initial = "1",
     .minimum = 1e-300,
     .maximum = 1e150,
     .doc = "Its standard deviation, likewise; tau_0 is added to it."},
    {0},
};

#define ROW(name_, type_, member, ...)                                                             \
  {                                                                                                \
    .name = name_, .type = type_, .offset = offsetof(struct dun_convolution_path, member),         \
    __VA_ARGS__                                                                                    \
  }
static const struct dun_option options[] = {
    ROW("scale", DUN_NUMBER, scale, .initial = "1", .minimum = 1e-150, .maximum = 1e150,
        .doc = "Standard deviation s0 of the Gaussian at lambda = 0; the unit of step rules."),
    ROW("schedule", DUN_SECTION, levels, .initial = "", .rows = level_options,
        .doc = "The levels of tau, the blur of the target, from above downwards to 0."),
    ROW("sampler", DUN_CHOICE, sampler, .initial = "reverse_sde",
        .words = "reverse_sde|ancestral|ode|langevin",
        .doc = "How particles follow the levels; langevin: by the kernel's moves alone."),
    ROW("score", DUN_CHOICE, score, .initial = "grid", .words = "grid|monte_carlo",
        .doc = "Posterior means from a grid, in 1 to 3 dimensions, or from samples."),
    ROW("center", DUN_NUMBERS, center, .initial = "0", .when = "score=grid",
        .doc = "Centre of the grid's box; one number or one for each coordinate."),
    ROW("half_width", DUN_NUMBERS, half_width, .initial = NULL, .minimum = 1e-150, .maximum = 1e150,
        .when = "score=grid",
        .doc = "Half the box's width, which holds the target; one number or one for each "
               "coordinate."),
    ROW("cells", DUN_INTEGER, cells, .initial = "128", .minimum = 2, .maximum = 1e8,
        .when = "score=grid",
        .doc = "Cells along each axis of the box; no wider than a third of the narrowest mode."),
    ROW("padding", DUN_NUMBER, padding, .initial = "auto", .words = "auto", .minimum = 1,
        .maximum = 1e6, .when = "score=grid",
        .doc = "Width of the padded domain in boxes; auto: half the box and 5 tau on each side."),
    ROW("distributed", DUN_CHOICE, distributed, .initial = "auto", .words = "auto|no|yes",
        .when = "score=grid",
        .doc = "Tables spread over the ranks, results then not deterministic; auto: above 2^26 "
               "points."),
    ROW("inner", DUN_INTEGER, inner, .initial = "1000", .minimum = 1, .maximum = 1e8,
        .when = "score=monte_carlo", .doc = "Samples of each posterior mean."),
    ROW("estimator", DUN_CHOICE, estimator, .initial = "mixed", .words = DUN_ESTIMATOR_WORDS,
        .when = "score=monte_carlo",
        .doc = "Denoising identity, target score identity, or both weighted by tau and crossover."),
    ROW("crossover", DUN_NUMBER, crossover, .initial = "auto", .words = "auto", .minimum = 1e-150,
        .maximum = 1e150, .when = "estimator=mixed",
        .doc = "The tau at which both have the same weight: a mode's width; auto: scale."),
    ROW("begin", DUN_SECTION, begin, .initial = "", .rows = begin_options,
        .when = "score=monte_carlo",
        .doc = "What is known of the target, for the start; a grid knows it by itself."),
    {0},
};

const struct dun_path dun_path_convolution = {
    .type = {DUN_TYPE(struct dun_path), .name = "convolution",
             .doc = "The target blurred by a Gaussian, less and less, as in diffusion models: on a "
                    "grid, or with scores by Monte Carlo.",
             .citation = "Chehab & Korba 2024, arXiv 2406.14040",
             .size = sizeof(struct dun_convolution_path), .options = options, .free = release,
             .restore = restore},
    .parts = 1,
    .part_name = {"target"},
    .coefficients = coefficients,
    .init = init,
    .prepare = dun_convolution_path_prepare,
    .evaluate = dun_convolution_path_evaluate,
    .draws = draws,
    .draw = draw,
    .unit = unit,
    .carry = dun_convolution_path_carry,
    .carry_all = dun_convolution_path_carry_all,
    .follow = dun_convolution_path_follow,
    .carry_evaluations = carry_evaluations,
    .memory = memory,
    .deterministic = deterministic,
    .unweighted = 1,
    .schedule = schedule,
};
