/* Stochastic localization as a path that weights follow (Montanari 2023, arXiv 2305.10690): the
 * point seen through noise, y = t x + W_t, more and more clearly, and at the end the point.
 *
 *   start   y ~ N(0, first)
 *   step    y' = y + dt m + sqrt(dt) xi, m = E[x | y] of the field;
 *           back, the bridge of Brownian motion from 0: N(y t / t', t (t' - t) / t')
 *   end     x from the field's law given y, or ~ N(m, 1 / (T + width^-2)) where it does not draw or
 *           does not know the law's mass; back, the observation itself: y ~ N(T x, T)
 *
 * Between them log pi_t(y) = log N(y; 0, t) + log of the mass of the target tilted by y and t,
 * which is the law of y, where the field knows it; else as if the target were N(0, spread^2).  All
 * weights are exact whatever the field says: E w = Z (the Girsanov weights of the path).  A field
 * that draws numbers and keeps a memory is a law of means given the path so far, the same in both
 * directions, which leaves no trace in the weights: they take the mean that the step took.
 *
 * What the length of the steps costs, 1/2 sum_k int [e(t_k) - e(t)] dt with e(t) = E |x - m|^2 over
 * the target's ways, is about 1/4 sum_k dt_k [e(t_k) - e(t_{k+1})] (the start is a step from 0 by
 * the mean 0).  Errors of means that are alike in both, or noise, leave that as it is.  In it
 * |x|^2 drops out: 1/4 E [sum_k c_k |m_k|^2 - 2 <x, sum_k c_k m_k>], c_k = dt_k - dt_{k-1}, with
 * dt_K = 0, whose sums are the notes.
 *
 * Our names and the paper's letters: horizon = T. */
#include "base/error.h"
#include "base/memory.h"
#include "base/scalar.h"
#include "base/vmath.h"
#include "fields/field.h"
#include "numerics/columns.h"
#include "numerics/spacing.h"
#include "paths/path.h"
#include <math.h>
#include <string.h>

enum { L = DUN_LANES, BLOCKS = 5 };

struct localized {
  /* options */
  struct dun_part field_part;
  long long steps, pieces;              /* pieces -1: each step is one */
  double first, horizon, width, spread; /* width, spread -1: none */

  /* made by init */
  struct dun_evaluator *target;
  const struct dun_field *field;
  void *field_self;
  int has_mass, draws;
  int remembers;                /* columns of the field's memory */
  int sure;                     /* the field makes no errors */
  struct dun_schedule schedule; /* of pieces + 1 carries, the last of which is the end */
  double *work;                 /* [BLOCKS d][64]; owned */
};

extern const struct dun_path dun_path_localized;

/* ---- times ----------------------------------------------------------------------------------- */

/* Of the observation at a time of the path. */
static double seen_at(const struct localized *s, double t)
{
  const struct dun_spacing spacing = {
      .type = DUN_SPACING_ARCTAN, .first = s->first, .last = s->horizon};
  double share = t * (double)(s->pieces + 1) / (double)s->pieces;
  return share <= 0 ? s->first : share >= 1 ? s->horizon : dun_spacing_at(&spacing, share, 1);
}

/* ---- setting up ---------------------------------------------------------------------------- */

static void release(void *self)
{
  struct localized *s = self;
  dun_schedule_free(&s->schedule);
  DUN_FREE(s->work);
}

static int check(struct localized *s)
{
  const int64_t most = 1 << 27; /* columns of random numbers of one address */
  int64_t d = s->target->dimension;
  if (s->target->target->support != DUN_REALS)
    return dun_fail(DUN_ERROR_INPUT, "path localized is of reals; method localization finds spins "
                                     "and letters");
  if (s->pieces < 0)
    s->pieces = s->steps;
  if (s->steps % s->pieces)
    return dun_fail(DUN_ERROR_INPUT, "path.steps: %lld is not a multiple of path.pieces, %lld",
                    s->steps, s->pieces);
  if (s->steps / s->pieces > most / d)
    return dun_fail(DUN_ERROR_INPUT,
                    "path.pieces: take more of them for %lld steps in %lld "
                    "dimensions",
                    s->steps, (long long)d);
  if (!(s->first < s->horizon))
    return dun_fail(DUN_ERROR_INPUT, "path.first: %g is not below path.horizon, %g", s->first,
                    s->horizon);
  if (s->field->prepare)
    return dun_fail(DUN_ERROR_INPUT,
                    "path localized: field %s has tables of one time, and goes with method flow",
                    s->field->type.name);
  return 0;
}

static int make(struct localized *s)
{
  int64_t d = s->target->dimension;
  int status = check(s);
  if (status < 0)
    return status;
  s->work = dun_allocate(BLOCKS * d, L * sizeof *s->work);
  s->schedule.type = DUN_SCHEDULE_FIXED;
  s->schedule.spacing = DUN_SPACING_LINEAR;
  s->schedule.steps = s->pieces + 1;
  return s->work ? 0 : DUN_ERROR_MEMORY;
}

static int init(struct dun_context *context, void *self, struct dun_evaluator *target)
{
  struct localized *s = self;
  int status;
  release(s);
  s->target = target;
  s->field = (const struct dun_field *)s->field_part.type;
  s->field_self = s->field_part.self;
  if ((status = dun_agree(context, make(s))) < 0 ||
      (status = s->field->init(context, s->field_self, target, s->first)) < 0)
    return status;
  unsigned gives = s->field->gives ? s->field->gives(s->field_self) : 0;
  s->remembers = DUN_FIELD_REMEMBERS(s->field, s->field_self);
  s->has_mass = (gives & DUN_TILTED_MASS) && !s->remembers;
  s->draws = s->has_mass && (gives & DUN_TILTED_DRAW);
  s->sure = (gives & DUN_FIELD_SURE) != 0;
  if (gives & DUN_FIELD_NUMBERED)
    return dun_fail(DUN_ERROR_INPUT,
                    "path localized selects particles, and field %s goes by their numbers: take "
                    "method localization, flow or psld",
                    s->field->type.name);
  if (!s->has_mass && s->spread < 0)
    return dun_fail(
        DUN_ERROR_INPUT,
        "path localized: field %s does not know how likely observations are: give "
        "path.spread, the standard deviation of a Gaussian that takes the target's place "
        "there",
        s->field->type.name);
  return dun_schedule_init(context, &s->schedule);
}

static int64_t memory(const void *self)
{
  const struct localized *s = self;
  return s->field && s->field->memory ? s->field->memory(s->field_self) : 0;
}

/* ---- densities of observations --------------------------------------------------------------- */

/* m[d][64], and the log mass [64] unless NULL, at y and times seen[64]. */
static void ask(const struct localized *s, int n, const double *y, const double *seen,
                struct dun_address address, double *memory, double *mean, double *mass)
{
  const struct dun_field_call call = {.n = n,
                                      .h = y,
                                      .lambda = seen,
                                      .address = address,
                                      .label = -1,
                                      .mean = mean,
                                      .memory = memory,
                                      .log_mass = mass};
  s->field->value(s->field_self, &call);
}

/* lp[64] += log N(y; 0, variance[64]). */
DUN_CLONES static void add_normal(int d, const double *restrict y, const double *restrict variance,
                                  double *restrict lp)
{
  double square[L] __attribute__((aligned(64))) = {0};
  dun_columns_add_square(d, y, square);
  for (int l = 0; l < L; l++)
    lp[l] -= .5 * (square[l] / variance[l] + d * (dun_log(variance[l]) + DUN_LOG_2PI));
}

/* Of a Gaussian target: y ~ N(0, t + t^2 spread^2); at the beginning, of Brownian motion alone. */
static void gaussian_law(const struct localized *s, const struct dun_request *r, const double *seen,
                         double *lp, double *gradient)
{
  double variance[L] __attribute__((aligned(64)));
  for (int l = 0; l < L; l++) {
    double far = r->time[l] > 0 ? seen[l] * s->spread * s->spread : 0;
    variance[l] = seen[l] * (1 + far);
    lp[l] = 0;
  }
  add_normal(s->target->dimension, r->x, variance, lp);
  for (int64_t i = 0; i < (int64_t)s->target->dimension * L; i++)
    gradient[i] = -r->x[i] / variance[i % L];
}

/* log pi(y), and its gradient: of the field's law it is m - y / t. */
static void law(const struct localized *s, const struct dun_request *r, double *lp,
                double *gradient)
{
  double seen[L] __attribute__((aligned(64))), mass[L] __attribute__((aligned(64))) = {0};
  int64_t d = s->target->dimension;
  for (int l = 0; l < L; l++)
    seen[l] = seen_at(s, r->time[l]);
  if (!s->has_mass) {
    gaussian_law(s, r, seen, lp, gradient);
    return;
  }
  ask(s, r->n, r->x, seen, (struct dun_address){0}, NULL, gradient, mass);
  for (int l = 0; l < L; l++)
    lp[l] = r->time[l] > 0 ? mass[l] : 0;
  add_normal((int)d, r->x, seen, lp);
  for (int64_t i = 0; i < d * L; i++)
    gradient[i] = (r->time[i % L] > 0 ? gradient[i] : 0) - r->x[i] / seen[i % L];
}

static int any_at_end(const struct dun_request *r, int at_end)
{
  int any = 0;
  for (int l = 0; l < L; l++)
    any |= (r->time[l] >= 1) == at_end;
  return any;
}

static void coefficients(const void *self, double t, double *coefficient)
{
  (void)self;
  (void)t;
  coefficient[0] = 1;
}

/* The target at the end; before, the law of the observation, in lanes whose time it is. */
static void evaluate(const void *self, const struct dun_request *r)
{
  const struct localized *s = self;
  int64_t d = s->target->dimension;
  double lp[L] __attribute__((aligned(64)));
  double *gradient = s->work;
  if (any_at_end(r, 1))
    dun_path_evaluate_target(s->target, r);
  if (!any_at_end(r, 0))
    return;
  law(s, r, lp, gradient);
  for (int l = 0; l < L; l++) {
    if (r->time[l] >= 1)
      continue;
    lp[l] = lp[l] > -INFINITY ? lp[l] : -INFINITY; /* a field that failed */
    if (r->part_lp)
      r->part_lp[l] = lp[l];
    if (r->lp)
      r->lp[l] = lp[l];
    for (int64_t j = 0; j < d && r->gradient; j++)
      r->gradient[j * L + l] = isfinite(gradient[j * L + l]) ? gradient[j * L + l] : 0;
  }
}

/* ---- carries --------------------------------------------------------------------------------- */

/* y' in the place of y, and log B - log F of the step added to log_ratio:
 * -<y' - y, m> + dt |m|^2 / 2, with the Wiener measure's densities, which the caller adds. */
DUN_CLONES static void step(int d, double dt, const double *restrict m, const double *restrict xi,
                            double *restrict y, double *restrict log_ratio)
{
  double root = sqrt(dt);
  for (int64_t j = 0; j < d; j++)
    for (int l = 0; l < L; l++) {
      double mean = m[j * L + l], noise = root * xi[j * L + l];
      y[j * L + l] += DUN_FMA(dt, mean, noise);
      log_ratio[l] -= mean * DUN_FMA(.5 * dt, mean, noise);
    }
}

/* log_ratio += sign log N(y; 0, t). */
static void add_wiener(const struct localized *s, double t, double sign, const double *y,
                       double *log_ratio)
{
  double variance[L] __attribute__((aligned(64))), lp[L] __attribute__((aligned(64))) = {0};
  for (int l = 0; l < L; l++)
    variance[l] = t;
  add_normal(s->target->dimension, y, variance, lp);
  for (int l = 0; l < L; l++)
    log_ratio[l] += sign * lp[l];
}

/* x in the place of y; log N(y; T x, T) - log N(x; m, v). */
DUN_CLONES static void end(int d, double T, double v, const double *restrict m,
                           const double *restrict xi, double *restrict y,
                           double *restrict log_ratio)
{
  double root = sqrt(v), constant = .5 * d * (dun_log(v) - dun_log(T));
  double sum[L] = {0};
  for (int64_t j = 0; j < d; j++)
    for (int l = 0; l < L; l++) {
      double noise = xi[j * L + l], x = DUN_FMA(root, noise, m[j * L + l]);
      double off = y[j * L + l] - T * x;
      sum[l] += noise * noise - off * off / T;
      y[j * L + l] = x;
    }
  for (int l = 0; l < L; l++)
    log_ratio[l] += constant + .5 * sum[l];
}

/* Where the field gives no number the weight ends. */
static void refuse_odd(int d, double *m, double *log_ratio)
{
  for (int64_t i = 0; i < (int64_t)d * L; i++)
    if (!isfinite(m[i])) {
      m[i] = 0;
      log_ratio[i % L] = -INFINITY;
    }
}

static void fill(double value, double *lanes)
{
  for (int l = 0; l < L; l++)
    lanes[l] = value;
}

/* ---- notes ----------------------------------------------------------------------------------- */

static int notes(const void *self)
{
  const struct localized *s = self;
  return s->sure && s->draws ? -1 : s->target->dimension + 1;
}

/* The sums of squares and of means, [1 + d][64], behind the field's memory; NULL: none. */
static double *notes_of(const struct localized *s, double *memory)
{
  return memory && notes(s) > 0 ? memory + (int64_t)s->remembers * L : NULL;
}

DUN_CLONES static void note(int d, double c, const double *restrict m, double *restrict sum)
{
  for (int64_t j = 0; j < d; j++)
    for (int l = 0; l < L; l++) {
      double part = c * m[j * L + l];
      sum[l] = DUN_FMA(part, m[j * L + l], sum[l]);
      sum[(1 + j) * L + l] += part;
    }
}

DUN_CLONES static void close_notes(int d, const double *restrict x, double *restrict sum)
{
  for (int64_t j = 0; j < d; j++)
    for (int l = 0; l < L; l++)
      sum[l] -= 2 * x[j * L + l] * sum[(1 + j) * L + l];
  for (int l = 0; l < L; l++)
    sum[l] *= .25;
}

/* The length of the step that ends at a time of the path, of which each piece has `count`. */
static double step_to(const struct localized *s, double t, int64_t count)
{
  double share = 1 / (double)((s->pieces + 1) * count);
  return t > 0 ? seen_at(s, t) - seen_at(s, t - share) : s->first;
}

/* The steps of a piece. */
static void walk(const struct localized *s, double t, double next, int n,
                 struct dun_address address, double *y, double *memory, double *log_ratio)
{
  int d = s->target->dimension;
  double seen[L] __attribute__((aligned(64))), *m = s->work, *xi = m + (int64_t)d * L;
  double *sums = notes_of(s, memory);
  int64_t count = s->steps / s->pieces;
  double before = step_to(s, t, count);
  add_wiener(s, seen_at(s, t), 1, y, log_ratio);
  for (int64_t k = 0; k < count; k++) {
    double from = seen_at(s, t + (next - t) * (double)k / (double)count);
    double to = seen_at(s, k + 1 < count ? t + (next - t) * (double)(k + 1) / (double)count : next);
    fill(from, seen);
    ask(s, n, y, seen, dun_address_apart(address, (uint64_t)k), memory, m, NULL);
    refuse_odd(d, m, log_ratio);
    dun_normals_from(address, k * d, d, xi);
    step(d, to - from, m, xi, y, log_ratio);
    if (sums)
      note(d, to - from - before, m, sums);
    before = to - from;
  }
  add_wiener(s, seen_at(s, next), -1, y, log_ratio);
}

/* x drawn by the field in the place of y: log N(y; 0, T) + mass - log pi(x), since the density of
 * the law is pi(x) exp(<y, x> - T |x|^2 / 2 - mass). */
static void end_by_draw(const struct localized *s, int n, struct dun_address address, double *x,
                        double *mean, double *log_ratio)
{
  int64_t d = s->target->dimension;
  double seen[L] __attribute__((aligned(64))), mass[L] __attribute__((aligned(64))) = {0};
  double lp[L] __attribute__((aligned(64)));
  double *drawn = s->work + d * L;
  fill(s->horizon, seen);
  const struct dun_field_call call = {.n = n,
                                      .h = x,
                                      .lambda = seen,
                                      .address = address,
                                      .label = -1,
                                      .mean = mean,
                                      .log_mass = mass,
                                      .draw = drawn};
  s->field->value(s->field_self, &call);
  dun_evaluate(s->target, n, drawn, lp, NULL, NULL);
  add_wiener(s, s->horizon, 1, x, log_ratio);
  for (int l = 0; l < L; l++)
    log_ratio[l] = lp[l] > -INFINITY ? log_ratio[l] + mass[l] - lp[l] : -INFINITY;
  memcpy(x, drawn, (size_t)d * L * sizeof *x);
}

static void end_by_normal(const struct localized *s, int n, struct dun_address address, double *x,
                          double *memory, double *m, double *log_ratio)
{
  int d = s->target->dimension;
  double precision = s->horizon + (s->width > 0 ? 1 / (s->width * s->width) : 0);
  double seen[L] __attribute__((aligned(64))), *xi = s->work + (int64_t)d * L;
  fill(s->horizon, seen);
  ask(s, n, x, seen, address, memory, m, NULL);
  refuse_odd(d, m, log_ratio);
  dun_normals(address, d, xi);
  end(d, s->horizon, 1 / precision, m, xi, x, log_ratio);
}

/* The mean at the end is where `work` begins. */
static void finish(const struct localized *s, double t, int n, struct dun_address address,
                   double *x, double *memory, double *log_ratio)
{
  double *m = s->work, *sums = notes_of(s, memory);
  if (s->draws)
    end_by_draw(s, n, address, x, m, log_ratio);
  else
    end_by_normal(s, n, address, x, memory, m, log_ratio);
  if (!sums)
    return;
  note(s->target->dimension, -step_to(s, t, s->steps / s->pieces), m, sums);
  close_notes(s->target->dimension, x, sums);
}

static void carry(const void *self, double t, double next, int n, struct dun_address address,
                  double *x, double *memory, double *log_ratio)
{
  const struct localized *s = self;
  int noted = notes(s);
  memset(log_ratio, 0, L * sizeof *log_ratio);
  if (memory && t <= 0)
    memset(memory, 0, (size_t)(s->remembers + (noted > 0 ? noted : 0)) * L * sizeof *memory);
  if (next < 1)
    walk(s, t, next, n, address, x, memory, log_ratio);
  else
    finish(s, t, n, address, x, memory, log_ratio);
}

static enum dun_follow follow(const void *self)
{
  (void)self;
  return DUN_FOLLOW_EITHER;
}

static int remembers(const void *self)
{
  return ((const struct localized *)self)->remembers;
}

static long long carry_evaluations(const void *self)
{
  const struct localized *s = self;
  long long each = s->field->evaluations ? s->field->evaluations(s->field_self, 0) : 0;
  return each * (s->steps / s->pieces) + s->draws;
}

static void draws(const void *self, int *uniforms, int *normals)
{
  (void)self;
  *uniforms = 0;
  *normals = -1;
}

static void draw(const void *self, const double *uniform, const double *normal, double *x)
{
  const struct localized *s = self;
  double root = sqrt(s->first);
  (void)uniform;
  for (int64_t i = 0; i < (int64_t)s->target->dimension * L; i++)
    x[i] = root * normal[i];
}

static const struct dun_schedule *schedule(const void *self)
{
  return &((const struct localized *)self)->schedule;
}

/* ---- options ------------------------------------------------------------------------------- */

#define ROW(name_, type_, member, ...)                                                             \
  {                                                                                                \
    .name = name_, .type = type_, .offset = offsetof(struct localized, member), __VA_ARGS__        \
  }
static const struct dun_option options[] = {
    ROW("field", DUN_PART, field_part, .kind = DUN_KIND_FIELD, .initial = "exact",
        .doc = "Who tells the mean of a point that was seen so; weights make up for its errors."),
    ROW("steps", DUN_INTEGER, steps, .initial = "200", .minimum = 1, .maximum = 1e6,
        .doc = "Steps until the end, which is one more."),
    ROW("pieces", DUN_INTEGER, pieces, .initial = "steps", .words = "steps", .minimum = 1,
        .maximum = 1e6,
        .doc = "At the ends of so many equal pieces particles are selected and may move; steps: "
               "after each step."),
    ROW("first", DUN_NUMBER, first, .initial = "0.001", .minimum = 1e-100, .maximum = 1e100,
        .doc = "The first time, at which next to nothing is known: far below 1 / |x|^2."),
    ROW("horizon", DUN_NUMBER, horizon, .initial = "10", .minimum = 1e-100, .maximum = 1e100,
        .doc = "The last time, from which the point is drawn: about 1 / width^2 of its narrowest "
               "parts; much later only adds to what the field's errors cost."),
    ROW("width", DUN_NUMBER, width, .initial = "none", .words = "none", .minimum = 1e-100,
        .maximum = 1e100,
        .doc = "Where the field does not draw: standard deviation of the target's narrowest parts, "
               "by which the last draw is narrowed; none: it is not."),
    ROW("spread", DUN_NUMBER, spread, .initial = "none", .words = "none", .minimum = 1e-100,
        .maximum = 1e100,
        .doc = "Standard deviation of a Gaussian that takes the whole target's place where the "
               "field does not know how likely observations are."),
    {0},
};

const struct dun_path dun_path_localized = {
    .type = {DUN_TYPE(struct dun_path), .name = "localized",
             .doc =
                 "Stochastic localization with weights: points seen through noise, more and more "
                 "clearly, by any field.",
             .citation = "Eldan 2013, GAFA 23, 532; Montanari 2023, arXiv 2305.10690",
             .size = sizeof(struct localized), .options = options, .free = release},
    .everywhere = 1,
    .parts = 1,
    .part_name = {"law"},
    .coefficients = coefficients,
    .init = init,
    .evaluate = evaluate,
    .carry = carry,
    .follow = follow,
    .carry_evaluations = carry_evaluations,
    .remembers = remembers,
    .notes = notes,
    .memory = memory,
    .draws = draws,
    .draw = draw,
    .schedule = schedule,
};
