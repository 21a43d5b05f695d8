#include "population/promises.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One target on its way through the trials. */
struct promises {
  struct dun_caller *caller;
  const struct dun_effort *effort;
  const double *x; /* [d][64] */
  struct dun_findings *findings;
  int d, n;
  int64_t block; /* d × 64 */

  double *lp, *gradient; /* [64], [d][64]: what was found first */
  double *other;         /* [d][64]: points in other lanes, or sums */
};

void dun_find(struct dun_findings *findings, enum dun_finding_level level, const char *format, ...)
{
  va_list arguments;
  if (findings->count == DUN_MAX_FINDINGS)
    return;
  struct dun_finding *finding = &findings->finding[findings->count++];
  finding->level = level;
  va_start(arguments, format);
  vsnprintf(finding->text, sizeof finding->text, format, arguments);
  va_end(arguments);
  dun_text_tell_nan(finding->text, sizeof finding->text, "NaN");
}

const char *dun_finding_refused(const struct dun_findings *findings)
{
  for (int i = 0; i < findings->count; i++)
    if (findings->finding[i].level == DUN_FINDING_REFUSED)
      return findings->finding[i].text;
  return NULL;
}

static const char *name_of(const struct dun_target *target)
{
  return target->point ? "point" : target->rows ? "rows" : "columns";
}

/* ---- finite values ----------------------------------------------------------------------- */

static int64_t entry_of(int64_t coordinate, int lane)
{
  return coordinate * DUN_LANES + lane;
}

static void add_bits(struct dun_findings *findings, const double *value, int64_t count)
{
  for (int64_t i = 0; i < count; i++)
    findings->bits =
        (findings->bits ^ dun_bits(value[i])) * 0x9e3779b97f4a7c15u + (findings->bits >> 29);
}

/* Returns how many are finite.  Of +inf no run can make anything; NaN counts as outside. */
static int count_finite(struct promises *p)
{
  int finite = 0, odd = 0, infinite = 0, first = 0;
  for (int l = 0; l < p->n; l++) {
    int is_infinite = p->lp[l] == INFINITY, is_odd = isnan(p->lp[l]) || is_infinite;
    finite += isfinite(p->lp[l]) != 0;
    first = (is_odd && odd == 0) || (is_infinite && infinite == 0) ? l : first;
    odd += is_odd;
    infinite += is_infinite;
  }
  p->findings->finite = finite;
  if (odd > 0 && (finite == 0 || infinite > 0))
    dun_find(
        p->findings, DUN_FINDING_REFUSED,
        "found the log density %g at x[0] = %.6g, ..., such numbers at %d and finite ones at %d "
        "of %d points; expected finite numbers in the support and -inf outside",
        p->lp[first], p->x[first], odd, finite, p->n);
  else if (finite == 0)
    dun_find(p->findings, DUN_FINDING_TOLD,
             "the log density is -inf at all of %d points that were tried: they lie outside the "
             "support",
             p->n);
  else if (odd > 0)
    dun_find(p->findings, DUN_FINDING_TOLD,
             "the log density is NaN at %d of %d points, which count as outside the support", odd,
             p->n);
  return finite;
}

/* ---- the same bits ----------------------------------------------------------------------- */

static int same_number(double a, double b)
{
  return dun_bits(a) == dun_bits(b) || (isnan(a) && isnan(b));
}

/* Other bits of the same points in the same lanes, from lane `first` on; by how much a log density
 * differs at most. */
static int compare_bits(const struct promises *p, int first, int gradient, double *most)
{
  const double *lp = p->caller->found_lp;
  int same = 1;
  for (int l = first; l < p->n; l++) {
    same &= same_number(lp[l], p->lp[l]);
    if (!same_number(lp[l], p->lp[l]) && !(fabs(lp[l] - p->lp[l]) <= *most))
      *most = fabs(lp[l] - p->lp[l]);
    for (int64_t j = 0; j < p->d && gradient; j++)
      same &= same_number(p->caller->found_gradient[entry_of(j, l)], p->gradient[entry_of(j, l)]);
  }
  return same;
}

/* Without the first lanes a target by point has been asked another number of times before. */
static int try_again(struct promises *p, int first)
{
  double most = 0;
  char wanted[DUN_LANES];
  for (int l = 0; l < DUN_LANES; l++)
    wanted[l] = l >= first;
  int status = dun_caller_evaluate(p->caller, DUN_DENSITY_TARGET, p->n, wanted, p->x, 1);
  if (status < 0 || p->findings->other_bits || compare_bits(p, first, p->caller->gradients, &most))
    return status;
  p->findings->other_bits = most > 1e-6 ? 2 : 1;
  dun_find(p->findings, DUN_FINDING_TOLD,
           "`%s` gives other bits for the same points when it is asked again (log densities that "
           "differ by %.3g): no run of it can be repeated%s",
           name_of(p->caller->evaluator->target), most,
           most > 1e-6 ? ", and kernels accept by chance" : "");
  return 0;
}

/* ---- other lanes and other numbers of points --------------------------------------------- */

static int is_far(double a, double b)
{
  return !same_number(a, b) && !(fabs(a - b) <= 1e-7 * (1 + fabs(a) + fabs(b)));
}

static int by_size(const void *a, const void *b)
{
  const double *one = a, *other = b;
  return (*one > *other) - (*one < *other);
}

/* Between the lanes' quartiles: what another lane's number would be off by, more or less. */
static double range_of(const struct promises *p, const double *value)
{
  double sorted[DUN_LANES] = {0};
  int count = 0;
  for (int l = 0; l < p->n; l++)
    if (isfinite(value[l]))
      sorted[count++] = value[l];
  qsort(sorted, (size_t)count, sizeof *sorted, by_size);
  return count > 0 ? sorted[3 * count / 4] - sorted[count / 4] : 0;
}

/* Also by more than rounding in single precision can do; `value` holds the lanes' numbers. */
static int is_other(const struct promises *p, double a, double b, const double *value)
{
  return is_far(a, b) && !(fabs(a - b) <= 1e-4 * range_of(p, value));
}

/* What the caller found in lane `there` against the first finding in lane `here`; `how` ends the
 * sentence.  Returns 1 after a finding. */
static int compare_lanes(struct promises *p, int here, int there, const char *how)
{
  const struct dun_caller *t = p->caller;
  const char *name = name_of(t->evaluator->target);
  if (is_other(p, p->lp[here], t->found_lp[there], p->lp)) {
    dun_find(p->findings, DUN_FINDING_REFUSED,
             "`%s` gives the log density %.9g for the point of lane %d, but %.9g %s", name,
             p->lp[here], here, t->found_lp[there], how);
    return 1;
  }
  for (int64_t j = 0; j < p->d && t->gradients && isfinite(p->lp[here]); j++) {
    double a = p->gradient[entry_of(j, here)], b = t->found_gradient[entry_of(j, there)];
    if (is_other(p, a, b, p->gradient + entry_of(j, 0))) {
      dun_find(p->findings, DUN_FINDING_REFUSED,
               "`%s` gives gradient[%lld] = %.9g for the point of lane %d, but %.9g %s", name,
               (long long)j, a, here, b, how);
      return 1;
    }
  }
  return 0;
}

/* The same points, each in another lane. */
static int try_other_lanes(struct promises *p)
{
  int shift = p->n > 17 ? 17 : 1, status;
  char how[64];
  for (int64_t j = 0; j < p->d; j++)
    for (int l = 0; l < DUN_LANES; l++)
      p->other[entry_of(j, l)] = p->x[entry_of(j, l < p->n ? (l + shift) % p->n : shift % p->n)];
  status = dun_caller_evaluate(p->caller, DUN_DENSITY_TARGET, p->n, NULL, p->other, 1);
  for (int l = 0; l < p->n && status == 0; l++) {
    snprintf(how, sizeof how, "in lane %d", l);
    status = compare_lanes(p, (l + shift) % p->n, l, how);
  }
  return status;
}

/* The point of a lane alone, or among fewer. */
static int try_fewer(struct promises *p, int lane, int n)
{
  char how[64];
  int status;
  for (int64_t j = 0; j < p->d; j++)
    for (int l = 0; l < DUN_LANES; l++)
      p->other[entry_of(j, l)] = p->x[entry_of(j, l < n ? (lane + l) % p->n : lane)];
  status = dun_caller_evaluate(p->caller, DUN_DENSITY_TARGET, n, NULL, p->other, 1);
  snprintf(how, sizeof how, n == 1 ? "alone" : "among %d", n);
  for (int l = 0; l < n && status == 0; l++)
    status = compare_lanes(p, (lane + l) % p->n, l, how);
  return status;
}

/* The log density without the gradient is what it is with it. */
static int try_without_gradient(struct promises *p)
{
  const double *lp = p->caller->found_lp;
  int status = dun_caller_evaluate(p->caller, DUN_DENSITY_TARGET, p->n, NULL, p->x, 0);
  for (int l = 0; l < p->n && status == 0; l++)
    if (is_other(p, lp[l], p->lp[l], p->lp)) {
      dun_find(p->findings, DUN_FINDING_REFUSED,
               "`%s` gives the log density %.9g with the gradient, but %.9g without it",
               name_of(p->caller->evaluator->target), p->lp[l], lp[l]);
      return 1;
    }
  return status;
}

/* ---- columns add ------------------------------------------------------------------------- */

static const char *how_it_failed(double before, double scale, double slope, double found)
{
  if (scale == 0)
    return "a lane whose scale is 0 is not left alone";
  if (!is_far(found, scale * slope) && before != 0)
    return "it writes where it should add";
  if (!is_far(found, before + slope))
    return "it leaves the scale out";
  return "it does not add scale times the gradient";
}

/* A target may scale before it sums: what cancels then leaves its rounding, measured by what the
 * lanes have there. */
static int check_sum(struct promises *p, const char *name, int64_t i, double scale,
                     const double *slopes)
{
  double slope = slopes[i], before = (double)(i % 7) - 3, found = p->other[i];
  double expected = before + scale * slope, off = fabs(found - expected);
  if (!isfinite(slope) || off <= 1e-9 * (fabs(before) + fabs(scale * slope)) + 1e-300 ||
      off <= 1e-6 * range_of(p, slopes + i / DUN_LANES * DUN_LANES))
    return 0;
  dun_find(p->findings, DUN_FINDING_REFUSED,
           "`%s`: found %.9g in gradient[%lld] of lane %d, expected %.9g + %.9g × %.9g = %.9g: %s",
           name, found, (long long)(i / DUN_LANES), (int)(i % DUN_LANES), before, scale, slope,
           expected, how_it_failed(before, scale, slope, found));
  return 1;
}

/* What the caller has just found is added, times scales of which one is 0, to what stands there. */
static int try_sums(struct promises *p, enum dun_density_kind which, const double *slopes)
{
  double scale[DUN_LANES];
  int status;
  for (int l = 0; l < DUN_LANES; l++)
    scale[l] = .25 * (l % 9) - .5;
  for (int64_t i = 0; i < p->block; i++)
    p->other[i] = (double)(i % 7) - 3;
  status = dun_caller_add(p->caller, which, p->x, scale, p->other);
  for (int64_t i = 0; i < p->block && status == 0; i++)
    if (isfinite(p->lp[i % DUN_LANES]))
      status = check_sum(p, which == DUN_DENSITY_PRIOR ? "prior" : "columns", i,
                         scale[i % DUN_LANES], slopes);
  return status;
}

/* ---- the other functions ----------------------------------------------------------------- */

static void try_dimension(struct promises *p)
{
  const struct dun_evaluator *e = p->caller->evaluator;
  int now = e->target->dimension_of ? e->target->dimension_of(e->self) : p->d;
  if (now != p->d)
    dun_find(p->findings, DUN_FINDING_REFUSED,
             "`dimension_of` gave the dimension %d and, asked again, %d", p->d, now);
}

static int first_finite(const struct promises *p)
{
  for (int l = 0; l < p->n; l++)
    if (isfinite(p->lp[l]))
      return l;
  return 0;
}

static int try_outputs(struct promises *p)
{
  const struct dun_evaluator *e = p->caller->evaluator;
  int status = e->target->constrain ? dun_caller_constrain(p->caller, p->x, first_finite(p)) : 0;
  for (int i = 0; i < e->outputs && e->target->constrain && status == 0; i++)
    if (dun_is_mark(p->caller->theta.value[i])) {
      dun_find(p->findings, DUN_FINDING_REFUSED, "`constrain` leaves theta[%d] of %d unwritten", i,
               e->outputs);
      return 1;
    }
  if (status == 0 && e->target->likelihood)
    status = dun_caller_pointwise(p->caller, p->x, first_finite(p));
  return status;
}

/* ---- the whole --------------------------------------------------------------------------- */

static int try_layout(struct promises *p)
{
  int rows = p->caller->evaluator->target->rows != NULL, status = 0;
  int columns = p->caller->evaluator->target->columns != NULL;
  if (p->n > 1)
    status = try_other_lanes(p);
  if (status == 0 && (rows || columns))
    status = try_fewer(p, p->n > 5 ? 5 : 0, 1);
  if (status == 0 && rows && p->n > 3)
    status = try_fewer(p, 2, 3);
  if (status == 0)
    status = try_without_gradient(p);
  if (status == 0 && columns && p->caller->gradients)
    status = try_sums(p, DUN_DENSITY_TARGET, p->gradient);
  return status;
}

static int try_all(struct promises *p, struct dun_address address)
{
  int status = dun_caller_evaluate(p->caller, DUN_DENSITY_TARGET, p->n, NULL, p->x, 1);
  if (status < 0)
    return status;
  memcpy(p->lp, p->caller->found_lp, DUN_LANES * sizeof *p->lp);
  memcpy(p->gradient, p->caller->found_gradient, (size_t)p->block * sizeof *p->gradient);
  for (int l = p->n; l < DUN_LANES; l++)
    p->lp[l] = p->caller->evaluator->target->columns ? p->lp[l] : NAN;
  add_bits(p->findings, p->lp, p->n);
  memcpy(p->findings->lp, p->lp, DUN_LANES * sizeof *p->lp);
  try_dimension(p);
  if (count_finite(p) == 0)
    return 0;
  if (!p->effort->thrifty && (status = try_again(p, 0)) < 0)
    return status;
  const struct dun_target *target = p->caller->evaluator->target;
  struct dun_found found = {p->x, p->lp, p->gradient};
  if (target->observed && !p->effort->thrifty &&
      (status = dun_promises_parts(p->caller, p->effort, &found, p->findings)) < 0)
    return status;
  if (target->site) {
    status = dun_promises_sites(p->caller, p->effort, p->x, p->findings);
  } else if (p->caller->gradients && target->support == DUN_REALS) {
    status = dun_promises_gradient(p->caller, DUN_DENSITY_TARGET, p->effort, address, &found,
                                   p->findings);
  }
  if (status >= 0 && p->effort->thrifty < 2)
    status = try_again(p, p->n > 1);
  if (status >= 0 && !p->effort->thrifty && !p->findings->other_bits &&
      !dun_finding_refused(p->findings))
    status = try_layout(p);
  return status < 0 ? status : try_outputs(p);
}

static int promises_init(struct promises *p)
{
  p->d = p->caller->evaluator->dimension;
  p->n = p->effort->lanes;
  p->block = (int64_t)p->d * DUN_LANES;
  p->lp = dun_allocate(DUN_LANES, sizeof *p->lp);
  p->gradient = dun_allocate(p->block, sizeof *p->gradient);
  p->other = dun_allocate(p->block, sizeof *p->other);
  return p->lp && p->gradient && p->other ? 0 : DUN_ERROR_MEMORY;
}

static void promises_free(struct promises *p)
{
  DUN_FREE(p->lp);
  DUN_FREE(p->gradient);
  DUN_FREE(p->other);
}

int dun_promises_target(struct dun_caller *caller, const struct dun_effort *effort,
                        struct dun_address address, const double *x, struct dun_findings *findings)
{
  struct promises p = {.caller = caller, .effort = effort, .x = x, .findings = findings};
  int status = promises_init(&p);
  if (status >= 0)
    status = try_all(&p, address);
  promises_free(&p);
  return status < 0 ? status : 0;
}

/* The prior's gradient at points of its own, and that it adds. */
int dun_promises_prior_gradient(struct dun_caller *caller, const struct dun_effort *effort,
                                struct dun_address address, const double *x,
                                struct dun_findings *findings)
{
  struct dun_effort all = *effort;
  all.lanes = DUN_LANES;
  struct promises p = {.caller = caller, .effort = &all, .x = x, .findings = findings};
  int status = promises_init(&p);
  if (status >= 0)
    status = dun_caller_evaluate(caller, DUN_DENSITY_PRIOR, p.n, NULL, x, 1);
  if (status >= 0) {
    memcpy(p.lp, caller->found_lp, DUN_LANES * sizeof *p.lp);
    memcpy(p.gradient, caller->found_gradient, (size_t)p.block * sizeof *p.gradient);
    int before = findings->count;
    struct dun_found found = {x, p.lp, p.gradient};
    status = dun_promises_gradient(caller, DUN_DENSITY_PRIOR, &all, address, &found, findings);
    if (status >= 0 && findings->count == before)
      status = try_sums(&p, DUN_DENSITY_PRIOR, p.gradient);
  }
  promises_free(&p);
  return status < 0 ? status : 0;
}
