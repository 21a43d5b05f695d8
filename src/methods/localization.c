/* Stochastic localization: a point of the target is found by observing it, more and more clearly,
 * without knowing it (Montanari 2023, arXiv 2305.10690).
 *
 *   start:  y, an observation from which nothing is known
 *   step:   what y says, with the target, is a posterior law of the point: draw the point from it,
 *           and the later y given the point (exact), or take the law's single coordinates in the
 *           point's place
 *   end:    the point itself, from the last posterior
 *
 * Whoever knows the posterior is the field; how the point is seen, the observation. */
#include "base/error.h"
#include "base/memory.h"
#include "methods/posterior.h"
#include "parallel/sum.h"
#include "population/tile.h"
#include <math.h>
#include <string.h>

enum { L = DUN_LANES };
enum how { BY_AUTO, BY_DRAWS, BY_MEANS };
enum end { END_DRAW, END_MEAN };
enum phase { START, STEPS, OVER };

struct localization {
  /* options */
  struct dun_part observation_part, field_part;
  long long steps; /* -1: auto */
  double last;     /* -1: the observation's own */
  int how, end;
  long long stride; /* -1: auto */

  /* state */
  int64_t phase, k;
  int64_t broken; /* particles at the end that are no numbers */

  /* made by init */
  struct dun_posterior posterior;
  int by_draws, exact;
  int letter_by_letter; /* single letters' laws are as good as draws, to the end */
  double *time;         /* [steps + 1]; owned */
  struct dun_column *y;
};

/* ---- setting up ---------------------------------------------------------------------------- */

static int check(const struct localization *s, const struct dun_run *run)
{
  int draws = (s->posterior.gives & DUN_TILTED_DRAW) != 0;
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

static int64_t steps_of(const struct localization *s, double first, double last)
{
  const struct dun_observation *o = s->posterior.observation;
  int64_t exact = o->exact_steps ? o->exact_steps(s->posterior.observation_self) : 0;
  if (s->steps > 0)
    return s->steps;
  if (exact > 0)
    return exact;
  if (dun_observation_draws_only(o, s->posterior.observation_self) && o->time && last - first >= 2)
    return (int64_t)(last - first); /* whole numbers of questions */
  return s->by_draws ? 20 : 200;
}

static int make_times(struct localization *s)
{
  const struct dun_observation *o = s->posterior.observation;
  double first, last;
  o->ends(s->posterior.observation_self, &first, &last);
  if (s->last >= 0 && !(s->last > first && s->last <= last))
    return dun_fail(DUN_ERROR_INPUT,
                    "last: found %g, expected a time of observation %s, above %g and at most %g",
                    s->last, o->type.name, first, last);
  last = s->last >= 0 ? s->last : last;
  s->steps = steps_of(s, first, last);
  DUN_FREE(s->time);
  s->time = dun_allocate(s->steps + 1, sizeof *s->time);
  if (!s->time)
    return DUN_ERROR_MEMORY;
  for (int64_t k = 0; k <= s->steps; k++) {
    double share = (double)k / (double)s->steps;
    s->time[k] = k == s->steps ? last
                 : o->time     ? o->time(s->posterior.observation_self, first, last, share)
                               : first + (last - first) * share;
  }
  return 0;
}

/* Whether every step takes one letter, and none is left open at the end. */
static int goes_by_letters(const struct localization *s)
{
  const struct dun_observation *o = s->posterior.observation;
  return o->exact_steps && o->exact_steps(s->posterior.observation_self) == s->steps && s->last < 0;
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
  if (!run->x || !run->logw || !run->root || !s->y)
    return DUN_ERROR_MEMORY;
  return dun_pass_declare(&run->sweep.pass);
}

static int init(struct dun_context *context, void *self, struct dun_run *run)
{
  struct localization *s = self;
  int code;
  s->posterior.observation = (const struct dun_observation *)s->observation_part.type;
  s->posterior.observation_self = s->observation_part.self;
  s->posterior.field = (const struct dun_field *)s->field_part.type;
  s->posterior.field_self = s->field_part.self;
  if ((code = dun_posterior_init(context, &s->posterior, run)) < 0 || (code = check(s, run)) < 0)
    return code;
  s->by_draws = s->how == BY_DRAWS || (s->how == BY_AUTO && (s->posterior.gives & DUN_TILTED_DRAW));
  if ((code = make_times(s)) < 0)
    return code;
  s->letter_by_letter = goes_by_letters(s);
  s->exact = s->by_draws || (s->letter_by_letter && (s->posterior.gives & DUN_FIELD_SURE));
  return declare(s, run);
}

static void release(void *self)
{
  struct localization *s = self;
  DUN_FREE(s->time);
  dun_posterior_free(&s->posterior);
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
  (void)run;
  return s->time ? s->steps + 1 : 1;
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
  return 0;
}

/* ---- ticks ----------------------------------------------------------------------------------- */

/* A tile in the workspace: how many points it has, and the address of its random numbers. */
struct tile {
  int n;
  struct dun_address address;
};

static struct tile load(const struct localization *s, const struct dun_run *run, int64_t i)
{
  const struct dun_tiles *tiles = &run->population.tiles;
  struct tile tile = {.n = dun_tile_size(tiles, tiles->first_tile + i),
                      .address = dun_run_address(run, DUN_PURPOSE_NOISE)};
  tile.address.tile = (uint32_t)(tiles->first_tile + i);
  dun_tile_load(&run->population, s->y, i, s->posterior.y);
  return tile;
}

/* The point, into the posterior's draw. */
static void end_tile(const struct localization *s, const struct tile *tile)
{
  const struct dun_posterior *p = &s->posterior;
  int draw = s->end == END_DRAW && (p->gives & DUN_TILTED_DRAW) != 0;
  dun_posterior_ask(p, s->time[s->steps], tile->n, tile->address, draw);
  if (!draw && p->of.letters)
    dun_posterior_draw_letters(p, tile->address);
  else if (!draw)
    memcpy(p->draw, p->mean, (size_t)p->of.d * L * sizeof *p->draw);
}

/* Steps first <= k < behind of a tile, or its end. */
static void go(const struct localization *s, int64_t first, int64_t behind, struct tile *tile)
{
  const struct dun_posterior *p = &s->posterior;
  for (int64_t k = first; k < behind; k++) {
    tile->address.step = (uint32_t)k;
    dun_posterior_ask(p, s->time[k], tile->n, tile->address, s->by_draws);
    p->observation->step(
        p->observation_self, s->time[k], s->time[k + 1],
        &(struct dun_known){.mean = p->mean, .letters = p->of.letters ? p->law : NULL},
        tile->address, p->y);
  }
  tile->address.step = (uint32_t)behind;
  if (first == s->steps)
    end_tile(s, tile);
}

static int pass_over(struct dun_context *context, const struct localization *s, struct dun_run *run,
                     int64_t behind, double *broken)
{
  struct dun_exact sum[1] = {{{0}, 0, {0}}};
  double lost[L] __attribute__((aligned(64)));
  struct dun_pass *pass = &run->sweep.pass;
  int over = s->k == s->steps, status = dun_pass_begin(context, pass, 1, sum);
  for (int64_t i = 0; i < run->population.tiles.count && status >= 0; i++) {
    if ((status = dun_pass_enter(pass, i, 0)) <= 0)
      continue;
    struct tile tile = load(s, run, i);
    go(s, s->k, behind, &tile);
    if ((status = dun_pass_leave(pass, i, 0, tile.n)) < 0)
      break;
    if (over) {
      dun_run_bury(run, i, tile.n, s->posterior.draw, lost);
      dun_exact_add(sum, dun_fold(lost));
    }
    dun_tile_store(&run->population, over ? run->x : s->y, i,
                   over ? s->posterior.draw : s->posterior.y);
  }
  return dun_pass_end(context, pass, status, 1, sum, broken);
}

static int set_out(struct localization *s, struct dun_run *run)
{
  for (int64_t i = 0; i < run->population.tiles.count; i++) {
    struct tile tile = load(s, run, i);
    tile.address.purpose = DUN_PURPOSE_START;
    tile.address.step = 0;
    dun_posterior_begin(&s->posterior, tile.address);
    dun_tile_store(&run->population, s->y, i, s->posterior.y);
  }
  s->phase = STEPS;
  return DUN_TICK_GOING;
}

static int walk(struct dun_context *context, struct localization *s, struct dun_run *run)
{
  int64_t stride = s->stride > 0 ? s->stride : (s->steps + 99) / 100;
  int64_t behind = s->k + stride < s->steps ? s->k + stride : s->steps;
  double broken = 0;
  int status = pass_over(context, s, run, behind, &broken);
  if (status < 0)
    return status;
  if (s->k == s->steps) {
    s->broken = (int64_t)broken;
    s->phase = OVER;
  }
  run->now.step = s->phase == OVER ? run->now.step + 1 : behind;
  run->now.time = s->phase == OVER ? 1 : (double)behind / (double)(s->steps + 1);
  s->k = behind;
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
  status = s->phase == START ? set_out(s, run) : walk(context, s, run);
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

/* ---- what to think of it --------------------------------------------------------------------- */

static void diagnose(void *self, const struct dun_run *run, struct dun_diagnosis *out)
{
  const struct localization *s = self;
  const char *observation = s->posterior.observation->type.name;
  int single = s->posterior.of.letters && !s->letter_by_letter &&
               (s->end == END_MEAN || !(s->posterior.gives & DUN_TILTED_DRAW));
  if (s->broken > 0)
    dun_diagnose(out, "broken", DUN_BAD,
                 "%.3g%% of the particles ended at what is no number and have no weight",
                 100 * (double)s->broken / (double)run->options.particles);
  if (s->exact)
    dun_diagnose(out, "steps", DUN_GOOD,
                 "%lld steps of observation %s by %s, which make no error however long they are",
                 (long long)s->steps, observation,
                 s->by_draws ? "draws from its posteriors" : "one letter after the other");
  else if (s->letter_by_letter)
    dun_diagnose(out, "steps", DUN_DOUBTFUL,
                 "%lld steps of observation %s by one letter after the other, whose laws field %s "
                 "knows nearly: what that costs is not known",
                 (long long)s->steps, observation, s->posterior.field->type.name);
  else
    dun_diagnose(out, "steps", DUN_DOUBTFUL,
                 "%lld steps of observation %s by single coordinates: what their length costs is "
                 "not known: compare with twice as many",
                 (long long)s->steps, observation);
  if (s->end == END_MEAN && !s->posterior.of.letters)
    dun_diagnose(out, "end", DUN_DOUBTFUL,
                 "the points are means of what was left open at the time %g: they lie closer "
                 "together than the target's",
                 s->time[s->steps]);
  else if (single)
    dun_diagnose(out, "end", DUN_DOUBTFUL,
                 "the last letters were drawn each for itself: what was left open at the time %g "
                 "is taken as independent",
                 s->time[s->steps]);
}

static const struct dun_state state[] = {
    DUN_STATE_UP_TO(OVER, "phase", offsetof(struct localization, phase)),
    DUN_STATE_ROW("step", DUN_STATE_INTEGER, offsetof(struct localization, k), 1),
    DUN_STATE_ROW("broken", DUN_STATE_INTEGER, offsetof(struct localization, broken), 1),
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
     .words = "auto|draws|means",
     .doc =
         "What takes the point's place in a step: a draw from that law, which makes no error, or "
         "its means, of letters their probabilities; auto: draws where the field gives them."},
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
    {.name = "last",
     .type = DUN_NUMBER,
     .offset = offsetof(struct localization, last),
     .initial = "end",
     .words = "end",
     .minimum = 0,
     .maximum = 1e100,
     .doc = "The last time; end: the observation's own."},
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
    {0},
};

const struct dun_method dun_method_localization = {
    .type = {DUN_TYPE(struct dun_method), .name = "localization",
             .doc = "Points of the target found by observing them, more and more clearly.",
             .citation = "Montanari 2023, arXiv 2305.10690", .size = sizeof(struct localization),
             .options = options, .state = state, .free = release, .restore = restore},
    .memory = memory,
    .sweeps = sweeps,
    .progress = progress,
    .init = init,
    .start = start,
    .advance = advance,
    .diagnose = diagnose,
};
