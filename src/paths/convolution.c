/* The convolutional path (Chehab & Korba 2024, arXiv 2406.14040, section 2): pi_lambda is the law
 * of sqrt(lambda) U + sqrt(1 - lambda) s0 Z with U from the target and Z standard normal; dilation
 * is its limit s0 -> 0.
 *
 * Time is lambda, and the state is the heat variable y = x / sqrt(lambda) of law
 * pi * N(0, tau^2 I), tau^2 = s0^2 (1 - lambda) / lambda: particles come from a wide Gaussian and
 * the blur tau goes down to 0.  Log density and score, (E[U | y] - y) / tau^2, come from a grid
 * (numerics/convolution.h), and a kernel's moves follow the levels.  They are interpolated each by
 * itself: before the end a kernel that rejects is exact only as far as the grid is fine.
 *
 * At time 0 stands the Gaussian that particles start from, in the place of the first level.
 * Samplers of diffusion models follow the same laws back by the method flow. */
#include "base/error.h"
#include "base/memory.h"
#include "base/vmath.h"
#include "numerics/gridded.h"
#include "numerics/spacing.h"
#include "paths/path.h"
#include <math.h>
#include <string.h>

enum spacing { GEOMETRIC, LINEAR };

struct convolution {
  /* options */
  double scale;
  struct {
    int type;
    long long levels;
    double highest, lowest; /* tau_0 and the last tau above 0 */
  } levels;
  struct dun_gridded_options box;

  /* made by init */
  struct dun_evaluator *target;
  struct dun_schedule schedule;
  struct dun_gaussian start; /* of the blurred target, as far as mean and covariance go */
  struct dun_convolution grid;
  int64_t memory; /* of the grid's tables */
  double *work;   /* the Gaussian's scratch */
};

/* ---- times -------------------------------------------------------------------------------- */

static double time_of(const struct convolution *s, double tau)
{
  return s->scale * s->scale / (s->scale * s->scale + tau * tau);
}

/* Level k of K + 1, from tau_0 to 0. */
static double level(const struct convolution *s, long long k)
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

static int make_levels(struct convolution *s)
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
  return &((const struct convolution *)self)->schedule;
}

static double unit(const void *self, double t)
{
  (void)self;
  return sqrt(t);
}

/* ---- set-up ------------------------------------------------------------------------------- */

static void log_density(void *data, int n, const double *x, double *lp)
{
  dun_evaluate(data, n, x, lp, NULL, NULL);
}

static int init_grid(struct dun_context *context, struct convolution *s)
{
  struct dun_density density = {.evaluate = log_density, .data = s->target};
  double highest = s->levels.highest;
  struct dun_grid grid;
  int status = dun_agree(
      context, dun_gridded_grid(&s->box, s->target->dimension, highest, "schedule.highest", &grid));
  if (status < 0)
    return status;
  s->memory = dun_convolution_bytes(&grid, 0, context->size);
  status = dun_gridded_init(context, "path convolution", &grid, 0, density, &s->grid);
  return status < 0 ? status : dun_gridded_gaussian(&s->grid, highest, &s->start);
}

static int init(struct dun_context *context, void *self, struct dun_evaluator *target)
{
  struct convolution *s = self;
  int status;

  s->target = target;
  if ((status = dun_agree(context, make_levels(s))) < 0 ||
      (status = dun_agree(context, init_grid(context, s))) < 0)
    return status;
  DUN_FREE(s->work);
  s->work = dun_allocate(dun_gaussian_work_columns(&s->start) * DUN_LANES, sizeof *s->work);
  return dun_agree(context, s->work ? 0 : DUN_ERROR_MEMORY);
}

static void release(void *self)
{
  struct convolution *s = self;
  dun_convolution_free(&s->grid);
  dun_gaussian_free(&s->start);
  dun_schedule_free(&s->schedule);
  DUN_FREE(s->work);
}

/* ---- densities ---------------------------------------------------------------------------- */

static double tau_of(const struct convolution *s, double t)
{
  return s->scale * sqrt((1 - t) / t);
}

static int prepare(struct dun_context *context, void *self, double t)
{
  struct convolution *s = self;
  return t > 0 && t < 1 ? dun_convolution_level(context, &s->grid, tau_of(s, t)) : 0;
}

/* Turns the posterior mean E into the score (E - y) / tau^2. */
DUN_CLONES static void score_from_mean(int d, double tau, const double *restrict y,
                                       double *restrict mean)
{
  double inverse = 1 / (tau * tau);
  for (int64_t i = 0; i < (int64_t)d * DUN_LANES; i++)
    mean[i] = (mean[i] - y[i]) * inverse;
}

static void evaluate_start(const struct convolution *s, const struct dun_request *r)
{
  double one[DUN_LANES] __attribute__((aligned(64)));

  for (int l = 0; l < DUN_LANES; l++)
    one[l] = 1;
  dun_gaussian_write(&s->start, r->x, r->part_lp, one, r->gradient, s->work);
}

static void evaluate(const void *self, const struct dun_request *r)
{
  const struct convolution *s = self;
  double t = r->time[0];

  if (t >= 1) {
    dun_path_evaluate_target(s->target, r);
    return;
  }
  if (t > 0) {
    dun_convolution_evaluate(&s->grid, r->x, r->gradient, r->part_lp);
    if (r->gradient)
      score_from_mean(s->target->dimension, s->grid.tau, r->x, r->gradient);
  } else {
    evaluate_start(s, r);
  }
  if (r->lp)
    memcpy(r->lp, r->part_lp, DUN_LANES * sizeof(double));
}

/* ---- what it is ---------------------------------------------------------------------------- */

static void draws(const void *self, int *uniforms, int *normals)
{
  (void)self;
  *uniforms = 0;
  *normals = -1;
}

static void draw(const void *self, const double *uniform, const double *normal, double *x)
{
  (void)uniform;
  dun_gaussian_draw(&((const struct convolution *)self)->start, normal, x);
}

static void coefficients(const void *self, double t, double *coefficient)
{
  (void)self;
  (void)t;
  coefficient[0] = 1;
}

static int64_t memory(const void *self)
{
  return ((const struct convolution *)self)->memory;
}

/* ---- options ------------------------------------------------------------------------------ */

#define LEVELS(member)                                                                             \
  offsetof(struct convolution, levels.member) - offsetof(struct convolution, levels)
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

#define ROW(name_, type_, member, ...)                                                             \
  {                                                                                                \
    .name = name_, .type = type_, .offset = offsetof(struct convolution, member), __VA_ARGS__      \
  }
#define FLOW                                                                                       \
  "samplers of diffusions are `method: {type: flow, process: {type: ve, scale: HIGHEST}, grid: "   \
  "{type: geometric, steps: LEVELS, last: LOWEST}, final: denoise, "
static const struct dun_option options[] = {
    ROW("scale", DUN_NUMBER, scale, .initial = "1", .minimum = 1e-150, .maximum = 1e150,
        .doc = "Standard deviation s0 of the Gaussian at lambda = 0; the unit of step rules."),
    ROW("schedule", DUN_SECTION, levels, .initial = "", .rows = level_options,
        .doc = "The levels of tau, the blur of the target, from above downwards to 0."),
    DUN_GRIDDED_ROWS(struct convolution, box),
    {.name = "sampler",
     .type = DUN_GONE,
     .doc = "moves alone follow this path (leave out langevin); " FLOW
            "field: {type: grid, ...}}` with `noise: {type: reverse}` for reverse_sde, "
            "`noise: {type: deterministic}` for ode, `scheme: ddpm` for ancestral"},
    {.name = "score",
     .type = DUN_GONE,
     .doc = "this path has a grid (leave out grid); " FLOW
            "field: {type: monte_carlo, samples: INNER, begin: ..., ...}}`, with `scheme: ddpm` "
            "for ancestral"},
    {.name = "distributed",
     .type = DUN_GONE,
     .doc = "this path's tables stand on every node; `distributed` is an option of field grid of "
            "method flow"},
    {0},
};

const struct dun_path dun_path_convolution = {
    .type = {DUN_TYPE(struct dun_path), .name = "convolution",
             .doc = "The target blurred by a Gaussian, less and less, on a grid in one to three "
                    "dimensions.",
             .citation = "Chehab & Korba 2024, arXiv 2406.14040",
             .size = sizeof(struct convolution), .options = options, .free = release},
    .parts = 1,
    .part_name = {"target"},
    .coefficients = coefficients,
    .init = init,
    .prepare = prepare,
    .evaluate = evaluate,
    .draws = draws,
    .draw = draw,
    .unit = unit,
    .memory = memory,
    .schedule = schedule,
};
