#include "population/caller.h"
#include "base/error.h"
#include "base/guard.h"
#include "base/memory.h"
#include "population/pointwise.h"
#include "population/tile.h"
#include <string.h>

enum { MARGIN = 8, WIDE_MARGIN = 64 }; /* numbers; 8 are what arrays are aligned to */

/* ---- arrays ------------------------------------------------------------------------------ */

/* Room for `count` numbers, for the margins and for the alignment.  Without a guard margins are
 * wide: what is written there must do no harm before it is found. */
static int array_init(struct dun_caller_array *array, const char *name, int64_t count, int guarded)
{
  array->name = name;
  return dun_pages_init(&array->pages, count + 2 * (guarded ? 2 * MARGIN : WIDE_MARGIN));
}

static double *array_end(const struct dun_caller_array *array)
{
  return array->pages.block + array->pages.size;
}

/* Where the margin in front begins. */
static double *array_front(const struct dun_caller_array *array, int guarded)
{
  return guarded ? array->value - MARGIN : array->pages.block;
}

static void fill(double *from, const double *to, double value)
{
  for (; from < to; from++)
    *from = value;
}

/* Makes it an array of `count` numbers, all marked: at the end of a guarded block, else behind the
 * first margin. */
static double *array_place(struct dun_caller_array *array, int64_t count, int guarded)
{
  int64_t start = guarded ? (array->pages.size - count) / MARGIN * MARGIN : WIDE_MARGIN;
  array->value = array->pages.block + start;
  array->count = count;
  fill(array_front(array, guarded), array_end(array), DUN_MARK);
  return array->value;
}

static int all_marks(const double *from, const double *to)
{
  for (; from < to; from++)
    if (!dun_is_mark(*from))
      return 0;
  return 1;
}

static int refuse_margin(const struct dun_caller_array *array, const char *function,
                         const char *where)
{
  return dun_fail(DUN_ERROR_INPUT, "`%s` writes %s its array `%s` of %lld numbers", function, where,
                  array->name, (long long)array->count);
}

static int check_margins(const struct dun_caller *t, const char *function)
{
  for (int i = 0; i < DUN_CALLER_ARRAYS; i++) {
    const struct dun_caller_array *array = &t->array[i];
    if (!array->value)
      continue;
    if (!all_marks(array_front(array, t->guarded), array->value))
      return refuse_margin(array, function, "in front of");
    if (!all_marks(array->value + array->count, array_end(array)))
      return refuse_margin(array, function, "behind the end of");
  }
  return 0;
}

/* ---- set-up ------------------------------------------------------------------------------ */

/* What a constrained target is asked within goes to arrays of the caller, whose marks tell more. */
static void fence_inner(const struct dun_evaluator *e, int fenced)
{
  if (e && e->transformed)
    dun_transformed_fence(e->transformed, fenced ? e->foreign : NULL);
}

int dun_caller_init(struct dun_caller *caller, const struct dun_evaluator *evaluator, int guarded)
{
  const struct dun_target *target = evaluator->target;
  int64_t d = evaluator->dimension, lanes = target->point ? 1 : DUN_LANES;
  int64_t columns = target->prior || target->draw || target->site ? DUN_LANES : lanes;
  int64_t work = dun_block_bytes(evaluator->work) / (int64_t)sizeof(double);
  int64_t pointwise = target->likelihood ? dun_pointwise_width(evaluator) : 0;
  int status = pointwise < 0 ? (int)pointwise : 0;
  *caller = (struct dun_caller){
      .evaluator = evaluator, .guarded = guarded, .gradients = !target->no_gradient};
  fence_inner(evaluator, 0);
  const struct {
    const char *name;
    int64_t count;
  } all[DUN_CALLER_ARRAYS] = {{"x", d * columns}, {"scale", DUN_LANES},
                              {"lp", DUN_LANES},  {"gradient", d * columns},
                              {"work", work},     {"theta", evaluator->outputs},
                              {"out", pointwise}, {"value", evaluator->letters * DUN_LANES}};
  for (int i = 0; i < DUN_CALLER_ARRAYS && status == 0; i++)
    status = array_init(&caller->array[i], all[i].name, all[i].count, guarded);
  caller->found_lp = dun_allocate(DUN_LANES, sizeof(double));
  caller->found_gradient = dun_allocate(d * DUN_LANES, sizeof(double));
  caller->self_before = dun_allocate((int64_t)target->type.size, 1);
  if (status == 0 && caller->found_lp && caller->found_gradient && caller->self_before)
    return 0;
  dun_caller_free(caller);
  return status < 0 ? status : DUN_ERROR_MEMORY;
}

void dun_caller_free(struct dun_caller *caller)
{
  fence_inner(caller->evaluator, 1);
  for (int i = 0; i < DUN_CALLER_ARRAYS; i++)
    dun_pages_free(&caller->array[i].pages);
  DUN_FREE(caller->found_lp);
  DUN_FREE(caller->found_gradient);
  DUN_FREE(caller->self_before);
}

/* ---- a call ------------------------------------------------------------------------------ */

static unsigned enter(struct dun_caller *t, const char *function)
{
  if (t->call) {
    t->call->function = function;
    t->call->count++;
  }
  memcpy(t->self_before, t->evaluator->self, t->evaluator->target->type.size);
  return dun_guard_enter(t->evaluator->target->type.name, function);
}

static int leave(struct dun_caller *t, const char *function, unsigned before)
{
  t->changes_control |= dun_control() != before;
  dun_guard_leave(before);
  t->changes_self |=
      memcmp(t->self_before, t->evaluator->self, t->evaluator->target->type.size) != 0;
  if (t->call)
    t->call->function = "";
  return check_margins(t, function);
}

static int refuse_changed(const char *function)
{
  return dun_fail(DUN_ERROR_INPUT, "`%s` writes into x, the point that it is given", function);
}

/* Scratch of the target is marked too where no array of its own is behind it. */
static double *place_work(struct dun_caller *t)
{
  int64_t count = dun_block_bytes(t->evaluator->work) / (int64_t)sizeof(double);
  return array_place(&t->work, count, t->guarded);
}

static int unwritten(int n, const char *function, const double *lp)
{
  for (int l = 0; l < n; l++)
    if (dun_is_mark(lp[l]))
      return dun_fail(DUN_ERROR_INPUT, "`%s` leaves lp[%d] of %d unwritten", function, l, n);
  return 0;
}

/* The same of numbers that are no log densities. */
static int left_out(int n, const char *function, const double *value)
{
  for (int i = 0; i < n; i++)
    if (dun_is_mark(value[i]))
      return dun_fail(DUN_ERROR_INPUT, "`%s` leaves number %d of %d unwritten", function, i, n);
  return 0;
}

/* ---- by point ---------------------------------------------------------------------------- */

static int one_point(struct dun_caller *t, int lane, const double *x, int gradient)
{
  int d = t->evaluator->dimension;
  double *row = array_place(&t->x, d, t->guarded);
  double *g = array_place(&t->gradient, d, t->guarded);
  unsigned before;
  for (int j = 0; j < d; j++)
    row[j] = x[(int64_t)j * DUN_LANES + lane];
  before = enter(t, "point");
  t->found_lp[lane] = t->evaluator->target->point(t->evaluator->self, row, gradient ? g : NULL);
  int status = leave(t, "point", before);
  for (int j = 0; j < d && status == 0; j++) {
    if (dun_bits(row[j]) != dun_bits(x[(int64_t)j * DUN_LANES + lane]))
      status = refuse_changed("point");
    t->found_gradient[(int64_t)j * DUN_LANES + lane] = g[j];
  }
  return status;
}

static int by_point(struct dun_caller *t, int n, const char *wanted, const double *x, int gradient)
{
  int status = 0;
  for (int l = 0; l < n && status == 0; l++)
    if (!wanted || wanted[l])
      status = one_point(t, l, x, gradient);
  return status;
}

/* ---- by rows ----------------------------------------------------------------------------- */

static int by_rows(struct dun_caller *t, int n, const double *x, int gradient)
{
  int d = t->evaluator->dimension;
  int64_t count = (int64_t)n * d;
  double *rows = array_place(&t->x, count, t->guarded);
  double *g = array_place(&t->gradient, count, t->guarded);
  double *lp = array_place(&t->lp, n, t->guarded), *work = place_work(t);
  dun_rows_from_columns(n, d, x, rows);
  unsigned before = enter(t, "rows");
  t->evaluator->target->rows(t->evaluator->self, n, rows, lp, gradient ? g : NULL, work);
  int status = leave(t, "rows", before);
  if (status == 0)
    status = unwritten(n, "rows", lp);
  memcpy(t->found_lp, lp, (size_t)n * sizeof *lp);
  if (gradient)
    dun_columns_from_rows(n, d, g, t->found_gradient);
  for (int64_t i = 0; i < count && status == 0; i++)
    if (dun_bits(rows[i]) != dun_bits(x[i % d * DUN_LANES + i / d]))
      status = refuse_changed("rows");
  return status;
}

/* ---- by columns -------------------------------------------------------------------------- */

typedef void columns_function(const void *self, const double *x, double *lp, const double *scale,
                              double *gradient, double *work);

static const char *columns_name(enum dun_density_kind which)
{
  return which == DUN_DENSITY_PRIOR ? "prior" : "columns";
}

static int call_columns(struct dun_caller *t, enum dun_density_kind which, const double *x,
                        double *lp, const double *scale, double *gradient)
{
  const struct dun_target *target = t->evaluator->target;
  columns_function *function = which == DUN_DENSITY_PRIOR ? target->prior : target->columns;
  size_t block = (size_t)t->evaluator->dimension * DUN_LANES * sizeof *x;
  double *own = array_place(&t->x, t->evaluator->dimension * (int64_t)DUN_LANES, t->guarded);
  double *work = place_work(t);
  memcpy(own, x, block);
  unsigned before = enter(t, columns_name(which));
  function(t->evaluator->self, own, lp, scale, gradient, work);
  int status = leave(t, columns_name(which), before);
  if (status == 0 && memcmp(own, x, block) != 0)
    status = refuse_changed(columns_name(which));
  return status;
}

/* scale[64] and gradient[d][64] of the target's own, as given. */
static void place_gradient(struct dun_caller *t, const double *scale, const double *gradient)
{
  int64_t count = t->evaluator->dimension * (int64_t)DUN_LANES;
  memcpy(array_place(&t->scale, DUN_LANES, t->guarded), scale, DUN_LANES * sizeof *scale);
  memcpy(array_place(&t->gradient, count, t->guarded), gradient, (size_t)count * sizeof *gradient);
}

static int by_columns(struct dun_caller *t, enum dun_density_kind which, const double *x,
                      int gradient)
{
  size_t block = (size_t)t->evaluator->dimension * DUN_LANES * sizeof *x;
  double *lp = array_place(&t->lp, DUN_LANES, t->guarded), one[DUN_LANES];
  fill(one, one + DUN_LANES, 1);
  memset(t->found_gradient, 0, block);
  place_gradient(t, one, t->found_gradient);
  int status = call_columns(t, which, x, lp, t->scale.value, gradient ? t->gradient.value : NULL);
  if (status == 0)
    status = unwritten(DUN_LANES, columns_name(which), lp);
  memcpy(t->found_lp, lp, DUN_LANES * sizeof *lp);
  if (gradient)
    memcpy(t->found_gradient, t->gradient.value, block);
  return status;
}

int dun_caller_observed(struct dun_caller *t, int count, const int *which, const double *x)
{
  size_t block = (size_t)t->evaluator->dimension * DUN_LANES * sizeof *x;
  double *lp = array_place(&t->lp, DUN_LANES, t->guarded), one[DUN_LANES];
  fill(one, one + DUN_LANES, 1);
  memset(t->found_gradient, 0, block);
  place_gradient(t, one, t->found_gradient);
  double *own = array_place(&t->x, t->evaluator->dimension * (int64_t)DUN_LANES, t->guarded);
  double *work = place_work(t);
  memcpy(own, x, block);
  unsigned before = enter(t, "observed");
  t->evaluator->target->observed(t->evaluator->self, count, which, own, lp, t->scale.value,
                                 t->gradients ? t->gradient.value : NULL, work);
  int status = leave(t, "observed", before);
  if (status == 0 && memcmp(own, x, block) != 0)
    status = refuse_changed("observed");
  if (status == 0)
    status = unwritten(DUN_LANES, "observed", lp);
  memcpy(t->found_lp, lp, DUN_LANES * sizeof *lp);
  if (t->gradients)
    memcpy(t->found_gradient, t->gradient.value, block);
  return status;
}

int dun_caller_add(struct dun_caller *caller, enum dun_density_kind which, const double *x,
                   const double *scale, double *gradient)
{
  size_t block = (size_t)caller->evaluator->dimension * DUN_LANES * sizeof *x;
  place_gradient(caller, scale, gradient);
  int status = call_columns(caller, which, x, NULL, caller->scale.value, caller->gradient.value);
  memcpy(gradient, caller->gradient.value, block);
  return status;
}

int dun_caller_evaluate(struct dun_caller *caller, enum dun_density_kind which, int n,
                        const char *wanted, const double *x, int gradient)
{
  const struct dun_target *target = caller->evaluator->target;
  int slopes = gradient && caller->gradients;
  if (which == DUN_DENSITY_PRIOR || target->columns)
    return by_columns(caller, which, x, slopes);
  return target->point ? by_point(caller, n, wanted, x, slopes) : by_rows(caller, n, x, slopes);
}

/* ---- the other functions ----------------------------------------------------------------- */

int dun_caller_constrain(struct dun_caller *caller, const double *x, int lane)
{
  const struct dun_evaluator *e = caller->evaluator;
  double *row = array_place(&caller->x, e->dimension, caller->guarded);
  double *theta = array_place(&caller->theta, e->outputs, caller->guarded);
  for (int j = 0; j < e->dimension; j++)
    row[j] = x[(int64_t)j * DUN_LANES + lane];
  unsigned before = enter(caller, "constrain");
  e->target->constrain(e->self, row, theta);
  return leave(caller, "constrain", before);
}

int dun_caller_pointwise(struct dun_caller *caller, const double *x, int lane)
{
  const struct dun_evaluator *e = caller->evaluator;
  double *row = array_place(&caller->x, e->dimension, caller->guarded);
  int width = dun_pointwise_width(e);
  double *out = array_place(&caller->pointwise, width, caller->guarded);
  for (int j = 0; j < e->dimension; j++)
    row[j] = x[(int64_t)j * DUN_LANES + lane];
  unsigned before = enter(caller, "log_likelihood");
  e->target->log_likelihood(e->self, row, out);
  int status = leave(caller, "log_likelihood", before);
  return status == 0 ? left_out(width, "log_likelihood", out) : status;
}

int dun_caller_site(struct dun_caller *caller, int j, const double *x)
{
  const struct dun_evaluator *e = caller->evaluator;
  int64_t count = (int64_t)e->dimension * DUN_LANES;
  int numbers = e->letters * DUN_LANES;
  double *own = array_place(&caller->x, count, caller->guarded);
  double *value = array_place(&caller->site, numbers, caller->guarded);
  memcpy(own, x, (size_t)count * sizeof *x);
  unsigned before = enter(caller, "site");
  e->target->site(e->self, j, own, value);
  int status = leave(caller, "site", before);
  if (status == 0 && memcmp(own, x, (size_t)count * sizeof *x) != 0)
    return refuse_changed("site");
  return status == 0 ? left_out(numbers, "site", value) : status;
}

int dun_caller_draw(struct dun_caller *caller, enum dun_density_kind which, const double *uniform,
                    const double *normal, double *x)
{
  const struct dun_target *target = caller->evaluator->target;
  const char *name = which == DUN_DENSITY_PRIOR ? "draw_prior" : "draw";
  int64_t count = caller->evaluator->dimension * (int64_t)DUN_LANES;
  double *own = array_place(&caller->x, count, caller->guarded);
  unsigned before = enter(caller, name);
  (which == DUN_DENSITY_PRIOR ? target->draw_prior : target->draw)(caller->evaluator->self, uniform,
                                                                   normal, own);
  int status = leave(caller, name, before);
  for (int64_t i = 0; i < count && status == 0; i++)
    if (dun_is_mark(own[i]))
      status = dun_fail(DUN_ERROR_INPUT, "`%s` leaves coordinate %lld unwritten", name,
                        (long long)(i / DUN_LANES));
  memcpy(x, own, (size_t)count * sizeof *x);
  return status;
}
