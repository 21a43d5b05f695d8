/* Adaptive tempering SMC (Del Moral, Doucet & Jasra 2006; adaptive times: Zhou, Johansen & Aston
 * 2016).
 *
 *   x_0 ~ pi_0, w = 1
 *   repeat until t = 1:
 *     temper:  t' from the conditional ESS; w *= pi_t'(x) / pi_t(x)
 *              (a path that is not affine: its next time, to which it carries x)
 *     select:  metrics from the weighted particles; resample if ESS < threshold N
 *     move:    sweeps of a kernel that leaves pi_t' invariant; at every time, at t = 1 only, or
 *              never
 *
 * Our names and the papers' letters: t = beta (inverse temperature), logw = log w, root = Eve
 * (the ancestor at time 0), log_evidence = log Z.  With chain_length the moves are those of
 * methods/waste_free.h, of fewer particles, and all points on their way are kept.  Never selecting
 * (ess_threshold: 0) is annealed importance sampling (Neal 2001). */
#include "base/error.h"
#include "base/memory.h"
#include "base/scalar.h"
#include "methods/cross_fit.h"
#include "methods/divergence.h"
#include "methods/judge.h"
#include "methods/moves.h"
#include "methods/pilots.h"
#include "methods/smc_check.h"
#include "methods/tails.h"
#include "methods/waste_free.h"
#include "paths/next_time.h"
#include "population/selection.h"
#include "population/tile.h"
#include <math.h>

enum phase { PILOT_START, PILOT, START, TEMPER, SELECT, MOVE };

struct smc {
  /* options */
  double ess_threshold; /* below 0: auto */
  int resampling;
  struct dun_moves moves;
  struct dun_waste_free waste_free;

  /* state */
  int64_t phase;
  struct dun_pilots pilots;
  double carried; /* log evidence up to the last selection */
  int64_t selections;
  int64_t boundary;         /* of the halves that learn from each other */
  int64_t killed;           /* first draws that have no weight at any t > 0 */
  double time_before;       /* the last carry */
  double missing;           /* in log Z, of the support that carries did not reach */
  int64_t lost;             /* weights that became 0 in moves */
  double drift;             /* of log Z in weighed moves, whose expectation is 0 */
  double least_acceptance;  /* over the steps' last sweeps */
  double square_sum;        /* of the ancestors' weights */
  double by_ancestor;       /* the error of log Z, whichever is reported */
  double multinomial_error; /* Lee & Whiteley's; NAN where it does not apply */
  struct dun_cross_fit fit;
  struct dun_divergence divergence;

  /* made by init */
  int at_point; /* the path begins at one point, not at a density */
  struct dun_column *logw, *root, *part_lp;
  struct dun_weights weights;
};

#define STATE(member, type_)                                                                       \
  {                                                                                                \
    .name = #member, .type = type_, .offset = offsetof(struct smc, member), .count = 1             \
  }
static const struct dun_state state[] = {
    DUN_STATE_UP_TO(MOVE, "phase", offsetof(struct smc, phase)),
    DUN_PILOTS_STATE(struct smc, pilots),
    STATE(carried, DUN_STATE_NUMBER),
    STATE(selections, DUN_STATE_INTEGER),
    STATE(boundary, DUN_STATE_INTEGER),
    STATE(killed, DUN_STATE_INTEGER),
    STATE(time_before, DUN_STATE_NUMBER),
    STATE(missing, DUN_STATE_NUMBER),
    STATE(lost, DUN_STATE_INTEGER),
    STATE(drift, DUN_STATE_NUMBER),
    STATE(least_acceptance, DUN_STATE_NUMBER),
    STATE(square_sum, DUN_STATE_NUMBER),
    STATE(by_ancestor, DUN_STATE_NUMBER),
    STATE(multinomial_error, DUN_STATE_NUMBER),
    DUN_MOVES_STATE(struct smc, moves),
    DUN_WASTE_FREE_STATE(struct smc, waste_free),
    DUN_CROSS_FIT_STATE(struct smc, fit),
    DUN_DIVERGENCE_STATE(struct smc, divergence),
    {0},
};

static int64_t moves(const void *self)
{
  const struct dun_moves *m = &((const struct smc *)self)->moves;
  if (dun_waste_free_any(&((const struct smc *)self)->waste_free))
    return 1; /* of a chain's particles each is moved to */
  return m->at == DUN_MOVES_END ? 0 : m->per_step;
}

static int rests(const void *self)
{
  return !dun_moves_any(&((const struct smc *)self)->moves);
}

static int64_t together(const void *self)
{
  return dun_waste_free_length(&((const struct smc *)self)->waste_free);
}

/* Of schedules that are known beforehand. */
static double progress(const void *self, const struct dun_run *run)
{
  const struct dun_schedule *schedule = run->path->schedule(run->path_self);
  (void)self;
  return schedule->type == DUN_SCHEDULE_ADAPTIVE
             ? NAN
             : (double)run->now.step / (double)schedule->times.count;
}

/* ---- setting up -------------------------------------------------------------------------- */

static int check(struct smc *s, struct dun_run *run)
{
  int status = dun_smc_check(run, &s->moves, &s->at_point);
  return status < 0 ? status
                    : dun_waste_free_init(&s->waste_free, &s->moves, s->ess_threshold, run);
}

/* Of kernels whose acceptance a shorter step raises. */
static void let_steps_differ(struct dun_run *run)
{
  const struct dun_kernel *kernel = run->kernel;
  for (int half = 0; half < DUN_HALVES; half++)
    run->adaptation[half].adapt_spread = kernel && !kernel->uses_centre && !kernel->weighs;
}

static int init(struct dun_context *context, void *self, struct dun_run *run)
{
  struct smc *s = self;
  int d = run->evaluator->dimension, K = run->path->parts, status = check(s, run);
  (void)context;
  if (status < 0)
    return status;
  s->moves.watch.d = d;
  let_steps_differ(run);
  run->x = dun_run_column(run, "x", DUN_F64, d, DUN_MOVES | DUN_HASHED, "The particle's point.");
  s->logw = dun_run_column(run, "logw", DUN_F64, 1, DUN_HASHED, "Log of the weight.");
  s->root = dun_run_column(
      run, "root", DUN_I64, 1, DUN_MOVES | DUN_HASHED | DUN_OUTPUT,
      "Global index of the ancestor at the start, or of its chain at the first selection.");
  s->part_lp =
      dun_run_column(run, "part_lp", DUN_F64, K, DUN_MOVES, "Log densities of the path's parts.");
  if (!run->x || !s->logw || !s->root || !s->part_lp ||
      (dun_moves_any(&s->moves) && !dun_run_column(run, "start", DUN_F64, d + 1, 0,
                                                   "Point and log density at the last "
                                                   "selection.")) ||
      (!run->path->affine && !dun_run_column(run, "carried", DUN_F64, 2, 0,
                                             "Log density before a carry, and its ratio.")))
    return DUN_ERROR_MEMORY;
  run->logw = s->logw;
  run->root = s->root;
  status = dun_divergence_declare(&s->divergence, run, moves(s) == 0);
  return status < 0 ? status : dun_cross_fit_declare(run);
}

static void release(void *self)
{
  struct smc *s = self;
  dun_cross_fit_free(&s->fit);
  dun_divergence_free(&s->divergence);
  dun_moves_free(&s->moves);
  dun_waste_free_free(&s->waste_free);
  dun_pilots_free(&s->pilots);
  dun_weights_free(&s->weights);
}

static struct dun_table *table(void *self)
{
  return dun_divergence_table(&((struct smc *)self)->divergence);
}

static int restore(void *self)
{
  return dun_watch_restore(&((struct smc *)self)->moves.watch);
}

static int start(struct dun_context *context, void *self, struct dun_run *run)
{
  struct smc *s = self;
  (void)context;
  s->phase = dun_pilots_due(run) > 0 ? PILOT_START : START;
  s->pilots.chains = s->selections = s->killed = s->lost = 0;
  s->carried = s->drift = s->time_before = s->missing = 0;
  s->least_acceptance = 1;
  s->square_sum = 1 / (double)run->options.particles;
  s->by_ancestor = NAN;
  dun_waste_free_start(&s->waste_free);
  s->multinomial_error = NAN;
  run->now = (struct dun_now){.ess = (double)run->options.particles,
                              .acceptance = NAN,
                              .error_roots = NAN,
                              .log_likelihood_mean = NAN,
                              .log_likelihood_variance = NAN,
                              .pareto_k = NAN};
  int status = 0;
  for (int half = 0; half < DUN_HALVES && run->kernel && status >= 0; half++) {
    status = dun_adaptation_init(&run->adaptation[half], run->kernel, run->kernel_self,
                                 run->evaluator->dimension);
    if (!run->kernel->uses_centre) /* where chains have loaded one: lengths would be scored by it */
      dun_adaptation_forget_centre(&run->adaptation[half]);
  }
  dun_cross_fit_start(&s->fit);
  dun_divergence_start(&s->divergence, run);
  run->sweep.halves = 0; /* pilots are of one piece */
  return status < 0 ? status : dun_moves_start(&s->moves, run);
}

/* ---- pilot chains: particles moved on the target, so that the base can be fitted to them --- */

static int pilot_start(struct dun_context *context, struct smc *s, struct dun_run *run)
{
  int status = dun_pilots_start(context, &s->pilots, run);
  if (status >= 0)
    s->phase = PILOT;
  return status < 0 ? status : DUN_TICK_GOING;
}

static int pilot(struct dun_context *context, struct smc *s, struct dun_run *run)
{
  int status = dun_pilots_move(context, &s->pilots, run);
  if (status > 0)
    s->phase = START;
  return status < 0 ? status : DUN_TICK_GOING;
}

/* ---- the algorithm ----------------------------------------------------------------------- */

static int begin(struct dun_context *context, struct smc *s, struct dun_run *run)
{
  int status = dun_agree(context, dun_run_start(run));
  if (status < 0)
    return status;
  dun_run_equal_weights(run);
  dun_sweep_forget(&run->sweep);
  status = dun_run_evaluate(context, run, 0, INT64_MAX);
  if (status < 0)
    return status;
  s->phase = TEMPER;
  return DUN_TICK_GOING;
}

/* Those with which the genealogy began. */
static int64_t ancestors_of(const struct smc *s, const struct dun_run *run)
{
  return s->selections > 0 ? dun_waste_free_chains(&s->waste_free, run) : run->options.particles;
}

/* Error of log Z by ancestor, and with multinomial selection also the unbiased estimator of Lee
 * & Whiteley 2018 (Biometrika 105, eq. 6): 1 - (N / (N - 1))^(n + 1) (1 - sum_r W_r^2) after n
 * selections. */
static int estimate(struct dun_context *context, struct smc *s, struct dun_run *run)
{
  struct dun_genealogy genealogy;
  double N = (double)run->options.particles;
  int64_t ancestors = ancestors_of(s, run);
  int status = dun_weights_compute(context, &run->population, s->logw, &s->weights);
  if (status < 0)
    return status;
  status = dun_genealogy_from(context, &run->population, s->root, s->logw, &s->weights, ancestors,
                              &genealogy);
  if (status < 0)
    return status;
  s->square_sum = genealogy.square_sum;
  run->now.ess = s->weights.ess;
  run->now.roots = (double)genealogy.roots;
  run->now.error_roots = genealogy.variance_roots;
  run->now.log_evidence = s->carried + s->weights.log_mean;
  run->now.log_evidence_error = s->by_ancestor = sqrt(genealogy.relative_variance);
  if (dun_waste_free_any(&s->waste_free)) {
    status = dun_waste_free_book(context, &s->waste_free, run, &s->weights, s->selections == 0,
                                 genealogy.relative_variance, &run->now.error_roots);
    run->now.log_evidence_error = dun_waste_free_error(&s->waste_free);
    return status;
  }
  if (s->resampling == DUN_MULTINOMIAL && N > 1) {
    double growth = dun_scalar_exp((double)(s->selections + 1) * dun_scalar_log(N / (N - 1)));
    double variance = 1 - growth * (1 - genealogy.square_sum);
    s->multinomial_error = variance > 0 ? sqrt(variance) : 0;
  }
  return 0;
}

/* An affine path: the next time from the weights, and nothing is evaluated. */
static int reweight(struct dun_context *context, struct smc *s, struct dun_run *run)
{
  const struct dun_schedule *schedule = run->path->schedule(run->path_self);
  struct dun_next next;
  double share = schedule->type == DUN_SCHEDULE_ADAPTIVE ? schedule->conditional_ess : 0;
  int status = dun_next_time(context, &run->population, run->path, run->path_self, s->part_lp,
                             s->logw, run->now.time, share, &next);
  if (status < 0)
    return status;
  if (schedule->type != DUN_SCHEDULE_ADAPTIVE)
    next.time = dun_schedule_after(schedule, run->now.time);
  dun_reweight(&run->population, run->path, run->path_self, s->part_lp, s->logw, run->now.time,
               next.time);
  run->now.time = next.time;
  run->now.log_likelihood_mean = next.mean;
  run->now.log_likelihood_variance = next.variance;
  s->killed += run->now.step == 0 ? (int64_t)next.killed : 0;
  return 0;
}

/* Any other path: the next of its fixed times. */
static int carry(struct dun_context *context, struct smc *s, struct dun_run *run)
{
  double next = dun_schedule_after(run->path->schedule(run->path_self), run->now.time), *before;
  int status = dun_agree(context, dun_divergence_before(&s->divergence, run, &before));
  if (status >= 0)
    status = dun_sweep_origins(context, &run->sweep, s->time_before, run->now.time, &s->missing);
  if (status >= 0)
    status = dun_sweep_carry(context, &run->sweep, dun_run_address(run, 0), run->now.time, next,
                             s->logw);
  status = dun_divergence_add(&s->divergence, run, status, before);
  if (status >= 0)
    status = dun_sweep_outside(context, &run->sweep, run->now.time, next, &s->missing);
  if (status < 0)
    return status;
  s->time_before = run->now.time;
  run->now.time = next;
  return status;
}

/* Where a piece of the path ends, the parts become those of the next, at the points as they are. */
static int open_piece(struct dun_context *context, struct dun_run *run)
{
  const struct dun_path *path = run->path;
  double t = run->now.time;
  if (!path->piece_end || t <= 0 || path->piece_end(run->path_self, nextafter(t, 0)) != t)
    return 0;
  return dun_run_evaluate(context, run, nextafter(t, 1), INT64_MAX);
}

static int temper(struct dun_context *context, struct smc *s, struct dun_run *run)
{
  int status = open_piece(context, run);
  if (status < 0)
    return status;
  double *before = dun_tails_before(run);
  status = run->path->affine ? reweight(context, s, run) : carry(context, s, run);
  if ((status = dun_tails_shape(context, run, status, before)) < 0)
    return status;
  run->now.step++;
  if ((status = estimate(context, s, run)) < 0)
    return status;
  if (run->now.time >= 1)
    status = dun_divergence_find(context, &s->divergence, run, &s->weights);
  s->phase = SELECT;
  return status < 0 ? status : DUN_TICK_GOING;
}

/* The step has no moves. */
static int rest(struct smc *s, struct dun_run *run)
{
  run->now.moves = 0;
  run->now.acceptance = run->now.autocorrelation = run->now.never_moved = NAN;
  run->now.step_size = run->now.leapfrogs = NAN;
  s->phase = TEMPER;
  return DUN_TICK_STEP;
}

static int is_selected(const struct smc *s, const struct dun_run *run)
{
  const double usual = .8;
  double share = s->ess_threshold < 0 ? usual : s->ess_threshold;
  return dun_waste_free_any(&s->waste_free) ||
         s->weights.ess < share * (double)run->options.particles;
}

static int select_particles(struct dun_context *context, struct smc *s, struct dun_run *run)
{
  int status = 0, due = dun_moves_due(&s->moves, run->now.time);
  if (!s->weights.tile_before) /* a restart came between the ticks: they are no state */
    status = dun_weights_compute(context, &run->population, s->logw, &s->weights);
  if (status >= 0 && due && run->sweep.force)
    status = dun_sweep_forces(context, &run->sweep, run->now.time);
  if (status >= 0 && due)
    status = dun_cross_fit_metric(context, &s->fit, run);
  if (status < 0)
    return status;
  if (is_selected(s, run)) {
    status = dun_select_chains(context, &run->population, s->logw, &s->weights, together(s),
                               (enum dun_resampling)s->resampling,
                               dun_run_address(run, DUN_PURPOSE_SELECT));
    if (status < 0)
      return status;
    if (s->selections == 0 && dun_waste_free_any(&s->waste_free))
      dun_waste_free_found(&s->waste_free, run);
    s->carried += s->weights.log_mean;
    s->selections++;
    if (dun_waste_free_any(&s->waste_free))
      status = dun_waste_free_selected(context, &s->waste_free, run, &s->weights);
    if (status < 0)
      return status;
  }
  if (!due)
    return rest(s, run);
  if ((s->boundary = dun_cross_fit_boundary(context, run)) < 0)
    return (int)s->boundary;
  dun_sweep_remember(&run->sweep, run->now.time);
  dun_moves_begin(&s->moves);
  s->phase = MOVE;
  return DUN_TICK_GOING;
}

/* Moves at one time leave the expected weight as it is, but for those from the path's first point,
 * which have that of a density.  Weights with tails too heavy for so many particles fall short. */
static int weigh_moves(struct dun_context *context, struct smc *s, struct dun_run *run)
{
  double before = run->now.log_evidence;
  int status = estimate(context, s, run);
  if (status >= 0 && !(s->at_point && run->now.step == 1))
    s->drift += run->now.log_evidence - before;
  return status;
}

/* Means over the halves. */
static void tell_adaptation(struct dun_run *run)
{
  const struct dun_adaptation *a = run->adaptation;
  run->now.step_size = dun_scalar_exp((a[0].log_step + a[1].log_step) / 2);
  run->now.leapfrogs = run->kernel->uses_leapfrogs ? (a[0].length + a[1].length) / 2 : NAN;
}

/* Of all particles, or of the chains' heads; 1: the step is over. */
static int sweep(struct dun_context *context, struct smc *s, struct dun_run *run, int status)
{
  struct dun_look look;
  if (status >= 0)
    status = dun_sweep_move(context, &run->sweep, dun_run_address(run, 0), run->now.time, INT64_MAX,
                            &look);
  if (status < 0)
    return status;
  tell_adaptation(run);
  dun_cross_fit_update(run);
  run->now.acceptance = look.acceptance;
  run->now.autocorrelation = look.autocorrelation;
  run->now.never_moved = look.never_moved;
  s->lost += (int64_t)look.lost;
  struct dun_run moved = dun_waste_free_view(&s->waste_free, run);
  return dun_moves_over(context, &s->moves, &moved, &look);
}

static int move(struct dun_context *context, struct smc *s, struct dun_run *run)
{
  int weighs = run->kernel->weighs && !dun_waste_free_any(&s->waste_free);
  run->sweep.logw = weighs ? s->logw : NULL;
  run->sweep.from_point = s->at_point && run->now.step == 1 && s->moves.done == 0;
  run->sweep.halves = 1;
  run->sweep.boundary = s->boundary / together(s);
  int64_t place = s->moves.done + 1;
  int status = dun_waste_free_enter(context, &s->waste_free, run, place);
  status = dun_waste_free_leave(&s->waste_free, run, place, sweep(context, s, run, status));
  run->now.moves = (double)s->moves.done;
  if (status <= 0)
    return status < 0 ? status : DUN_TICK_GOING;
  s->least_acceptance = fmin(run->now.acceptance, s->least_acceptance);
  s->phase = TEMPER;
  status = weighs ? weigh_moves(context, s, run) : 0;
  return status < 0 ? status : DUN_TICK_STEP;
}

static int advance(struct dun_context *context, void *self, struct dun_run *run)
{
  static int (*const phases[])(struct dun_context *, struct smc *, struct dun_run *) = {
      [PILOT_START] = pilot_start, [PILOT] = pilot, [START] = begin, [TEMPER] = temper,
      [SELECT] = select_particles, [MOVE] = move,
  };
  static const enum dun_phase booked[] = {
      [PILOT_START] = DUN_PHASE_SETUP, [PILOT] = DUN_PHASE_MOVE,    [START] = DUN_PHASE_SETUP,
      [TEMPER] = DUN_PHASE_WEIGH,      [SELECT] = DUN_PHASE_SELECT, [MOVE] = DUN_PHASE_MOVE,
  };
  struct smc *s = self;
  int status;

  if (s->phase == TEMPER && run->now.time >= 1)
    return DUN_TICK_DONE;
  run->evaluator->warming = s->phase < START; /* of pilots nothing but the base is left */
  enum dun_phase before = dun_timers_switch(&context->timers, booked[s->phase]);
  status = phases[s->phase](context, s, run);
  dun_timers_switch(&context->timers, before);
  return status;
}

/* ---- what to think of it ----------------------------------------------------------------- */

static void diagnose_moves(const struct smc *s, const struct dun_run *run,
                           struct dun_diagnosis *out)
{
  dun_moves_diagnose(&s->moves, run, out);
  dun_cross_fit_diagnose(&s->fit, run, out);
  dun_judge_autocorrelation(&run->now, out);
  if (!run->kernel->weighs)
    dun_watch_diagnose(&s->moves.watch, run, out);
  dun_diagnose(out, "acceptance", dun_verdict_above(-s->least_acceptance, -.1, -.01),
               "the lowest mean acceptance of a step was %.3f", s->least_acceptance);
  if (run->kernel->weighs)
    dun_judge_weighed(run, s->drift, out);
  if (run->kernel->weighs && s->lost > 0)
    dun_diagnose(out, "support", DUN_BAD,
                 "%lld moves of kernel %s left the support, where weights end: log Z is too low; "
                 "take a kernel that rejects",
                 (long long)s->lost, run->kernel->type.name);
}

static void diagnose(void *self, const struct dun_run *run, struct dun_diagnosis *out)
{
  const struct smc *s = self;
  const struct dun_now *now = &run->now;
  double ancestors = 1 / s->square_sum;

  dun_judge_genealogy(run, ancestors_of(s, run), ancestors, out);
  dun_judge_evidence(now, ancestors, moves(self) == 0, out);
  dun_waste_free_diagnose(&s->waste_free, run, s->by_ancestor, out);
  dun_pilots_diagnose(&s->pilots, out);
  dun_diagnose_survivors(out, run, s->killed);
  dun_diagnose_origins(out, run, s->missing);
  dun_divergence_diagnose(&s->divergence, run, out);
  if (dun_moves_any(&s->moves))
    diagnose_moves(s, run, out);
  if (!isnan(s->multinomial_error))
    dun_diagnose(out, "multinomial error", DUN_GOOD,
                 "Lee and Whiteley's estimate of the error of log Z is %.4g, by ancestor %.4g",
                 s->multinomial_error, now->log_evidence_error);
}

/* There is log Z of the target once the particles are weighed for it, from a density on. */
static int cut(struct dun_context *context, void *self, struct dun_run *run)
{
  const struct smc *s = self;
  (void)context;
  if (run->now.time < 1 || (s->at_point && run->now.step == 1 && s->phase != TEMPER))
    run->now.log_evidence = run->now.log_evidence_error = NAN;
  return 0;
}

static const struct dun_option options[] = {
    {.name = "ess_threshold",
     .type = DUN_NUMBER,
     .offset = offsetof(struct smc, ess_threshold),
     .initial = "auto",
     .words = "auto",
     .minimum = 0,
     .maximum = 1,
     .doc = "Select when the effective sample size falls below this share of the particles.  auto: "
            "0.8, and with chain_length at every time."},
    {.name = "resampling",
     .type = DUN_CHOICE,
     .offset = offsetof(struct smc, resampling),
     .initial = "systematic",
     .words = DUN_RESAMPLING_WORDS,
     .doc =
         "How offspring are drawn; with residual and multinomial the error of log Z, by ancestor, "
         "is up to three times too large; multinomial also gives Lee and Whiteley's error."},
    DUN_MOVES_OPTIONS(struct smc, moves),
    DUN_WASTE_FREE_OPTION(struct smc, waste_free),
    {0},
};

const struct dun_method dun_method_smc = {
    .type = {DUN_TYPE(struct dun_method), .name = "smc",
             .doc =
                 "SMC along a path, with times found from the weights where it is affine; annealed "
                 "importance sampling with ess_threshold 0; waste-free with chain_length (Dau & "
                 "Chopin 2022, J. R. Stat. Soc. B 84, 114).",
             .citation = "Del Moral, Doucet & Jasra 2006, J. R. Stat. Soc. B 68, 411",
             .size = sizeof(struct smc), .options = options, .state = state, .free = release,
             .restore = restore},
    .needs_path = 1,
    .needs_kernel = 1,
    .rests = rests,
    .table = table,
    .moves = moves,
    .together = together,
    .progress = progress,
    .init = init,
    .start = start,
    .advance = advance,
    .cut = cut,
    .diagnose = diagnose,
};
