/* The posterior mean on a grid, of any target in one to three dimensions: points seen through noise
 * of tau = lambda^-1/2 at y = h / lambda are those of the target blurred by N(0, tau^2), whose
 * means stand in tables (numerics/convolution.h).  Where the noise is many times wider than the
 * box, the target counts as the Gaussian of its mean and covariance. */
#include "base/error.h"
#include "base/memory.h"
#include "base/scalar.h"
#include "base/vmath.h"
#include "fields/field.h"
#include "numerics/gridded.h"
#include "population/tile.h"
#include <math.h>
#include <string.h>

enum { AUTO, NO, YES };

struct grid {
  /* options */
  struct dun_gridded_options box;
  double widest; /* -1: auto */
  int distributed;

  /* made by init */
  struct dun_evaluator *target;
  struct dun_convolution convolution;
  struct dun_gaussian law; /* of the target's mean and covariance */
  int64_t memory;
  double *work; /* [2 d] columns, then the Gaussian's scratch; owned */

  double lambda; /* that is prepared */
  double reach;  /* the largest tau that goes through tables */
};

/* ---- set-up -------------------------------------------------------------------------------- */

static void log_density(void *data, int n, const double *x, double *lp)
{
  dun_evaluate(data, n, x, lp, NULL, NULL);
}

/* Twice the half-width of the box: then what the Gaussian leaves out is a few thousandths of the
 * noise. */
static double widest(const struct grid *s)
{
  double most = 0;
  for (long long j = 0; j < s->box.half_width.count; j++)
    most = fmax(most, s->box.half_width.value[j]);
  return s->widest > 0 ? s->widest : 2 * most;
}

static int make_tables(struct dun_context *context, struct grid *s, double lambda)
{
  struct dun_density density = {.evaluate = log_density, .data = s->target};
  struct dun_grid grid;
  int status, distributed;

  s->reach = fmin(widest(s), 1 / sqrt(lambda));
  status = dun_agree(context,
                     dun_gridded_grid(&s->box, s->target->dimension, s->reach, "the noise", &grid));
  if (status < 0)
    return status;
  distributed = s->distributed == YES || (s->distributed == AUTO && dun_gridded_is_large(&grid));
  if (distributed && grid.dimension == 1)
    return dun_fail(DUN_ERROR_INPUT, "distributed: a grid of one dimension stands on every node");
  s->memory = dun_convolution_bytes(&grid, distributed, context->size);
  status = dun_gridded_init(context, "field grid", &grid, distributed, density, &s->convolution);
  s->reach *= 1 + 1e-12; /* rounded where lambda is not */
  return status;
}

static int make_rest(struct grid *s)
{
  int status = dun_gridded_gaussian(&s->convolution, 0, &s->law);
  if (status < 0)
    return status;
  int64_t columns = 2 * s->target->dimension + dun_gaussian_tilted_columns(&s->law);
  DUN_FREE(s->work);
  s->work = dun_allocate(columns * DUN_LANES, sizeof *s->work);
  return s->work ? 0 : DUN_ERROR_MEMORY;
}

static int init(struct dun_context *context, void *self, struct dun_evaluator *target,
                double lambda)
{
  struct grid *s = self;
  s->target = target;
  int status = make_tables(context, s, lambda);
  return status < 0 ? status : dun_agree(context, make_rest(s));
}

static void release(void *self)
{
  struct grid *s = self;
  dun_convolution_free(&s->convolution);
  dun_gaussian_free(&s->law);
  DUN_FREE(s->work);
}

/* ---- values -------------------------------------------------------------------------------- */

static int by_law(const struct grid *s)
{
  return s->lambda == 0 || 1 / sqrt(s->lambda) > s->reach;
}

static int prepare(struct dun_context *context, void *self, double lambda)
{
  struct grid *s = self;
  s->lambda = lambda;
  return by_law(s) ? 0 : dun_convolution_level(context, &s->convolution, 1 / sqrt(lambda));
}

/* log mass = log of the blurred density, less that of the noise alone at y. */
DUN_CLONES static void finish_mass(const struct grid *s, const double *restrict y,
                                   double *restrict mass)
{
  int d = s->target->dimension;
  double peak = .5 * d * (DUN_LOG_2PI - dun_log(s->lambda)) + s->convolution.log_evidence;
  double square[DUN_LANES] __attribute__((aligned(64))) = {0};
  for (int64_t j = 0; j < d; j++)
    for (int l = 0; l < DUN_LANES; l++)
      square[l] = DUN_FMA(y[j * DUN_LANES + l], y[j * DUN_LANES + l], square[l]);
  for (int l = 0; l < DUN_LANES; l++)
    mass[l] += DUN_FMA(.5 * s->lambda, square[l], peak);
}

static void value_by_law(const struct grid *s, const struct dun_field_call *call)
{
  struct dun_tilted tilted = {.n = call->n,
                              .h = call->h,
                              .lambda = call->lambda,
                              .mean = call->mean,
                              .log_mass = call->log_mass};
  if (dun_gaussian_tilted(&s->law, &tilted, s->work) < 0)
    for (int64_t i = 0; i < (int64_t)s->target->dimension * DUN_LANES; i++)
      call->mean[i] = NAN;
  for (int l = 0; call->log_mass && l < DUN_LANES; l++)
    call->log_mass[l] += s->convolution.log_evidence;
}

static void value(const void *self, const struct dun_field_call *call)
{
  const struct grid *s = self;
  if (by_law(s)) {
    value_by_law(s, call);
    return;
  }
  for (int64_t i = 0; i < (int64_t)s->target->dimension * DUN_LANES; i++)
    s->work[i] = call->h[i] / s->lambda;
  dun_convolution_evaluate(&s->convolution, s->work, call->mean, call->log_mass);
  if (call->log_mass)
    finish_mass(s, s->work, call->log_mass);
}

/* The same by rows, in the places of the means. */
static void rows_by_law(const struct grid *s, int64_t n, const double *h, double *mean)
{
  int d = s->target->dimension;
  double lambda[DUN_LANES] __attribute__((aligned(64)));
  double tilts[DUN_GRID_AXES * DUN_LANES] __attribute__((aligned(64)));
  double means[DUN_GRID_AXES * DUN_LANES] __attribute__((aligned(64)));
  for (int l = 0; l < DUN_LANES; l++)
    lambda[l] = s->lambda;
  for (int64_t i = 0; i < n; i += DUN_LANES) {
    int count = (int)(n - i < DUN_LANES ? n - i : DUN_LANES);
    dun_columns_from_rows(count, d, h + i * d, tilts);
    value_by_law(s, &(struct dun_field_call){count, tilts, lambda, .mean = means});
    dun_rows_from_columns(count, d, means, mean + i * d);
  }
}

static int rows(struct dun_context *context, void *self, int64_t n, const double *h, double *mean)
{
  struct grid *s = self;
  int64_t numbers = n * s->target->dimension;
  if (by_law(s)) {
    rows_by_law(s, n, h, mean);
    return 0;
  }
  double *y = dun_allocate(numbers, sizeof *y);
  int status = dun_agree(context, y ? 0 : DUN_ERROR_MEMORY);
  for (int64_t i = 0; i < numbers && status == 0; i++)
    y[i] = h[i] / s->lambda;
  if (status == 0)
    dun_convolution_evaluate_rows(context, &s->convolution, n, y, mean, NULL);
  dun_free(y);
  return status;
}

/* ---- what it is ---------------------------------------------------------------------------- */

static int spread_out(const void *self)
{
  return ((const struct grid *)self)->convolution.distributed ? DUN_FIELD_LOOSE : DUN_FIELD_WHOLE;
}

static unsigned gives(const void *self)
{
  return spread_out(self) ? 0 : DUN_TILTED_MASS;
}

static const struct dun_gaussian *start(const void *self)
{
  return &((const struct grid *)self)->law;
}

static int64_t memory(const void *self)
{
  return ((const struct grid *)self)->memory;
}

static const struct dun_option options[] = {
    DUN_GRIDDED_ROWS(struct grid, box),
    {.name = "widest",
     .type = DUN_NUMBER,
     .offset = offsetof(struct grid, widest),
     .initial = "auto",
     .words = "auto",
     .minimum = 1e-150,
     .maximum = 1e150,
     .doc =
         "The largest tau, the noise of a point, for which there are tables; beyond it the target "
         "counts as a Gaussian; auto: twice the largest half_width."},
    {.name = "distributed",
     .type = DUN_CHOICE,
     .offset = offsetof(struct grid, distributed),
     .initial = "auto",
     .words = "auto|no|yes",
     .doc = "Tables spread over the ranks, results then not deterministic; auto: above 2^26 "
            "points."},
    {0},
};

const struct dun_field dun_field_grid = {
    .type = {DUN_TYPE(struct dun_field), .name = "grid",
             .doc = "Means on a grid, by Fourier transforms, of any target in one to three "
                    "dimensions.",
             .citation = "Chehab & Korba 2024, arXiv 2406.14040", .size = sizeof(struct grid),
             .options = options, .free = release},
    .init = init,
    .gives = gives,
    .start = start,
    .prepare = prepare,
    .value = value,
    .spread_out = spread_out,
    .rows = rows,
    .memory = memory,
};
