/* A method for tests that has neither a path nor a kernel: standard normals with equal weights, so
 * many draws of each chain, or one population. */
#include "base/error.h"
#include "data/learned.h"
#include "methods/run.h"
#include <string.h>

struct bare {
  /* options */
  long long draws;
  char *load; /* a result: `ticks` of the whole method begins there */
  struct {
    struct dun_part inner; /* another of these, or none */
  } nest;
  struct dun_parts others; /* more of them */
  struct dun_part kernel;

  int64_t ticks; /* state */
  double shift;  /* made from it: points are moved by this of all that are nested */
};

static int restore(void *self)
{
  struct bare *s = self;
  s->shift = 1e-3 * (double)s->ticks;
  return 0;
}

/* One tick of all of them; the sum of their shifts. */
static double shift(struct bare *s)
{
  double sum = s->nest.inner.self ? shift(s->nest.inner.self) : 0;
  for (int i = 0; i < s->others.count; i++)
    sum += (i + 2) * shift(s->others.part[i].self);
  s->ticks++;
  restore(s);
  return sum + s->shift;
}

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
  struct bare *s = self;
  struct dun_learned learned = {
      .place = "method", .type = "bare", .rows = run->method->type.state, .self = self};
  int code = s->load ? dun_learned_load(context, s->load, &learned, run->evaluator->dimension) : 0;
  if (code < 0)
    return code;
  run->x = dun_run_column(run, "x", DUN_F64, run->evaluator->dimension, moves | DUN_HASHED,
                          "The point.");
  run->logw = dun_run_column(run, "logw", DUN_F64, 1, DUN_HASHED, "Log of the weight.");
  run->root = dun_run_column(run, "root", DUN_I64, 1, moves, "Number of the particle.");
  return run->x && run->logw && run->root ? 0 : DUN_ERROR_MEMORY;
}

static int start(struct dun_context *context, void *self, struct dun_run *run)
{
  (void)context;
  (void)self; /* ticks go on through the replicates */
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
  int d = run->evaluator->dimension;
  int code = dun_agree(context, dun_run_draw(run, DUN_PURPOSE_START, 0, d, draw));
  if (code < 0)
    return code;
  double more = shift(self);
  int64_t local = run->population.tiles.local;
  for (int64_t i = 0; i < local * d; i++)
    dun_f64(run->x)[i] += more;
  run->evaluator->evaluations += local; /* so that a run can be stopped in its midst */
  run->now.time = 1;
  run->now.step++;
  if (run->kept.draws == draws(self))
    return DUN_TICK_DONE;
  run->kept.draws++;
  return DUN_TICK_DRAW;
}

static const struct dun_option nest[] = {
    {.name = "inner", .type = DUN_PART, .initial = "", .kind = DUN_KIND_METHOD, .doc = "Another."},
    {0},
};
static const struct dun_option options[] = {
    {.name = "draws",
     .type = DUN_INTEGER,
     .offset = offsetof(struct bare, draws),
     .initial = "0",
     .maximum = 1000,
     .doc = "Draws of each chain; 0: one population."},
    {.name = "load",
     .type = DUN_FILE,
     .offset = offsetof(struct bare, load),
     .initial = "",
     .doc = "A result whose ticks are counted on."},
    {.name = "nest",
     .type = DUN_SECTION,
     .offset = offsetof(struct bare, nest),
     .initial = "",
     .rows = nest,
     .doc = "What is nested in a section."},
    {.name = "others",
     .type = DUN_PARTS,
     .offset = offsetof(struct bare, others),
     .initial = "",
     .kind = DUN_KIND_METHOD,
     .doc = "More of them."},
    {.name = "kernel",
     .type = DUN_PART,
     .offset = offsetof(struct bare, kernel),
     .initial = "rwm",
     .kind = DUN_KIND_KERNEL,
     .doc = "Named by its default, and not used."},
    {0},
};
static const struct dun_state state[] = {
    {.name = "ticks",
     .type = DUN_STATE_INTEGER,
     .offset = offsetof(struct bare, ticks),
     .count = 1,
     .learned = "Ticks so far."},
    {0},
};

const struct dun_method dun_method_bare = {
    .type = {DUN_TYPE(struct dun_method), .name = "bare", .doc = "Standard normals, for tests.",
             .size = sizeof(struct bare), .options = options, .state = state, .restore = restore},
    .draws = draws,
    .sweeps = sweeps,
    .init = init,
    .start = start,
    .advance = advance,
};
