/* Exact draws of a target that has them: independent particles of equal weight, in one tick and
 * without an evaluation.  References, floors of distances, sets to learn from; log Z is none of
 * its answers. */
#include "base/error.h"
#include "methods/run.h"

static int64_t sweeps(const void *self, const struct dun_run *run)
{
  (void)self;
  (void)run;
  return 1;
}

static int init(struct dun_context *context, void *self, struct dun_run *run)
{
  (void)context;
  (void)self;
  if (!run->target->draw)
    return dun_fail(DUN_ERROR_INPUT, "method exact: target %s cannot draw exactly",
                    run->target->type.name);
  run->x = dun_run_column(run, "x", DUN_F64, run->evaluator->dimension, DUN_MOVES | DUN_HASHED,
                          "The draw.");
  run->logw = dun_run_column(run, "logw", DUN_F64, 1, 0, "0: all weights are equal.");
  run->root = dun_run_column(run, "root", DUN_I64, 1, DUN_MOVES | DUN_OUTPUT,
                             "Number of the draw: each is its own ancestor.");
  return run->x && run->logw && run->root ? 0 : DUN_ERROR_MEMORY;
}

static int start(struct dun_context *context, void *self, struct dun_run *run)
{
  const struct dun_tiles *tiles = &run->population.tiles;
  (void)context;
  (void)self;
  dun_run_begin_chains(run, (double)run->options.particles);
  for (int64_t i = 0; i < tiles->local; i++) {
    dun_f64(run->logw)[i] = 0;
    dun_i64(run->root)[i] = tiles->first + i;
  }
  return 0;
}

static void draw(const struct dun_run *run, const double *uniform, const double *normal, double *x)
{
  dun_evaluator_draw(run->evaluator, uniform, normal, x);
}

static int advance(struct dun_context *context, void *self, struct dun_run *run)
{
  const struct dun_target *target = run->target;
  (void)self;
  if (run->now.step > 0)
    return DUN_TICK_DONE;
  int status =
      dun_run_draw(run, DUN_PURPOSE_START, target->draw_uniforms, target->draw_normals, draw);
  run->now.time = 1;
  run->now.step = 1;
  status = dun_agree(context, status);
  return status < 0 ? status : DUN_TICK_STEP;
}

static void diagnose(void *self, const struct dun_run *run, struct dun_diagnosis *out)
{
  (void)self;
  dun_diagnose(out, "draws", DUN_GOOD, "%lld independent draws of target %s itself",
               run->options.particles, run->target->type.name);
}

const struct dun_method dun_method_exact = {
    .type = {DUN_TYPE(struct dun_method), .name = "exact",
             .doc = "Exact draws of a target that has them: independent, of equal weight.",
             .size = 1},
    .sweeps = sweeps,
    .init = init,
    .start = start,
    .advance = advance,
    .diagnose = diagnose,
};
