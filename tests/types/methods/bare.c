/* A method for tests that has neither a path nor a kernel: standard normals with equal weights, so
 * many draws of each chain, or one population. */
#include "base/error.h"
#include "methods/run.h"
#include <string.h>

struct bare {
  long long draws; /* option */
};

static int64_t draws(const void *self)
{
  return ((const struct bare *)self)->draws;
}

static int64_t sweeps(const void *self, const struct dun_run *run)
{
  (void)run;
  return draws(self) > 0 ? draws(self) : 1;
}

static int init(struct dun_context *context, void *self, struct dun_run *run)
{
  unsigned moves = draws(self) > 0 ? 0 : DUN_MOVES;
  (void)context;
  run->x = dun_run_column(run, "x", DUN_F64, run->evaluator->dimension, moves | DUN_HASHED,
                          "The point.");
  run->logw = dun_run_column(run, "logw", DUN_F64, 1, DUN_HASHED, "Log of the weight.");
  run->root = dun_run_column(run, "root", DUN_I64, 1, moves, "Number of the particle.");
  return run->x && run->logw && run->root ? 0 : DUN_ERROR_MEMORY;
}

static int start(struct dun_context *context, void *self, struct dun_run *run)
{
  (void)context;
  (void)self;
  dun_run_begin_chains(run, (double)run->options.particles);
  for (int64_t i = 0; i < run->population.tiles.local; i++) {
    dun_f64(run->logw)[i] = 0;
    dun_i64(run->root)[i] = run->population.tiles.first + i;
  }
  return 0;
}

static void draw(const struct dun_run *run, const double *uniform, const double *normal, double *x)
{
  (void)uniform;
  memcpy(x, normal, (size_t)run->evaluator->dimension * DUN_LANES * sizeof *x);
}

static int advance(struct dun_context *context, void *self, struct dun_run *run)
{
  int code = dun_agree(context, dun_run_draw(run, DUN_PURPOSE_START, 0, -1, draw));
  if (code < 0)
    return code;
  run->now.time = 1;
  run->now.step++;
  if (run->kept.draws == draws(self))
    return DUN_TICK_DONE;
  run->kept.draws++;
  return DUN_TICK_DRAW;
}

static const struct dun_option options[] = {
    {.name = "draws",
     .type = DUN_INTEGER,
     .offset = offsetof(struct bare, draws),
     .initial = "0",
     .maximum = 1000,
     .doc = "Draws of each chain; 0: one population."},
    {0},
};

const struct dun_method dun_method_bare = {
    .type = {DUN_TYPE(struct dun_method), .name = "bare", .doc = "Standard normals, for tests.",
             .size = sizeof(struct bare), .options = options},
    .draws = draws,
    .sweeps = sweeps,
    .init = init,
    .start = start,
    .advance = advance,
};
