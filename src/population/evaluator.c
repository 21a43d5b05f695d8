#include "population/evaluator.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/guard.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/vmath.h"
#include "population/tile.h"
#include <assert.h>
#include <math.h>
#include <string.h>

enum {
  MAX_DIMENSION = 1000000,
  MAX_OUTPUTS = 100000000,
  MAX_LABEL = 255, /* bytes */
  GROUP = 32,      /* points that are turned into rows at a time */
};

/* ---- set-up ------------------------------------------------------------------------------ */

static unsigned enter(const struct dun_evaluator *e, const char *function)
{
  return dun_guard_enter(e->target->type.name, function);
}

/* A target by point sees aligned ones: its rows are padded. */
static int64_t row_stride(const struct dun_evaluator *e)
{
  return e->target->point ? (e->dimension + 7) / 8 * 8 : e->dimension;
}

static int find_dimension(struct dun_evaluator *e)
{
  const struct dun_target *t = e->target;
  unsigned before = enter(e, "dimension_of");
  e->dimension = t->dimension;
  if (e->dimension == 0 && t->dimension_of)
    e->dimension = t->dimension_of(e->self);
  dun_guard_leave(before);
  if (e->dimension < 1 || e->dimension > MAX_DIMENSION)
    return dun_fail(DUN_ERROR_INPUT, "Target %s has dimension %d; 1 to %d was expected.",
                    t->type.name, e->dimension, MAX_DIMENSION);
  int layouts = !!t->point + !!t->rows + !!t->columns;
  if (layouts != 1)
    return dun_fail(DUN_ERROR_INPUT,
                    "Target %s has %d of the functions point, rows and columns; 1 was expected.",
                    t->type.name, layouts);
  return 0;
}

static int find_work(struct dun_evaluator *e, int64_t *columns)
{
  const struct dun_target *t = e->target;
  unsigned before = enter(e, "work_columns");
  *columns = t->work_columns ? t->work_columns(e->self) : 0;
  dun_guard_leave(before);
  if (*columns < 0)
    return dun_fail(DUN_ERROR_INPUT, "Target %s asks for %lld columns of scratch.", t->type.name,
                    (long long)*columns);
  return 0;
}

static int allocate(struct dun_evaluator *e, int64_t work_columns)
{
  int64_t lanes = DUN_LANES;
  int64_t rows = row_stride(e) * (e->target->point ? GROUP : e->target->rows ? DUN_LANES : 0);
  e->work = dun_allocate(work_columns * lanes, sizeof(double));
  e->columns = dun_allocate(e->dimension * lanes, sizeof(double));
  e->rows = dun_allocate(rows, sizeof(double));
  e->row_gradient = dun_allocate(rows, sizeof(double));
  e->lane_lp = dun_allocate(lanes, sizeof(double));
  e->lane_scale = dun_allocate(lanes, sizeof(double));
  if (e->work && e->columns && e->rows && e->row_gradient && e->lane_lp && e->lane_scale)
    return 0;
  return dun_fail(DUN_ERROR_MEMORY,
                  "No memory to evaluate target %s: dimension %d, %lld columns of scratch.",
                  e->target->type.name, e->dimension, (long long)work_columns);
}

/* ---- output parameters ------------------------------------------------------------------- */

int dun_evaluator_parameters(const struct dun_evaluator *evaluator, int capacity,
                             struct dun_parameter *parameter)
{
  if (evaluator->target->parameters) {
    unsigned before = enter(evaluator, "parameters");
    int count = evaluator->target->parameters(evaluator->self, capacity, parameter);
    dun_guard_leave(before);
    return count;
  }
  if (capacity > 0)
    *parameter = (struct dun_parameter){
        .name = "x", .rank = 1, .shape = {evaluator->dimension}, .doc = "The point."};
  return 1;
}

static int refuse_parameter(const struct dun_evaluator *e, int index, const char *what)
{
  return dun_fail(DUN_ERROR_INPUT, "Output parameter %d of target %s %s.", index + 1,
                  e->target->type.name, what);
}

static int check_name(const struct dun_evaluator *e, const struct dun_parameter *all, int index)
{
  const char *name = all[index].name;
  if (!name[0] || !memchr(name, 0, sizeof all[index].name))
    return refuse_parameter(e, index, name[0] ? "has a name without an end" : "has no name");
  if (strchr(name, '/'))
    return refuse_parameter(e, index, "has a name with a slash");
  return 0;
}

/* In the time that sorting takes. */
static int check_doubles(const struct dun_evaluator *e, int count, const struct dun_parameter *all)
{
  const char **name = dun_allocate(count, sizeof *name);
  if (!name)
    return DUN_ERROR_MEMORY;
  for (int i = 0; i < count; i++)
    name[i] = all[i].name;
  const char *twice = dun_names_double(count, name);
  int status =
      twice ? dun_fail(DUN_ERROR_INPUT, "Two output parameters of target %s are called '%s'.",
                       e->target->type.name, twice)
            : 0;
  dun_free(name);
  return status;
}

/* Labels go into files and on the screen. */
static int check_labels(const struct dun_evaluator *e, const struct dun_parameter *p, int index)
{
  if (p->rank < 1)
    return refuse_parameter(e, index, "has labels but no axis");
  for (int i = 0; i < p->shape[0]; i++) {
    const char *c = p->label[i];
    if (!c || !*c || !memchr(c, 0, MAX_LABEL + 1))
      return refuse_parameter(e, index, "has a label that is missing or too long");
    for (int length; *c; c += length) {
      length = dun_text_character(c);
      if (length == 0 || (unsigned char)*c < 32 || *c == 127)
        return refuse_parameter(e, index, "has a label that is no text in UTF-8");
    }
  }
  return 0;
}

static int check_parameter(struct dun_evaluator *e, const struct dun_parameter *all, int index)
{
  const struct dun_parameter *p = &all[index];
  int64_t numbers = 1;
  if (check_name(e, all, index) < 0)
    return DUN_ERROR_INPUT;
  if (p->rank < 0 || p->rank > DUN_MAX_SHAPE)
    return refuse_parameter(e, index, "has a rank other than 0, 1 or 2");
  for (int i = 0; i < p->rank; i++) {
    if (p->shape[i] < 1)
      return refuse_parameter(e, index, "has a shape with a number below 1");
    numbers *= p->shape[i];
  }
  if (numbers > MAX_OUTPUTS - e->outputs)
    return refuse_parameter(e, index, "is too large");
  if (p->label && check_labels(e, p, index) < 0)
    return DUN_ERROR_INPUT;
  e->outputs += (int)numbers;
  return 0;
}

static int find_outputs(struct dun_evaluator *e)
{
  int count = dun_evaluator_parameters(e, 0, NULL), status = 0;
  if (count < 1 || count > MAX_OUTPUTS)
    return dun_fail(DUN_ERROR_INPUT, "Target %s has %d output parameters; at least 1 was expected.",
                    e->target->type.name, count);
  struct dun_parameter *all = dun_allocate(count, sizeof *all);
  if (!all)
    return DUN_ERROR_MEMORY;
  if (dun_evaluator_parameters(e, count, all) != count)
    status = dun_fail(DUN_ERROR_INPUT, "Target %s changed its number of output parameters.",
                      e->target->type.name);
  for (int i = 0; i < count && status >= 0; i++)
    status = check_parameter(e, all, i);
  if (status >= 0)
    status = check_doubles(e, count, all);
  if (status >= 0 && !e->target->constrain && e->outputs != e->dimension)
    status = dun_fail(DUN_ERROR_INPUT,
                      "Target %s has output parameters of %d numbers but dimension %d, and no "
                      "function `constrain` from one to the other.",
                      e->target->type.name, e->outputs, e->dimension);
  dun_free(all);
  return status;
}

static int find_letters(struct dun_evaluator *e)
{
  const struct dun_target *t = e->target;
  if (t->support == DUN_REALS)
    return 0;
  unsigned before = enter(e, "letters");
  e->letters = t->letters ? t->letters(e->self) : 2;
  dun_guard_leave(before);
  if (e->letters < 2 || e->letters > DUN_MAX_LETTERS ||
      (t->support == DUN_SPINS && e->letters != 2))
    return dun_fail(DUN_ERROR_INPUT,
                    "Target %s has %d letters; 2 to %d were expected, and of spins 2.",
                    t->type.name, e->letters, DUN_MAX_LETTERS);
  return 0;
}

/* A constrained target is evaluated as one without constraints. */
static int transform(struct dun_evaluator *e)
{
  if (!e->target->constrained)
    return 0;
  unsigned before = enter(e, "parameters");
  e->transformed = dun_transformed_make(e->target, e->self);
  dun_guard_leave(before);
  if (!e->transformed)
    return DUN_ERROR_INPUT;
  e->target = dun_transformed_target(e->transformed);
  e->self = e->transformed;
  return 0;
}

/* A target whose options leave it without its prior is one that has none. */
static int leave_prior(struct dun_evaluator *e)
{
  if (!e->target->has_prior)
    return 0;
  unsigned before = enter(e, "has_prior");
  int has = e->target->has_prior(e->self);
  dun_guard_leave(before);
  if (has)
    return 0;
  e->bare = dun_allocate(1, sizeof *e->bare);
  if (!e->bare)
    return DUN_ERROR_MEMORY;
  *e->bare = *e->target;
  e->bare->prior = NULL;
  e->bare->draw_prior = NULL;
  e->target = e->bare;
  return 0;
}

int dun_evaluator_init(struct dun_evaluator *evaluator, const struct dun_target *target, void *self)
{
  int64_t work_columns;
  int status;
  *evaluator = (struct dun_evaluator){.target = target, .self = self, .slow = DUN_SLOW_POINTS};
  if ((status = leave_prior(evaluator)) < 0 || (status = transform(evaluator)) < 0 ||
      (status = find_dimension(evaluator)) < 0 ||
      (status = find_work(evaluator, &work_columns)) < 0 ||
      (status = find_outputs(evaluator)) < 0 || (status = find_letters(evaluator)) < 0 ||
      (status = allocate(evaluator, work_columns)) < 0)
    dun_evaluator_free(evaluator);
  return status;
}

void dun_evaluator_free(struct dun_evaluator *evaluator)
{
  dun_transformed_free(evaluator->transformed);
  evaluator->transformed = NULL;
  dun_foreign_free(evaluator->foreign);
  evaluator->foreign = NULL;
  DUN_FREE(evaluator->bare);
  dun_answers_free(&evaluator->answers);
  DUN_FREE(evaluator->work);
  DUN_FREE(evaluator->columns);
  DUN_FREE(evaluator->rows);
  DUN_FREE(evaluator->row_gradient);
  DUN_FREE(evaluator->lane_lp);
  DUN_FREE(evaluator->lane_scale);
}

/* ---- giving up ---------------------------------------------------------------------------- */

void dun_evaluator_watch(struct dun_evaluator *evaluator, struct dun_interrupt *interrupt)
{
  evaluator->interrupt = interrupt;
  evaluator->given_up = 0;
}

/* Before the next tile or point, where they take long. */
static int gives_up(struct dun_evaluator *e, enum dun_slowness least)
{
  if (e->slow >= least && !e->given_up && dun_interrupt_urgent(e->interrupt, e->answers.kept))
    e->given_up = 1;
  return e->given_up;
}

/* ---- lanes that are not finite ----------------------------------------------------------- */

/* Whether all numbers are finite.  A sum is finite only if all its terms are; where it overflows
 * although they are, the answer 0 costs time and nothing else. */
DUN_CLONES static int all_finite(int64_t count, const double *number)
{
  double sum[32] = {0};
  int64_t i = 0;
  for (; i + 32 <= count; i += 32)
    for (int l = 0; l < 32; l++)
      sum[l] += number[i + l];
  for (; i < count; i++)
    sum[0] += number[i];
  for (int l = 0; l < 16; l++)
    sum[l] += sum[l + 16];
  for (int l = 0; l < 8; l++)
    sum[l] += sum[l + 8];
  for (int l = 0; l < 4; l++)
    sum[l] += sum[l + 4];
  double all = (sum[0] + sum[2]) + (sum[1] + sum[3]);
  return all - all == 0;
}

/* The same, exactly, for numbers `stride` apart. */
static int each_finite(int64_t count, int64_t stride, const double *number)
{
  for (int64_t i = 0; i < count; i++)
    if (!isfinite(number[i * stride]))
      return 0;
  return 1;
}

/* Copies x to e->columns, a finite point in place of each other: `outside` says which. */
static const double *repaired_points(struct dun_evaluator *e, const double *x, char *outside)
{
  int64_t d = e->dimension;
  int donor = -1;
  for (int l = DUN_LANES - 1; l >= 0; l--) {
    outside[l] = !each_finite(d, DUN_LANES, x + l);
    donor = outside[l] ? donor : l;
  }
  for (int64_t j = 0; j < d; j++)
    for (int l = 0; l < DUN_LANES; l++) {
      double other = donor < 0 ? 0 : x[j * DUN_LANES + donor];
      e->columns[j * DUN_LANES + l] = outside[l] ? other : x[j * DUN_LANES + l];
    }
  return e->columns;
}

static void clear_lane(int64_t d, double *columns, int lane)
{
  for (int64_t j = 0; j < d; j++)
    columns[j * DUN_LANES + lane] = 0;
}

static void count_nan(struct dun_evaluator *e, int lane)
{
  e->nans++;
  e->nans_aside += e->warming != 0;
  e->odd[lane]++;
}

/* A gradient that is none where the log density is a number; where that is not known, or the point
 * is outside, it is no wonder. */
static void count_odd_gradient(struct dun_evaluator *e, int lane, const double *lp)
{
  e->odd_gradients |= UINT64_C(1) << lane;
  if (lp && isfinite(*lp))
    count_nan(e, lane);
}

static void clear_odd_lanes(struct dun_evaluator *e, int n, const double *lp, double *columns)
{
  int64_t d = e->dimension;
  if (all_finite(d * DUN_LANES, columns))
    return;
  for (int l = 0; l < DUN_LANES; l++)
    if (!each_finite(d, DUN_LANES, columns + l)) {
      count_odd_gradient(e, l, l < n && lp ? lp + l : NULL);
      clear_lane(d, columns, l);
    }
}

/* Log densities that are not finite become -INFINITY; those that should not be are counted. */
static void settle_lp(struct dun_evaluator *e, int n, double *lp)
{
  if (all_finite(DUN_LANES, lp))
    return;
  for (int l = 0; l < DUN_LANES; l++)
    if (!isfinite(lp[l])) {
      if (l < n && lp[l] != -INFINITY)
        count_nan(e, l);
      e->odd_densities |= (uint64_t)(l < n && isnan(lp[l])) << l;
      e->infinities += l < n && lp[l] == INFINITY;
      lp[l] = -INFINITY;
    }
}

/* ---- evaluation -------------------------------------------------------------------------- */

/* A row adds nothing if it, or its log density, is not finite. */
static void clear_odd_rows(struct dun_evaluator *e, int first, int n, const double *lp)
{
  int64_t d = e->dimension, stride = row_stride(e);
  if (all_finite(n, lp) && all_finite(n * stride, e->row_gradient))
    return;
  for (int l = 0; l < n; l++) {
    double *row = e->row_gradient + l * stride;
    if (isfinite(lp[l]) && each_finite(d, 1, row))
      continue;
    count_odd_gradient(e, first + l, lp + l);
    memset(row, 0, (size_t)d * sizeof *row);
  }
}

/* Adds the gradients of n rows to the lanes from `first` on, row 0 also to those from `repeat`. */
static void add_rows(struct dun_evaluator *e, int first, int n, int repeat, const double *scale,
                     double *gradient)
{
  int64_t d = e->dimension;
  clear_odd_rows(e, first, n, e->lane_lp + first);
  dun_columns_add_rows(n, (int)d, row_stride(e), e->row_gradient, scale + first, gradient + first);
  for (int64_t j = 0; j < d && repeat < DUN_LANES; j++)
    for (int l = repeat; l < DUN_LANES; l++)
      gradient[j * DUN_LANES + l] += scale[l] * e->row_gradient[j];
}

/* One point's log density and gradient, if they are not known from before. */
static double ask_point(struct dun_evaluator *e, const double *row, double *gradient)
{
  double lp;
  if (dun_answers_take(&e->answers, 1, &lp, e->dimension, gradient))
    return lp;
  if (e->interrupt && gives_up(e, DUN_SLOW_POINTS))
    return -INFINITY;
  lp = e->foreign && !e->transformed ? dun_foreign_point(e->foreign, row, gradient)
                                     : e->target->point(e->self, row, gradient);
  dun_answers_put(&e->answers, 1, &lp, e->dimension, gradient);
  return lp;
}

/* A few rows at a time, so that they stay in the first-level cache. */
static void by_point(struct dun_evaluator *e, int n, const double *x, const double *scale,
                     double *gradient)
{
  int64_t stride = row_stride(e);
  for (int first = 0; first < n; first += GROUP) {
    int count = n - first < GROUP ? n - first : GROUP;
    dun_strided_rows_from_columns(count, e->dimension, stride, x + first, e->rows);
    unsigned before = enter(e, "point");
    for (int l = 0; l < count; l++)
      e->lane_lp[first + l] =
          ask_point(e, e->rows + l * stride, gradient ? e->row_gradient + l * stride : NULL);
    if (e->foreign)
      dun_foreign_check_points(e->foreign);
    dun_guard_leave(before);
    if (gradient)
      add_rows(e, first, count, first == 0 ? n : DUN_LANES, scale, gradient);
  }
}

static void by_rows(struct dun_evaluator *e, int n, const double *x, const double *scale,
                    double *gradient)
{
  double *answer = gradient ? e->row_gradient : NULL;
  int64_t size = (int64_t)n * e->dimension;
  unsigned before = enter(e, "rows");
  if (!dun_answers_take(&e->answers, n, e->lane_lp, size, answer)) {
    dun_rows_from_columns(n, e->dimension, x, e->rows);
    if (e->foreign)
      dun_foreign_rows(e->foreign, n, e->rows, e->lane_lp, answer);
    else
      e->target->rows(e->self, n, e->rows, e->lane_lp, answer, e->work);
    dun_answers_put(&e->answers, n, e->lane_lp, size, answer);
  }
  dun_guard_leave(before);
  if (gradient)
    add_rows(e, 0, n, n, scale, gradient);
}

static void by_columns(struct dun_evaluator *e, dun_columns_function *columns, int n,
                       const double *x, double *lp, const double *scale, double *gradient)
{
  int prior = !e->part && columns != e->target->columns;
  int64_t size = (int64_t)e->dimension * DUN_LANES;
  unsigned before = enter(e, e->part ? "observed" : prior ? "prior" : "columns");
  if (prior || !dun_answers_take(&e->answers, DUN_LANES, lp, size, gradient)) {
    if (e->part)
      dun_evaluator_ask_part(e, x, lp, scale, gradient);
    else if (e->foreign)
      dun_foreign_columns(e->foreign, columns, x, lp, scale, gradient);
    else
      columns(e->self, x, lp, scale, gradient, e->work);
    if (!prior)
      dun_answers_put(&e->answers, DUN_LANES, lp, size, gradient);
  }
  dun_guard_leave(before);
  if (gradient)
    clear_odd_lanes(e, n, lp, gradient);
}

static void call(struct dun_evaluator *e, dun_columns_function *columns, int n, const double *x,
                 double *lp, const double *scale, double *gradient)
{
  if (columns || e->part) {
    by_columns(e, columns, n, x, lp, scale, gradient);
    return;
  }
  if (e->target->point)
    by_point(e, n, x, scale, gradient);
  else
    by_rows(e, n, x, scale, gradient);
  for (int l = 0; l < DUN_LANES && lp; l++)
    lp[l] = e->lane_lp[l < n ? l : 0];
}

/* Some points are not finite: the target sees others in their place, with a scale of 0. */
static void call_repaired(struct dun_evaluator *e, dun_columns_function *columns, int n,
                          const double *x, double *lp, const double *scale, double *gradient)
{
  char outside[DUN_LANES];
  const double *points = repaired_points(e, x, outside);
  for (int l = 0; l < DUN_LANES && gradient; l++)
    e->lane_scale[l] = outside[l] ? 0 : scale[l];
  call(e, columns, n, points, lp, e->lane_scale, gradient);
  for (int l = 0; l < DUN_LANES && lp; l++)
    lp[l] = outside[l] ? -INFINITY : lp[l];
}

static void evaluate_all(struct dun_evaluator *e, dun_columns_function *columns, int n,
                         const double *x, double *lp, const double *scale, double *gradient)
{
  if (e->target->no_gradient)
    gradient = NULL;
  if (all_finite((int64_t)e->dimension * DUN_LANES, x))
    call(e, columns, n, x, lp, scale, gradient);
  else
    call_repaired(e, columns, n, x, lp, scale, gradient);
  if (lp)
    settle_lp(e, n, lp);
}

static enum dun_slowness slowness(double seconds)
{
  return seconds > 1e-3 ? DUN_SLOW_POINTS : seconds > 2e-5 ? DUN_SLOW_TILES : DUN_FAST;
}

/* The clock tells how slow the target is, but where its answers are known from before: of a fast
 * one it is asked once for each piece of work. */
static void evaluate_watched(struct dun_evaluator *e, dun_columns_function *columns, int n,
                             const double *x, double *lp, const double *scale, double *gradient)
{
  if (!gives_up(e, DUN_SLOW_TILES)) {
    int asks = dun_answers_ended(&e->answers), timed = asks && (e->slow > DUN_FAST || !e->timed);
    double began = timed ? dun_clock() : 0;
    evaluate_all(e, columns, n, x, lp, scale, gradient);
    if (timed)
      e->slow = slowness(dun_clock() - began);
    e->timed |= asks;
  }
  for (int l = 0; l < DUN_LANES && lp && e->given_up; l++)
    lp[l] = -INFINITY;
}

static void evaluate(struct dun_evaluator *e, dun_columns_function *columns, int n, const double *x,
                     double *lp, const double *scale, double *gradient)
{
  if (e->interrupt)
    evaluate_watched(e, columns, n, x, lp, scale, gradient);
  else
    evaluate_all(e, columns, n, x, lp, scale, gradient);
}

void dun_evaluate(struct dun_evaluator *evaluator, int n, const double *x, double *lp,
                  const double *scale, double *gradient)
{
  dun_evaluator_count(evaluator, n, gradient != NULL);
  evaluate(evaluator, evaluator->target->columns, n, x, lp, scale, gradient);
}

void dun_evaluate_prior(struct dun_evaluator *evaluator, int n, const double *x, double *lp,
                        const double *scale, double *gradient)
{
  assert(evaluator->target->prior);
  evaluate(evaluator, evaluator->target->prior, n, x, lp, scale, gradient);
}

void dun_evaluate_observed(struct dun_evaluator *evaluator, int n, int count, const int *which,
                           const double *x, double *lp, const double *scale, double *gradient)
{
  evaluator->part = which;
  evaluator->part_count = count;
  evaluate(evaluator, NULL, n, x, lp, scale, gradient);
  evaluator->part = NULL;
}
