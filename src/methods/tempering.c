/* Parallel tempering along an affine path, with the non-reversible swaps and the ladder of Syed,
 * Bouchard-Cote, Deligiannidis & Doucet 2022 (J. R. Stat. Soc. B 84, 321).
 *   particles are replicas: N = L ladders of R rungs, 0 = t_0 < ... < t_{R-1} = 1
 *   repeat:
 *     move: a sweep of the kernel, every replica at the time of its rung; the first rung's are
 *           drawn anew from the base
 *     swap: rungs k, k + 1 with even k in even sweeps, odd k in odd ones: with probability
 *           min(1, exp((t_{k+1} - t_k)(V_k - V_{k+1}))) two replicas exchange their times
 *
 * V = d log pi_t / dt of a replica's point.  Times are exchanged, rows never.  In the warm-up the
 * rejections and the V's of ever longer rounds give the barrier, and with it the next ladder
 * (methods/barrier.h); every rung has a step size and a metric of its own, dense ones too
 * (methods/rung_metric.h).
 *
 * A ladder is a chain: every thin-th sweep the replica at time 1 is its draw.
 *
 * Decisions need V, rung and acceptance of all replicas on all ranks: one sum of 3 N + 1 integers
 * a sweep (24 N bytes), of which each rank fills its own; all ranks then decide the same. */
#include "methods/tempering.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/scalar.h"
#include "base/vmath.h"
#include "parallel/sum.h"
#include <math.h>
#include <string.h>

#define STATE(member, type_) DUN_STATE_ROW(#member, type_, offsetof(struct tempering, member), 1)
static const struct dun_state state[] = {
    DUN_STATE_UP_TO(SAMPLE, "phase", offsetof(struct tempering, phase)),
    STATE(rungs, DUN_STATE_INTEGER),
    DUN_PILOTS_STATE(struct tempering, pilots),
    STATE(done, DUN_STATE_INTEGER),
    STATE(round, DUN_STATE_INTEGER),
    STATE(trips, DUN_STATE_INTEGER),
    STATE(astray, DUN_STATE_NUMBERS),
    STATE(accepted, DUN_STATE_NUMBER),
    STATE(drift, DUN_STATE_NUMBER),
    STATE(tail, DUN_STATE_NUMBER),
    STATE(tail_rung, DUN_STATE_INTEGER),
    STATE(flat, DUN_STATE_INTEGER),
    DUN_STATE_UP_TO(DUN_TEMPERING_PROPOSALS, "proposed", offsetof(struct tempering, proposed)),
    DUN_STATE_UP_TO(1, "moved", offsetof(struct tempering, moved)),
    DUN_STATE_ROW("look", DUN_STATE_NUMBER, offsetof(struct tempering, look),
                  sizeof(struct dun_look) / sizeof(double)),
    DUN_STATE_ROW("starts", DUN_STATE_INTEGER, offsetof(struct tempering, starts),
                  DUN_STARTS_STATE),
    STATE(ladder.time, DUN_STATE_NUMBERS),
    STATE(ladder.log_step, DUN_STATE_NUMBERS),
    STATE(ladder.rejected, DUN_STATE_NUMBERS),
    STATE(ladder.drawn, DUN_STATE_NUMBERS),
    STATE(ladder.accepted, DUN_STATE_NUMBERS),
    STATE(ladder.scale, DUN_STATE_NUMBERS),
    STATE(ladder.factor, DUN_STATE_NUMBERS),
    STATE(ladder.place, DUN_STATE_NUMBERS),
    STATE(ladder.moments, DUN_STATE_NUMBERS),
    STATE(ladder.points, DUN_STATE_NUMBER),
    STATE(ladder.lost, DUN_STATE_NUMBER),
    STATE(ladder.values, DUN_STATE_NUMBER),
    STATE(ladder.looks, DUN_STATE_NUMBER),
    STATE(ladder.turns, DUN_STATE_NUMBER),
    STATE(metric.sums, DUN_STATE_NUMBERS),
    STATE(metric.centre, DUN_STATE_NUMBERS),
    STATE(bridge.single, DUN_STATE_NUMBERS),
    STATE(bridge.batch, DUN_STATE_NUMBERS),
    STATE(table.cells, DUN_STATE_NUMBERS),
    {0},
};

static const struct dun_table_column columns[] = {
    {"replicate", "", "Number of the population, from 0."},
    {"step", "", "Completed steps of the method; the last one is of all sweeps of the draws."},
    {"rung", "", "Number of the rung, from 0."},
    {"time", "", "Its time in this round."},
    {"step_size", "", "Of the kernel at this rung, in units of the metric."},
    {"rejection", "", "Mean rejection of the swaps with the next rung in this round."},
    {"barrier", "", "Sum of the rejections below this rung."},
    {"log_evidence", "", "log Z of the rung's law relative to the first; known of the draws."},
    {"round_trips", "", "From the last rung to the first and back, of all replicas so far."},
};
enum { COLUMNS = sizeof columns / sizeof *columns };

static int64_t draws(const void *self)
{
  return ((const struct tempering *)self)->draws;
}

static struct dun_table *table(void *self)
{
  return &((struct tempering *)self)->table;
}

/* Of the phase SAMPLE. */
static int64_t sampled(const struct tempering *s)
{
  return s->draws * s->thin;
}

static int64_t sweeps(const void *self, const struct dun_run *run)
{
  const struct tempering *s = self;
  (void)run;
  return s->warmup + sampled(s);
}

static double progress(const void *self, const struct dun_run *run)
{
  const struct tempering *s = self;
  int64_t before = s->phase == SAMPLE && s->draws > 0 ? s->warmup : 0;
  return (double)(before + s->done) / (double)sweeps(self, run);
}

static int64_t multiple(const void *self)
{
  const int64_t some = 8; /* where the number is found: any with divisors */
  long long stated = ((const struct tempering *)self)->temperatures;
  return stated > 0 ? stated : some;
}

/* ---- setting up -------------------------------------------------------------------------- */

static int declare(struct tempering *s, struct dun_run *run)
{
  int d = run->evaluator->dimension, K = run->path->parts;
  unsigned moves = s->draws > 0 ? 0 : DUN_MOVES; /* only particles are ever selected */
  unsigned output = s->draws > 0 ? 0 : DUN_OUTPUT;

  run->x = dun_run_column(run, "x", DUN_F64, d, moves | DUN_HASHED, "The replica's point.");
  s->logw = dun_run_column(run, "logw", DUN_F64, 1, 0, "0 at time 1, -inf elsewhere.");
  s->root = dun_run_column(run, "root", DUN_I64, 1, moves | output,
                           "Global index of the first replica of the ladder.");
  s->part_lp =
      dun_run_column(run, "part_lp", DUN_F64, K, moves, "Log densities of the path's parts.");
  s->chain_time = dun_run_column(run, "time", DUN_F64, 1, DUN_HASHED, "The replica's time.");
  s->step_size = dun_run_column(run, "step_size", DUN_F64, 1, 0, "The replica's step size.");
  s->acceptance = dun_run_column(run, "acceptance", DUN_F64, 1, moves | DUN_OUTPUT,
                                 "Probability that the last move was accepted.");
  s->credit = dun_run_column(run, "credit", DUN_F64, 1, 0, "What a step size answers for.");
  s->rung =
      dun_run_column(run, "rung", DUN_I64, 2, 0,
                     "Place in the ladder; 1 on the way from the last rung to the first, 2 back.");
  run->logw = s->logw;
  run->root = s->root;
  if (dun_rung_metric_init(&s->metric, run, s->rungs, moves) < 0)
    return DUN_ERROR_MEMORY;
  return run->x && s->logw && s->root && s->part_lp && s->chain_time && s->step_size &&
                 s->acceptance && s->credit && s->rung
             ? 0
             : DUN_ERROR_MEMORY;
}

static int init(struct dun_context *context, void *self, struct dun_run *run)
{
  struct tempering *s = self;
  int K = run->path->parts, code = dun_tempering_check(s, run);

  (void)context;
  s->rungs = dun_tempering_first_rungs(s, run);
  if (code < 0 || (code = declare(s, run)) < 0 ||
      (code = dun_table_make(&s->table, columns, COLUMNS)) < 0)
    return code;
  run->kept.members = s->draws > 0 ? s->rungs : 1;
  run->kept.room = s->draws > 0 ? run->options.particles / dun_tempering_fewest_rungs(s, run) : 0;
  s->all = dun_allocate(3 * run->options.particles + 1, sizeof *s->all);
  s->first = dun_allocate(run->population.tiles.local + 1, sizeof *s->first);
  s->replica = dun_allocate(run->options.particles, sizeof *s->replica);
  s->value = dun_allocate(run->options.particles, sizeof *s->value);
  s->slope = dun_allocate(K, sizeof *s->slope);
  s->intercept = dun_allocate(K, sizeof *s->intercept);
  if (!s->all || !s->first || !s->replica || !s->value || !s->slope || !s->intercept)
    return DUN_ERROR_MEMORY;
  int64_t ladders = run->options.particles / s->rungs;
  code = dun_ladder_scratch(&s->ladder, s->rungs, ladders, run->evaluator->dimension);
  return code < 0 ? code : dun_bridge_scratch(&s->bridge, s->rungs, ladders);
}

static void release(void *self)
{
  struct tempering *s = self;
  dun_ladder_free(&s->ladder);
  dun_rung_metric_free(&s->metric);
  dun_pilots_free(&s->pilots);
  dun_bridge_free(&s->bridge);
  dun_table_free(&s->table);
  DUN_FREE(s->astray.value);
  DUN_FREE(s->all);
  DUN_FREE(s->first);
  DUN_FREE(s->replica);
  DUN_FREE(s->value);
  DUN_FREE(s->slope);
  DUN_FREE(s->intercept);
}

static int start(struct dun_context *context, void *self, struct dun_run *run)
{
  struct tempering *s = self;
  int d = run->evaluator->dimension;
  int code = dun_adaptation_init(run->adaptation, run->kernel, run->kernel_self, d);

  (void)context;
  s->phase = dun_pilots_due(run) > 0 ? PILOT_START : START;
  s->pilots.chains = 0;
  s->done = s->round = s->trips = s->flat = s->proposed = s->tail_rung = s->moved = 0;
  s->accepted = 0;
  s->drift = s->tail = NAN;
  s->starts = (struct dun_starts){0};
  dun_run_begin_chains(run, (double)s->ladder.ladders);
  if (code >= 0 && s->phase == PILOT_START)
    code = dun_adaptation_init(&run->adaptation[1], run->kernel, run->kernel_self, d);
  if (code >= 0)
    code = dun_ladder_init(&s->ladder, s->rungs, s->ladder.ladders, d, run->adaptation->log_step);
  if (code >= 0)
    code = dun_numbers_make(&s->astray, s->rungs, 0);
  if (code >= 0)
    code = dun_rung_metric_start(&s->metric);
  return code < 0 ? code : dun_bridge_init(&s->bridge, s->rungs, s->ladder.ladders);
}

/* ---- replicas ---------------------------------------------------------------------------- */

/* A replica's time, weight and jittered step size, as its rung says. */
static void place(struct tempering *s, const struct dun_run *run)
{
  const struct dun_tiles *tiles = &run->population.tiles;
  struct dun_address address = dun_run_address(run, DUN_PURPOSE_SWAP);
  for (int64_t i = 0; i < tiles->local; i++) {
    int64_t global = tiles->first + i, k = dun_i64(s->rung)[2 * i];
    address.tile = (uint32_t)(global / s->rungs);
    double u = dun_uniform_one(address, s->rungs + global % s->rungs);
    dun_f64(s->chain_time)[i] = s->ladder.time.value[k];
    dun_f64(s->step_size)[i] =
        dun_scalar_exp(s->ladder.log_step.value[k]) * (1 + run->adaptation->jitter * (2 * u - 1));
    dun_f64(s->logw)[i] = k == s->rungs - 1 ? 0 : -INFINITY;
  }
}

/* Whether rungs have metrics of their own: not where none is learned, or one for all was loaded. */
static int has_scales(const struct tempering *s, const struct dun_run *run)
{
  return run->adaptation->metric == DUN_METRIC_DIAGONAL || s->metric.d > 0;
}

static int begin(struct dun_context *context, struct tempering *s, struct dun_run *run)
{
  const struct dun_tiles *tiles = &run->population.tiles;
  int code = dun_agree(context, dun_run_start(run));
  if (code >= 0 && has_scales(s, run))
    code = dun_ladder_metric_start(context, &s->ladder, &run->population, run->x);
  if (code < 0)
    return code;
  for (int64_t i = 0; i < tiles->local; i++) {
    int64_t global = tiles->first + i;
    dun_i64(s->rung)[2 * i] = global % s->rungs;
    dun_i64(s->rung)[2 * i + 1] = 0;
    dun_i64(s->root)[i] = global - global % s->rungs;
  }
  place(s, run);
  dun_sweep_forget(&run->sweep);
  return dun_run_evaluate(context, run, 0, INT64_MAX);
}

/* First draws, and more of them until every replica lies inside; then moves to more of them, which
 * a rung takes as they fit its law. */
static int set_out(struct dun_context *context, struct tempering *s, struct dun_run *run)
{
  int code = s->starts.passes == 0 ? begin(context, s, run) : 0;
  if (code >= 0 && (s->starts.passes == 0 || s->starts.left > 0))
    code = dun_starts_move(context, run, &s->starts);
  else if (code >= 0) {
    code = run->path->draw_density ? 0 : dun_run_propose(context, run);
    s->proposed += code >= 0;
  }
  if (s->proposed >= DUN_TEMPERING_PROPOSALS)
    s->phase = WARMUP;
  return code < 0 ? code : DUN_TICK_GOING;
}

/* ---- swaps ------------------------------------------------------------------------------- */

/* Of one ladder, by rung, and their V's. */
static void find_replicas(struct tempering *s, int64_t ladder, int64_t N)
{
  for (int64_t j = 0; j < s->rungs; j++) {
    int64_t i = ladder * s->rungs + j, k = s->all[N + i];
    s->replica[k] = i;
    s->value[k] = dun_tempering_number(s->all[i]);
  }
}

/* Some 32 ladders of a sweep tell the next ladder of their V's; then about 1024 V's of the whole
 * run tell of its tails. */
static int is_watched(const struct tempering *s, int64_t ladder, int batch)
{
  if (batch >= 0) {
    int64_t each = (sampled(s) * s->ladder.ladders + 1023) / 1024;
    return (s->done * s->ladder.ladders + ladder) % each == 0;
  }
  int64_t stride = s->ladder.ladders / 32 > 0 ? s->ladder.ladders / 32 : 1;
  return ladder % stride == s->done % stride;
}

/* Rejections and bridge sums of all pairs, and the swaps of those whose turn it is. */
static void visit_ladder(struct tempering *s, const struct dun_run *run, int64_t number_, int batch)
{
  int64_t N = run->options.particles;
  struct dun_address address = dun_run_address(run, DUN_PURPOSE_SWAP);
  struct dun_ladder *ladder = &s->ladder;

  address.tile = (uint32_t)number_;
  find_replicas(s, number_, N);
  ladder->lost += s->value[0] == -INFINITY;
  if (is_watched(s, number_, batch))
    dun_ladder_keep(ladder, s->value, batch >= 0);
  for (int64_t k = 0; k + 1 < s->rungs; k++) {
    double below = s->value[k], above = s->value[k + 1];
    double dt = ladder->time.value[k + 1] - ladder->time.value[k];
    double log_ratio = dt * (below - above);
    double acceptance = isnan(log_ratio) ? 0 : log_ratio >= 0 ? 1 : dun_scalar_exp(log_ratio);
    dun_ladder_refuse(ladder, k, 1 - acceptance);
    if (batch >= 0)
      dun_bridge_add(&s->bridge, number_, batch, k, dt, below, above);
    if (k % 2 == s->done % 2 && dun_scalar_log(dun_uniform_one(address, k)) < log_ratio) {
      s->all[N + s->replica[k]] = k + 1;
      s->all[N + s->replica[k + 1]] = k;
    }
  }
}

static void take_rungs(struct tempering *s, const struct dun_run *run)
{
  const struct dun_tiles *tiles = &run->population.tiles;
  for (int64_t i = 0; i < tiles->local; i++)
    dun_i64(s->rung)[2 * i] = s->all[tiles->total + tiles->first + i];
  place(s, run);
}

/* Which trajectories went astray: a step size answers for a rejection without a chance, unless it
 * is one that the forces do not show. */
static void count_astray(struct tempering *s, const struct dun_run *run)
{
  int64_t N = run->options.particles;
  for (int64_t i = 0; i < N && run->kernel->uses_leapfrogs; i++)
    s->astray.value[s->all[N + i]] += dun_tempering_number(s->all[2 * N + i]) == 0;
}

/* Step sizes by what the replicas that were at a rung in this sweep answer for. */
static void adapt_steps(struct tempering *s, const struct dun_run *run)
{
  int64_t N = run->options.particles;
  if (!run->adaptation->adapt_step)
    return;
  for (int64_t i = 0; i < N; i++)
    dun_ladder_accept(&s->ladder, s->all[N + i], dun_tempering_number(s->all[2 * N + i]));
  dun_ladder_adapt(&s->ladder, run->adaptation->target_acceptance);
}

/* ---- the algorithm ----------------------------------------------------------------------- */

/* The kernel's moves, and the base drawn from as it is where its law is known: no kernel mixes
 * better.  Each is a pass: where the second is interrupted the tick is made again without the
 * first, whose look is state. */
static int move(struct dun_context *context, struct tempering *s, struct dun_run *run)
{
  int code = 0;
  if (!s->moved && (code = dun_sweep_move(context, &run->sweep, dun_run_address(run, 0), 1,
                                          INT64_MAX, &s->look)) >= 0) {
    s->moved = 1;
    dun_pass_forget(&run->sweep.pass);
  }
  for (int64_t i = 0; i < run->population.tiles.local; i++)
    s->first[i] = dun_i64(s->rung)[2 * i] == 0;
  if (code >= 0 && !run->path->draw_density)
    code = dun_run_renew(context, run, s->first);
  s->moved = code < 0 ? s->moved : 0;
  return code;
}

/* The last quarter of the warm-up teaches no metric. */
static int look_at_rungs(struct dun_context *context, struct tempering *s,
                         const struct dun_run *run)
{
  return s->done < s->warmup * 3 / 4
             ? dun_rung_metric_look(context, &s->metric, run, &s->ladder, s->done)
             : 0;
}

/* One sweep, and the swaps; batch -1: of the warm-up. */
static int sweep(struct dun_context *context, struct tempering *s, struct dun_run *run, int batch)
{
  const struct dun_look *look = &s->look;
  int scaled = has_scales(s, run), learns = scaled && batch < 0;
  run->adaptation->frozen = batch >= 0;
  run->sweep.rung_scale = scaled ? s->ladder.scale.value : NULL;
  run->sweep.rung_factor = s->ladder.factor.count > 0 ? s->ladder.factor.value : NULL;
  int code = move(context, s, run);
  if (code < 0 || (code = dun_tempering_gather(context, s, run)) < 0)
    return code;
  if (learns && ((code = dun_ladder_metric_look(context, &s->ladder, &run->population, run->x,
                                                s->rung)) < 0 ||
                 (code = look_at_rungs(context, s, run)) < 0))
    return code;
  run->now.acceptance = look->acceptance;
  run->now.step_size = dun_scalar_exp(s->ladder.log_step.value[s->rungs - 1]);
  run->now.leapfrogs = run->kernel->uses_leapfrogs ? run->adaptation->length : NAN;
  run->now.time = 1;
  run->now.moves = (double)++s->round;
  s->trips += s->all[3 * run->options.particles];
  s->accepted += look->acceptance;
  count_astray(s, run);
  if (batch < 0) {
    adapt_steps(s, run);
    dun_adaptation_update(run->adaptation, look); /* the trajectory length */
  }
  for (int64_t i = 0; i < s->ladder.ladders; i++)
    visit_ladder(s, run, i, batch);
  s->done++;
  return 0;
}

/* Completes a step; `report` also adds its rows to the table. */
static int step(struct tempering *s, struct dun_run *run, int report)
{
  const struct dun_ladder *ladder = &s->ladder;
  int code = 0;
  s->round = 0;
  run->now.step++;
  for (int64_t k = 0; k < s->rungs && report && code >= 0; k++)
    code = dun_table_add(
        &s->table,
        (double[COLUMNS]){
            (double)run->replicate, (double)run->now.step, (double)k, ladder->time.value[k],
            dun_scalar_exp(ladder->log_step.value[k]),
            k + 1 < s->rungs ? dun_ladder_rejection(ladder, k) : NAN, dun_ladder_barrier(ladder, k),
            s->phase == SAMPLE ? dun_bridge_log_z(&s->bridge, k, ladder->time.value) : NAN,
            (double)s->trips});
  return code < 0 ? code : DUN_TICK_STEP;
}

/* A round is two fifths longer than what went before it; the last one ends with three quarters of
 * the warm-up. */
static int ends_round(const struct tempering *s)
{
  int64_t end = s->warmup * 3 / 4;
  while (end > s->done)
    end = end * 5 / 7;
  return end == s->done && end > 2;
}

/* Every round has the ladder and the metric of the last; the last quarter keeps them, and adapts
 * step sizes alone. */
static int warm_up(struct dun_context *context, struct tempering *s, struct dun_run *run)
{
  int code = sweep(context, s, run, -1);
  if (code < 0)
    return code;
  int last = s->done == s->warmup, round = !last && ends_round(s);
  if (round) {
    dun_ladder_metric_learn(&s->ladder, run->adaptation->adapt_step);
    code = dun_rung_metric_learn(&s->metric, run->adaptation, &s->ladder);
  }
  if (round || last) {
    code = code < 0 ? code : step(s, run, 1);
    if (code >= 0 && round)
      code = dun_ladder_respace(&s->ladder, dun_tempering_next_rungs(s, run));
    if (code >= 0)
      code = dun_tempering_regroup(context, s, run);
    code = dun_agree(context, code);
    if (!last || s->draws > 0)
      dun_ladder_forget(&s->ladder);
  }
  if (last) {
    s->phase = SAMPLE;
    if ((run->kept.began = s->draws > 0)) {
      s->done = s->trips = 0;
      s->accepted = 0;
      memset(s->astray.value, 0, (size_t)s->rungs * sizeof(double));
    }
  }
  take_rungs(s, run);
  return code < 0 ? code : round || last ? DUN_TICK_STEP : DUN_TICK_GOING;
}

/* Batches of about equally many sweeps. */
static int batches_of(const struct tempering *s)
{
  int64_t most = sampled(s);
  return most < DUN_BRIDGE_BATCHES ? (int)most : DUN_BRIDGE_BATCHES;
}

static int batch_at(const struct tempering *s, int64_t done)
{
  return (int)((__int128)done * batches_of(s) / sampled(s));
}

static int sample(struct dun_context *context, struct tempering *s, struct dun_run *run)
{
  int batch = batch_at(s, s->done), code = sweep(context, s, run, batch);
  if (code < 0)
    return code;
  take_rungs(s, run);
  int drawn = s->done % s->thin == 0, ended = batch_at(s, s->done) != batch;
  run->kept.draws += drawn;
  if (ended) {
    struct dun_bridge_evidence evidence;
    dun_bridge_evidence(&s->bridge, batch + 1, s->ladder.time.value, &evidence);
    run->now.log_evidence = evidence.log_evidence;
    run->now.log_evidence_error = evidence.error;
    s->drift = evidence.drift;
    s->flat = evidence.flat;
    int last = s->done == sampled(s);
    code = step(s, run, last);
    if (code >= 0 && last && dun_ladder_tail(&s->ladder, &s->tail, &s->tail_rung) < 0)
      code = DUN_ERROR_MEMORY;
    code = dun_agree(context, code);
  }
  return code < 0 ? code : drawn ? DUN_TICK_DRAW : ended ? DUN_TICK_STEP : DUN_TICK_GOING;
}

static int advance(struct dun_context *context, void *self, struct dun_run *run)
{
  struct tempering *s = self;
  if (s->phase == SAMPLE && (s->draws == 0 || s->done == sampled(s)))
    return DUN_TICK_DONE;
  run->evaluator->warming = s->phase < START || (s->draws > 0 && s->phase < SAMPLE);
  if (s->draws > 0 && run->kept.members != s->rungs)
    return dun_fail(DUN_ERROR_INPUT, "The checkpoint's chains are no ladders of its rungs.");
  enum dun_phase before =
      dun_timers_switch(&context->timers, s->phase == START ? DUN_PHASE_SETUP : DUN_PHASE_MOVE);
  int code = s->phase < START     ? dun_tempering_pilot(context, s, run)
             : s->phase == START  ? set_out(context, s, run)
             : s->phase == WARMUP ? warm_up(context, s, run)
                                  : sample(context, s, run);
  dun_timers_switch(&context->timers, before);
  return code;
}

#define OPTION(name_, member_, initial_, minimum_, doc_)                                           \
  {                                                                                                \
    .name = name_, .type = DUN_INTEGER, .offset = offsetof(struct tempering, member_),             \
    .initial = initial_, .minimum = minimum_, .maximum = 1e9, .doc = doc_                          \
  }
static const struct dun_option options[] = {
    {.name = "temperatures",
     .type = DUN_INTEGER,
     .offset = offsetof(struct tempering, temperatures),
     .initial = "auto",
     .words = "auto",
     .minimum = 2,
     .maximum = 1e9,
     .doc = "Rungs of a ladder, a divisor of run.particles: there are as many ladders side by side "
            "as fit.  auto: found in the warm-up, so that about half of the swaps are refused; 4 "
            "ladders at least are left."},
    OPTION("warmup", warmup, "500", 1,
           "Sweeps in which the ladder, step sizes, metrics and trajectory length are learned."),
    OPTION("draws", draws, "1000", 0,
           "Draws kept of each ladder, from whose sweeps log Z is estimated; 0: the replicas at "
           "time 1 at the end of the warm-up are the result."),
    OPTION("thin", thin, "1", 1, "Sweeps for each draw."),
    {0},
};

const struct dun_method dun_method_tempering = {
    .type = {DUN_TYPE(struct dun_method), .name = "tempering",
             .doc = "Parallel tempering with non-reversible swaps and a ladder of equal swap "
                    "rates; a ladder is a chain, and its draws are the replicas at time 1.",
             .citation = "Syed, Bouchard-Cote, Deligiannidis & Doucet 2022, J. R. Stat. Soc. B "
                         "84, 321",
             .size = sizeof(struct tempering), .options = options, .state = state, .free = release,
             .restore = dun_tempering_restore},
    .needs_path = 1,
    .needs_kernel = 1,
    .draws = draws,
    .table = table,
    .sweeps = sweeps,
    .progress = progress,
    .multiple = multiple,
    .init = init,
    .start = start,
    .advance = advance,
    .diagnose = dun_tempering_diagnose,
};
