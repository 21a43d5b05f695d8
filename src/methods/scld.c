/* Sequential controlled Langevin diffusions (Chen et al. 2024, arXiv 2412.07081): learns the
 * control, the exponents and the base of the path `controlled`, so that its weights vary little.
 *
 *   repeat: carry all particles through the pieces, with selections and moves at their ends;
 *           keep the pieces; of the latest and of earlier ones, which are chosen by their weights,
 *           take a step down the mean over the pieces of the variance of log w (the log-variance
 *           loss, Richter & Berner 2024), for which any pieces do
 *
 * The result's particles are those of one simulation more, with what was learned; method smc with
 * path.load takes as many as are wanted.
 *
 * With a driven reference the control is that of path integral samplers and of denoising diffusion
 * samplers, and the loss is the one that Richter & Berner take for them.
 *
 * Our names and the paper's letters: batches of pieces = the replay buffer; log weight of a piece
 * = log w_n; exponent = beta_k. */
#include "methods/scld.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/scalar.h"
#include <math.h>
#include <string.h>

static const struct dun_table_column columns[] = {
    {"replicate", "", "Number of the training, from 0."},
    {"step", "", "Steps so far."},
    {"loss", "", "Mean over the pieces of the variance of their log weights, at the last step."},
    {"log_evidence", "",
     "log Z of a simulation with selections and moves, as the result would be by then; in the last "
     "row of the result."},
    {"bound", "", "Its lower bound on log Z (ELBO)."},
    {"ess", "", "Its effective sample size at the end."},
    {"selections", "", "Its selections."},
    {"acceptance", "", "Mean acceptance of its moves."},
    {"plain_evidence", "", "log Z of a simulation without selections and moves."},
    {"plain_bound", "", "Its lower bound on log Z (ELBO): the mean of log w."},
    {"plain_ess", "", "Its effective sample size."},
    {"upper_bound", "",
     "Upper bound on log Z (EUBO), of ways back from exact draws; NaN: the target has none."},
    {"gradient", "", "Norm of the last gradient, after clipping."},
    {"skipped", "", "Steps so far whose gradient was no number."},
    {"dropped", "", "Pieces of the last step that were no numbers under what had been learned."},
    {"worst_loss", "", "The largest variance of a piece's log weights, at the last step."},
    {"worst_piece", "", "Which piece that is, from 0."},
};
enum { COLUMNS = sizeof columns / sizeof *columns };

/* ---- setting up ------------------------------------------------------------------------------ */

static int rests(const void *self)
{
  return ((const struct dun_scld *)self)->moves_every == 0;
}

static int check_kernel(const struct dun_scld *s, const struct dun_run *run)
{
  if (!run->kernel)
    return 0;
  const struct dun_kernel_options *options = run->kernel_self;
  if (dun_kernel_is_biased(run->kernel, run->kernel_self))
    return dun_fail(DUN_ERROR_INPUT,
                    "method scld needs a kernel that leaves pi_t invariant, and kernel %s does not",
                    run->kernel->type.name);
  if (run->kernel->uses_centre)
    return dun_fail(DUN_ERROR_INPUT,
                    "method scld learns no centre, around which kernel %s proposes: take hmc, mala "
                    "or rwm",
                    run->kernel->type.name);
  if (!options->load && options->metric != DUN_METRIC_AUTO &&
      options->metric != DUN_METRIC_IDENTITY)
    return dun_fail(DUN_ERROR_INPUT, "method scld learns no metric: take metric: identity");
  return s->move_steps.count == 2 || s->move_steps.count == 0
             ? 0
             : dun_fail(DUN_ERROR_INPUT,
                        "move_steps: two step sizes are expected, at t = 0 and from 1/2 on; found "
                        "%lld",
                        s->move_steps.count);
}

static int check(struct dun_scld *s, const struct dun_run *run)
{
  if (run->path != &dun_path_controlled)
    return dun_fail(DUN_ERROR_INPUT,
                    "method scld learns what path controlled goes by, and this is path %s",
                    run->path->type.name);
  s->path = run->path_self;
  s->every = s->every > 0 ? s->every : (s->steps + 99) / 100;
  if ((2 * s->steps + 1) * (s->path->pieces + 1) > UINT32_MAX)
    return dun_fail(DUN_ERROR_INPUT,
                    "%lld steps of %lld pieces are more than there are random numbers for",
                    s->steps, s->path->pieces);
  if (run->options.replicates > 1)
    return dun_fail(
        DUN_ERROR_INPUT,
        "run.replicates is %lld, and a result holds one control: train each in a run of "
        "its own, with another run.seed (a sweep runs them all)",
        run->options.replicates);
  if (run->options.particles < 2)
    return dun_fail(DUN_ERROR_INPUT, "method scld learns from variances: take two particles");
  return check_kernel(s, run);
}

static int init(struct dun_context *context, void *self, struct dun_run *run)
{
  struct dun_scld *s = self;
  int d = run->evaluator->dimension, status = check(s, run);
  (void)context;
  if (status < 0)
    return status;
  s->replay.slots = s->batches;
  s->replay.pieces = s->path->pieces;
  s->replay.points = s->path->steps / s->path->pieces + 1;
  if ((status = dun_replay_declare(&s->replay, run)) < 0)
    return status;
  run->x = dun_run_column(run, "x", DUN_F64, d, DUN_MOVES | DUN_HASHED, "The particle's point.");
  run->logw = dun_run_column(run, "logw", DUN_F64, 1, DUN_HASHED, "Log of the weight.");
  run->root = dun_run_column(run, "root", DUN_I64, 1, DUN_MOVES | DUN_HASHED | DUN_OUTPUT,
                             "Global index of the ancestor at the start.");
  s->part_lp = dun_run_column(run, "part_lp", DUN_F64, run->path->parts, DUN_MOVES,
                              "Log densities of the path's parts.");
  s->increment = dun_run_column(run, "increment", DUN_F64, 1, 0, "Log weight of the last piece.");
  s->rest =
      dun_run_column(run, "rest", DUN_F64, 1, DUN_MOVES, "What selections left of the log weight.");
  if (!run->x || !s->rest || !run->logw || !run->root || !s->part_lp || !s->increment ||
      !dun_run_column(run, "carried", DUN_F64, 2, 0, "Log density before a carry, and its ratio."))
    return DUN_ERROR_MEMORY;
  if ((status = dun_table_make(&s->table, columns, COLUMNS)) < 0)
    return status;
  s->steering.width = s->path->loaded.weights.count ? s->path->loaded.width : s->width;
  return 0;
}

static void release(void *self)
{
  struct dun_scld *s = self;
  dun_steering_free(&s->steering);
  dun_steering_free(&s->again);
  dun_optimiser_free(&s->optimiser);
  DUN_FREE(s->log_step.value);
  DUN_FREE(s->past.value);
  dun_table_free(&s->table);
  dun_weights_free(&s->weights);
  dun_replay_free(&s->replay);
  dun_lessons_free(&s->lessons);
  dun_batch_sum_free(&s->sum);
  DUN_FREE(s->total);
  DUN_FREE(s->gradient);
  DUN_FREE(s->pace);
  DUN_FREE(s->found);
  DUN_FREE(s->columns);
}

static struct dun_address first_address(const struct dun_run *run)
{
  return (struct dun_address){.seed = (uint64_t)run->options.seed,
                              .replicate = (uint16_t)run->replicate,
                              .purpose = DUN_PURPOSE_WEIGHTS};
}

/* Begins at what the path has loaded, if it has. */
static void take_loaded(struct dun_scld *s)
{
  if (!s->path->loaded.weights.count)
    return;
  double *numbers = s->gradient; /* as long */
  dun_scld_gather(&s->path->loaded, numbers);
  dun_scld_scatter(numbers, &s->steering);
  dun_controlled_refresh(s->path);
}

/* Adam as published, with a rate for each group. */
static void set_optimiser(struct dun_scld *s)
{
  struct dun_optimiser *o = &s->optimiser;
  int64_t weights = s->steering.weights.count, T = s->path->steps;
  for (int64_t i = 0; i < dun_lessons_numbers(s->path); i++)
    s->pace[i] = i < weights                          ? s->rates.control
                 : i < weights + T                    ? s->rates.exponents
                 : s->path->reference == DUN_ANNEALED ? s->rates.base
                                                      : 0;
  o->pace = s->pace;
  o->rate = 1;
  o->first_decay = .9;
  o->second_decay = .999;
  o->epsilon = 1e-8;
  o->schedule = s->schedule ? DUN_RATE_COSINE : DUN_RATE_CONSTANT;
}

/* What is made once the population is there, with the path steered by `steering`. */
static int make(struct dun_context *context, struct dun_scld *s, struct dun_run *run)
{
  int64_t slopes = dun_lessons_slopes(s->path), numbers = dun_lessons_numbers(s->path);
  int64_t tiles = run->population.tiles.tiles, local = run->population.tiles.local;
  int status;
  if (tiles > INT32_MAX)
    return dun_fail(DUN_ERROR_INPUT, "method scld: too many particles");
  s->lessons.path = s->path;
  if ((status = dun_replay_init(&s->replay)) < 0 || (status = dun_lessons_init(&s->lessons)) < 0 ||
      (status = dun_batch_sum_init(context, &s->sum, (int)tiles, slopes)) < 0)
    return status;
  DUN_FREE(s->total);
  DUN_FREE(s->gradient);
  DUN_FREE(s->pace);
  DUN_FREE(s->found);
  DUN_FREE(s->columns);
  s->columns = dun_allocate(s->replay.d, DUN_LANES * sizeof *s->columns);
  s->total = dun_allocate(slopes > numbers ? slopes : numbers, sizeof *s->total);
  s->gradient = dun_allocate(numbers, sizeof *s->gradient);
  s->pace = dun_allocate(numbers, sizeof *s->pace);
  s->found = dun_allocate((s->batches + 2) * local, sizeof *s->found);
  if (!s->columns || !s->total || !s->gradient || !s->pace || !s->found)
    return DUN_ERROR_MEMORY;
  set_optimiser(s);
  return 0;
}

static int start_here(struct dun_context *context, struct dun_scld *s, struct dun_run *run)
{
  struct dun_adaptation *a = &run->adaptation[0];
  int64_t pieces = s->path->pieces;
  const struct dun_address first = first_address(run);
  int status = 0;
  if (run->kernel && (status = dun_adaptation_init(a, run->kernel, run->kernel_self,
                                                   run->evaluator->dimension)) < 0)
    return status;
  s->again.width = s->steering.width;
  if ((status = dun_controlled_steer(s->path, &s->again, &first)) < 0 ||
      (status = dun_controlled_steer(s->path, &s->steering, &first)) < 0 ||
      (status = make(context, s, run)) < 0)
    return status;
  take_loaded(s);
  int64_t numbers = dun_lessons_numbers(s->path);
  dun_scld_gather(&s->steering, s->gradient);
  if ((status = dun_optimiser_start(&s->optimiser, numbers, s->gradient)) < 0 ||
      (status = dun_numbers_make(&s->log_step, pieces, run->kernel ? a->log_step : 0)) < 0 ||
      (status = dun_numbers_make(&s->past, (s->batches + 1) * (numbers + pieces), 0)) < 0)
    return status;
  dun_replay_clear(&s->replay);
  return 0;
}

static int start(struct dun_context *context, void *self, struct dun_run *run)
{
  struct dun_scld *s = self;
  dun_run_begin_particles(run);
  s->now = (struct dun_scld_simulation){.mode = s->steps > 0 ? DUN_SCLD_TRAIN : DUN_SCLD_FINAL};
  s->done = s->dropped = s->lost = 0;
  s->loss = s->norm = s->first_loss = s->upper = s->worst.loss = s->worst.piece = 0;
  s->trained = s->plain = (struct dun_scld_found){0};
  s->ready = 1;
  return dun_agree(context, start_here(context, s, run));
}

static int restore(void *self)
{
  struct dun_scld *s = self;
  int64_t numbers = s->steering.weights.count + s->path->steps + 2 * s->steering.mean.count;
  if (!dun_controlled_fits(s->path, &s->steering) || s->optimiser.first.count != numbers ||
      s->optimiser.second.count != numbers || s->log_step.count != s->path->pieces ||
      s->past.count != (s->batches + 1) * (numbers + s->path->pieces) ||
      !dun_table_is_whole(&s->table) || s->done > s->steps || s->now.piece > s->path->pieces)
    return dun_fail(DUN_ERROR_INPUT,
                    "The checkpoint is of another path or control, or of more steps.");
  s->ready = 0;
  return 0;
}

/* Behind a restart: tables, and the replay. */
static int make_ready(struct dun_context *context, struct dun_scld *s, struct dun_run *run)
{
  const struct dun_address first = first_address(run);
  int status;
  s->again.width = s->steering.width;
  if ((status = dun_controlled_steer(s->path, &s->again, &first)) >= 0 &&
      (status = dun_controlled_steer(s->path, &s->steering, NULL)) >= 0)
    status = make(context, s, run);
  status = dun_agree(context, status);
  if (status >= 0 && s->now.mode != DUN_SCLD_FINAL)
    status = dun_scld_simulate_again(context, s, run);
  s->ready = status >= 0;
  return status;
}

static struct dun_table *table(void *self)
{
  return &((struct dun_scld *)self)->table;
}

static int64_t memory(const void *self)
{
  const struct dun_scld *s = self;
  int64_t slopes = s->path ? dun_control_weights((int)s->replay.d, (int)s->steering.width) +
                                 (s->path->steps + 1) * (s->steering.width + s->replay.d)
                           : 0;
  return s->path ? dun_replay_memory(&s->replay) +
                       8 * slopes * (s->replay.tiles.count + 3 * s->batches + 12)
                 : 0;
}

static double progress(const void *self, const struct dun_run *run)
{
  const struct dun_scld *s = self;
  (void)run;
  return s->now.phase == DUN_SCLD_OVER ? 1 : (double)s->done / (double)(s->steps + 1);
}

/* Moves of all simulations, but for those behind every `moves_every`-th boundary only. */
static int64_t sweeps(const void *self, const struct dun_run *run)
{
  const struct dun_scld *s = self;
  (void)run;
  if (s->moves_every == 0)
    return 0;
  return s->steps * (s->path->pieces / s->moves_every + 1) + s->path->pieces;
}

/* ---- ticks ----------------------------------------------------------------------------------- */

static void next_simulation(struct dun_scld *s, enum dun_scld_mode mode)
{
  s->now.phase = DUN_SCLD_BEGIN;
  s->now.mode = mode;
  s->now.piece = 0;
}

/* To learn from, or the last. */
static void go_on(struct dun_scld *s)
{
  next_simulation(s, s->done < s->steps && !s->lost ? DUN_SCLD_TRAIN : DUN_SCLD_FINAL);
}

static void tell(const struct dun_scld *s, struct dun_run *run)
{
  run->now.step = s->done;
  run->now.time = 1;
  run->now.loss = s->loss;
  run->now.moves = s->now.moves;
  run->now.acceptance = dun_scld_acceptance(s);
}

static int learn(struct dun_context *context, struct dun_scld *s, struct dun_run *run)
{
  enum dun_phase before = dun_timers_switch(&context->timers, DUN_PHASE_MOVE);
  int status = dun_scld_learn(context, s, run);
  dun_timers_switch(&context->timers, before);
  if (status < 0)
    return status;
  if (s->done == s->steps)
    next_simulation(s, DUN_SCLD_PLAIN);
  else if (s->done % s->every == 0)
    next_simulation(s, DUN_SCLD_LOOK);
  else
    go_on(s);
  return DUN_TICK_GOING;
}

static void keep_found(const struct dun_scld *s, const struct dun_run *run,
                       struct dun_scld_found *found)
{
  *found = (struct dun_scld_found){.evidence = run->now.log_evidence,
                                   .bound = s->now.bound,
                                   .selections = (double)s->now.selections,
                                   .acceptance = dun_scld_acceptance(s),
                                   .ess = run->now.ess};
}

static int add_row(struct dun_context *context, struct dun_scld *s, struct dun_run *run)
{
  const struct dun_scld_found *t = &s->trained, *plain = &s->plain;
  const double row[COLUMNS] = {(double)run->replicate,
                               (double)s->done,
                               s->loss,
                               t->evidence,
                               t->bound,
                               t->ess,
                               t->selections,
                               t->acceptance,
                               plain->evidence,
                               plain->bound,
                               plain->ess,
                               s->upper,
                               s->norm,
                               (double)s->optimiser.skipped,
                               (double)s->dropped,
                               s->worst.loss,
                               s->worst.piece};
  return dun_agree(context, dun_table_add(&s->table, row));
}

/* The last row is of the result, and follows it. */
static int end_row(struct dun_context *context, struct dun_scld *s, struct dun_run *run)
{
  int status = s->done < s->steps ? add_row(context, s, run) : 0;
  go_on(s);
  return status < 0 ? status : DUN_TICK_GOING;
}

static int end_result(struct dun_context *context, struct dun_scld *s, struct dun_run *run)
{
  s->now.phase = DUN_SCLD_OVER;
  tell(s, run);
  keep_found(s, run, &s->trained);
  int status = s->steps > 0 && s->done == s->steps ? add_row(context, s, run) : 0;
  return status < 0 ? status : DUN_TICK_STEP;
}

/* Probes see it, unless no particle has weight. */
static int end_look(struct dun_scld *s, struct dun_run *run)
{
  keep_found(s, run, &s->trained);
  tell(s, run);
  next_simulation(s, DUN_SCLD_PLAIN);
  return s->trained.evidence > -INFINITY ? DUN_TICK_STEP : DUN_TICK_GOING;
}

/* A simulation is over. */
static int end_simulation(struct dun_context *context, struct dun_scld *s, struct dun_run *run)
{
  switch (s->now.mode) {
  case DUN_SCLD_TRAIN:
    if (s->lost)
      go_on(s);
    else
      s->now.phase = DUN_SCLD_LEARN;
    return DUN_TICK_GOING;
  case DUN_SCLD_LOOK: return end_look(s, run);
  case DUN_SCLD_PLAIN:
    keep_found(s, run, &s->plain);
    s->upper = NAN;
    if (!run->target->draw)
      return end_row(context, s, run);
    s->now = (struct dun_scld_simulation){.mode = DUN_SCLD_UPPER};
    return DUN_TICK_GOING;
  case DUN_SCLD_UPPER: return end_row(context, s, run);
  default: return end_result(context, s, run);
  }
}

static int advance(struct dun_context *context, void *self, struct dun_run *run)
{
  struct dun_scld *s = self;
  int status = s->ready ? 0 : make_ready(context, s, run);
  if (status < 0)
    return status;
  if (s->now.phase == DUN_SCLD_OVER)
    return DUN_TICK_DONE;
  if (s->now.phase == DUN_SCLD_LEARN)
    return learn(context, s, run);
  status = s->now.mode == DUN_SCLD_UPPER ? dun_scld_return(context, s, run, &s->upper)
                                         : dun_scld_simulate(context, s, run);
  return status < 0 ? status : status > 0 ? end_simulation(context, s, run) : DUN_TICK_GOING;
}

/* Unless the last simulation was to its end. */
static int cut(struct dun_context *context, void *self, struct dun_run *run)
{
  (void)context;
  if (((const struct dun_scld *)self)->now.phase == DUN_SCLD_OVER)
    return 0;
  run->now.log_evidence = run->now.log_evidence_error = NAN;
  return 0;
}

/* ---- state and options ----------------------------------------------------------------------- */

#define STATE(name_, type_, member_)                                                               \
  DUN_STATE_ROW(name_, type_, offsetof(struct dun_scld, member_), 1)
#define NUMBER(name_, member_) STATE(name_, DUN_STATE_NUMBER, member_)

static const struct dun_state state[] = {
    DUN_STATE_UP_TO(DUN_SCLD_OVER, "phase", offsetof(struct dun_scld, now.phase)),
    DUN_STATE_UP_TO(DUN_SCLD_FINAL, "mode", offsetof(struct dun_scld, now.mode)),
    STATE("piece", DUN_STATE_INTEGER, now.piece),
    STATE("selections", DUN_STATE_INTEGER, now.selections),
    NUMBER("carried", now.carried),
    NUMBER("bound", now.bound),
    NUMBER("square_sum", now.square_sum),
    NUMBER("acceptance", now.acceptance),
    NUMBER("moves", now.moves),
    NUMBER("missing", now.missing),
    DUN_STATE_UP_TO(1, "lost", offsetof(struct dun_scld, lost)),
    STATE("done", DUN_STATE_INTEGER, done),
    STATE("dropped", DUN_STATE_INTEGER, dropped),
    NUMBER("loss", loss),
    NUMBER("norm", norm),
    NUMBER("first loss", first_loss),
    NUMBER("worst loss", worst.loss),
    NUMBER("worst piece", worst.piece),
    NUMBER("upper", upper),
    DUN_STATE_ROW("trained", DUN_STATE_NUMBER, offsetof(struct dun_scld, trained),
                  sizeof(struct dun_scld_found) / sizeof(double)),
    DUN_STATE_ROW("plain", DUN_STATE_NUMBER, offsetof(struct dun_scld, plain),
                  sizeof(struct dun_scld_found) / sizeof(double)),
    STATE("move steps", DUN_STATE_NUMBERS, log_step),
    STATE("past", DUN_STATE_NUMBERS, past),
    STATE("table", DUN_STATE_NUMBERS, table.cells),
    DUN_OPTIMISER_STATE(struct dun_scld, optimiser),
    DUN_STEERING_STATE(struct dun_scld, steering),
    {0},
};

#define RATE(member_) (offsetof(struct dun_scld, rates.member_) - offsetof(struct dun_scld, rates))

static const struct dun_option rate_rows[] = {
    {.name = "control",
     .type = DUN_NUMBER,
     .offset = RATE(control),
     .initial = "1e-3",
     .minimum = 0,
     .maximum = 1e3,
     .doc = "Of the control's weights; with 0 they stay."},
    {.name = "exponents",
     .type = DUN_NUMBER,
     .offset = RATE(exponents),
     .initial = "1e-2",
     .minimum = 0,
     .maximum = 1e3,
     .doc = "Of the exponents, which begin in equal steps."},
    {.name = "base",
     .type = DUN_NUMBER,
     .offset = RATE(base),
     .initial = "1e-3",
     .minimum = 0,
     .maximum = 1e3,
     .doc = "Of the base's mean and log standard deviations; of driven references they stay."},
    {0},
};

#define ROW(name_, type_, member_, ...)                                                            \
  {                                                                                                \
    .name = name_, .type = type_, .offset = offsetof(struct dun_scld, member_), __VA_ARGS__        \
  }

static const struct dun_option options[] = {
    ROW("steps", DUN_INTEGER, steps, .initial = "3000", .minimum = 0, .maximum = 1e9,
        .doc = "Simulations, each followed by a step down the loss."),
    ROW("width", DUN_INTEGER, width, .initial = "64", .minimum = 1, .maximum = 4096,
        .doc = "Numbers in the layers of the control; of one that is loaded, its own."),
    ROW("rates", DUN_SECTION, rates, .initial = "", .rows = rate_rows,
        .doc = "About how far a number goes in a step (Adam)."),
    ROW("schedule", DUN_CHOICE, schedule, .initial = "constant", .words = "constant|cosine",
        .doc = "Whether the rates fall to 0 until the last step."),
    ROW("batches", DUN_INTEGER, batches, .initial = "20", .minimum = 1, .maximum = 10000,
        .doc = "Simulations whose pieces are kept to be learned from again; with 1 only the "
               "latest is."),
    ROW("every", DUN_INTEGER, every, .initial = "auto", .words = "auto", .minimum = 1,
        .maximum = 1e9,
        .doc = "Steps from row to row of the training's table, which takes a simulation of its "
               "own, and from look to look of probes; auto: a hundredth."),
    ROW("ess_threshold", DUN_NUMBER, ess_threshold, .initial = "0.3", .minimum = 0, .maximum = 1,
        .doc = "Select when the effective sample size falls below this share of the particles."),
    ROW("training_ess", DUN_NUMBER, training_ess, .initial = "0.3", .minimum = 0, .maximum = 1,
        .doc = "Training selects by a power of the weights that leaves so large a share of the "
               "particles effective, and keeps the rest of the weights, so that there are many "
               "places to learn from; 0: by the weights themselves."),
    ROW("resampling", DUN_CHOICE, resampling, .initial = "systematic",
        .words = DUN_RESAMPLING_WORDS, .doc = "How offspring are drawn."),
    ROW("moves_every", DUN_INTEGER, moves_every, .initial = "1", .minimum = 0, .maximum = 1e6,
        .doc = "Training moves the particles behind every so many pieces and at the end; with 0 "
               "nothing moves, and there is no section kernel."),
    ROW("move_steps", DUN_NUMBERS, move_steps, .initial = "", .minimum = 1e-12, .maximum = 1e6,
        .doc = "Step sizes of the moves at t = 0 and from t = 1/2 on, linear between; left out: "
               "learned behind every piece."),
    ROW("clip", DUN_NUMBER, clip, .initial = "1", .words = "none", .minimum = 1e-30,
        .maximum = 1e30, .doc = "Largest slope by any number; longer ones are cut."),
    ROW("most_variance", DUN_NUMBER, most_variance, .initial = "1e7", .minimum = 1e-30,
        .maximum = 1e30, .doc = "Pieces whose log weights vary more teach nothing in a step."),
    {0},
};

const struct dun_method dun_method_scld = {
    .type = {DUN_TYPE(struct dun_method), .name = "scld",
             .doc = "Learns the control, the exponents and the base of path controlled.",
             .citation = "Chen et al. 2024, arXiv 2412.07081", .size = sizeof(struct dun_scld),
             .options = options, .state = state, .free = release, .restore = restore},
    .needs_path = 1,
    .needs_kernel = 1,
    .rests = rests,
    .table = table,
    .memory = memory,
    .sweeps = sweeps,
    .progress = progress,
    .init = init,
    .start = start,
    .advance = advance,
    .cut = cut,
    .diagnose = dun_scld_diagnose,
};
