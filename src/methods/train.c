/* Learns a denoiser of the target from draws of it: the regression of the point on what is seen of
 * it through noise (learning/regression.h).  Field network tells means by what the result
 * has in /learned, for every sampler that goes by a field.
 *
 * The particles are examples: they tell what was learned from, and nothing is estimated by them. */
#include "base/error.h"
#include "base/memory.h"
#include "learning/regression.h"
#include "methods/run.h"
#include "paths/given_points.h"
#include "population/tile.h"
#include <math.h>
#include <string.h>

enum { L = DUN_LANES };

enum { SOURCE_EXACT, SOURCE_FILE };

struct train {
  /* options */
  struct dun_part network_part;
  struct {
    int type;
    struct dun_given_points points; /* its rows are freed when they have been dealt */
  } source;
  struct dun_regression regression; /* with its state */
};

/* ---- setting up ------------------------------------------------------------------------------ */

/* Examples tile by tile. */
struct dealer {
  struct dun_run *run;
  double *uniform, *normal;              /* columns, owned */
  const struct dun_given_points *points; /* dealt in an order by chance: chains are slow to move */
};

static void deal_points(void *source, int64_t tile, double *x)
{
  const struct dealer *dealer = source;
  const struct dun_given_points *points = dealer->points;
  const struct dun_examples all = {.count = points->rows};
  struct dun_address address = {.seed = (uint64_t)dealer->run->options.seed,
                                .purpose = DUN_PURPOSE_TAKE_UNIFORM};
  int64_t d = dealer->run->evaluator->dimension;
  for (int l = 0; l < L; l++) {
    int64_t row = dun_examples_turn(&all, address, tile * L + l);
    for (int64_t j = 0; j < d; j++)
      x[j * L + l] = points->row[row * d + j];
  }
}

static void deal(void *source, int64_t tile, double *x)
{
  const struct dealer *dealer = source;
  const struct dun_evaluator *e = dealer->run->evaluator;
  struct dun_address address = {.seed = (uint64_t)dealer->run->options.seed,
                                .purpose = DUN_PURPOSE_TAKE,
                                .step = UINT32_MAX,
                                .tile = (uint32_t)tile};
  dun_normals(address, dun_evaluator_normals(e), dealer->normal);
  address.purpose = DUN_PURPOSE_TAKE_UNIFORM;
  dun_uniforms(address, dun_evaluator_uniforms(e), dealer->uniform);
  dun_evaluator_draw(e, dealer->uniform, dealer->normal, x);
}

/* Of no more points than there are. */
static int init_from_points(const struct dun_context *context, struct train *s,
                            struct dealer *dealer)
{
  struct dun_examples *examples = &s->regression.examples;
  int64_t left = s->source.points.rows - examples->held_back;
  if (left < 1)
    return dun_fail(DUN_ERROR_INPUT,
                    "%s: %lld points, of which examples.held_back takes %lld: none is left to "
                    "learn from",
                    s->source.points.file, (long long)s->source.points.rows, examples->held_back);
  examples->count = examples->count < left ? examples->count : left;
  dealer->points = &s->source.points;
  return dun_regression_init(context, &s->regression, deal_points, dealer);
}

static int init_here(const struct dun_context *context, struct train *s, struct dun_run *run)
{
  struct dun_denoiser *denoiser = &s->regression.denoiser;
  struct dealer dealer = {.run = run};
  denoiser->network = (const struct dun_network *)s->network_part.type;
  denoiser->network_self = s->network_part.self;
  denoiser->d = run->evaluator->dimension;
  if (run->options.replicates > 1)
    return dun_fail(DUN_ERROR_INPUT,
                    "run.replicates is %lld, and a result holds one network: train each in a run "
                    "of its own, with another run.seed (a sweep runs them all)",
                    run->options.replicates);
  if (s->source.type == SOURCE_EXACT && !run->target->draw)
    return dun_fail(DUN_ERROR_INPUT,
                    "method train learns from exact draws, and target %s has none: give source: "
                    "{type: file, file: ...}, a result or a table of points",
                    run->target->type.name);
  if (run->target->support != DUN_REALS)
    return dun_fail(DUN_ERROR_INPUT, "method train learns of reals, and target %s is none of them",
                    run->target->type.name);
  int status = denoiser->network->init(denoiser->network_self, denoiser->d, denoiser->d);
  if (status < 0)
    return status;
  if (s->source.type == SOURCE_FILE)
    return init_from_points(context, s, &dealer);
  dealer.uniform = dun_allocate(dun_evaluator_uniforms(run->evaluator), L * sizeof(double));
  dealer.normal = dun_allocate(dun_evaluator_normals(run->evaluator), L * sizeof(double));
  status = dealer.uniform && dealer.normal
               ? dun_regression_init(context, &s->regression, deal, &dealer)
               : DUN_ERROR_MEMORY;
  dun_free(dealer.uniform);
  dun_free(dealer.normal);
  return status;
}

static int init(struct dun_context *context, void *self, struct dun_run *run)
{
  struct train *s = self;
  int status = s->source.type == SOURCE_FILE
                   ? dun_given_points_read(context, &s->source.points, run->evaluator)
                   : 0;
  if (status >= 0)
    status = dun_agree(context, init_here(context, s, run));
  DUN_FREE(s->source.points.row);
  if (status < 0)
    return status;
  run->x = dun_run_column(run, "x", DUN_F64, run->evaluator->dimension, DUN_MOVES | DUN_HASHED,
                          "An example.");
  run->logw = dun_run_column(run, "logw", DUN_F64, 1, 0, "0: all weights are equal.");
  run->root =
      dun_run_column(run, "root", DUN_I64, 1, DUN_MOVES | DUN_OUTPUT, "Number of the particle.");
  return run->x && run->logw && run->root ? 0 : DUN_ERROR_MEMORY;
}

static void release(void *self)
{
  dun_regression_free(&((struct train *)self)->regression);
}

static int restore(void *self)
{
  return dun_regression_restore(&((struct train *)self)->regression);
}

static struct dun_table *table(void *self)
{
  return &((struct train *)self)->regression.table;
}

static int64_t memory(const void *self)
{
  const struct train *s = self;
  return s->regression.total ? dun_regression_memory(&s->regression) : 0;
}

static double progress(const void *self, const struct dun_run *run)
{
  const struct dun_regression *r = &((const struct train *)self)->regression;
  (void)run;
  return r->over ? 1 : (double)r->done / (double)r->steps;
}

static int64_t sweeps(const void *self, const struct dun_run *run)
{
  (void)self;
  (void)run;
  return 1;
}

/* ---- ticks ----------------------------------------------------------------------------------- */

static struct dun_address address_of(const struct dun_run *run)
{
  return (struct dun_address){.seed = (uint64_t)run->options.seed,
                              .replicate = (uint16_t)run->replicate};
}

/* Particle i is example i, from the first again behind the last. */
static int take_examples(const struct dun_examples *examples, struct dun_run *run)
{
  const struct dun_tiles *tiles = &run->population.tiles;
  int64_t d = examples->d;
  for (int64_t i = 0; i < tiles->local; i++)
    memcpy(dun_f64(run->x) + i * d, examples->x + (tiles->first + i) % examples->count * d,
           (size_t)d * sizeof(double));
  return 0;
}

static int start(struct dun_context *context, void *self, struct dun_run *run)
{
  struct train *s = self;
  dun_run_begin_particles(run);
  take_examples(&s->regression.examples, run);
  return dun_regression_start(context, &s->regression, address_of(run));
}

static int advance(struct dun_context *context, void *self, struct dun_run *run)
{
  struct train *s = self;
  struct dun_regression *r = &s->regression;
  if (r->over)
    return DUN_TICK_DONE;
  enum dun_phase before = dun_timers_switch(&context->timers, DUN_PHASE_MOVE);
  int status = dun_regression_tick(context, r, address_of(run));
  dun_timers_switch(&context->timers, before);
  if (status <= 0)
    return status < 0 ? status : DUN_TICK_GOING;
  run->now.step = r->done;
  run->now.time = progress(s, run);
  run->now.loss = dun_table_cell(&r->table, dun_table_rows(&r->table) - 1, "held_back");
  return DUN_TICK_STEP;
}

/* ---- what to think of it --------------------------------------------------------------------- */

static double last_loss(const struct dun_table *table)
{
  return dun_table_cell(table, dun_table_rows(table) - 1, "loss");
}

static void diagnose(void *self, const struct dun_run *run, struct dun_diagnosis *out)
{
  const struct dun_regression *r = &((struct train *)self)->regression;
  double seen = last_loss(&r->table);
  (void)run;
  dun_diagnose(
      out, "loss",
      r->best < .99 * r->blank ? DUN_GOOD
      : r->best < r->blank     ? DUN_DOUBTFUL
                               : DUN_BAD,
      "%.4g of examples that were held back, at step %lld of %lld; %.4g before the first%s",
      r->best, (long long)r->best_step, (long long)r->done, r->blank,
      r->best < .99 * r->blank ? "" : ": hardly anything was learned");
  if (r->in_row >= DUN_REGRESSION_GIVES_UP)
    dun_diagnose(out, "divergence", DUN_BAD,
                 "the last %d gradients were no numbers: take a lower optimiser.rate, or clip",
                 DUN_REGRESSION_GIVES_UP);
  else if (r->optimiser.skipped > 0)
    dun_diagnose(out, "divergence", DUN_DOUBTFUL, "%lld gradients were no numbers and were skipped",
                 (long long)r->optimiser.skipped);
  dun_diagnose(out, "overfitting", dun_verdict_above(r->best / seen, 1.2, 2),
               "the loss of what is held back is %.3g times that of what is learned from",
               r->best / seen);
}

static const struct dun_state state[] = {
    DUN_REGRESSION_STATE(struct train, regression),
    {0},
};

#define SOURCE(member_) (offsetof(struct train, source.member_) - offsetof(struct train, source))

static const struct dun_option source_rows[] = {
    {.name = "type",
     .type = DUN_CHOICE,
     .offset = SOURCE(type),
     .initial = "exact",
     .words = "exact|file",
     .doc = "The target's exact draws, or points of a file."},
    {.name = "file",
     .type = DUN_FILE,
     .offset = SOURCE(points.file),
     .when = "type=file",
     .doc = "A CSV file of a point a row, an HDF5 file, or an earlier result."},
    {.name = "dataset",
     .type = DUN_TEXT,
     .offset = SOURCE(points.dataset),
     .initial = "",
     .when = "type=file",
     .doc = "Place of the points in an HDF5 file, a row each; left out: the draws of a result."},
    {.name = "coordinates",
     .type = DUN_CHOICE,
     .offset = SOURCE(points.coordinates),
     .initial = "constrained",
     .words = "constrained|unconstrained",
     .when = "type=file",
     .doc = "What the numbers are: the output parameters, or what samplers move in; of a target "
            "without transforms the same."},
    {0},
};

static const struct dun_option options[] = {
    {.name = "source",
     .type = DUN_SECTION,
     .offset = offsetof(struct train, source),
     .initial = "",
     .rows = source_rows,
     .doc = "Where the points to learn from are."},
    {.name = "network",
     .type = DUN_PART,
     .kind = DUN_KIND_NETWORK,
     .offset = offsetof(struct train, network_part),
     .initial = "mlp",
     .doc = "What learns."},
    {.name = "lessons",
     .type = DUN_SECTION,
     .offset = offsetof(struct train, regression),
     .initial = "",
     .rows = dun_regression_rows,
     .doc = "From what and how."},
    {0},
};

const struct dun_method dun_method_train = {
    .type = {DUN_TYPE(struct dun_method), .name = "train",
             .doc = "Learns a denoiser of the target, which field network tells means by.",
             .citation = "Vincent 2011, Neural Computation 23", .size = sizeof(struct train),
             .options = options, .state = state, .free = release, .restore = restore},
    .table = table,
    .memory = memory,
    .sweeps = sweeps,
    .progress = progress,
    .init = init,
    .start = start,
    .advance = advance,
    .diagnose = diagnose,
};
