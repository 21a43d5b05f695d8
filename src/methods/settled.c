#include "methods/settled.h"
#include <math.h>
#include <stdio.h>

static void tell_metric(const struct dun_warmup *w, const struct dun_run *run,
                        struct dun_diagnosis *out)
{
  const struct dun_adaptation *a = run->adaptation;

  if (w->form != DUN_METRIC_AUTO || a->fixed)
    return;
  if (a->factor.count && w->ridge > 0)
    dun_diagnose(out, "metric", DUN_GOOD,
                 "auto chose a dense metric (ridge %.0e; Fisher score %.3g, 2 at best)", w->ridge,
                 w->score);
  else
    dun_diagnose(out, "metric", DUN_GOOD, "auto chose a diagonal metric%s",
                 w->cloud.dense ? ": correlations do not pay, or there were too few points" : "");
}

/* Such as "the square of coordinate 3". */
static void name_drift(const struct dun_drift *rest, char *text, size_t size)
{
  switch ((enum dun_drift_kind)rest->kind) {
  case DUN_DRIFT_DENSITY: snprintf(text, size, "the mean log density"); return;
  case DUN_DRIFT_VIRIAL:
    snprintf(text, size, "the virial, %.3g of 1 at rest,", rest->virial);
    return;
  case DUN_DRIFT_MEAN:
  case DUN_DRIFT_SQUARE:
    snprintf(text, size, "the mean %s coordinate %.0f",
             (enum dun_drift_kind)rest->kind == DUN_DRIFT_MEAN ? "of" : "square of", rest->index);
  }
}

static void tell_rest(const struct dun_warmup *w, struct dun_diagnosis *out)
{
  char what[96];

  if (isnan(w->rest.worst))
    return;
  name_drift(&w->rest, what, sizeof what);
  if (w->rest.worst > 1)
    dun_diagnose(out, "settled", DUN_DOUBTFUL,
                 "the chains were not at rest after %lld sweeps of warm-up: %s was off by %.3g "
                 "standard errors, %.3g times what chance does; let it run longer",
                 (long long)w->done, what, w->rest.deviations, w->rest.worst);
  else
    dun_diagnose(out, "settled", DUN_GOOD,
                 "after %lld sweeps of warm-up no mean drifted: the most, %s, by %.2g standard "
                 "errors",
                 (long long)w->done, what, w->rest.deviations);
}

void dun_settled_diagnose(const struct dun_warmup *w, const struct dun_run *run,
                          struct dun_diagnosis *out)
{
  double share = (double)w->restarted / (double)run->options.particles;

  if (w->climbs > 0)
    dun_diagnose(out, "climb", DUN_GOOD,
                 "after %lld steps %lld of %lld starts lay as far from the mode as draws do; the "
                 "others went no higher, or had no more steps",
                 (long long)w->climbs, (long long)(run->options.particles - w->below),
                 (long long)run->options.particles);
  tell_metric(w, run, out);
  tell_rest(w, out);
  if (w->restarted > 0)
    dun_diagnose(out, "lost chains", dun_verdict_above(share, 1, 4),
                 "%lld of %lld chains were lost while warming up, far below the others, and began "
                 "again in the places of others",
                 (long long)w->restarted, (long long)run->options.particles);
}
