/* Exact draws of a target that has them: independent particles of equal weight, without an
 * evaluation; a slice of them a tick, so that draws which take long can be interrupted.
 * References, floors of distances, sets to learn from; log Z is none of its answers. */
#include "base/error.h"
#include "methods/run.h"

enum { MOST_SLICES = 256 };

struct exact {
  int64_t done; /* slices; state */
};

static const struct dun_state state[] = {
    DUN_STATE_UP_TO(MOST_SLICES, "done", offsetof(struct exact, done)),
    {0},
};

/* As many at any number of ranks: what looks at the draws has random numbers of its tick. */
static int64_t slices(const struct dun_run *run)
{
  const int64_t few = 16, most = MOST_SLICES;
  int64_t count = (run->population.tiles.tiles + few - 1) / few;
  return count < most ? count : most;
}

static double progress(const void *self, const struct dun_run *run)
{
  return (double)((const struct exact *)self)->done / (double)slices(run);
}

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
  (void)context;
  ((struct exact *)self)->done = 0;
  dun_run_begin_particles(run);
  return 0;
}

static void draw(const struct dun_run *run, const double *uniform, const double *normal, double *x)
{
  dun_evaluator_draw(run->evaluator, uniform, normal, x);
}

static int advance(struct dun_context *context, void *self, struct dun_run *run)
{
  struct exact *s = self;
  if (run->now.step > 0)
    return DUN_TICK_DONE;
  int status = dun_run_draw_slice(run, s->done, slices(run), DUN_PURPOSE_START,
                                  dun_evaluator_uniforms(run->evaluator),
                                  dun_evaluator_normals(run->evaluator), draw);
  if ((status = dun_agree(context, status)) < 0)
    return status;
  if (++s->done < slices(run))
    return DUN_TICK_GOING;
  run->now.time = 1;
  run->now.step = 1;
  return DUN_TICK_STEP;
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
             .size = sizeof(struct exact), .state = state},
    .sweeps = sweeps,
    .progress = progress,
    .init = init,
    .start = start,
    .advance = advance,
    .diagnose = diagnose,
};
