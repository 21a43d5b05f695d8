#include "app/promises.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/memory.h"
#include "parallel/host.h"
#include "parallel/sum.h"
#include <math.h>
#include <string.h>

static const double budget = 6e-3;         /* seconds; half as much for the prior */
static const int64_t largest = 64LL << 20; /* bytes of a tile's points, or of the prior's draws */

/* ---- how much ---------------------------------------------------------------------------- */

/* The shorter of two calls: the first one may find tables and pages cold. */
static int time_call(struct dun_caller *caller, enum dun_density_kind which, const double *x,
                     double patience, double *seconds)
{
  int status = 0;
  *seconds = INFINITY;
  for (int i = 0; i < 2 && status == 0 && (i == 0 || *seconds < patience); i++) {
    double began = dun_clock(), took;
    status = dun_caller_evaluate(caller, which, 1, NULL, x, which == DUN_DENSITY_TARGET);
    took = fmax(dun_clock() - began, 1e-8);
    *seconds = took < *seconds ? took : *seconds;
  }
  return status;
}

static int between(double value, int least, int most)
{
  return value < least ? least : value > most ? most : (int)value;
}

/* The trials take 8 evaluations of each point, those of another pass 2.  In many dimensions going
 * over the numbers is dear too.  Of a slow target the gradient is tried at one point, by three
 * evaluations: its bits are compared after the run. */
static void share_out(struct dun_effort *effort, int columns, int d, double calls)
{
  int enough = 1 + 2 * d / DUN_LANES, large = d > 8192;
  effort->thrifty = calls < 3 ? 2 : large || calls < (columns ? 10 : 16);
  effort->lanes = columns ? DUN_LANES : between(calls / 8, 1, DUN_LANES);
  effort->lanes = large && effort->lanes > 4 ? 4 : effort->lanes;
  effort->passes = 1;
  if (!effort->thrifty && effort->lanes == DUN_LANES)
    effort->passes =
        between((calls / (columns ? 1 : DUN_LANES) - 8) / 2, 1, enough < 16 ? enough : 16);
}

static int prior_tiles(struct dun_caller *caller, double seconds)
{
  int d = caller->evaluator->dimension, moves = d < 8 ? d : 8;
  double room = (double)largest / ((double)d * DUN_LANES * sizeof(double));
  return between(fmin(.5 * seconds, room), 0, 8 * (moves + 5)) / (moves + 5);
}

static void swap_lanes(int64_t d, double *x, int lane)
{
  for (int64_t j = 0; j < d; j++) {
    double kept = x[j * DUN_LANES];
    x[j * DUN_LANES] = x[j * DUN_LANES + lane];
    x[j * DUN_LANES + lane] = kept;
  }
}

/* A single point had better be inside the support: another one, if one of the next few is. */
static int choose_point(struct dun_caller *caller, double *x, struct dun_effort *effort)
{
  int64_t d = caller->evaluator->dimension;
  int status = 0, lane = 0;
  while (status == 0 && !isfinite(caller->found_lp[0]) && lane < 3) {
    swap_lanes(d, x, lane); /* back to what was there */
    swap_lanes(d, x, ++lane);
    status = dun_caller_evaluate(caller, DUN_DENSITY_TARGET, 1, NULL, x, 0);
  }
  effort->first = lane;
  return status;
}

int dun_promises_effort(struct dun_caller *caller, double *x, double limit,
                        struct dun_effort *effort)
{
  const struct dun_target *target = caller->evaluator->target;
  double seconds;
  int status = time_call(caller, DUN_DENSITY_TARGET, x, .1 * limit, &seconds);
  *effort = (struct dun_effort){0};
  if (status < 0)
    return status;
  share_out(effort, target->columns != NULL, caller->evaluator->dimension, limit / seconds);
  if (effort->lanes == 1 && (status = choose_point(caller, x, effort)) < 0)
    return status;
  if (!target->prior || !target->draw_prior)
    return 0;
  status = time_call(caller, DUN_DENSITY_PRIOR, x, .1 * limit, &seconds);
  effort->tiles = prior_tiles(caller, limit / seconds);
  return status;
}

/* Collective.  Rank 0's clock decides for all. */
static int agree_on_effort(struct dun_context *context, struct dun_caller *caller, double *x,
                           struct dun_effort *effort)
{
  int status = 0;
  if (context->rank == 0)
    status = dun_promises_effort(caller, x, budget, effort);
  if ((status = dun_agree(context, status)) < 0)
    return status;
  dun_broadcast(context, effort, sizeof *effort, 0);
  if (context->rank > 0)
    swap_lanes(caller->evaluator->dimension, x, effort->first);
  return 0;
}

/* ---- where ------------------------------------------------------------------------------- */

struct points {
  double *x, *uniform, *normal; /* [..][64] */
  int uniforms, normals;
};

static void points_free(struct points *points)
{
  DUN_FREE(points->x);
  DUN_FREE(points->uniform);
  DUN_FREE(points->normal);
}

/* The law that the run starts from needs so many random numbers. */
static void find_numbers(const struct dun_run *run, struct points *points)
{
  int d = run->evaluator->dimension;
  points->uniforms = 0;
  points->normals = d;
  if (!run->path->pilot || run->path->pilot(run->path_self).moves == 0)
    dun_path_draws(run->path, run->path_self, d, &points->uniforms, &points->normals);
}

static int points_init(const struct dun_run *run, struct points *points)
{
  int64_t d = run->evaluator->dimension;
  find_numbers(run, points);
  int normals = points->normals > d ? points->normals : (int)d;
  points->x = dun_allocate(d * DUN_LANES, sizeof(double));
  points->uniform = dun_allocate((points->uniforms + 1LL) * DUN_LANES, sizeof(double));
  points->normal = dun_allocate((int64_t)normals * DUN_LANES, sizeof(double));
  return points->x && points->uniform && points->normal ? 0 : DUN_ERROR_MEMORY;
}

/* Starts that are all at one point tell little: all but the first are moved away from it. */
static void scatter(const struct dun_run *run, struct points *points, struct dun_address address)
{
  int d = run->evaluator->dimension;
  address.step = 2;
  dun_normals(address, d, points->normal);
  for (int64_t j = 0; j < d; j++) {
    double *x = points->x + j * DUN_LANES, scale = fmax(1, fabs(x[0]));
    for (int l = 1; l < DUN_LANES; l++)
      x[l] += (l % 2 ? .1 : 1) * scale * points->normal[j * DUN_LANES + l];
  }
}

static int at_one_point(const struct dun_run *run, const double *x)
{
  for (int64_t i = 0; i < run->evaluator->dimension * (int64_t)DUN_LANES; i++)
    if (x[i] != x[i / DUN_LANES * DUN_LANES])
      return 0;
  return 1;
}

static void draw_points(const struct dun_run *run, struct dun_address address,
                        struct points *points)
{
  const struct dun_path *path = run->path;
  dun_normals(address, points->normals, points->normal);
  address.step = 1;
  if (points->uniforms > 0)
    dun_uniforms(address, points->uniforms, points->uniform);
  if (path->pilot && path->pilot(run->path_self).moves > 0)
    path->pilot_draw(run->path_self, points->normal, points->x);
  else
    path->draw(run->path_self, points->uniform, points->normal, points->x);
  if (at_one_point(run, points->x))
    scatter(run, points, address);
}

/* ---- the trials -------------------------------------------------------------------------- */

/* Whether the run starts from the target's prior: the same numbers make the same points. */
static int starts_from_prior(struct dun_caller *caller, const struct points *points)
{
  const struct dun_evaluator *e = caller->evaluator;
  int64_t count = e->dimension * (int64_t)DUN_LANES;
  double *x = e->target->draw_prior ? dun_allocate(count, sizeof *x) : NULL;
  int same = x && points->uniforms >= dun_evaluator_uniforms(e) &&
             dun_caller_draw(caller, DUN_DENSITY_PRIOR, points->uniform, points->normal, x) == 0 &&
             memcmp(x, points->x, (size_t)count * sizeof *x) == 0;
  dun_free(x);
  return same;
}

/* A prior that the run does not use is no reason to refuse it. */
static int try_prior(struct dun_caller *caller, const struct dun_effort *effort,
                     struct dun_address address, int used, struct dun_findings *findings)
{
  int before = findings->count, status;
  address.replicate = 1;
  status = dun_promises_prior(caller, effort, address, findings);
  for (int i = before; i < findings->count && !used; i++)
    findings->finding[i].level = DUN_FINDING_TOLD;
  return status;
}

/* Collective.  One rank's bits against the others'. */
static int compare_ranks(struct dun_context *context, struct dun_findings *findings)
{
  double half = (double)(findings->bits >> 32), pair[3] = {half, -half, findings->other_bits};
  int status = dun_max(context, 0, 3, pair);
  if (status < 0)
    return status;
  if (pair[0] != -pair[1] && pair[2] == 0) {
    dun_find(findings, DUN_FINDING_TOLD,
             "the target gives other bits for the same points on other ranks");
    pair[2] = 1;
  }
  findings->other_bits = (int)pair[2];
  return 0;
}

static void complain(struct dun_assembly *assembly, const char *text)
{
  const struct dun_part *part = &assembly->target;
  dun_complain(&assembly->binder.complaints, &assembly->input, part->line, part->column,
               "target: %s: %s (--no-check leaves these trials out)", part->type->name, text);
}

/* Collective.  A broken promise on one rank is one on all. */
static int settle(struct dun_context *context, struct dun_assembly *assembly, int status,
                  const struct dun_findings *findings)
{
  const char *refusal = dun_finding_refused(findings);
  if (status >= 0 && refusal)
    status = dun_fail(DUN_ERROR_INPUT, "%s", refusal);
  status = dun_agree(context, status);
  for (int i = 0; i < findings->count; i++) {
    const struct dun_finding *finding = &findings->finding[i];
    if (finding->level == DUN_FINDING_REFUSED)
      complain(assembly, finding->text);
    else if (context->rank == 0)
      dun_warn(&context->log, "target %s: %s", assembly->target.type->name, finding->text);
  }
  if (status == DUN_ERROR_INPUT && !refusal)
    complain(assembly, dun_error_text());
  return status;
}

/* ---- before the run and after ------------------------------------------------------------ */

/* Collective.  1: it can be tried, in a small part of the memory that is left. */
static int can_try(struct dun_context *context, const struct dun_run *run)
{
  enum { BLOCKS = 16 }; /* of a tile's points, at most */
  double block = (double)run->evaluator->dimension * DUN_LANES * sizeof(double), room;
  if (!run->path || block > (double)largest)
    return 0;
  int status = dun_host_memory(context, &room);
  return status < 0 ? status : BLOCKS * block < room;
}

/* Collective.  Room, and the points. */
static int begin(struct dun_context *context, const struct dun_run *run, struct points *points,
                 struct dun_caller *caller)
{
  struct dun_address address = {.seed = (uint64_t)run->options.seed, .purpose = DUN_PURPOSE_TRIAL};
  int status = points_init(run, points);
  if (status >= 0)
    status = dun_caller_init(caller, run->evaluator, 0);
  if ((status = dun_agree(context, status)) >= 0)
    draw_points(run, address, points);
  return status;
}

static uint64_t digest_of(const struct dun_run *run, const struct points *points)
{
  int64_t count = run->evaluator->dimension * (int64_t)DUN_LANES;
  return dun_digest(0, points->x, count * (int64_t)sizeof(double));
}

static void remember(struct dun_assembly *assembly, const struct points *points,
                     const struct dun_effort *effort, const struct dun_findings *findings)
{
  struct dun_tried *tried = &assembly->tried;
  tried->lanes = effort->lanes;
  tried->first = effort->first;
  tried->points = digest_of(&assembly->run, points);
  memcpy(tried->lp, findings->lp, sizeof tried->lp);
  assembly->other_bits = findings->other_bits;
}

int dun_promises_try(struct dun_context *context, struct dun_assembly *assembly)
{
  const struct dun_run *run = &assembly->run;
  struct dun_address address = {.seed = (uint64_t)run->options.seed, .purpose = DUN_PURPOSE_TRIAL};
  struct dun_findings findings = {0};
  struct dun_effort effort = {0};
  struct dun_caller caller = {0};
  struct points points = {0};
  int status = can_try(context, run), tried, from_prior;
  if (status <= 0)
    return status;
  if ((status = begin(context, run, &points, &caller)) < 0)
    goto out;
  from_prior = starts_from_prior(&caller, &points);
  if ((status = agree_on_effort(context, &caller, points.x, &effort)) < 0) {
    if (status == DUN_ERROR_INPUT)
      complain(assembly, dun_error_text());
    goto out;
  }
  tried = dun_promises_target(&caller, &effort, address, points.x, &findings);
  if (tried >= 0 && effort.tiles > 0)
    tried = try_prior(&caller, &effort, address, from_prior, &findings);
  if ((status = compare_ranks(context, &findings)) >= 0)
    status = settle(context, assembly, tried, &findings);
  remember(assembly, &points, &effort, &findings);
out:
  dun_caller_free(&caller);
  points_free(&points);
  return status;
}

/* 0: the same bits as before; else as in struct dun_findings. */
static int compare_with_before(const struct dun_tried *tried, const double *lp)
{
  int other = 0;
  for (int l = 0; l < tried->lanes; l++)
    if (dun_bits(lp[l]) != dun_bits(tried->lp[l]) && !(isnan(lp[l]) && isnan(tried->lp[l]))) {
      int near = fabs(lp[l] - tried->lp[l]) <= 1e-6;
      other = near && other < 2 ? 1 : 2;
    }
  return other;
}

int dun_promises_again(struct dun_context *context, struct dun_assembly *assembly)
{
  const struct dun_run *run = &assembly->run;
  const struct dun_tried *tried = &assembly->tried;
  struct dun_caller caller = {0};
  struct points points = {0};
  double other = 0;
  int status = 0;
  if (tried->lanes == 0 || assembly->other_bits)
    return 0;
  if (begin(context, run, &points, &caller) < 0) /* nothing of the run is lost for that */
    goto out;
  swap_lanes(run->evaluator->dimension, points.x, tried->first);
  if (digest_of(run, &points) == tried->points &&
      dun_caller_evaluate(&caller, DUN_DENSITY_TARGET, tried->lanes, NULL, points.x, 1) == 0)
    other = compare_with_before(tried, caller.found_lp);
  if ((status = dun_max(context, 0, 1, &other)) < 0)
    goto out;
  assembly->other_bits = (int)other;
  if (other > 0 && context->rank == 0)
    dun_warn(&context->log, "target %s: gives other bits for the same points than before the run",
             assembly->target.type->name);
out:
  dun_caller_free(&caller);
  points_free(&points);
  return status;
}
