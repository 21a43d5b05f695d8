#include "methods/pilots.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/scalar.h"
#include "methods/metric.h"
#include "parallel/sum.h"
#include "paths/pilot.h"
#include <math.h>
#include <string.h>

static struct dun_pilot pilot_of(const struct dun_run *run)
{
  struct dun_pilot none = {0};
  return run->path->pilot ? run->path->pilot(run->path_self) : none;
}

int64_t dun_pilots_due(const struct dun_run *run)
{
  return pilot_of(run).moves;
}

static int64_t tiles_of(const struct dun_run *run)
{
  int tile = run->population.tiles.tile;
  return (pilot_of(run).chains + tile - 1) / tile;
}

int dun_pilots_check(const struct dun_run *run)
{
  struct dun_pilot pilot = pilot_of(run);
  long long least = pilot.dense ? run->evaluator->dimension + 1 : 2;
  long long chains = tiles_of(run) * run->options.tile;

  if (chains > run->options.particles)
    chains = run->options.particles;
  if (pilot.moves > 0 && chains < least)
    return dun_fail(DUN_ERROR_INPUT,
                    "path %s fits its base to %lld pilot chains, and in %d dimensions this fit "
                    "takes %lld: take more particles and pilot_chains, covariance: diagonal (it "
                    "takes 2), or a stated base",
                    run->path->type.name, chains, run->evaluator->dimension, least);
  return 0;
}

/* ---- chains that count ----------------------------------------------------------------------- */

enum { GAPS = 64, FIRST_RESTART = 8 };
/* A window in which fewer moves have a chance has taught nothing but a shorter step. */
static const double MOVES = .1;

/* Log densities of this rank's pilots into logw, which others have at -inf; *highest of them. */
static void note_densities(const struct dun_run *run, double *highest)
{
  const struct dun_tiles *tiles = &run->population.tiles;
  double lp[DUN_LANES] __attribute__((aligned(64)));

  *highest = -INFINITY;
  for (int64_t i = 0; i < tiles->count; i++) {
    int n = dun_tile_size(tiles, tiles->first_tile + i);
    int counts = tiles->first_tile + i < tiles_of(run);
    dun_sweep_density(&run->sweep, i, 1, lp);
    for (int l = 0; l < n; l++) {
      double own = counts && lp[l] > DUN_NOWHERE ? lp[l] : -INFINITY;
      dun_f64(run->logw)[i * tiles->tile + l] = own;
      *highest = own > *highest ? own : *highest;
    }
  }
}

/* How far below the highest at least half of those with a density are: the least of (d + 5) 2^k.
 * *near: whether it is the first of them, and seven in eight are within the second. */
static int find_gap(struct dun_context *context, const struct dun_run *run, double highest,
                    double *gap, int64_t *near)
{
  const double *lp = dun_f64(run->logw);
  double least = run->evaluator->dimension + 5;
  int64_t within[GAPS] = {0}, all = 0;

  for (int64_t i = 0; i < run->population.tiles.local; i++) {
    double reach = least;
    for (int k = 0; k < GAPS && lp[i] > -INFINITY; k++, reach *= 2)
      within[k] += lp[i] >= highest - reach;
    all += lp[i] > -INFINITY;
  }
  int status = dun_sum_integers(context, 0, GAPS, within);
  if (status >= 0)
    status = dun_sum_integers(context, 0, 1, &all);
  *gap = least;
  for (int k = 0; k < GAPS - 1 && 2 * within[k] < all; k++)
    *gap *= 2;
  *near = 2 * within[0] >= all && 8 * within[1] >= 7 * all;
  return status;
}

/* Weights of 1 for the chains that lie within four times the reach of half of them. */
static int choose(struct dun_context *context, struct dun_pilots *p, struct dun_run *run)
{
  double highest, gap, *logw = dun_f64(run->logw);
  int64_t kept = 0;

  note_densities(run, &highest);
  int status = dun_max(context, 0, 1, &highest);
  if (status >= 0)
    status = find_gap(context, run, highest, &gap, &p->near);
  if (status < 0)
    return status;
  for (int64_t i = 0; i < run->population.tiles.local; i++) {
    logw[i] = logw[i] >= highest - 4 * gap && logw[i] > -INFINITY ? 0 : -INFINITY;
    kept += logw[i] == 0;
  }
  if ((status = dun_sum_integers(context, 0, 1, &kept)) < 0)
    return status;
  int64_t chains = tiles_of(run) * run->population.tiles.tile;
  p->chains = chains < run->options.particles ? chains : run->options.particles;
  p->lost = p->chains - kept;
  if (kept == 0)
    return dun_fail(DUN_ERROR_NUMERIC,
                    "none of %lld pilot chains is where the target has a density: let them start "
                    "nearer to it",
                    (long long)p->chains);
  return dun_weights_compute(context, &run->population, run->logw, &p->weights);
}

/* Whether a mean or deviation is another one than chance makes it of n chains. */
static int differs(const double *before, const double *now, int64_t d, double n)
{
  const double errors = 5, least = .5; /* of the log of a variance that much is no matter */
  double limit = errors * sqrt(4 / n);

  limit = limit > least ? limit : least;
  for (int64_t j = 0; j < d; j++) {
    double old = before[d + j] * before[d + j], new = now[d + j] * now[d + j];
    double off = now[j] - before[j];
    if (off * off * n > errors * errors * (old + new) ||
        !(fabs(dun_scalar_log(new / old)) <= limit))
      return 1;
  }
  return 0;
}

/* Behind `choose`.  *moving: whether the chains are. */
static int look_at_moments(struct dun_context *context, struct dun_pilots *p,
                           const struct dun_run *run, int *moving)
{
  int64_t d = run->evaluator->dimension;
  double *now = dun_allocate(2 * d, sizeof *now);
  int status = dun_agree(context, now ? 0 : DUN_ERROR_MEMORY);

  if (status >= 0)
    status =
        dun_column_moments(context, &run->population, run->x, run->logw, &p->weights, now, now + d);
  *moving = status < 0 || p->moments.count != 2 * d ||
            differs(p->moments.value, now, d, (double)(p->chains - p->lost));
  dun_free(p->moments.value);
  p->moments.value = now;
  p->moments.count = now ? 2 * d : 0;
  return status;
}

/* ---- learning -------------------------------------------------------------------------------- */

/* The correlations that so many points tell are taken as they are where they are many: what is
 * left of 1 - 1e-6 when a hundredth is taken off is no help. */
static double points_of(double kept, double d)
{
  return kept > 10 * d ? kept * kept : kept;
}

/* A window ends. */
static int learn(struct dun_context *context, struct dun_pilots *p, struct dun_run *run)
{
  struct dun_adaptation *a = run->adaptation;
  int64_t d = run->evaluator->dimension;
  double *mean = dun_allocate(2 * d, sizeof *mean);
  int moving, status = dun_agree(context, mean ? 0 : DUN_ERROR_MEMORY);

  if (status >= 0)
    status = choose(context, p, run);
  if (status >= 0)
    status = look_at_moments(context, p, run, &moving);
  if (status >= 0 && dun_adaptation_learns(a))
    status =
        dun_metric_learn(context, run, run->logw, &p->weights, pilot_of(run).dense,
                         points_of((double)(p->chains - p->lost), (double)d), mean, mean + d, a);
  if (a->adapt_step && !(run->now.acceptance < MOVES))
    a->log_step = p->first_step;
  dun_free(mean);
  return status;
}

static void copy_row(const struct dun_column *column, int64_t from, int64_t to)
{
  int64_t width = column->width;
  memcpy(dun_f64(column) + to * width, dun_f64(column) + from * width,
         (size_t)width * sizeof(double));
}

/* Lost chains of a tile begin again where others of it are. */
static void restart_tile(const struct dun_run *run, int64_t i)
{
  const struct dun_tiles *tiles = &run->population.tiles;
  struct dun_address address = dun_run_address(run, DUN_PURPOSE_PILOT);
  int n = dun_tile_size(tiles, tiles->first_tile + i), healthy = 0, place[DUN_LANES];
  const double *logw = dun_f64(run->logw) + i * tiles->tile;

  address.tile = (uint32_t)(tiles->first_tile + i);
  for (int l = 0; l < n; l++)
    if (logw[l] == 0)
      place[healthy++] = l;
  for (int l = 0; l < n && healthy > 0; l++) {
    int pick = (int)((1 - dun_uniform_one(address, l)) * healthy);
    if (logw[l] == 0)
      continue;
    copy_row(run->x, i * tiles->tile + place[pick], i * tiles->tile + l);
    copy_row(run->sweep.part_lp, i * tiles->tile + place[pick], i * tiles->tile + l);
    if (run->sweep.force)
      copy_row(run->sweep.force, i * tiles->tile + place[pick], i * tiles->tile + l);
  }
}

static void restart_lost(const struct dun_run *run)
{
  const struct dun_tiles *tiles = &run->population.tiles;
  for (int64_t i = 0; i < tiles->count && tiles->first_tile + i < tiles_of(run); i++)
    restart_tile(run, i);
}

static int is_window_end(int64_t moves)
{
  return moves >= 4 && (moves & (moves - 1)) == 0;
}

/* What the population begins with: of correlations nothing, where the input wants none.  0: chains
 * that are on the way have more moves to make. */
static int leave(struct dun_context *context, struct dun_pilots *p, struct dun_run *run)
{
  struct dun_adaptation *a = run->adaptation;
  int moving, status = choose(context, p, run);

  if (status >= 0)
    status = look_at_moments(context, p, run, &moving);
  if (status >= 0 && (moving || !p->near) && p->moves < pilot_of(run).most) {
    p->due = 2 * p->moves;
    return 0;
  }
  if (status >= 0)
    status = dun_path_fit(context, run->path, run->path_self, &run->population, run->x, run->logw,
                          &p->weights);
  if (a->metric != DUN_METRIC_DENSE)
    dun_adaptation_forget_factor(a);
  dun_adaptation_follow(&run->adaptation[1], a);
  return status < 0 ? status : 1;
}

/* ---- chains ---------------------------------------------------------------------------------- */

static void draw(const struct dun_run *run, const double *uniform, const double *normal, double *x)
{
  (void)uniform;
  run->path->pilot_draw(run->path_self, normal, x);
}

/* A phase may come from a damaged checkpoint. */
static int refuse_without(const struct dun_run *run)
{
  if (dun_pilots_due(run) > 0)
    return 0;
  return dun_fail(DUN_ERROR_INPUT,
                  "the checkpoint is damaged: it tells of pilot chains, and path "
                  "%s has none",
                  run->path->type.name);
}

int dun_pilots_start(struct dun_context *context, struct dun_pilots *p, struct dun_run *run)
{
  int d = run->evaluator->dimension, status = refuse_without(run);
  if (status == 0)
    status = dun_agree(context, dun_run_draw(run, DUN_PURPOSE_PILOT, 0, d, draw));
  p->moves = p->lost = p->near = 0;
  p->due = dun_pilots_due(run);
  p->moments.count = 0;
  p->first_step = run->adaptation->log_step;
  if (status < 0)
    return status;
  dun_sweep_forget(&run->sweep);
  if ((status = dun_run_evaluate(context, run, 1, tiles_of(run))) < 0)
    return status;
  return learn(context, p, run);
}

int dun_pilots_move(struct dun_context *context, struct dun_pilots *p, struct dun_run *run)
{
  struct dun_adaptation *a = run->adaptation;
  double longest = 16 + 2 * (double)p->moves;
  struct dun_look look;
  int status = refuse_without(run);

  run->sweep.logw = NULL; /* pilot chains have no weights */
  run->sweep.from_point = 0;
  if (status == 0)
    status = dun_sweep_move(context, &run->sweep, dun_run_address(run, 0), 1, tiles_of(run), &look);
  if (status < 0)
    return status;
  dun_adaptation_update(a, &look);
  if (a->adapt_length && a->length > longest)
    a->length = longest;
  run->now.acceptance = look.acceptance;
  run->now.pilot = ++p->moves;
  run->now.pilots = p->due;
  if (p->moves >= p->due)
    return leave(context, p, run);
  if (!is_window_end(p->moves) || 4 * p->moves > 3 * p->due)
    return 0;
  if ((status = learn(context, p, run)) >= 0 && p->moves >= FIRST_RESTART)
    restart_lost(run);
  return status;
}

void dun_pilots_diagnose(const struct dun_pilots *p, struct dun_diagnosis *out)
{
  double share = p->chains > 0 ? (double)p->lost / (double)p->chains : 0;
  if (p->chains > 0)
    dun_diagnose(out, "pilots", dun_verdict_above(share, .5, .9),
                 "%lld of %lld pilot chains were far below the others, and left out of the base's "
                 "fit",
                 (long long)p->lost, (long long)p->chains);
}

void dun_pilots_free(struct dun_pilots *p)
{
  dun_weights_free(&p->weights);
  DUN_FREE(p->moments.value);
  p->moments.count = 0;
}
