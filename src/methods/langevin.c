/* Independent chains: particles that are never selected.
 *
 *   start:   x ~ the path's first law
 *   anneal:  at each of the path's times, moves_per_level sweeps
 *   final:   final_moves sweeps at t = 1, all chains with the kernel's final step size
 *   warm up: step size, metric and trajectory length from all chains (kernels/warmup.h)
 *   sample:  nothing is learned any more; every thin-th sweep is a draw of every chain
 *
 * Along the path `constant` it is plain Markov chain Monte Carlo; a path whose only time is 1 is
 * not followed either.  With draws: 0 the particles as the last phase leaves them are the
 * result. */
#include "base/error.h"
#include "base/scalar.h"
#include "methods/settled.h"
#include "parallel/sum.h"
#include <math.h>
#include <stdio.h>

enum phase { START, ANNEAL, FINAL, WARMUP, SAMPLE };

struct langevin {
  /* options */
  long long warmup, draws, thin, moves_per_level, final_moves;

  /* state */
  int64_t phase;
  int64_t done;    /* sweeps at this time, in this phase, or since a draw */
  int64_t sweeps;  /* of the present step */
  int64_t sampled; /* sweeps of the last phase */
  double accepted; /* acceptance summed over the sweeps of this step */
  double acceptance, hopeless, walled, retried; /* summed over the sweeps of the last phase */
  double astray;                                /* hopeless shares summed over all sweeps */
  int64_t made;                                 /* sweeps in all */
  struct dun_starts starts;
  struct dun_warmup learning;

  /* made by init */
  struct dun_column *logw;

  int64_t outside; /* particles at the end where the density is 0 */
};

#define STATE(member, type_)                                                                       \
  {                                                                                                \
    .name = #member, .type = type_, .offset = offsetof(struct langevin, member), .count = 1        \
  }
static const struct dun_state state[] = {
    DUN_STATE_UP_TO(SAMPLE, "phase", offsetof(struct langevin, phase)),
    STATE(done, DUN_STATE_INTEGER),
    STATE(sweeps, DUN_STATE_INTEGER),
    STATE(sampled, DUN_STATE_INTEGER),
    STATE(accepted, DUN_STATE_NUMBER),
    STATE(acceptance, DUN_STATE_NUMBER),
    STATE(hopeless, DUN_STATE_NUMBER),
    STATE(walled, DUN_STATE_NUMBER),
    STATE(retried, DUN_STATE_NUMBER),
    STATE(astray, DUN_STATE_NUMBER),
    STATE(made, DUN_STATE_INTEGER),
    DUN_STATE_ROW("starts", DUN_STATE_INTEGER, offsetof(struct langevin, starts), DUN_STARTS_STATE),
    DUN_WARMUP_STATE(struct langevin, learning),
    {0},
};

static int64_t draws(const void *self)
{
  return ((const struct langevin *)self)->draws;
}

/* ---- setting up -------------------------------------------------------------------------- */

static const struct dun_schedule *schedule_of(const struct dun_run *run)
{
  return run->path->schedule ? run->path->schedule(run->path_self) : NULL;
}

static int follows(const struct dun_run *run)
{
  const struct dun_schedule *schedule = schedule_of(run);
  return schedule && schedule->times.count > 1;
}

/* Sweeps of the warm-up, as far as they are known. */
static int64_t expected(const struct langevin *s)
{
  const int64_t usual = 90;
  int64_t known = s->learning.done + s->learning.length - s->learning.window;
  return s->warmup >= 0 ? s->warmup : s->learning.over || known > usual ? known : usual;
}

static int64_t sweeps(const void *self, const struct dun_run *run)
{
  const struct langevin *s = self;
  int64_t levels = follows(run) ? schedule_of(run)->times.count : 0;
  int64_t carries = follows(run) && run->path->carry_evaluations
                        ? levels * run->path->carry_evaluations(run->path_self)
                        : 0;
  return carries + levels * s->moves_per_level + s->final_moves + expected(s) + s->draws * s->thin;
}

static double progress(const void *self, const struct dun_run *run)
{
  const struct langevin *s = self;
  double levels = follows(run) ? (double)schedule_of(run)->times.count : 0;
  double each = s->moves_per_level > 0 ? (double)s->moves_per_level : 1;
  double before[] = {[ANNEAL] = 0,
                     [FINAL] = levels * each,
                     [WARMUP] = (double)s->final_moves,
                     [SAMPLE] = (double)expected(s)};
  double done = s->phase == ANNEAL   ? (double)run->now.step * each + (double)s->done
                : s->phase == SAMPLE ? (double)s->sampled
                                     : (double)s->done;
  for (int phase = FINAL; phase <= s->phase; phase++)
    done += before[phase];
  return done / (levels * each + (double)(s->final_moves + expected(s) + s->draws * s->thin));
}

static int check_moves(const struct langevin *s, const struct dun_run *run)
{
  enum dun_follow follow =
      run->path->follow ? run->path->follow(run->path_self) : DUN_FOLLOW_BY_MOVES;

  if (!follows(run))
    return 0;
  if (s->moves_per_level == 0 && follow == DUN_FOLLOW_BY_MOVES)
    return dun_fail(DUN_ERROR_INPUT,
                    "moves_per_level is 0, but path %s, as its options are, leads nowhere without "
                    "moves; samplers of diffusions, which go by scores alone, are method flow",
                    run->path->type.name);
  return 0;
}

static int check(const struct langevin *s, const struct dun_run *run)
{
  const struct dun_schedule *schedule = schedule_of(run);

  if (schedule && schedule->type == DUN_SCHEDULE_ADAPTIVE)
    return dun_fail(DUN_ERROR_INPUT,
                    "method langevin has no weights to find times from: give path %s a fixed "
                    "schedule, or take path constant",
                    run->path->type.name);
  if (run->path->pilot && run->path->pilot(run->path_self).moves > 0)
    return dun_fail(DUN_ERROR_INPUT, "method langevin does not run the pilot chains of path %s",
                    run->path->type.name);
  return check_moves(s, run);
}

/* What the warm-up works on; also where a restart does without `start`. */
static int prepare(struct langevin *s, struct dun_run *run)
{
  const struct dun_kernel_options *options = run->kernel_self;
  int d = run->evaluator->dimension, keeps = run->kernel->keeps, status;

  run->adaptation->whiten = 1;
  dun_warmup_init(&s->learning, d, options->metric, keeps, s->warmup);
  if (s->warmup != 0 && !dun_kernel_is_biased(run->kernel, run->kernel_self))
    s->learning.drift = dun_run_column(run, "drift", DUN_F64, dun_drift_width(d), 0,
                                       "How a chain's means changed over a window of the warm-up.");
  if (s->warmup != 0 && (status = dun_starts_climb(run, &s->learning)) < 0)
    return status;
  if (keeps && !dun_run_column(run, "force", DUN_F64, d, 0, "Gradient at the chain's point."))
    return DUN_ERROR_MEMORY;
  return 0;
}

static int init(struct dun_context *context, void *self, struct dun_run *run)
{
  struct langevin *s = self;
  int d = run->evaluator->dimension, status = dun_starts_check(run);
  unsigned moves = s->draws > 0 ? 0 : DUN_MOVES; /* only particles are ever selected */

  (void)context;
  if (status >= 0)
    status = check(s, run);
  if (status < 0)
    return status;
  run->x = dun_run_column(run, "x", DUN_F64, d, moves | DUN_HASHED, "The chain's point.");
  s->logw = dun_run_column(run, "logw", DUN_F64, 1, DUN_HASHED, "Log of the weight.");
  run->logw = s->logw;
  run->root = dun_run_column(run, "root", DUN_I64, 1, moves, "Number of the chain.");
  if (!run->x || !s->logw || !run->root ||
      !dun_run_column(run, "part_lp", DUN_F64, run->path->parts, moves,
                      "Log densities of the path's parts.") ||
      !dun_run_column(run, "acceptance", DUN_F64, 1, moves | DUN_OUTPUT,
                      "Probability that the last move was accepted."))
    return DUN_ERROR_MEMORY;
  return prepare(s, run);
}

static void release(void *self)
{
  dun_warmup_free(&((struct langevin *)self)->learning);
}

static int start(struct dun_context *context, void *self, struct dun_run *run)
{
  struct langevin *s = self;
  const struct dun_kernel_options *options = run->kernel_self;
  int d = run->evaluator->dimension, status;

  (void)context;
  s->phase = START;
  s->done = s->sweeps = s->sampled = s->made = s->outside = 0;
  s->accepted = s->acceptance = s->hopeless = s->walled = s->retried = s->astray = 0;
  s->starts = (struct dun_starts){0};
  dun_run_begin_chains(run, (double)run->options.particles);
  if ((status = dun_warmup_start(&s->learning, options->pilot != NULL)) < 0)
    return status;
  return dun_adaptation_init(run->adaptation, run->kernel, run->kernel_self, d);
}

/* ---- the phases ---------------------------------------------------------------------------- */

static int begin(struct dun_context *context, struct langevin *s, struct dun_run *run)
{
  const struct dun_tiles *tiles = &run->population.tiles;
  int status = dun_agree(context, dun_run_start(run));

  if (status < 0)
    return status;
  for (int64_t i = 0; i < tiles->local; i++) {
    dun_f64(s->logw)[i] = 0;
    dun_i64(run->root)[i] = tiles->first + i;
  }
  dun_sweep_forget(&run->sweep);
  run->now.time = follows(run) ? 0 : 1;
  if (run->path->affine)
    return dun_starts_evaluate(context, run);
  return dun_sweep_evaluate(context, &run->sweep, run->now.time, INT64_MAX);
}

/* First draws, and along an affine path more of them until every chain lies inside. */
static int set_out(struct dun_context *context, struct langevin *s, struct dun_run *run)
{
  int status = s->starts.passes == 0 ? begin(context, s, run) : 0;
  if (status >= 0 && run->path->affine)
    status = dun_starts_move(context, run, &s->starts);
  if (status >= 0 && s->starts.left == 0)
    s->phase = follows(run) ? ANNEAL : FINAL;
  return status < 0 ? status : DUN_TICK_GOING;
}

/* Log densities are of no use to some kernels: then they are evaluated for draws only. */
static int is_blind(const struct langevin *s, const struct dun_run *run)
{
  return run->kernel->blind && !(s->phase == SAMPLE && s->done + 1 == s->thin);
}

/* One sweep at time t. */
static int sweep_at(struct dun_context *context, struct langevin *s, struct dun_run *run, double t,
                    struct dun_look *look)
{
  int final = s->phase != ANNEAL && s->final_moves > 0;
  run->adaptation->frozen = s->phase == SAMPLE;
  run->adaptation->retries = s->phase >= WARMUP && dun_warmup_retries(&s->learning);
  run->sweep.floor = s->phase == WARMUP ? dun_warmup_floor(&s->learning) : -INFINITY;
  run->sweep.final = final;
  run->sweep.blind = is_blind(s, run);
  int status = dun_sweep_move(context, &run->sweep, dun_run_address(run, 0), t, INT64_MAX, look);
  if (status < 0)
    return status;
  s->done++;
  s->sweeps++;
  s->made++;
  s->accepted += look->acceptance;
  s->astray += look->hopeless;
  run->now.step_size = dun_scalar_exp(run->adaptation->log_step);
  run->now.leapfrogs = run->kernel->uses_leapfrogs ? run->adaptation->length : NAN;
  return 0;
}

static int sweep(struct dun_context *context, struct langevin *s, struct dun_run *run,
                 struct dun_look *look)
{
  return sweep_at(context, s, run, run->now.time, look);
}

/* Completes a step. */
static int step(struct langevin *s, struct dun_run *run)
{
  run->now.acceptance = s->sweeps > 0 ? s->accepted / (double)s->sweeps : NAN;
  run->now.moves = (double)s->sweeps;
  run->now.step++;
  s->accepted = 0;
  s->sweeps = 0;
  return DUN_TICK_STEP;
}

static int next_level(struct dun_context *context, const struct langevin *s, struct dun_run *run,
                      double next)
{
  struct dun_address address = dun_run_address(run, 0);

  run->sweep.blind = run->kernel->blind;
  if (run->path->affine)
    return 0;
  if (s->moves_per_level == 0 && next < 1)
    return dun_sweep_transport(context, &run->sweep, address, run->now.time, next);
  return dun_sweep_carry(context, &run->sweep, address, run->now.time, next, NULL);
}

/* An interrupted tick is made again: the new time is told at its end. */
static int anneal(struct dun_context *context, struct langevin *s, struct dun_run *run)
{
  struct dun_look look;
  double t = s->done == 0 ? dun_schedule_after(schedule_of(run), run->now.time) : run->now.time;
  int status = s->done == 0 ? next_level(context, s, run, t) : 0;

  if (status >= 0 && s->moves_per_level > 0 && (status = sweep_at(context, s, run, t, &look)) >= 0)
    dun_adaptation_update(run->adaptation, &look);
  if (status < 0)
    return status;
  run->now.time = t;
  if (s->done < s->moves_per_level)
    return DUN_TICK_GOING;
  s->done = 0;
  if (run->now.time >= 1)
    s->phase = FINAL;
  return step(s, run);
}

static int final(struct dun_context *context, struct langevin *s, struct dun_run *run)
{
  double size = ((const struct dun_kernel_options *)run->kernel_self)->final_step_size;
  struct dun_look look;

  if (s->done == 0 && s->final_moves > 0 && size > 0)
    run->adaptation->log_step = dun_scalar_log(size);
  if (s->done >= s->final_moves) {
    s->phase = WARMUP;
    s->done = 0;
    return DUN_TICK_GOING;
  }
  int status = sweep(context, s, run, &look);
  if (status < 0)
    return status;
  dun_adaptation_update(run->adaptation, &look);
  return step(s, run);
}

/* Starts climb, and the first metric is learned, in ticks of their own. */
static int begin_warmup(struct dun_context *context, struct langevin *s, struct dun_run *run)
{
  double t = run->now.time;
  int status = run->sweep.force ? dun_sweep_forces(context, &run->sweep, t) : 0;
  if (status >= 0)
    status = dun_warmup_begin(context, &s->learning, run->adaptation, &run->sweep,
                              dun_run_address(run, 0), t);
  return status < 0 ? status : DUN_TICK_GOING;
}

static int warm_up(struct dun_context *context, struct langevin *s, struct dun_run *run)
{
  struct dun_look look;

  if (s->warmup == 0 || s->learning.over) {
    s->phase = SAMPLE;
    s->done = 0;
    run->kept.began = 1;
    run->kept.warmed = s->made / s->thin;
    return DUN_TICK_GOING;
  }
  if (!s->learning.begun)
    return begin_warmup(context, s, run);
  int status = sweep(context, s, run, &look);
  if (status >= 0)
    status = dun_warmup_update(context, &s->learning, run->adaptation, &run->sweep,
                               dun_run_address(run, 0), run->now.time, &look);
  return status < 0 ? status : step(s, run);
}

/* So many draws make a step: the trace of a long run stays short. */
static int64_t draws_per_step(const struct langevin *s)
{
  const int64_t rows = 200;
  return (s->draws + rows - 1) / rows;
}

static int sample(struct dun_context *context, struct langevin *s, struct dun_run *run)
{
  struct dun_look look;
  int status = sweep(context, s, run, &look);

  if (status < 0)
    return status;
  s->sampled++;
  s->acceptance += look.acceptance;
  s->hopeless += look.hopeless;
  s->walled += look.walled;
  s->retried += look.retried;
  if (s->done < s->thin)
    return DUN_TICK_GOING;
  s->done = 0;
  run->kept.draws++;
  if (run->kept.draws % draws_per_step(s) == 0 || run->kept.draws == s->draws)
    step(s, run);
  return DUN_TICK_DRAW;
}

/* log pi_t of a local particle. */
static double log_density(const struct dun_run *run, const double *coefficient, int64_t i)
{
  int K = run->path->parts;
  double sum = 0;
  for (int k = 0; k < K; k++)
    if (coefficient[k] > 0)
      sum += coefficient[k] * dun_f64(run->sweep.part_lp)[i * K + k];
  return sum;
}

/* Particles outside the support, or so far off that only a step gone astray can have brought them
 * there: a million for each dimension below the highest log density. */
static int count_outside(struct dun_context *context, struct langevin *s, struct dun_run *run)
{
  double coefficient[DUN_MAX_PARTS], highest = -INFINITY;
  int64_t n = run->population.tiles.local;

  run->path->coefficients(run->path_self, run->now.time, coefficient);
  for (int64_t i = 0; i < n; i++) {
    double lp = log_density(run, coefficient, i);
    highest = lp > highest ? lp : highest;
  }
  int status = dun_max(context, 0, 1, &highest);
  if (status < 0)
    return status;
  s->outside = 0;
  for (int64_t i = 0; i < n; i++) {
    double lp = log_density(run, coefficient, i);
    s->outside += !(lp > -INFINITY && lp >= highest - 1e6 * (1 + run->evaluator->dimension));
  }
  return dun_sum_integers(context, 0, 1, &s->outside);
}

/* The particles are as their last move left them. */
static int end(struct dun_context *context, struct langevin *s, struct dun_run *run)
{
  int status = 0;
  if (run->kernel->blind && s->draws == 0)
    status = dun_sweep_evaluate(context, &run->sweep, run->now.time, INT64_MAX);
  if (status >= 0)
    status = count_outside(context, s, run);
  return status < 0 ? status : DUN_TICK_DONE;
}

static int advance(struct dun_context *context, void *self, struct dun_run *run)
{
  static int (*const phases[])(struct dun_context *, struct langevin *, struct dun_run *) = {
      [START] = set_out, [ANNEAL] = anneal, [FINAL] = final, [WARMUP] = warm_up, [SAMPLE] = sample,
  };
  struct langevin *s = self;

  if (s->phase == SAMPLE && run->kept.draws == s->draws)
    return end(context, s, run);
  run->evaluator->warming = s->draws > 0 && s->phase < SAMPLE;
  enum dun_phase before =
      dun_timers_switch(&context->timers, s->phase == START ? DUN_PHASE_SETUP : DUN_PHASE_MOVE);
  int status = phases[s->phase](context, s, run);
  dun_timers_switch(&context->timers, before);
  return status;
}

/* Of kernels that need no log density the last points have none yet. */
static int cut(struct dun_context *context, void *self, struct dun_run *run)
{
  struct langevin *s = self;
  int status = 0;

  if (run->now.time < 1 || s->phase == START)
    return 0;
  if (run->kernel->blind && run->kept.draws == 0)
    status = dun_sweep_evaluate(context, &run->sweep, run->now.time, INT64_MAX);
  return status < 0 ? status : count_outside(context, s, run);
}

/* ---- what to think of it ------------------------------------------------------------------- */

static void diagnose_biased(const struct langevin *s, const struct dun_run *run,
                            struct dun_diagnosis *out)
{
  double astray = s->made > 0 ? s->astray / (double)s->made : 0;

  dun_diagnose(out, "bias", DUN_DOUBTFUL,
               "kernel %s does not reject: the chains' law is not the target's, the less so the "
               "larger the step size",
               run->kernel->type.name);
  if (astray > 0)
    dun_diagnose(out, "astray", dun_verdict_above(astray, 0, 1e-4),
                 "%.3g%% of the moves went astray: off the support, or to points that are no "
                 "numbers; a smaller step size helps",
                 100 * astray);
}

static void diagnose_start(const struct langevin *s, const struct dun_run *run,
                           struct dun_diagnosis *out)
{
  if (s->made == 0 && !follows(run))
    dun_diagnose(out, "start", DUN_BAD, "no moves were made: the particles are first draws");
  else if (s->draws == 0 && !dun_kernel_is_biased(run->kernel, run->kernel_self))
    dun_diagnose(out, "start", DUN_DOUBTFUL,
                 "no draws of chains were kept, from which R-hat would tell whether they have "
                 "forgotten their start: compare with twice as many moves");
}

/* Of kernels that reject. */
static void diagnose_moves(const struct langevin *s, const struct dun_run *run,
                           struct dun_diagnosis *out)
{
  double sweeps = (double)s->sampled;
  double acceptance = s->sampled > 0 ? s->acceptance / sweeps : run->now.acceptance;
  double walled = s->walled / sweeps, share = s->hopeless / sweeps - walled;
  char again[96] = "";

  if (!isnan(acceptance))
    dun_diagnose(out, "acceptance", dun_verdict_above(-acceptance, -.1, -.01),
                 "the mean acceptance of the %s moves is %.3f",
                 s->sampled > 0 ? "draws'" : "last step's", acceptance);
  if (s->retried > 0)
    snprintf(again, sizeof again, " with shorter steps too, by which %.3g%% were tried again",
             100 * s->retried / sweeps);
  if (s->sampled > 0 && run->kernel->uses_leapfrogs)
    dun_diagnose(out, "divergences", dun_verdict_above(share, 1e-4, .01),
                 "%.3g%% of the draws' trajectories went astray (their energy rose by more than "
                 "700)%s; %.3g%% more ended at a wall of the support, as they may",
                 100 * share, again, 100 * walled);
}

static void diagnose(void *self, const struct dun_run *run, struct dun_diagnosis *out)
{
  const struct langevin *s = self;
  double outside = (double)s->outside / (double)run->options.particles;
  int moved =
      s->warmup != 0 || s->final_moves + s->draws > 0 || (follows(run) && s->moves_per_level > 0);
  int biased = dun_kernel_is_biased(run->kernel, run->kernel_self);

  diagnose_start(s, run, out);
  dun_starts_diagnose(&s->starts, run, out);
  if (s->warmup != 0)
    dun_settled_diagnose(&s->learning, run, out);
  if (s->outside > 0)
    dun_diagnose(out, "outside", dun_verdict_above(outside, 0, .01),
                 "%.3g%% of the chains ended outside the support, or astray, where the target's "
                 "density is as good as 0",
                 100 * outside);
  if (biased && moved)
    diagnose_biased(s, run, out);
  if (!biased)
    diagnose_moves(s, run, out);
}

#define OPTION(name_, initial_, minimum_, doc_)                                                    \
  {                                                                                                \
    .name = #name_, .type = DUN_INTEGER, .offset = offsetof(struct langevin, name_),               \
    .initial = initial_, .minimum = minimum_, .maximum = 1e9, .doc = doc_                          \
  }
static const struct dun_option options[] = {
    OPTION(moves_per_level, "1", 0,
           "Sweeps at each time of the path; 0: the path's own map alone leads to its end."),
    OPTION(final_moves, "0", 0,
           "Sweeps at the end of the path, all chains with the kernel's final step size."),
    {.name = "warmup",
     .type = DUN_INTEGER,
     .offset = offsetof(struct langevin, warmup),
     .initial = "auto",
     .words = "auto",
     .minimum = 0,
     .maximum = 1e9,
     .doc = "Sweeps in which step size, metric and trajectory length are learned; auto: until the "
            "chains are at rest."},
    OPTION(draws, "1000", 0,
           "Draws kept of each chain; 0: the particles as they stand at the end are the result."),
    OPTION(thin, "1", 1, "Sweeps for each draw."),
    {0},
};

/* Moments of another length were written by nobody's run. */
static int restore(void *self)
{
  const struct langevin *s = self;
  if (dun_warmup_fits(&s->learning))
    return 0;
  return dun_fail(DUN_ERROR_INPUT,
                  "The checkpoint has moments that method langevin does not have.");
}

const struct dun_method dun_method_langevin = {
    .type = {DUN_TYPE(struct dun_method), .name = "langevin",
             .doc = "Independent chains, guided along a path or on the target itself.",
             .size = sizeof(struct langevin), .options = options, .state = state, .free = release,
             .restore = restore},
    .needs_path = 1,
    .usual_path = "constant",
    .needs_kernel = 1,
    .draws = draws,
    .sweeps = sweeps,
    .progress = progress,
    .init = init,
    .start = start,
    .advance = advance,
    .cut = cut,
    .diagnose = diagnose,
};
