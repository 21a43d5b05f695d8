/* The path `controlled` without its steps: options, tables, and densities between the ends. */
#include "paths/controlled.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/table.h"
#include "base/vmath.h"
#include "numerics/given.h"
#include <math.h>
#include <string.h>

enum diffusion { COSINE, LINEAR, CONSTANT };

/* ---- setting up ---------------------------------------------------------------------------- */

/* sigma_k, and what its noise amounts to; the halves are the reference implementation's. */
DUN_CLONES static void make_diffusion(struct dun_controlled *s)
{
  double T = (double)s->steps, small = s->diffusion.smallest, large = s->diffusion.largest;
  double offset = s->diffusion.offset, sine, cosine;

  s->variance[0] = 0;
  for (int64_t k = 0; k < s->steps; k++) {
    double left = (T - (double)k) / T;
    dun_sincos2pi(.25 * (1 + offset - left) / (1 + offset), &sine, &cosine);
    double sigma = s->diffusion.type == COSINE ? .5 * (large - small) * cosine * cosine + .5 * small
                   : s->diffusion.type == LINEAR ? .5 * ((1 - left) * small + left * large)
                                                 : large;
    s->sigma[k] = sigma;
    s->variance[k + 1] = s->variance[k] + 2 * sigma * sigma / T;
  }
}

static int check(const struct dun_controlled *s)
{
  const int64_t most = 1 << 27; /* columns of random numbers of one address */
  int64_t d = s->target->dimension;

  if (s->steps % s->pieces)
    return dun_fail(DUN_ERROR_INPUT, "path.steps: %lld is not a multiple of path.pieces, %lld",
                    s->steps, s->pieces);
  if (s->diffusion.type != CONSTANT && s->diffusion.smallest > s->diffusion.largest)
    return dun_fail(DUN_ERROR_INPUT,
                    "path.diffusion.smallest: %.6g is above path.diffusion.largest, %.6g",
                    s->diffusion.smallest, s->diffusion.largest);
  if (s->steps / s->pieces > most / d)
    return dun_fail(DUN_ERROR_INPUT,
                    "path.pieces: of %lld steps in %lld dimensions a piece has more random numbers "
                    "than there are addresses for: take more pieces",
                    s->steps, (long long)d);
  for (int64_t j = 0; j < d && s->reference != DUN_BROWNIAN; j++)
    if (!(s->first_scale.value[j] > 0))
      return dun_fail(DUN_ERROR_INPUT,
                      "path.base.scale: 0 is a start at one point, for reference: brownian only");
  return dun_evaluator_need_gradient(s->target, "path controlled", "path geometric");
}

static void release(void *self)
{
  struct dun_controlled *s = self;
  s->steering = NULL;
  dun_steering_free(&s->loaded);
  dun_control_free(&s->network);
  DUN_FREE(s->first_mean.value);
  DUN_FREE(s->first_scale.value);
  DUN_FREE(s->first_exponent.value);
  s->first_exponent.count = 0;
  DUN_FREE(s->exponent);
  DUN_FREE(s->point);
  dun_schedule_free(&s->schedule);
  DUN_FREE(s->mean);
  DUN_FREE(s->scale);
  DUN_FREE(s->sigma);
  DUN_FREE(s->variance);
  DUN_FREE(s->precision);
  DUN_FREE(s->work);
}

static int make_room(struct dun_controlled *s)
{
  int64_t d = s->target->dimension;
  int status;

  s->mean = dun_allocate(d, sizeof *s->mean);
  s->scale = dun_allocate(d, sizeof *s->scale);
  s->sigma = dun_allocate(s->steps, sizeof *s->sigma);
  s->variance = dun_allocate(s->steps + 1, sizeof *s->variance);
  s->precision = dun_allocate(2 * d, sizeof *s->precision);
  s->work = dun_allocate(DUN_CONTROLLED_WORK * d, DUN_LANES * sizeof *s->work);
  if (!s->mean || !s->scale || !s->sigma || !s->variance || !s->precision || !s->work)
    return DUN_ERROR_MEMORY;
  status = dun_numbers_make(&s->first_mean, d, 0);
  return status < 0 ? status : dun_numbers_make(&s->first_scale, d, 0);
}

static int make_base(struct dun_context *context, struct dun_controlled *s)
{
  int d = s->target->dimension, status;
  if (!s->base.points) {
    status = dun_given_numbers(&s->base.mean, "path.base.mean", d, s->first_mean.value);
    if (status >= 0)
      status = dun_given_numbers(&s->base.scale, "path.base.scale", d, s->first_scale.value);
    return dun_agree(context, status);
  }
  struct dun_gaussian moments = {0};
  status = dun_given_base_points(context, &s->base.given, s->target, 0, s->base.inflate, &moments);
  if (status >= 0) {
    memcpy(s->first_mean.value, moments.mean, (size_t)d * sizeof *moments.mean);
    memcpy(s->first_scale.value, moments.deviation, (size_t)d * sizeof *moments.deviation);
  }
  dun_gaussian_free(&moments);
  return dun_agree(context, status);
}

/* The times of the earlier run are spread evenly over the steps, straight between them. */
static int follow_times(struct dun_controlled *s, const struct dun_numbers *times)
{
  int zero = times->value[0] == 0;
  int64_t levels = times->count - zero, T = s->steps;
  int status = dun_numbers_make(&s->first_exponent, T + 1, 0);
  s->exponent = dun_allocate(T + 1, sizeof *s->exponent);
  if (status < 0 || !s->exponent)
    return DUN_ERROR_MEMORY;
  for (int64_t k = 0; k <= T; k++) {
    double at = (double)k / (double)T * (double)levels, floor_at = floor(at);
    int64_t level = (int64_t)floor_at;
    double low = level ? times->value[level - 1 + zero] : 0;
    double high = level < levels ? times->value[level + zero] : 1;
    s->first_exponent.value[k] = s->exponent[k] = k < T ? low + (at - floor_at) * (high - low) : 1;
  }
  return 0;
}

static int make_exponents(struct dun_context *context, struct dun_controlled *s)
{
  struct dun_schedule times = {.type = DUN_SCHEDULE_FILE, .file = s->exponents};
  if (!s->exponents)
    return 0;
  int status = dun_schedule_init(context, &times);
  status = dun_agree(context, status < 0 ? status : follow_times(s, &times.times));
  dun_schedule_free(&times);
  return status;
}

static int finish(struct dun_controlled *s)
{
  int64_t d = s->target->dimension;
  double constant;
  int status = check(s);
  if (status < 0)
    return status;
  memcpy(s->mean, s->first_mean.value, (size_t)d * sizeof *s->mean);
  memcpy(s->scale, s->first_scale.value, (size_t)d * sizeof *s->scale);
  make_diffusion(s);
  dun_controlled_law(s, 1, 0, s->precision + d, &constant);
  return 0;
}

static int init(struct dun_context *context, void *self, struct dun_evaluator *target)
{
  struct dun_controlled *s = self;
  int status;

  release(s);
  s->target = target;
  if ((status = dun_agree(context, make_room(s))) < 0 || (status = make_base(context, s)) < 0 ||
      (status = make_exponents(context, s)) < 0 || (status = dun_agree(context, finish(s))) < 0 ||
      (s->load && (status = dun_controlled_load(context, s)) < 0))
    return status;
  s->schedule.type = DUN_SCHEDULE_FIXED;
  s->schedule.spacing = DUN_SPACING_LINEAR;
  s->schedule.steps = s->pieces;
  return dun_schedule_init(context, &s->schedule);
}

/* ---- densities ----------------------------------------------------------------------------- */

static void coefficients(const void *self, double t, double *coefficient)
{
  coefficient[0] = 1;
  coefficient[1] = dun_controlled_exponent(self, t);
}

/* Of lanes at times of their own each is taken from a tile that is all at its time. */
static void evaluate_reference(const struct dun_controlled *s, const struct dun_request *r)
{
  double constant, lp[DUN_LANES] __attribute__((aligned(64)));
  int d = s->target->dimension, same = 1;

  for (int l = 1; l < DUN_LANES; l++)
    same &= r->time[l] == r->time[0];
  for (int l = 0; l < (same ? 1 : DUN_LANES); l++) {
    dun_controlled_law(s, r->time[l], dun_controlled_exponent(s, r->time[l]), s->precision,
                       &constant);
    dun_controlled_law_at(s, s->precision, constant, r->x, lp, s->work);
    for (int m = l; m < (same ? DUN_LANES : l + 1); m++) {
      if (r->part_lp)
        r->part_lp[m] = lp[m];
      for (int64_t j = 0; j < d && r->gradient; j++)
        r->gradient[j * DUN_LANES + m] = s->work[j * DUN_LANES + m];
    }
  }
}

static void evaluate(const void *self, const struct dun_request *request)
{
  const struct dun_controlled *s = self;
  double own[DUN_MAX_PARTS * DUN_LANES] __attribute__((aligned(64)));
  const double *c = request->coefficient;

  if (!c) {
    dun_path_lane_coefficients(&dun_path_controlled, self, request->time, own);
    c = own;
  }
  evaluate_reference(s, request);
  dun_evaluate(s->target, request->n, request->x,
               request->part_lp ? request->part_lp + DUN_LANES : NULL, c + DUN_LANES,
               request->gradient);
  if (request->lp)
    dun_path_combine_parts(2, c, request->part_lp, request->lp);
}

static enum dun_follow follow(const void *self)
{
  (void)self;
  return DUN_FOLLOW_EITHER;
}

static long long carry_evaluations(const void *self)
{
  const struct dun_controlled *s = self;
  return s->steps / s->pieces + (s->reference == DUN_ANNEALED);
}

static void draws(const void *self, int *uniforms, int *normals)
{
  (void)self;
  *uniforms = 0;
  *normals = -1;
}

static void draw(const void *self, const double *uniform, const double *normal, double *x)
{
  const struct dun_controlled *s = self;

  (void)uniform;
  for (int64_t j = 0; j < s->target->dimension; j++)
    for (int l = 0; l < DUN_LANES; l++)
      x[j * DUN_LANES + l] = s->mean[j] + s->scale[j] * normal[j * DUN_LANES + l];
}

static const struct dun_schedule *schedule(const void *self)
{
  return &((const struct dun_controlled *)self)->schedule;
}

/* ---- options ------------------------------------------------------------------------------- */

#define BASE(member)                                                                               \
  offsetof(struct dun_controlled, base.member) - offsetof(struct dun_controlled, base)
static const struct dun_option base_options[] = {
    {.name = "type",
     .type = DUN_CHOICE,
     .offset = BASE(points),
     .initial = "gaussian",
     .words = "gaussian|points",
     .doc = "A stated Gaussian, or one with means and deviations of points in a file, an earlier "
            "result's draws for one."},
    {.name = "mean",
     .type = DUN_NUMBERS,
     .offset = BASE(mean),
     .initial = "0",
     .when = "type=gaussian",
     .doc = "Mean of the Gaussian; one number or one for each coordinate."},
    {.name = "scale",
     .type = DUN_NUMBERS,
     .offset = BASE(scale),
     .minimum = 0,
     .maximum = 1e150,
     .when = "type=gaussian",
     .doc = "Its standard deviation, likewise; 0, for reference: brownian: all begin at the mean."},
    {.name = "inflate",
     .type = DUN_NUMBER,
     .offset = BASE(inflate),
     .initial = "1.5",
     .minimum = .1,
     .maximum = 100,
     .when = "type=points",
     .doc = "Factor on the deviations that were found."},
    DUN_GIVEN_POINTS_OPTIONS(BASE(given.points), "type=points"),
    {0},
};

#define DIFFUSION(member)                                                                          \
  offsetof(struct dun_controlled, diffusion.member) - offsetof(struct dun_controlled, diffusion)
static const struct dun_option diffusion_options[] = {
    {.name = "type",
     .type = DUN_CHOICE,
     .offset = DIFFUSION(type),
     .initial = "cosine",
     .words = "cosine|linear|constant",
     .doc = "sigma falls as a squared cosine or a line from half of `largest` to half of "
            "`smallest`, or is `largest`."},
    {.name = "largest",
     .type = DUN_NUMBER,
     .offset = DIFFUSION(largest),
     .initial = "1",
     .minimum = 1e-150,
     .maximum = 1e150,
     .doc = "The noise of a unit of time has variance 2 sigma^2, and the path takes one."},
    {.name = "smallest",
     .type = DUN_NUMBER,
     .offset = DIFFUSION(smallest),
     .initial = "0.01",
     .minimum = 1e-150,
     .maximum = 1e150,
     .when = "type=cosine|linear",
     .doc = "Twice the last sigma."},
    {.name = "offset",
     .type = DUN_NUMBER,
     .offset = DIFFUSION(offset),
     .initial = "0.008",
     .minimum = 0,
     .maximum = 1,
     .when = "type=cosine",
     .doc = "Share of the way by which the cosine begins later."},
    {0},
};

#define ROW(name_, type_, member, ...)                                                             \
  {                                                                                                \
    .name = name_, .type = type_, .offset = offsetof(struct dun_controlled, member), __VA_ARGS__   \
  }
static const struct dun_option options[] = {
    ROW("reference", DUN_CHOICE, reference, .initial = "annealed",
        .words = "annealed|brownian|stationary",
        .doc = "Langevin steps of the tempered target; Brownian motion (PIS) or a stationary "
               "process (DDS), driven by the target's score."),
    ROW("base", DUN_SECTION, base, .rows = base_options, .doc = "The Gaussian at t = 0."),
    ROW("steps", DUN_INTEGER, steps, .initial = "128", .minimum = 1, .maximum = 1e6,
        .doc = "Steps from t = 0 to t = 1: a gradient each."),
    ROW("pieces", DUN_INTEGER, pieces, .initial = "128", .minimum = 1, .maximum = 1e6,
        .doc = "At the ends of so many equal pieces particles are selected and may move."),
    ROW("diffusion", DUN_SECTION, diffusion, .initial = "", .rows = diffusion_options,
        .doc = "The noise sigma of the steps."),
    ROW("exponents", DUN_FILE, exponents, .initial = "",
        .doc = "A result whose times, as of method smc along a geometric path from the same base, "
               "the exponents follow; left out: equal steps."),
    ROW("clip", DUN_NUMBER, clip, .initial = "1e6", .minimum = 1e-150, .maximum = 1e150,
        .doc = "Longer scores are cut to this norm."),
    ROW("load", DUN_FILE, load, .initial = "",
        .doc = "A result of method scld with as many steps, whose control, exponents and base are "
               "taken."),
    {0},
};

const struct dun_path dun_path_controlled = {
    .type = {DUN_TYPE(struct dun_path), .name = "controlled",
             .doc = "Weighted diffusions from a Gaussian to the target, in pieces: annealed "
                    "Langevin steps, or a reference process that the target's score drives.",
             .citation = "Chen et al. 2024, arXiv 2412.07081",
             .size = sizeof(struct dun_controlled), .options = options, .free = release},
    .parts = 2,
    .part_name = {"reference", "target"},
    .coefficients = coefficients,
    .init = init,
    .evaluate = evaluate,
    .carry = dun_controlled_carry,
    .follow = follow,
    .carry_evaluations = carry_evaluations,
    .draws = draws,
    .draw = draw,
    .schedule = schedule,
};
