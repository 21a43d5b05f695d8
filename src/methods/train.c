/* Learns a denoiser of the target from draws of it: the regression of the point on what is seen of
 * it through noise (learning/regression.h).  Field network tells means by what the result
 * has in /learned, for every sampler that goes by a field.
 *
 * The particles are examples: they tell what was learned from, and nothing is estimated by them. */
#include "base/error.h"
#include "base/memory.h"
#include "data/origin.h"
#include "data/target_lines.h"
#include "learning/kinship.h"
#include "learning/regression.h"
#include "methods/run.h"
#include "paths/given_points.h"
#include "population/tile.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { L = DUN_LANES };

enum { SOURCE_EXACT, SOURCE_FILE };

/* The examples that particles are, each one's copies and those that hang together in one piece. */
struct shown {
  int64_t count;    /* how many are */
  int64_t families; /* of those that hang together */
  int64_t *example; /* [count], owned: their numbers; NULL: from 0 on, each a family of its own */
  int64_t *begin;   /* [count], owned: the place in this list where the family begins */
};

struct train {
  /* options */
  struct dun_part network_part;
  struct {
    int type;
    struct dun_given_points points; /* its rows are freed when they have been dealt */
  } source;
  struct dun_regression regression; /* with its state */

  /* made by init */
  struct dun_kinship kinship; /* of the file's points; `kin` is freed when they have been dealt */
  struct dun_origin origin;   /* of the file */
  struct shown shown;
};

/* ---- setting up ------------------------------------------------------------------------------ */

/* Examples tile by tile. */
struct dealer {
  struct dun_run *run;
  double *uniform, *normal;              /* columns, owned */
  const struct dun_given_points *points; /* dealt in an order by chance: chains are slow to move */
};

/* Of a file's points. */
static struct dun_address order_of(const struct dun_run *run)
{
  return (struct dun_address){.seed = (uint64_t)run->options.seed,
                              .purpose = DUN_PURPOSE_TAKE_UNIFORM};
}

static void deal_points(void *source, int64_t tile, double *x)
{
  const struct dealer *dealer = source;
  const struct dun_given_points *points = dealer->points;
  const struct dun_examples all = {.count = points->rows};
  int64_t d = dealer->run->evaluator->dimension;
  for (int l = 0; l < L; l++) {
    int64_t row = dun_examples_turn(&all, order_of(dealer->run), tile * L + l);
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

struct related {
  int64_t kin, example;
};

static int before(const void *a, const void *b)
{
  const struct related *x = a, *y = b;
  if (x->kin != y->kin)
    return x->kin < y->kin ? -1 : 1;
  return x->example < y->example ? -1 : 1;
}

static void free_shown(struct shown *shown)
{
  DUN_FREE(shown->example);
  DUN_FREE(shown->begin);
}

/* All examples that there are particles for, families one after the other. */
static int show(struct train *s, const struct dun_run *run)
{
  const struct dun_examples all = {.count = s->kinship.rows};
  struct shown *shown = &s->shown;
  int64_t count = s->regression.examples.count, particles = run->options.particles;
  free_shown(shown);
  shown->families = shown->count = count < particles ? count : particles;
  if (s->source.type == SOURCE_EXACT)
    return 0;
  struct related *related = dun_allocate(shown->count, sizeof *related);
  shown->example = dun_allocate(shown->count, sizeof *shown->example);
  shown->begin = dun_allocate(shown->count, sizeof *shown->begin);
  int status = related && shown->example && shown->begin ? 0 : DUN_ERROR_MEMORY;
  for (int64_t i = 0; i < shown->count && status >= 0; i++)
    related[i] = (struct related){s->kinship.kin[dun_examples_turn(&all, order_of(run), i)], i};
  if (status >= 0)
    qsort(related, (size_t)shown->count, sizeof *related, before);
  shown->families = 0;
  for (int64_t k = 0; k < shown->count && status >= 0; k++) {
    int same = k > 0 && related[k].kin == related[k - 1].kin;
    shown->example[k] = related[k].example;
    shown->begin[k] = same ? shown->begin[k - 1] : k;
    shown->families += !same;
  }
  dun_free(related);
  return status;
}

/* Of no more points than there are. */
static int init_from_points(const struct dun_context *context, struct train *s,
                            struct dealer *dealer)
{
  struct dun_given_points *points = &s->source.points;
  struct dun_examples *examples = &s->regression.examples;
  int64_t left = s->source.points.rows - examples->held_back;
  if (left < 1)
    return dun_fail(DUN_ERROR_INPUT,
                    "%s: %lld points, of which examples.held_back takes %lld: none is left to "
                    "learn from",
                    s->source.points.file, (long long)s->source.points.rows, examples->held_back);
  examples->count = examples->count < left ? examples->count : left;
  dealer->points = points;
  int status =
      dun_kinship_init(&s->kinship, points->rows, dealer->run->evaluator->dimension, points->row);
  if (status < 0 || (status = show(s, dealer->run)) < 0)
    return status;
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
  if (s->source.type == SOURCE_FILE && s->regression.half)
    return dun_fail(DUN_ERROR_INPUT, "lessons.half is of exact draws: leave it out, or source");
  int status = dun_regression_averages(&s->regression, denoiser->d);
  if (status >= 0)
    status = denoiser->network->init(denoiser->network_self, denoiser->d + status, denoiser->d);
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
  return status < 0 ? status : show(s, run);
}

static int init(struct dun_context *context, void *self, struct dun_run *run)
{
  struct train *s = self;
  const struct dun_examples *examples = &s->regression.examples;
  s->source.points.most = examples->count + examples->held_back;
  int status = s->source.type == SOURCE_FILE
                   ? dun_given_points_read(context, &s->source.points, run->evaluator)
                   : 0;
  if (status >= 0 && s->source.type == SOURCE_FILE)
    status = dun_origin_read(context, s->source.points.file, &s->origin);
  if (status >= 0)
    status = dun_agree(context, init_here(context, s, run));
  DUN_FREE(s->source.points.row);
  dun_kinship_free(&s->kinship);
  if (status < 0)
    return status;
  run->x = dun_run_column(run, "x", DUN_F64, run->evaluator->dimension, DUN_MOVES | DUN_HASHED,
                          "An example.");
  run->logw = dun_run_column(run, "logw", DUN_F64, 1, 0, "0: all weights are equal.");
  run->root = dun_run_column(run, "root", DUN_I64, 1, DUN_MOVES | DUN_OUTPUT,
                             "The first particle of the same example, or of one that hangs "
                             "together with it.");
  return run->x && run->logw && run->root ? 0 : DUN_ERROR_MEMORY;
}

static void release(void *self)
{
  struct train *s = self;
  dun_regression_free(&s->regression);
  dun_kinship_free(&s->kinship);
  dun_origin_free(&s->origin);
  free_shown(&s->shown);
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
  return s->regression.total ? dun_regression_memory(&s->regression) + 16 * s->shown.count : 0;
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

/* Copies of an example, where there are more particles, are as good as one: they have one ancestor,
 * and so have examples that hang together. */
static void take_examples(const struct train *s, struct dun_run *run)
{
  const struct dun_tiles *tiles = &run->population.tiles;
  const struct shown *shown = &s->shown;
  int64_t d = s->regression.examples.d, n = shown->count, total = tiles->total;
  for (int64_t i = 0; i < tiles->local; i++) {
    int64_t k = (int64_t)((__int128)(tiles->first + i) * n / total);
    int64_t number = shown->example ? shown->example[k] : k;
    int64_t begin = shown->begin ? shown->begin[k] : k;
    memcpy(dun_f64(run->x) + i * d, s->regression.examples.x + number * d,
           (size_t)d * sizeof(double));
    dun_i64(run->root)[i] = (int64_t)(((__int128)begin * total + n - 1) / n);
  }
  run->now.ess = (double)n;
  run->now.roots = (double)shown->families;
}

static int start(struct dun_context *context, void *self, struct dun_run *run)
{
  struct train *s = self;
  dun_run_begin_particles(run);
  take_examples(s, run);
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

/* Points of a file: whether they are independent, and what they are draws of. */
static void judge_source(const struct train *s, const struct dun_run *run,
                         struct dun_diagnosis *out)
{
  const struct dun_examples *examples = &s->regression.examples;
  const struct dun_kinship *kin = &s->kinship;
  const char *own = s->origin.diagnosis;
  double used = (double)(examples->count + examples->held_back);
  char other[160];
  int good = kin->worth >= .5 * used;
  dun_diagnose(out, "examples",
               good               ? DUN_GOOD
               : kin->worth >= 20 ? DUN_DOUBTFUL
                                  : DUN_BAD,
               "%.0f of the file's %lld points; %lld of these are distinct, and by their order all "
               "are worth about %.0f independent ones%s",
               used, (long long)kin->rows, (long long)kin->distinct, kin->worth,
               good ? "" : ": those that are held back are hardly new, and their loss is too low");
  if (*own)
    dun_diagnose(out, "source",
                 !strcmp(own, "good")  ? DUN_GOOD
                 : !strcmp(own, "bad") ? DUN_BAD
                                       : DUN_DOUBTFUL,
                 "the points are of a result whose own diagnosis is %s", own);
  if (s->origin.target && run->evaluator->options &&
      dun_target_lines_differ(s->origin.target, run->evaluator->options, other, sizeof other))
    dun_diagnose(out, "source's target", DUN_DOUBTFUL,
                 "the points are of a result of another target: %s", other);
}

static void diagnose(void *self, const struct dun_run *run, struct dun_diagnosis *out)
{
  const struct dun_regression *r = &((struct train *)self)->regression;
  double seen = last_loss(&r->table);
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
  if (((struct train *)self)->source.type == SOURCE_FILE)
    judge_source(self, run, out);
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
     .doc = "An earlier result, another HDF5 file, a CSV file of a point a row, or an IDX file of "
            "unsigned bytes, which over 255 are numbers from 0 to 1."},
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
