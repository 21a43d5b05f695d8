/* The likelihood in parts against the whole: prior + observations = log density, and gradients. */
#include "base/error.h"
#include "base/memory.h"
#include "population/promises.h"
#include <math.h>
#include <string.h>

/* What was found so far. */
struct parts {
  struct dun_caller *caller;
  const double *x; /* [d][64] */
  int64_t block;   /* d x 64 */
  double lp[DUN_LANES], *gradient;
};

static void take(struct parts *p)
{
  for (int l = 0; l < DUN_LANES; l++)
    p->lp[l] += p->caller->found_lp[l];
  for (int64_t i = 0; i < p->block && p->caller->gradients; i++)
    p->gradient[i] += p->caller->found_gradient[i];
}

/* In two calls, of which the first is in reverse order. */
static int ask(struct parts *p, int count, int *which)
{
  const struct dun_target *target = p->caller->evaluator->target;
  int half = count / 2, status = 0;
  for (int i = 0; i < count; i++)
    which[i] = i < half ? half - 1 - i : i;
  if (target->prior &&
      (status = dun_caller_evaluate(p->caller, DUN_DENSITY_PRIOR, DUN_LANES, NULL, p->x, 1)) == 0)
    take(p);
  if (half > 0 && status == 0 && (status = dun_caller_observed(p->caller, half, which, p->x)) == 0)
    take(p);
  if (status == 0 &&
      (status = dun_caller_observed(p->caller, count - half, which + half, p->x)) == 0)
    take(p);
  return status;
}

static int is_far(double found, double expected, double size)
{
  return !(fabs(found - expected) <= 1e-7 * (1 + size + fabs(expected)));
}

static void compare(const struct parts *p, int lanes, const struct dun_found *whole,
                    struct dun_findings *findings)
{
  const char *prior = p->caller->evaluator->target->prior ? "the prior and " : "";
  for (int l = 0; l < lanes; l++) {
    double size = 0;
    if (!isfinite(whole->lp[l]))
      continue;
    if (is_far(p->lp[l], whole->lp[l], 0)) {
      dun_find(findings, DUN_FINDING_REFUSED,
               "`observed`: %sall observations have the log density %.9g at a point where the "
               "whole has %.9g",
               prior, p->lp[l], whole->lp[l]);
      return;
    }
    for (int64_t i = l; i < p->block && p->caller->gradients; i += DUN_LANES)
      size = fmax(size, fabs(whole->gradient[i]));
    for (int64_t i = l; i < p->block && p->caller->gradients; i += DUN_LANES)
      if (isfinite(whole->gradient[i]) && is_far(p->gradient[i], whole->gradient[i], size)) {
        dun_find(findings, DUN_FINDING_REFUSED,
                 "`observed`: %sall observations add up to gradient[%lld] = %.9g at a point where "
                 "the whole has %.9g",
                 prior, (long long)(i / DUN_LANES), p->gradient[i], whole->gradient[i]);
        return;
      }
  }
}

int dun_promises_parts(struct dun_caller *caller, const struct dun_effort *effort,
                       const struct dun_found *whole, struct dun_findings *findings)
{
  struct parts p = {
      .caller = caller, .x = whole->x, .block = (int64_t)caller->evaluator->dimension * DUN_LANES};
  int count = dun_evaluator_observations(caller->evaluator);
  if (count < 0) {
    dun_find(findings, DUN_FINDING_REFUSED, "%s", dun_error_text());
    return 0;
  }
  int *which = dun_allocate(count, sizeof *which);
  p.gradient = dun_allocate(p.block, sizeof *p.gradient);
  int status = which && p.gradient ? ask(&p, count, which) : DUN_ERROR_MEMORY;
  if (status == 0)
    compare(&p, effort->lanes, whole, findings);
  dun_free(which);
  dun_free(p.gradient);
  return status;
}
