#include "app/child.h"
#include "app/promises.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "io/bind.h"
#include "paths/path.h"
#include "targets/library.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static const double budget = .3; /* seconds for each tile of points */
enum { TILES = 7, DRAWS = 32 };

/* The target on its way. */
struct work {
  struct dun_child *child;
  struct dun_context context;
  struct dun_input input;
  struct dun_binder binder;
  const struct dun_target *target;
  void *self;
  struct dun_evaluator evaluator;
  struct dun_caller caller;
  double *x, *uniform, *normal; /* columns */
};

static void enter(struct dun_child *child, const char *function)
{
  child->place.function = function;
  child->place.count++;
}

static int refuse(struct dun_child *child, int code, const char *sentence)
{
  snprintf(child->sentence, sizeof child->sentence, "%s", sentence);
  return child->code = code;
}

/* ---- the library and its options --------------------------------------------------------- */

static int set_options(struct work *w, const struct dun_arguments *arguments)
{
  struct dun_complaints *complaints = &w->binder.complaints;
  struct dun_text word = {0};
  static const char empty[] = "target: {type: library}\n";
  dun_input_parse(&w->input, "check-target", empty, (int64_t)strlen(empty), complaints);
  dun_text_add(&word, "target.file=\"");
  dun_text_add_json(&word, arguments->operand[0]);
  dun_text_add(&word, "\"");
  int status = word.failed ? DUN_ERROR_MEMORY : dun_input_set(&w->input, word.text, complaints);
  dun_text_free(&word);
  for (int i = 0; i < arguments->sets && status == 0; i++) {
    const char *given = arguments->set[i], *section = "target.";
    int whole =
        strncmp(given, section, strlen(section)) == 0; /* as --set of other commands has it */
    dun_text_add(&word, "%s%s", whole ? "" : section, given);
    status = word.failed ? DUN_ERROR_MEMORY : dun_input_set(&w->input, word.text, complaints);
    dun_text_free(&word);
  }
  return status;
}

static int bind(struct work *w, const struct dun_arguments *arguments)
{
  struct dun_child *child = w->child;
  dun_context_alone(&w->context, DUN_QUIET);
  dun_binder_init(&w->binder, &w->context, &w->input);
  w->binder.data_folder = arguments->data;
  int status = set_options(w, arguments);
  const struct dun_type *type =
      status < 0 ? NULL
                 : dun_bind_type(&w->binder, dun_node_find(&w->input.root, "target"), "target",
                                 DUN_KIND_TARGET, &w->self);
  w->target = (const struct dun_target *)type;
  if (w->target)
    return 0;
  char *text = w->binder.complaints.text.text;
  if (text && *text && text[strlen(text) - 1] == '\n')
    text[strlen(text) - 1] = 0;
  return refuse(child, DUN_ERROR_INPUT, text ? text : dun_error_text());
}

static int load(struct work *w, const struct dun_arguments *arguments)
{
  struct dun_child *child = w->child;
  int flushes = 0;
  enter(child, "a constructor of the library");
  if (!dun_library_load_telling(arguments->operand[0], &flushes))
    return refuse(child, DUN_ERROR_INPUT, dun_error_text());
  dun_crash_catch_exceptions();
  if (flushes)
    dun_find(
        &child->findings, DUN_FINDING_TOLD,
        "the library switches subnormal numbers off (flush-to-zero) for the whole process when "
        "it is loaded, as if linked with -ffast-math; dunlin switches them on again, other "
        "programs may not");
  return bind(w, arguments);
}

static int prepare(struct work *w)
{
  char reason[512] = "";
  struct dun_child *child = w->child;
  enter(child, "init");
  if (w->target->init && w->target->init(w->self, (struct dun_message){reason, sizeof reason}) < 0)
    return refuse(child, DUN_ERROR_INPUT, *reason ? reason : "refused without a reason");
  enter(child, "dimension_of, work_columns or parameters");
  int status = dun_evaluator_init(&w->evaluator, w->target, w->self);
  if (status < 0)
    return refuse(child, status, dun_error_text());
  snprintf(child->name, sizeof child->name, "%s", w->target->type.name);
  child->layout = w->target->point ? "point" : w->target->rows ? "rows" : "columns";
  child->dimension = w->evaluator.dimension;
  return 0;
}

static int make_room(struct work *w)
{
  int64_t d = w->evaluator.dimension, normals = dun_evaluator_normals(&w->evaluator);
  normals = normals > d ? normals : d;
  w->x = dun_allocate(d * DUN_LANES, sizeof(double));
  w->normal = dun_allocate(normals * DUN_LANES, sizeof(double));
  w->uniform =
      dun_allocate((d + dun_evaluator_uniforms(&w->evaluator)) * DUN_LANES, sizeof(double));
  if (!w->x || !w->normal || !w->uniform || dun_caller_init(&w->caller, &w->evaluator, 1) < 0)
    return refuse(w->child, DUN_ERROR_MEMORY, "no memory for the points");
  w->caller.call = &w->child->place;
  dun_crash_watch(&w->caller);
  return 0;
}

/* ---- points ------------------------------------------------------------------------------ */

static struct dun_address address_of(int tile)
{
  return (struct dun_address){.seed = 1, .purpose = DUN_PURPOSE_TRIAL, .tile = (uint32_t)tile};
}

/* Draws of the prior and of the target, normals near 0 and far, uniforms, positive numbers.  1:
 * made; 0: there are none of that kind. */
static int make_points(struct work *w, int tile)
{
  static const double scale[TILES] = {0, 0, 1, .1, 10, 0, 0};
  struct dun_address address = address_of(tile);
  int64_t d = w->evaluator.dimension, count = d * DUN_LANES;
  int own = dun_evaluator_normals(&w->evaluator), normals = own < d ? (int)d : own;
  dun_normals(address, normals, w->normal);
  address.step = 1;
  dun_uniforms(address, (int)d + dun_evaluator_uniforms(&w->evaluator), w->uniform);
  if (tile == 0 && w->evaluator.target->draw_prior)
    return dun_caller_draw(&w->caller, DUN_DENSITY_PRIOR, w->uniform, w->normal, w->x) < 0 ? -1 : 1;
  if (tile == 1 && w->target->draw)
    return dun_caller_draw(&w->caller, DUN_DENSITY_TARGET, w->uniform, w->normal, w->x) < 0 ? -1
                                                                                            : 1;
  if (w->evaluator.letters && tile >= 2) {
    dun_path_draw_letters(&w->evaluator, w->uniform, w->x);
    return 1;
  }
  for (int64_t i = 0; i < count; i++)
    w->x[i] = tile == 5   ? w->uniform[i]
              : tile == 6 ? exp(w->normal[i])
                          : scale[tile] * w->normal[i];
  return tile >= 2;
}

/* ---- the trials -------------------------------------------------------------------------- */

/* What was found at a tile's points joins the rest, once each. */
static void take_over(struct dun_findings *all, const struct dun_findings *some)
{
  for (int i = 0; i < some->count; i++) {
    int known = 0;
    for (int k = 0; k < all->count; k++)
      known |= !strncmp(all->finding[k].text, some->finding[i].text, 24);
    if (!known)
      dun_find(all, some->finding[i].level, "%s", some->finding[i].text);
  }
  all->other_bits = some->other_bits > all->other_bits ? some->other_bits : all->other_bits;
}

/* Points that are all outside the support say nothing, as long as others are inside. */
static int try_tile(struct work *w, int tile, struct dun_findings *outside)
{
  struct dun_child *child = w->child;
  struct dun_findings found = {0};
  struct dun_effort effort;
  int status = make_points(w, tile);
  if (status <= 0)
    return status;
  status = dun_promises_effort(&w->caller, w->x, budget, &effort);
  if (status == 0)
    status = dun_promises_target(&w->caller, &effort, address_of(16 + tile), w->x, &found);
  if (status < 0)
    return status;
  if (child->points == 0)
    child->bits = found.bits;
  child->points += effort.lanes;
  child->thrifty = effort.thrifty;
  if (found.finite > 0)
    take_over(&child->findings, &found);
  else if (outside->count == 0)
    *outside = found;
  outside->finite += found.finite;
  return 0;
}

static int try_points(struct work *w)
{
  struct dun_child *child = w->child;
  struct dun_findings outside = {0};
  int status = 0;
  for (int tile = 0; tile < TILES && status == 0 && !dun_finding_refused(&child->findings); tile++)
    status = try_tile(w, tile, &outside);
  if (status == 0 && outside.finite == 0)
    take_over(&child->findings, &outside);
  return status;
}

/* The prior's draws and the target's own, as many tiles as the budget allows. */
static int try_draws(struct work *w)
{
  const struct dun_target *target = w->evaluator.target;
  struct dun_findings *findings = &w->child->findings;
  struct dun_effort effort = {.lanes = DUN_LANES, .passes = 4, .tiles = DRAWS};
  double room = 1e6 / w->evaluator.dimension, began = dun_clock();
  int status = 0;
  effort.tiles = room < DRAWS ? (int)room + 1 : DRAWS;
  if (target->prior && target->draw_prior) {
    status = dun_promises_prior(&w->caller, &effort, address_of(40), findings);
    w->child->draws += effort.tiles * DUN_LANES;
  }
  if (status < 0 || dun_finding_refused(findings) || !target->draw ||
      dun_clock() - began > 20 * budget)
    return status;
  if (w->child->density * DUN_LANES * (effort.tiles * 10.) < 10 * budget) {
    status = dun_promises_draws(&w->caller, &effort, address_of(41), findings);
    w->child->draws += effort.tiles * DUN_LANES;
  }
  return status;
}

static void judge_calls(struct work *w)
{
  struct dun_findings *findings = &w->child->findings;
  if (w->caller.changes_control)
    dun_find(findings, DUN_FINDING_TOLD,
             "`%s` leaves another rounding mode or flush-to-zero behind; dunlin puts it back",
             w->child->layout);
  if (w->caller.changes_self)
    dun_find(findings, DUN_FINDING_TOLD,
             "`%s` changes the target's own struct, which it is given as const", w->child->layout);
}

/* ---- speed ------------------------------------------------------------------------------- */

/* Seconds of one evaluation: the shortest of some repetitions in a tenth of a second. */
static double time_evaluation(struct work *w, double *gradient)
{
  double lp[DUN_LANES] __attribute__((aligned(64))), one[DUN_LANES] __attribute__((aligned(64)));
  double began = dun_clock(), shortest = INFINITY, now = began;
  int lanes = w->target->columns ? DUN_LANES : 1;
  for (int l = 0; l < DUN_LANES; l++)
    one[l] = 1;
  for (int i = 0; i < 1000 && (i < 2 || now - began < .1); i++) {
    double before = dun_clock();
    enter(w->child, w->child->layout);
    dun_evaluate(&w->evaluator, lanes, w->x, lp, one, gradient);
    now = dun_clock();
    shortest = (now - before) / lanes < shortest ? (now - before) / lanes : shortest;
    if (i == 2 && shortest < 1e-3)
      lanes = DUN_LANES;
  }
  return shortest;
}

static void time_target(struct work *w)
{
  struct dun_child *child = w->child;
  double *gradient = dun_allocate(w->evaluator.dimension, DUN_LANES * sizeof *gradient);
  child->gradient = NAN;
  make_points(w, 2);
  if (w->evaluator.target->draw_prior)
    make_points(w, 0);
  else if (w->target->draw)
    make_points(w, 1);
  child->density = time_evaluation(w, NULL);
  if (gradient && !w->target->no_gradient)
    child->gradient = time_evaluation(w, gradient);
  dun_free(gradient);
}

/* ---- the whole --------------------------------------------------------------------------- */

static void work_free(struct work *w)
{
  dun_caller_free(&w->caller);
  dun_evaluator_free(&w->evaluator);
  DUN_FREE(w->x);
  DUN_FREE(w->uniform);
  DUN_FREE(w->normal);
  enter(w->child, "free");
  if (w->target)
    dun_object_free(&w->target->type, &w->self);
  dun_binder_free(&w->binder);
  dun_input_free(&w->input);
}

static void work(struct work *w, const struct dun_arguments *arguments, int bits_only)
{
  struct dun_child *child = w->child;
  struct dun_findings outside = {0};
  if (load(w, arguments) < 0 || prepare(w) < 0 || make_room(w) < 0)
    return;
  int status = 0;
  if (bits_only) {
    for (int tile = 0; tile < TILES && child->points == 0 && status == 0; tile++)
      status = try_tile(w, tile, &outside);
    return;
  }
  if ((status = try_points(w)) == 0 && !dun_finding_refused(&child->findings)) {
    time_target(w);
    status = try_draws(w);
  }
  if (status < 0)
    refuse(child, status, dun_error_text());
  judge_calls(w);
}

void dun_child_work(struct dun_child *child, const struct dun_arguments *arguments, int bits_only)
{
  struct work w = {.child = child};
  work(&w, arguments, bits_only);
  work_free(&w);
  enter(child, "dunlin");
}
