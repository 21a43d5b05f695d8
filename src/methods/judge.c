#include "methods/judge.h"
#include <math.h>

void dun_judge_weighed(const struct dun_run *run, double drift, struct dun_diagnosis *out)
{
  double errors = drift / run->now.log_evidence_error;
  if (isnan(errors)) {
    dun_diagnose(out, "weighed moves", DUN_DOUBTFUL,
                 "in the moves of kernel %s log Z changed by %.3g, where 0 is expected; how much "
                 "it may change by chance is not known",
                 run->kernel->type.name, drift);
    return;
  }
  dun_diagnose(
      out, "weighed moves", dun_verdict_above(fabs(errors), 2, 4),
      "in the moves of kernel %s log Z changed by %.3g, %.1f errors, where 0 is expected%s",
      run->kernel->type.name, drift, errors,
      fabs(errors) < 2 ? "" : ": few particles have the weights; take smaller steps");
}

void dun_judge_genealogy(const struct dun_run *run, int64_t all, double ancestors,
                         struct dun_diagnosis *out)
{
  dun_diagnose(out, "genealogy", dun_verdict_above(-ancestors, -50, -10),
               "%.0f of %lld ancestors have descendants, worth %.1f equal ones%s", run->now.roots,
               (long long)all, ancestors,
               ancestors < 10 ? ": the genealogy has collapsed, errors are guesses" : "");
}

void dun_judge_evidence(const struct dun_now *now, double ancestors, int still,
                        struct dun_diagnosis *out)
{
  const double few = 30, share = .12;
  double error = now->log_evidence_error, roots = now->error_roots;
  int heavy = still && roots < share * ancestors;
  if (isnan(error))
    dun_diagnose(out, "evidence", DUN_BAD, "a single particle tells no error of log Z");
  else if (ancestors < 10)
    dun_diagnose(out, "evidence", DUN_BAD,
                 "the reported error of log Z, %.3g, is a guess from %.1f ancestors", error,
                 ancestors);
  else
    dun_diagnose(out, "evidence", dun_verdict_above(error, .3, 1),
                 "the reported error of log Z is %.3g; it covers the modes that were found", error);
  if (roots > 0)
    dun_diagnose(out, "error of log Z",
                 heavy && roots >= few ? DUN_DOUBTFUL : dun_verdict_above(-roots, -few, -5),
                 "it rests on %.1f equal ancestors%s", roots,
                 roots < few ? ": of so few both log Z and its error may be too small"
                 : heavy     ? ": weights without moves between them have a heavy tail, and log Z "
                               "and its error may be too small"
                             : "");
}

void dun_judge_autocorrelation(const struct dun_now *now, struct dun_diagnosis *out)
{
  if (isnan(now->autocorrelation))
    dun_diagnose(
        out, "autocorrelation", DUN_DOUBTFUL,
        "before or after the last step's moves all log densities were alike: nothing tells "
        "whether they have forgotten where they were");
  else
    dun_diagnose(out, "autocorrelation", dun_verdict_above(now->autocorrelation, .5, .9),
                 "over the last step's moves the log density keeps an autocorrelation of %.2f",
                 now->autocorrelation);
}
