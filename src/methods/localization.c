/* Stochastic localization: a point of the target is found by observing it, more and more clearly,
 * without knowing it (Montanari 2023, arXiv 2305.10690).
 *
 *   start:  y, an observation from which nothing is known
 *   step:   what y says, with the target, is a posterior law of the point: draw the point from it,
 *           and the later y given the point (exact), or take the law's single coordinates in the
 *           point's place
 *   end:    the point itself, from the last posterior
 *
 * Whoever knows the posterior is the field; how the point is seen, the observation.
 *
 * With field mcmc this is SLIPS (Grenioux, Noble, Gabrie & Durmus 2024, arXiv 2402.10758): the
 * start is at a time t_0 at which something is known, steps are even in the log of signal over
 * noise, means are those of chains.  Our names and the paper's letters: first = t_0, last = t_K,
 * begin.moves = n_init, schedule = alpha. */
#include "methods/localization.h"
#include "base/error.h"
#include "base/memory.h"
#include "parallel/sum.h"
#include "population/tile.h"
#include <math.h>
#include <string.h>

enum { L = DUN_LANES };

/* ---- setting up ---------------------------------------------------------------------------- */

static int check_together(const struct localization *s)
{
  const char *what = s->first > 0              ? "first"
                     : s->kept.particles > 0   ? "keep"
                     : s->how == BY_COVARIANCE ? "by: covariance"
                                               : NULL;
  if (!what || !dun_posterior_together(&s->posterior))
    return 0;
  return dun_fail(DUN_ERROR_INPUT,
                  "%s: field %s is distributed, and asked by all ranks together in steps alone: "
                  "leave out %s, or field.distributed",
                  what, s->posterior.field->type.name, what);
}

static int check_schedule(const struct localization *s)
{
  if (s->posterior.remembers && s->first <= 0)
    return dun_fail(
        DUN_ERROR_INPUT,
        "field %s finds nothing out where nothing is known yet: give first, a time above "
        "0 from which chains find what is open, and before which moves of the "
        "observation do",
        s->posterior.field->type.name);
  if (s->schedule.type == DUN_CLEARING_STANDARD || s->how != BY_DRAWS)
    return 0;
  return dun_fail(DUN_ERROR_INPUT,
                  "by: draws goes along schedule standard: in others what was seen "
                  "earlier tells more of the point than what is seen");
}

static int check(const struct localization *s, const struct dun_run *run)
{
  int draws = (s->posterior.gives & DUN_TILTED_DRAW) != 0;
  if (s->classes && s->first > 0)
    return dun_fail(DUN_ERROR_INPUT, "classes: what is found first cannot be behind observations "
                                     "that begin later: leave first out, or classes");
  if (check_together(s) < 0 || check_schedule(s) < 0)
    return DUN_ERROR_INPUT;
  if (draws)
    return s->how == BY_MEANS && dun_observation_draws_only(s->posterior.observation,
                                                            s->posterior.observation_self)
               ? dun_fail(DUN_ERROR_INPUT, "by: means: observation %s needs draws of the point",
                          s->posterior.observation->type.name)
               : 0;
  if (s->how == BY_DRAWS ||
      dun_observation_draws_only(s->posterior.observation, s->posterior.observation_self))
    return dun_fail(DUN_ERROR_INPUT,
                    "method localization: field %s of target %s cannot draw from posteriors: take "
                    "by: means with another observation, or field atoms",
                    s->posterior.field->type.name, run->target->type.name);
  if (s->end == END_DRAW && !s->posterior.of.letters)
    return dun_fail(
        DUN_ERROR_INPUT,
        "final: draw needs draws from posteriors, and field %s of target %s gives none; "
        "take final: mean",
        s->posterior.field->type.name, run->target->type.name);
  return 0;
}

/* Whether every step takes one letter, and none is left open at the end. */
static int goes_by_letters(const struct localization *s)
{
  const struct dun_observation *o = s->posterior.observation;
  return o->exact_steps && o->exact_steps(s->posterior.observation_self) == s->steps && s->last < 0;
}

/* Steps between two looks. */
static int64_t stride_of(const struct localization *s)
{
  return s->stride > 0 ? s->stride : (s->steps + 99) / 100;
}

static int declare(struct localization *s, struct dun_run *run)
{
  run->x =
      dun_run_column(run, "x", DUN_F64, s->posterior.of.d, DUN_MOVES | DUN_HASHED, "The point.");
  run->logw =
      dun_run_column(run, "logw", DUN_F64, 1, 0, "0, or -inf of a point that is no number.");
  run->root = dun_run_column(run, "root", DUN_I64, 1, DUN_MOVES, "Number of the particle.");
  s->y = dun_run_column(run, "observation", DUN_F64, s->posterior.width, 0,
                        "What has been observed of the point.");
  if (s->posterior.remembers)
    s->memory = dun_run_column(run, "memory", DUN_F64, s->posterior.remembers, 0,
                               "What the field keeps of the particle.");
  if (!run->x || !run->logw || !run->root || !s->y || (s->posterior.remembers && !s->memory))
    return DUN_ERROR_MEMORY;
  if (s->posterior.remembers && s->kept.particles > 0)
    return dun_fail(DUN_ERROR_INPUT,
                    "keep: field %s finds means by moves of its own: asking for them in between "
                    "would be another run",
                    s->posterior.field->type.name);
  if (dun_posterior_together(&s->posterior)) {
    DUN_FREE(s->rows);
    s->rows =
        dun_allocate(2 * run->population.tiles.local * s->posterior.of.d + 1, sizeof *s->rows);
    if (!s->rows)
      return DUN_ERROR_MEMORY;
  }
  int status = dun_kept_means_init(&s->kept, run, 2 + s->steps / stride_of(s));
  if (status < 0)
    return status;
  return dun_pass_declare(&run->sweep.pass);
}

static int init(struct dun_context *context, void *self, struct dun_run *run)
{
  struct localization *s = self;
  int code;
  s->posterior.classes_first = s->classes;
  s->posterior.observation = (const struct dun_observation *)s->observation_part.type;
  s->posterior.observation_self = s->observation_part.self;
  s->posterior.field = (const struct dun_field *)s->field_part.type;
  s->posterior.field_self = s->field_part.self;
  if ((code = dun_posterior_init(context, &s->posterior, run)) < 0 || (code = check(s, run)) < 0)
    return code;
  int sure = (s->posterior.gives & DUN_FIELD_SURE) != 0;
  s->by_draws =
      s->how == BY_DRAWS || (s->how == BY_AUTO && s->schedule.type == DUN_CLEARING_STANDARD &&
                             (s->posterior.gives & DUN_TILTED_DRAW) && sure);
  if ((code = dun_localization_times(context, s)) < 0 ||
      (s->first > 0 && (code = dun_beginning_init(&s->begin, &s->posterior)) < 0))
    return code;
  s->letter_by_letter = goes_by_letters(s);
  s->exact = sure && s->first <= 0 && (s->by_draws || s->letter_by_letter);
  enum dun_certificate_of of = s->by_draws || s->exact || s->mix || s->first > 0
                                   ? DUN_CERTIFICATE_OTHERS
                               : s->how == BY_COVARIANCE ? DUN_CERTIFICATE_COVARIANCES
                                                         : DUN_CERTIFICATE_MEANS;
  if ((code = dun_corrected_init(&s->corrected, &s->posterior, s->how == BY_COVARIANCE, !s->mix)) <
          0 ||
      (code = dun_certificate_init(&s->certificate, &s->posterior, run, of)) < 0)
    return code;
  return declare(s, run);
}

static void release(void *self)
{
  struct localization *s = self;
  DUN_FREE(s->time);
  DUN_FREE(s->mix);
  DUN_FREE(s->rows);
  dun_beginning_free(&s->begin);
  dun_certificate_free(&s->certificate);
  dun_corrected_free(&s->corrected);
  dun_posterior_free(&s->posterior);
  dun_kept_means_free(&s->kept);
}

static struct dun_table *table(void *self)
{
  return dun_kept_means_table(&((struct localization *)self)->kept);
}

static int64_t memory(const void *self)
{
  const struct localization *s = self;
  return s->posterior.field && s->posterior.field->memory
             ? s->posterior.field->memory(s->posterior.field_self)
             : 0;
}

static int64_t sweeps(const void *self, const struct dun_run *run)
{
  const struct localization *s = self;
  const struct dun_field *field = s->posterior.field;
  (void)run;
  if (!s->time)
    return 1; /* before init: not known */
  int64_t each = s->how == BY_COVARIANCE ? 1 + 2 * (int64_t)s->posterior.of.d : 1;
  int64_t calls = s->steps * each + 1 + (s->first > 0 ? s->begin.moves : 0);
  if (!field->evaluations)
    return calls;
  return field->evaluations(s->posterior.field_self, 1) +
         (calls - 1) * field->evaluations(s->posterior.field_self, 0);
}

static double progress(const void *self, const struct dun_run *run)
{
  const struct localization *s = self;
  (void)run;
  return s->phase == OVER ? 1 : (double)s->k / (double)(s->steps + 1);
}

static int start(struct dun_context *context, void *self, struct dun_run *run)
{
  struct localization *s = self;
  (void)context;
  dun_run_begin_particles(run);
  s->phase = START;
  s->k = s->broken = 0;
  s->apart = s->accepted = 0;
  memset(s->begin.sum, 0, sizeof s->begin.sum);
  dun_certificate_start(&s->certificate);
  return 0;
}

/* ---- ticks ----------------------------------------------------------------------------------- */

static int pass_over(struct dun_context *context, const struct localization *s, struct dun_run *run,
                     int64_t behind, double *total)
{
  struct dun_exact sum[DUN_LOCALIZATION_SUMS] = {{{0}, 0, {0}}};
  struct dun_pass *pass = &run->sweep.pass;
  int over = s->k == s->steps, status = dun_pass_begin(context, pass, DUN_LOCALIZATION_SUMS, sum);
  for (int64_t i = 0; i < run->population.tiles.count && status >= 0; i++) {
    if ((status = dun_pass_enter(pass, i, 0)) <= 0)
      continue;
    struct dun_localization_tile tile = dun_localization_load(s, run, i);
    dun_localization_go(s, s->k, behind, &tile);
    if ((status = dun_pass_leave(pass, i, 0, tile.n)) < 0)
      break;
    dun_localization_add(s, tile.n, sum);
    if (over)
      dun_localization_bury(s, run, i, tile.n, sum);
    else
      dun_localization_store(s, run, i);
  }
  return dun_pass_end(context, pass, status, DUN_LOCALIZATION_SUMS, sum, total);
}

static int keep(struct dun_context *context, struct localization *s, const struct dun_run *run)
{
  return dun_kept_means_look(context, &s->kept, &s->posterior, run, s->y, s->k, s->time[s->k]);
}

/* Observations at a first time above 0: a pass. */
static int begin_later(struct dun_context *context, struct localization *s, struct dun_run *run)
{
  struct dun_exact sum[DUN_BEGINNING_SUMS] = {{{0}, 0, {0}}};
  double look[DUN_BEGINNING_SUMS][L] __attribute__((aligned(64)));
  struct dun_pass *pass = &run->sweep.pass;
  int status = dun_pass_begin(context, pass, DUN_BEGINNING_SUMS, sum);
  for (int64_t i = 0; i < run->population.tiles.count && status >= 0; i++) {
    if ((status = dun_pass_enter(pass, i, 0)) <= 0)
      continue;
    struct dun_localization_tile tile = dun_localization_load(s, run, i);
    tile.address.step = 0;
    dun_beginning_tile(&s->begin, &s->posterior, s->time[0], tile.n, tile.address, look);
    if ((status = dun_pass_leave(pass, i, 0, tile.n)) < 0)
      break;
    dun_localization_store(s, run, i);
    for (int q = 0; q < DUN_BEGINNING_SUMS; q++)
      dun_exact_add(&sum[q], dun_fold(look[q]));
  }
  return dun_pass_end(context, pass, status, DUN_BEGINNING_SUMS, sum, s->begin.sum);
}

static int set_out(struct dun_context *context, struct localization *s, struct dun_run *run)
{
  if (s->first > 0) {
    int status = begin_later(context, s, run);
    s->phase = status < 0 ? START : STEPS;
    if (status >= 0)
      status = keep(context, s, run);
    return status < 0 ? status : DUN_TICK_GOING;
  }
  for (int64_t i = 0; i < run->population.tiles.count; i++) {
    struct dun_localization_tile tile = dun_localization_load(s, run, i);
    tile.address.purpose = DUN_PURPOSE_START;
    tile.address.step = 0;
    dun_posterior_begin(&s->posterior, tile.address);
    dun_localization_store(s, run, i);
  }
  s->phase = STEPS;
  int status = keep(context, s, run);
  return status < 0 ? status : DUN_TICK_GOING;
}

static int walk(struct dun_context *context, struct localization *s, struct dun_run *run)
{
  int64_t stride = stride_of(s), behind = s->k + stride < s->steps ? s->k + stride : s->steps;
  double total[DUN_LOCALIZATION_SUMS] = {0}, N = (double)run->options.particles;
  int status = (dun_posterior_together(&s->posterior) ? dun_localization_together
                                                      : pass_over)(context, s, run, behind, total);
  if (status < 0)
    return status;
  s->apart = fmax(s->apart, total[DUN_LOCALIZATION_APART] / N);
  s->accepted = total[DUN_LOCALIZATION_ACCEPTED] / N;
  s->certificate.moved += total[DUN_LOCALIZATION_MOVED];
  if (s->k == s->steps) {
    s->broken = (int64_t)total[DUN_LOCALIZATION_BROKEN];
    s->phase = OVER;
    if ((status = dun_certificate_sum(context, &s->certificate, run)) < 0)
      return status;
  }
  run->now.step = s->phase == OVER ? run->now.step + 1 : behind;
  run->now.time = s->phase == OVER ? 1 : (double)behind / (double)(s->steps + 1);
  s->k = behind;
  if (s->phase != OVER && (status = keep(context, s, run)) < 0)
    return status;
  return DUN_TICK_STEP;
}

static int advance(struct dun_context *context, void *self, struct dun_run *run)
{
  struct localization *s = self;
  int status;
  if (s->phase == OVER)
    return DUN_TICK_DONE;
  enum dun_phase before =
      dun_timers_switch(&context->timers, s->phase == START ? DUN_PHASE_SETUP : DUN_PHASE_MOVE);
  status = s->phase == START ? set_out(context, s, run) : walk(context, s, run);
  dun_timers_switch(&context->timers, before);
  return status;
}

static int restore(void *self)
{
  const struct localization *s = self;
  if (s->k <= s->steps)
    return 0;
  return dun_fail(DUN_ERROR_INPUT, "The checkpoint is at a step that this run does not have.");
}

static const struct dun_state state[] = {
    DUN_STATE_UP_TO(OVER, "phase", offsetof(struct localization, phase)),
    DUN_STATE_ROW("step", DUN_STATE_INTEGER, offsetof(struct localization, k), 1),
    DUN_STATE_ROW("broken", DUN_STATE_INTEGER, offsetof(struct localization, broken), 1),
    DUN_STATE_ROW("apart", DUN_STATE_NUMBER, offsetof(struct localization, apart), 1),
    DUN_STATE_ROW("accepted", DUN_STATE_NUMBER, offsetof(struct localization, accepted), 1),
    DUN_STATE_ROW("beginning", DUN_STATE_NUMBER, offsetof(struct localization, begin.sum),
                  DUN_BEGINNING_SUMS),
    DUN_STATE_ROW("moved", DUN_STATE_NUMBER, offsetof(struct localization, certificate.moved), 1),
    {.name = "ways",
     .type = DUN_STATE_INTEGER,
     .offset = offsetof(struct localization, certificate.ways.particles),
     .count = 1,
     .least = -1,
     .most = (int64_t)1 << 53},
    DUN_STATE_ROW("way sums", DUN_STATE_NUMBER, offsetof(struct localization, certificate.ways.sum),
                  DUN_WAYS_SUMS),
    DUN_STATE_ROW("kept", DUN_STATE_NUMBERS, offsetof(struct localization, kept.table.cells), 1),
    {0},
};

static const struct dun_option options[] = {
    {.name = "observation",
     .type = DUN_PART,
     .kind = DUN_KIND_OBSERVATION,
     .offset = offsetof(struct localization, observation_part),
     .doc = "How the point is seen, more and more clearly."},
    {.name = "field",
     .type = DUN_PART,
     .kind = DUN_KIND_FIELD,
     .offset = offsetof(struct localization, field_part),
     .initial = "exact",
     .doc = "Who knows the law of the point given what was seen."},
    {.name = "by",
     .type = DUN_CHOICE,
     .offset = offsetof(struct localization, how),
     .initial = "auto",
     .words = "auto|draws|means|covariance",
     .doc =
         "What takes the point's place in a step: a draw from that law, which makes no error, or "
         "its means, of letters their probabilities, or of observations gaussian and adapted its "
         "means and covariance, of gaussian for 2 d questions to the field more; auto: draws where "
         "it gives them."},
    {.name = "classes",
     .type = DUN_CHOICE,
     .offset = offsetof(struct localization, classes),
     .initial = "open",
     .words = "open|first",
     .doc = "Whether a point's class, of mixtures the component, stays open with it, or is drawn "
            "first: then means have no modes to decide between."},
    {.name = "steps",
     .type = DUN_INTEGER,
     .offset = offsetof(struct localization, steps),
     .initial = "auto",
     .words = "auto",
     .minimum = 1,
     .maximum = 1e6,
     .doc =
         "How many; auto: as many as make no error, else 20 by draws, 200 by means, one for each "
         "question."},
    {.name = "first",
     .type = DUN_NUMBER,
     .offset = offsetof(struct localization, first),
     .initial = "0",
     .minimum = 0,
     .maximum = 1e100,
     .doc =
         "The first time, u of the schedule; above 0 observations begin there, and steps are even "
         "in log t.  The observation's own time is t = g(u)^2 / sigma^2."},
    {.name = "begin",
     .type = DUN_SECTION,
     .offset = offsetof(struct localization, begin),
     .initial = "",
     .rows = dun_beginning_rows,
     .doc = "How observations that begin later come to be."},
    {.name = "schedule",
     .type = DUN_SECTION,
     .offset = offsetof(struct localization, schedule),
     .initial = "",
     .rows = dun_clearing_rows,
     .doc = "What time first and last are of, and how steps are made of it."},
    {.name = "last",
     .type = DUN_NUMBER,
     .offset = offsetof(struct localization, last),
     .initial = "end",
     .words = "end",
     .minimum = 0,
     .maximum = 1e100,
     .doc = "The last time, u of the schedule; end: the observation's own."},
    {.name = "first_step",
     .type = DUN_NUMBER,
     .offset = offsetof(struct localization, first_step),
     .initial = "auto",
     .words = "auto",
     .minimum = 1e-100,
     .maximum = 1e100,
     .doc = "The length of the first step; those behind it end evenly in the logarithm of the time "
            "since the first one.  auto: times are the observation's own."},
    {.name = "final",
     .type = DUN_CHOICE,
     .offset = offsetof(struct localization, end),
     .initial = "draw",
     .words = "draw|mean",
     .doc = "The point: a draw of what is still open then, of letters each for itself where the "
            "field gives none, or its mean."},
    {.name = "stride",
     .type = DUN_INTEGER,
     .offset = offsetof(struct localization, stride),
     .initial = "auto",
     .words = "auto",
     .minimum = 1,
     .maximum = 1e6,
     .doc = "Steps between two looks of probes and trace; auto: a hundredth of all."},
    {.name = "keep",
     .type = DUN_INTEGER,
     .offset = offsetof(struct localization, kept.particles),
     .initial = "0",
     .minimum = 0,
     .maximum = 1e6,
     .doc = "Particles of which the mean of the point is kept at each look, in "
            "/trace/localization of the result (analysis/plot_localization.py)."},
    {0},
};

const struct dun_method dun_method_localization = {
    .type = {DUN_TYPE(struct dun_method), .name = "localization",
             .doc = "Points of the target found by observing them, more and more clearly.",
             .citation = "Montanari 2023, arXiv 2305.10690", .size = sizeof(struct localization),
             .options = options, .state = state, .free = release, .restore = restore},
    .table = table,
    .memory = memory,
    .sweeps = sweeps,
    .progress = progress,
    .init = init,
    .start = start,
    .advance = advance,
    .diagnose = dun_localization_diagnose,
};
