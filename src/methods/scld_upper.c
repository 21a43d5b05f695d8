/* An upper bound on log Z (EUBO), where the target can be drawn from exactly: the mean of log w
 * over paths that begin at its draws and go the way back.  Together with the lower bound it says
 * how far the path's ways are from the target's; modes that the ways there never find it does see
 * (Blessing et al. 2024, arXiv 2406.07423). */
#include "base/error.h"
#include "methods/scld.h"
#include "parallel/sum.h"
#include "population/tile.h"
#include <math.h>

static void draw(const struct dun_run *run, const double *uniform, const double *normal, double *x)
{
  dun_evaluator_draw(run->evaluator, uniform, normal, x);
}

static int begin(struct dun_context *context, struct dun_scld *s, struct dun_run *run)
{
  int status = dun_run_draw(run, DUN_PURPOSE_BACK, dun_evaluator_uniforms(run->evaluator),
                            dun_evaluator_normals(run->evaluator), draw);
  for (int64_t i = 0; i < run->population.tiles.local; i++)
    dun_f64(run->logw)[i] = 0;
  dun_sweep_forget(&run->sweep);
  s->now = (struct dun_scld_simulation){.mode = s->now.mode, .phase = DUN_SCLD_CARRY};
  return dun_agree(context, status);
}

static int return_tile(struct dun_scld *s, struct dun_run *run, struct dun_address address,
                       int64_t i)
{
  const struct dun_tiles *tiles = &run->population.tiles;
  double log_weight[DUN_LANES] __attribute__((aligned(64)));
  double *x = s->columns;
  int n = dun_tile_size(tiles, tiles->first_tile + i);
  address.tile = (uint32_t)(tiles->first_tile + i);
  dun_tile_load(&run->population, run->x, i, x);
  dun_tile_load(&run->population, run->logw, i, log_weight);
  dun_controlled_return(s->path, s->path->pieces - 1 - s->now.piece, n, address, x, log_weight);
  int status = dun_pass_leave(&run->sweep.pass, i, 0, n);
  if (status < 0)
    return status;
  dun_tile_store(&run->population, run->x, i, x);
  dun_tile_store(&run->population, run->logw, i, log_weight);
  return 0;
}

static int return_piece(struct dun_context *context, struct dun_scld *s, struct dun_run *run)
{
  struct dun_address address = dun_run_address(run, DUN_PURPOSE_NOISE);
  struct dun_pass *pass = &run->sweep.pass;
  int status = 0;
  if (!dun_pass_begin(context, pass, 0, NULL)) {
    for (int64_t i = 0; i < run->population.tiles.count && status >= 0; i++)
      if ((status = dun_pass_enter(pass, i, 0)) > 0)
        status = return_tile(s, run, address, i);
    status = dun_pass_end(context, pass, status, 0, NULL, NULL);
  }
  if (status >= 0)
    s->now.piece++;
  return status < 0 ? status : 0;
}

/* The mean of log w; *bound is +inf where one has diverged. */
static int find(struct dun_context *context, const struct dun_run *run, double *bound)
{
  struct dun_exact sum[2] = {0};
  double total[2];
  for (int64_t i = 0; i < run->population.tiles.local; i++) {
    double one = dun_f64(run->logw)[i];
    dun_exact_add(&sum[0], isfinite(one) ? one : 0);
    dun_exact_add(&sum[1], !isfinite(one));
  }
  int status = dun_sum(context, 0, 2, sum, total);
  if (status >= 0)
    *bound = total[1] > 0 ? INFINITY : total[0] / (double)run->options.particles;
  return status;
}

int dun_scld_return(struct dun_context *context, struct dun_scld *s, struct dun_run *run,
                    double *bound)
{
  int64_t tick = run->tick;
  run->tick = dun_scld_tick(s);
  enum dun_phase before = dun_timers_switch(&context->timers, DUN_PHASE_WEIGH);
  int begins = s->now.phase == DUN_SCLD_BEGIN;
  int status = begins ? begin(context, s, run) : return_piece(context, s, run);
  dun_timers_switch(&context->timers, before);
  run->tick = tick;
  if (status < 0 || s->now.piece < s->path->pieces)
    return status;
  status = find(context, run, bound);
  return status < 0 ? status : 1;
}
