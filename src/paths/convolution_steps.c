/* Scores of the convolutional path, and the steps of its samplers. */
#include "base/error.h"
#include "base/memory.h"
#include "base/vmath.h"
#include "numerics/columns.h"
#include "paths/convolution_path.h"
#include "population/tile.h"
#include <math.h>

static double tau_of(const struct dun_convolution_path *s, double t)
{
  return s->scale * sqrt((1 - t) / t);
}

enum dun_follow dun_convolution_path_follow(const void *self)
{
  const struct dun_convolution_path *s = self;
  if (s->sampler == DUN_LANGEVIN)
    return DUN_FOLLOW_BY_MOVES;
  return s->score == DUN_SCORE_MONTE_CARLO || s->grid.distributed ? DUN_FOLLOW_BY_CARRIES
                                                                  : DUN_FOLLOW_EITHER;
}

int dun_convolution_path_prepare(struct dun_context *context, void *self, double t)
{
  struct dun_convolution_path *s = self;
  int tables = s->score == DUN_SCORE_GRID && t > 0 && t < 1;
  return tables ? dun_convolution_level(context, &s->grid, tau_of(s, t)) : 0;
}

/* Turns the posterior mean E into the score (E - y) / tau^2. */
DUN_CLONES static void score_from_mean(int d, double tau, const double *restrict y,
                                       double *restrict mean)
{
  double inverse = 1 / (tau * tau);
  for (int64_t i = 0; i < (int64_t)d * DUN_LANES; i++)
    mean[i] = (mean[i] - y[i]) * inverse;
}

static void evaluate_start(const struct dun_convolution_path *s, const struct dun_request *r)
{
  int64_t block = (int64_t)s->target->dimension * DUN_LANES;
  double one[DUN_LANES] __attribute__((aligned(64)));

  for (int l = 0; l < DUN_LANES; l++)
    one[l] = 1;
  if (r->gradient)
    memset(r->gradient, 0, (size_t)block * sizeof(double));
  dun_gaussian_evaluate(&s->start, r->x, r->part_lp, one, r->gradient, s->work + block);
}

/* Unknown where there are no local tables: methods do not ask then. */
static void evaluate_between(const struct dun_convolution_path *s, const struct dun_request *r)
{
  int d = s->target->dimension;

  if (dun_convolution_path_follow(s) == DUN_FOLLOW_BY_CARRIES) {
    for (int l = 0; l < DUN_LANES && r->part_lp; l++)
      r->part_lp[l] = -INFINITY;
    if (r->gradient)
      memset(r->gradient, 0, (size_t)d * DUN_LANES * sizeof(double));
    return;
  }
  dun_convolution_evaluate(&s->grid, r->x, r->gradient, r->part_lp);
  if (r->gradient)
    score_from_mean(d, s->grid.tau, r->x, r->gradient);
}

void dun_convolution_path_evaluate(const void *self, const struct dun_request *request)
{
  const struct dun_convolution_path *s = self;
  double t = request->time[0];

  if (t >= 1) {
    dun_path_evaluate_target(s->target, request);
    return;
  }
  if (t > 0)
    evaluate_between(s, request);
  else
    evaluate_start(s, request);
  if (request->lp)
    memcpy(request->lp, request->part_lp, DUN_LANES * sizeof(double));
}

/* ---- carrying ------------------------------------------------------------------------------ */

struct step {
  double drift, noise;
};

static struct step step_of(const struct dun_convolution_path *s, double t, double next)
{
  double tau = tau_of(s, t), after = tau_of(s, next), less = (tau - after) * (tau + after);

  switch ((enum dun_sampler)s->sampler) {
  case DUN_ODE: return (struct step){(tau - after) * tau, 0};
  case DUN_ANCESTRAL: return (struct step){less, sqrt(less) * after / tau};
  case DUN_REVERSE_SDE: return (struct step){less, next < 1 ? sqrt(less) : 0};
  case DUN_LANGEVIN: break;
  }
  return (struct step){0, 0};
}

/* One step of the sampler; the score's memory takes the normals. */
static void take_step(const struct dun_convolution_path *s, struct step step,
                      struct dun_address address, double *score, double *y)
{
  int d = s->target->dimension;

  dun_columns_add(d, step.drift, score, y);
  if (step.noise == 0)
    return;
  dun_normals(address, d, score);
  dun_columns_add(d, step.noise, score, y);
}

static int moves(const struct dun_convolution_path *s, double t)
{
  return t > 0 && s->sampler != DUN_LANGEVIN;
}

void dun_convolution_path_carry(const void *self, double t, double next, int n,
                                struct dun_address address, double *x, double *log_ratio)
{
  const struct dun_convolution_path *s = self;
  struct dun_address inner = address;

  memset(log_ratio, 0, DUN_LANES * sizeof *log_ratio);
  if (!moves(s, t))
    return;
  if (s->score == DUN_SCORE_GRID) {
    dun_convolution_evaluate(&s->grid, x, s->work, NULL);
    score_from_mean(s->target->dimension, s->grid.tau, x, s->work);
  } else {
    inner.purpose = DUN_PURPOSE_CARRY_INNER;
    dun_inner_score(&s->samples, inner, tau_of(s, t), n, x, s->work);
  }
  take_step(s, step_of(s, t, next), address, s->work, x);
}

static void step_rows(const struct dun_convolution_path *s, struct step step,
                      struct dun_address address, const struct dun_population *population,
                      struct dun_column *x, const double *mean)
{
  const struct dun_tiles *tiles = &population->tiles;
  int d = s->target->dimension;
  double y[DUN_GRID_AXES * DUN_LANES] __attribute__((aligned(64)));

  for (int64_t i = 0; i < tiles->count; i++) {
    int n = dun_tile_size(tiles, tiles->first_tile + i);
    address.tile = (uint32_t)(tiles->first_tile + i);
    dun_tile_load(population, x, i, y);
    dun_columns_from_rows(n, d, mean + i * tiles->tile * d, s->work);
    score_from_mean(d, s->grid.tau, y, s->work);
    take_step(s, step, address, s->work, y);
    dun_tile_store(population, x, i, y);
  }
}

/* The same where the tables are spread over the ranks: points travel to them. */
int dun_convolution_path_carry_all(struct dun_context *context, void *self, double t, double next,
                                   struct dun_address address,
                                   const struct dun_population *population, struct dun_column *x)
{
  struct dun_convolution_path *s = self;
  int64_t n = population->tiles.local;

  if (!s->grid.distributed)
    return 0;
  if (!moves(s, t))
    return 1;
  double *mean = dun_allocate(n * s->target->dimension, sizeof *mean);
  int status = dun_agree(context, mean ? 1 : DUN_ERROR_MEMORY);
  if (status > 0) {
    dun_convolution_evaluate_rows(context, &s->grid, n, dun_f64(x), mean, NULL);
    step_rows(s, step_of(s, t, next), address, population, x, mean);
  }
  dun_free(mean);
  return status;
}
