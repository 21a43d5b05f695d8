/* What `site` of targets of spins and letters promises: differences of the log density. */
#include "base/error.h"
#include "base/memory.h"
#include "population/promises.h"
#include <math.h>
#include <string.h>

enum { L = DUN_LANES, SITES = 8 };

struct trial {
  struct dun_caller *caller;
  struct dun_findings *findings;
  double *y, *lp; /* [d][64]; [letters][64] */
};

/* The log densities with each letter at a site. */
static int evaluate_letters(struct trial *t, int n, int site)
{
  const struct dun_evaluator *e = t->caller->evaluator;
  int status = 0;
  for (int a = 0; a < e->letters && status == 0; a++) {
    for (int l = 0; l < L; l++)
      t->y[(int64_t)site * L + l] = dun_evaluator_letter(e, a);
    status = dun_caller_evaluate(t->caller, DUN_DENSITY_TARGET, n, NULL, t->y, 0);
    memcpy(t->lp + (int64_t)a * L, t->caller->found_lp, L * sizeof *t->lp);
  }
  return status;
}

/* Differences from the first letter of a lane; 1: one was found wrong. */
static int compare(struct trial *t, int n, int site)
{
  const double *value = t->caller->site.value, *lp = t->lp;
  for (int a = 1; a < t->caller->evaluator->letters; a++)
    for (int l = 0; l < n; l++) {
      double expected = lp[a * L + l] - lp[l], found = value[a * L + l] - value[l];
      double size = fabs(lp[l]) + fabs(lp[a * L + l]) + fabs(value[l]) + fabs(value[a * L + l]);
      if (!isfinite(expected) || fabs(found - expected) <= 1e-9 * (1 + size))
        continue;
      dun_find(t->findings, DUN_FINDING_REFUSED,
               "`site`: found %.9g between the values of letters %d and 0 at coordinate %d of lane "
               "%d, expected %.9g, the difference of the log densities",
               found, a, site, l, expected);
      return 1;
    }
  return 0;
}

static int try_site(struct trial *t, const double *x, int n, int site)
{
  memcpy(t->y, x, (size_t)t->caller->evaluator->dimension * L * sizeof *x);
  int status = dun_caller_site(t->caller, site, t->y);
  if (status == 0)
    status = evaluate_letters(t, n, site);
  return status == 0 ? compare(t, n, site) : status;
}

int dun_promises_sites(struct dun_caller *caller, const struct dun_effort *effort, const double *x,
                       struct dun_findings *findings)
{
  const struct dun_evaluator *e = caller->evaluator;
  int d = e->dimension, status = 0;
  struct trial t = {caller, findings, dun_allocate(d, L * sizeof(double)),
                    dun_allocate(e->letters, L * sizeof(double))};
  if (!t.y || !t.lp)
    status = DUN_ERROR_MEMORY;
  for (int k = 0; k < SITES && k < d && status == 0; k++)
    status = try_site(&t, x, effort->lanes, (int)((int64_t)k * (d - 1) / (SITES - 1)));
  dun_free(t.y);
  dun_free(t.lp);
  return status < 0 ? status : 0;
}
