/* The simulations of method scld: carry, weigh, select, move, piece after piece. */
#include "base/error.h"
#include "base/memory.h"
#include "base/scalar.h"
#include "methods/scld.h"
#include "parallel/sum.h"
#include "population/tile.h"
#include <math.h>
#include <string.h>

/* Number of the simulation, whose random numbers have steps of their own: those of training even,
 * what follows each odd. */
static int64_t simulation_of(const struct dun_scld *s)
{
  return s->now.mode == DUN_SCLD_AGAIN   ? 2 * s->batch_again
         : s->now.mode == DUN_SCLD_TRAIN ? 2 * s->done
         : s->now.mode == DUN_SCLD_FINAL ? 2 * s->steps
                                         : 2 * s->done - 1;
}

static double time_of(const struct dun_scld *s, int64_t piece)
{
  return (double)piece / (double)s->path->pieces;
}

static int is_kept(const struct dun_scld *s)
{
  return s->now.mode == DUN_SCLD_TRAIN || s->now.mode == DUN_SCLD_AGAIN;
}

static int64_t batch_of(const struct dun_scld *s)
{
  return s->now.mode == DUN_SCLD_AGAIN ? s->batch_again : s->done;
}

/* ---- before and behind a simulation ---------------------------------------------------------- */

/* What the batch goes by, for the case that it has to be made again; one more is there, to go back
 * to. */
static double *past_of(struct dun_scld *s, int64_t batch)
{
  int64_t numbers = dun_lessons_numbers(s->path) + s->path->pieces;
  return s->past.value + batch % (s->batches + 1) * numbers;
}

static void remember(struct dun_scld *s)
{
  double *past = past_of(s, s->done), *steps = past + dun_lessons_numbers(s->path);
  dun_scld_gather(&s->steering, past);
  for (int64_t i = 0; i < s->path->pieces; i++)
    steps[i] = s->log_step.value[i];
}

/* The path goes by what a batch went by. */
static void recall(struct dun_scld *s)
{
  dun_scld_scatter(past_of(s, s->batch_again), &s->again);
  s->path->steering = &s->again;
  dun_controlled_refresh(s->path);
}

/* Behind a boundary: the next piece, or the end. */
static int go_on(struct dun_scld *s)
{
  if (s->now.piece == s->path->pieces)
    return 1;
  if (is_kept(s))
    dun_replay_ends(&s->replay, batch_of(s), s->now.piece, 0, s->part_lp);
  s->now.phase = DUN_SCLD_CARRY;
  return 0;
}

static int begin(struct dun_context *context, struct dun_scld *s, struct dun_run *run)
{
  if (s->now.mode == DUN_SCLD_TRAIN)
    remember(s);
  else if (s->now.mode == DUN_SCLD_AGAIN)
    recall(s);
  s->now = (struct dun_scld_simulation){.mode = s->now.mode};
  int status = dun_agree(context, dun_run_start(run));
  if (status < 0)
    return status;
  dun_run_equal_weights(run);
  run->now.time = 0;
  dun_sweep_forget(&run->sweep);
  status = dun_run_evaluate(context, run, 0, INT64_MAX);
  return status < 0 ? status : go_on(s);
}

/* ---- pieces ---------------------------------------------------------------------------------- */

/* Mean of the piece's log weights under the weights before it, which are still those of s->weights:
 * what the bound grows by.  Where nothing is selected all count the same, so that it comes to the
 * mean of log w, which is what a diffusion by itself is told by. */
static int add_bound(struct dun_context *context, struct dun_scld *s, struct dun_run *run)
{
  double weight[DUN_LANES], total[2], equal = 1 / (double)run->options.particles;
  int plain = s->now.mode == DUN_SCLD_PLAIN;
  struct dun_exact sum[2] = {0};
  const struct dun_tiles *tiles = &run->population.tiles;
  for (int64_t tile = 0; tile < tiles->count; tile++) {
    int n = dun_tile_size(tiles, tiles->first_tile + tile);
    dun_weights_tile(&run->population, run->logw, &s->weights, tile, weight);
    for (int l = 0; l < n; l++) {
      double one = dun_f64(s->increment)[tile * tiles->tile + l];
      double share = plain ? equal : weight[l];
      int ends = !(one > -INFINITY), counts = share > 0;
      dun_exact_add(&sum[0], counts && !ends ? share * one : 0);
      dun_exact_add(&sum[1], counts && ends);
    }
  }
  int status = dun_sum(context, 0, 2, sum, total);
  s->now.bound += status < 0 ? 0 : total[1] > 0 ? -INFINITY : total[0];
  return status;
}

/* Whether any particle has weight; *any. */
static int look_for_weight(struct dun_context *context, const struct dun_run *run, int64_t *any)
{
  *any = 0;
  for (int64_t i = 0; i < run->population.tiles.local; i++)
    *any += dun_f64(run->logw)[i] > -INFINITY;
  return dun_sum_integers(context, 0, 1, any);
}

/* No particle has: the simulation is over.  A training goes back to what the simulation before went
 * by. */
static int end_without_weight(struct dun_scld *s, struct dun_run *run)
{
  run->now.log_evidence = s->now.bound = -INFINITY;
  run->now.log_evidence_error = NAN;
  run->now.ess = 0;
  if (s->now.mode == DUN_SCLD_PLAIN || s->now.mode == DUN_SCLD_LOOK ||
      s->now.mode == DUN_SCLD_AGAIN)
    return 1; /* of the latter the very last one, that was not kept */
  if (s->now.mode != DUN_SCLD_TRAIN || s->done == 0)
    return dun_fail(
        DUN_ERROR_NUMERIC,
        "method scld: no particle of the %s simulation has any weight left behind piece "
        "%lld: take more steps, a smaller diffusion, or another base",
        s->now.mode == DUN_SCLD_TRAIN ? "first" : "last", (long long)s->now.piece + 1);
  s->lost = 1;
  dun_scld_scatter(past_of(s, s->done - 1), &s->steering);
  dun_controlled_refresh(s->path);
  return 1;
}

static int estimate(struct dun_context *context, struct dun_scld *s, struct dun_run *run)
{
  struct dun_genealogy genealogy;
  int status = dun_weights_compute(context, &run->population, run->logw, &s->weights);
  if (status >= 0)
    status = dun_genealogy_compute(context, &run->population, run->root, run->logw, &s->weights,
                                   &genealogy);
  if (status < 0)
    return status;
  s->now.square_sum = genealogy.square_sum;
  run->now.ess = s->weights.ess;
  run->now.roots = (double)genealogy.roots;
  run->now.error_roots = genealogy.variance_roots;
  run->now.log_evidence = s->now.carried + s->weights.log_mean;
  run->now.log_evidence_error = sqrt(genealogy.relative_variance);
  return 0;
}

static int carry(struct dun_context *context, struct dun_scld *s, struct dun_run *run)
{
  const struct dun_tiles *tiles = &run->population.tiles;
  double t = time_of(s, s->now.piece), next = time_of(s, s->now.piece + 1);
  int64_t batch = batch_of(s);
  int kept = is_kept(s), status;
  for (int64_t i = 0; i < tiles->local; i++)
    dun_f64(s->increment)[i] = 0;
  if (kept)
    dun_replay_track(&s->replay, batch, s->now.piece, &s->track);
  s->path->track = kept ? &s->track : NULL;
  status = dun_sweep_carry(context, &run->sweep, dun_run_address(run, 0), t, next, s->increment);
  s->path->track = NULL;
  if (status >= 0)
    status = dun_weights_compute(context, &run->population, run->logw, &s->weights);
  if (status < 0 || (status = add_bound(context, s, run)) < 0)
    return status;
  if (kept)
    dun_replay_ends(&s->replay, batch, s->now.piece, 1, s->part_lp);
  if (s->now.mode == DUN_SCLD_TRAIN)
    dun_replay_weigh(&s->replay, batch, s->now.piece, s->increment);
  for (int64_t i = 0; i < tiles->local; i++)
    dun_f64(run->logw)[i] += dun_f64(s->increment)[i];
  int64_t any;
  if ((status = dun_sweep_outside(context, &run->sweep, t, next, &s->now.missing)) < 0 ||
      (status = look_for_weight(context, run, &any)) < 0)
    return status;
  if (!any)
    return end_without_weight(s, run);
  if ((status = estimate(context, s, run)) < 0)
    return status;
  s->now.piece++;
  run->now.time = next;
  s->now.phase = DUN_SCLD_SELECT;
  return 0;
}

static int moves_here(const struct dun_scld *s)
{
  return s->moves_every > 0 &&
         (s->now.mode == DUN_SCLD_FINAL || s->now.mode == DUN_SCLD_LOOK ||
          s->now.piece % s->moves_every == 0 || s->now.piece == s->path->pieces);
}

/* Weights to the power `power`, whose logarithms go to `to`. */
static int temper(struct dun_context *context, struct dun_scld *s, struct dun_run *run,
                  double power)
{
  for (int64_t i = 0; i < run->population.tiles.local; i++) {
    double logw = dun_f64(s->rest)[i];
    dun_f64(run->logw)[i] = logw > -INFINITY ? power * logw : logw;
  }
  return dun_weights_compute(context, &run->population, run->logw, &s->weights);
}

/* Selects by a power of the weights that leaves enough of them effective; the rest of the weights
 * stays, so that all of it is exact, whatever the power. */
static int select_tempered(struct dun_context *context, struct dun_scld *s, struct dun_run *run)
{
  enum { HALVINGS = 30 };
  double low = 0, high = 1, N = (double)run->options.particles;
  int64_t local = run->population.tiles.local;
  int status = 0;
  memcpy(dun_f64(s->rest), dun_f64(run->logw), (size_t)local * sizeof(double));
  for (int i = 0; i < HALVINGS && status >= 0; i++) {
    double power = .5 * (low + high);
    status = temper(context, s, run, power);
    *(s->weights.ess < s->training_ess * N ? &high : &low) = power;
  }
  if (status < 0 || (status = temper(context, s, run, low)) < 0)
    return status;
  for (int64_t i = 0; i < local; i++) {
    double logw = dun_f64(s->rest)[i];
    dun_f64(s->rest)[i] = logw > -INFINITY ? (1 - low) * logw : 0;
  }
  double log_mean = s->weights.log_mean;
  status = dun_select(context, &run->population, run->logw, &s->weights,
                      (enum dun_resampling)s->resampling, dun_run_address(run, DUN_PURPOSE_SELECT));
  s->weights.log_mean = log_mean;
  memcpy(dun_f64(run->logw), dun_f64(s->rest), (size_t)local * sizeof(double));
  return status;
}

static int select_particles(struct dun_context *context, struct dun_scld *s, struct dun_run *run)
{
  double N = (double)run->options.particles;
  if (s->now.mode == DUN_SCLD_PLAIN)
    return go_on(s);
  int status = dun_weights_compute(context, &run->population, run->logw, &s->weights);
  if (status < 0)
    return status;
  if (s->weights.ess < s->ess_threshold * N) {
    status = is_kept(s) && s->training_ess > 0
                 ? select_tempered(context, s, run)
                 : dun_select(context, &run->population, run->logw, &s->weights,
                              (enum dun_resampling)s->resampling,
                              dun_run_address(run, DUN_PURPOSE_SELECT));
    if (status < 0)
      return status;
    s->now.carried += s->weights.log_mean;
    s->now.selections++;
  }
  if (!moves_here(s))
    return go_on(s);
  s->now.phase = DUN_SCLD_MOVE;
  return 0;
}

/* Linear in the time up to 1/2, if steps are given; else what was learned at this boundary. */
static double log_step_of(struct dun_scld *s)
{
  int64_t at = s->now.piece - 1;
  if (s->move_steps.count == 2) {
    const double *step = s->move_steps.value;
    double t = time_of(s, s->now.piece), share = t < .5 ? 2 * t : 1;
    return dun_scalar_log(step[0] + share * (step[1] - step[0]));
  }
  return s->now.mode == DUN_SCLD_AGAIN
             ? past_of(s, s->batch_again)[dun_lessons_numbers(s->path) + at]
             : s->log_step.value[at];
}

static int move(struct dun_context *context, struct dun_scld *s, struct dun_run *run)
{
  struct dun_adaptation *adaptation = &run->adaptation[0];
  struct dun_look look;
  run->sweep.logw = NULL;
  run->sweep.halves = 0;
  adaptation->log_step = log_step_of(s);
  int status = dun_sweep_move(context, &run->sweep, dun_run_address(run, 0),
                              time_of(s, s->now.piece), INT64_MAX, &look);
  if (status < 0)
    return status;
  s->now.acceptance += look.acceptance;
  s->now.moves++;
  if (s->now.mode == DUN_SCLD_TRAIN && adaptation->adapt_step)
    s->log_step.value[s->now.piece - 1] += dun_adaptation_change(
        dun_adaptation_acceptance(adaptation, &look), adaptation->target_acceptance);
  return go_on(s);
}

int64_t dun_scld_tick(const struct dun_scld *s)
{
  return simulation_of(s) * (s->path->pieces + 1) + s->now.piece;
}

int dun_scld_simulate(struct dun_context *context, struct dun_scld *s, struct dun_run *run)
{
  static int (*const phases[])(struct dun_context *, struct dun_scld *, struct dun_run *) = {
      [DUN_SCLD_BEGIN] = begin,
      [DUN_SCLD_CARRY] = carry,
      [DUN_SCLD_SELECT] = select_particles,
      [DUN_SCLD_MOVE] = move,
  };
  static const enum dun_phase booked[] = {
      [DUN_SCLD_BEGIN] = DUN_PHASE_SETUP,
      [DUN_SCLD_CARRY] = DUN_PHASE_WEIGH,
      [DUN_SCLD_SELECT] = DUN_PHASE_SELECT,
      [DUN_SCLD_MOVE] = DUN_PHASE_MOVE,
  };
  int64_t tick = run->tick;
  run->tick = dun_scld_tick(s);
  enum dun_phase before = dun_timers_switch(&context->timers, booked[s->now.phase]);
  int status = phases[s->now.phase](context, s, run);
  dun_timers_switch(&context->timers, before);
  run->tick = tick;
  return status;
}

/* ---- what checkpoints do not hold ------------------------------------------------------------ */

/* Everything that simulations change and that goes on from where it was. */
struct held {
  struct dun_scld_simulation simulation;
  struct dun_now now;
  struct dun_pass pass;
  double statistic[DUN_HALVES], forces_time, log_step;
  struct dun_evaluator counts; /* its counts alone */
  char *columns;               /* all of the population's, one behind the other */
};

static size_t bytes_of(const struct dun_population *population, int column)
{
  const struct dun_column *c = &population->column[column];
  return (size_t)population->tiles.local * (size_t)c->width * dun_column_size(c->type);
}

static void copy_counts(const struct dun_evaluator *from, struct dun_evaluator *to)
{
  to->evaluations = from->evaluations;
  to->gradients = from->gradients;
  to->nans = from->nans;
  to->nans_aside = from->nans_aside;
  to->infinities = from->infinities;
}

static int hold(struct dun_context *context, struct dun_scld *s, struct dun_run *run,
                struct held *held)
{
  const struct dun_population *population = &run->population;
  size_t bytes = 0;
  for (int c = 0; c < population->columns; c++)
    bytes += bytes_of(population, c);
  *held = (struct held){.simulation = s->now,
                        .now = run->now,
                        .pass = run->sweep.pass,
                        .forces_time = run->sweep.forces_time,
                        .log_step = run->adaptation[0].log_step,
                        .columns = dun_allocate((int64_t)bytes, 1)};
  memcpy(held->statistic, run->sweep.statistic, sizeof held->statistic);
  copy_counts(run->evaluator, &held->counts);
  int status = dun_agree(context, held->columns ? 0 : DUN_ERROR_MEMORY);
  char *at = held->columns;
  for (int c = 0; c < population->columns && status >= 0; at += bytes_of(population, c++))
    memcpy(at, population->column[c].data, bytes_of(population, c));
  /* Passes of its own, which are not interrupted: the one that was may go on behind. */
  run->sweep.pass =
      (struct dun_pass){.population = held->pass.population, .evaluator = held->pass.evaluator};
  return status;
}

static void let_go(struct dun_scld *s, struct dun_run *run, struct held *held)
{
  const struct dun_population *population = &run->population;
  char *at = held->columns;
  for (int c = 0; c < population->columns && at; at += bytes_of(population, c++))
    memcpy(population->column[c].data, at, bytes_of(population, c));
  dun_free(held->columns);
  s->now = held->simulation;
  run->now = held->now;
  dun_pass_free(&run->sweep.pass);
  run->sweep.pass = held->pass;
  run->sweep.forces_time = held->forces_time;
  memcpy(run->sweep.statistic, held->statistic, sizeof held->statistic);
  run->adaptation[0].log_step = held->log_step;
  copy_counts(&held->counts, run->evaluator);
  s->path->steering = &s->steering;
  dun_controlled_refresh(s->path);
}

/* Pieces of a batch up to number `last`, so many as there are. */
static int again(struct dun_context *context, struct dun_scld *s, struct dun_run *run,
                 int64_t batch, int64_t last)
{
  int status = 0;
  s->batch_again = batch;
  s->now = (struct dun_scld_simulation){.mode = DUN_SCLD_AGAIN};
  while (status == 0 && s->now.piece <= last) {
    status = dun_scld_simulate(context, s, run);
    dun_pass_forget(&run->sweep.pass);
  }
  return status;
}

int dun_scld_simulate_again(struct dun_context *context, struct dun_scld *s, struct dun_run *run)
{
  const struct dun_scld_simulation stands = s->now;
  int64_t first = s->done + 1 > s->batches ? s->done + 1 - s->batches : 0;
  int present = stands.mode == DUN_SCLD_TRAIN && stands.phase != DUN_SCLD_BEGIN;
  struct held held;
  int status = hold(context, s, run, &held);
  for (int64_t batch = first; batch < s->done && status >= 0; batch++)
    status = again(context, s, run, batch, s->path->pieces);
  if (present && status >= 0) /* a carry that was interrupted is made as a whole, too */
    status = again(context, s, run, s->done, stands.piece);
  let_go(s, run, &held);
  return status < 0 ? status : 0;
}
