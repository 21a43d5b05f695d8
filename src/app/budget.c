#include "app/budget.h"
#include "app/finish.h"
#include "methods/tails.h"
#include <math.h>

/* The method of this replicate has done its work. */
static int is_complete(const struct dun_driver *driver)
{
  return driver->started && (driver->seconding || driver->finishing > 0);
}

/* ---- what it means ------------------------------------------------------------------------- */

static void tell_complete(const struct dun_driver *driver, struct dun_diagnosis *out)
{
  const struct dun_assembly *assembly = driver->assembly;
  int left = assembly->finishes.count - (driver->finishing > 0 ? (int)driver->finishing - 1 : 0);
  dun_diagnose(out, "budget", DUN_DOUBTFUL,
               "run.evaluations, %.6g, were used up when method %s was done: %s%s left out",
               assembly->run.options.evaluations, assembly->run.method->type.name,
               driver->seconding ? "the second estimate and the search for lost parts" : "finishes",
               !driver->seconding ? " are"
               : left > 0         ? ", and finishes, are"
                                  : " are");
}

static void tell_cut(const struct dun_driver *driver, int64_t draws, struct dun_diagnosis *out)
{
  const struct dun_run *run = &driver->assembly->run;
  double budget = run->options.evaluations;
  if (run->now.time < 1)
    dun_diagnose(out, "budget", DUN_BAD,
                 "run.evaluations, %.6g, were used up at time %.4g of the path: the particles are "
                 "of its law there, not of the target's, and there is no log Z",
                 budget, run->now.time);
  else if (run->kept.due > 0 && draws == 0)
    dun_diagnose(
        out, "budget", DUN_BAD,
        "run.evaluations, %.6g, were used up before the first draw: where the chains stood "
        "is taken for one",
        budget);
  else if (run->kept.due > 0)
    dun_diagnose(
        out, "budget", DUN_DOUBTFUL,
        "run.evaluations, %.6g, were used up after %lld of %lld draws of each chain; there "
        "is no second estimate, and no search for lost parts",
        budget, (long long)draws, (long long)run->kept.due);
  else
    dun_diagnose(out, "budget", DUN_DOUBTFUL,
                 "run.evaluations, %.6g, were used up at step %lld, before method %s was done; "
                 "there is no second estimate, and no search for lost parts",
                 budget, (long long)run->now.step, run->method->type.name);
}

static void tell_left_out(struct dun_driver *driver)
{
  const struct dun_run *run = &driver->assembly->run;
  dun_diagnose(&driver->stored.diagnosis, "budget", DUN_DOUBTFUL,
               "run.evaluations, %.6g, were used up after %lld of %lld replicates",
               run->options.evaluations, (long long)run->replicate, run->options.replicates);
}

/* ---- the first replicate ------------------------------------------------------------------- */

/* Chains end with the draws that they have, or with the points where they stand. */
static int end_chains(struct dun_context *context, struct dun_driver *driver)
{
  struct dun_kept *kept = &driver->assembly->run.kept;
  int code = 0;
  if (kept->due > 0 && kept->draws == 0)
    code = dun_result_draw(context, &driver->result, kept->draws++);
  if (code >= 0 && kept->due > 0)
    kept->due = kept->draws;
  return code < 0 ? code : 0;
}

static int cut_method(struct dun_context *context, struct dun_driver *driver,
                      struct dun_diagnosis *diagnosis)
{
  struct dun_run *run = &driver->assembly->run;
  int64_t draws = run->kept.draws;
  int code = run->method->cut ? run->method->cut(context, run->method_self, run) : 0;
  if ((code = dun_agree(context, code)) < 0)
    return code;
  if (run->now.time < 1)
    run->now.log_evidence = run->now.log_evidence_error = NAN;
  tell_cut(driver, draws, diagnosis);
  if (run->now.time >= 1 && (run->kept.due == 0 || draws > 0) && run->method->diagnose)
    run->method->diagnose(run->method_self, run, diagnosis);
  return end_chains(context, driver);
}

int dun_budget_end(struct dun_context *context, struct dun_driver *driver)
{
  struct dun_diagnosis diagnosis = {0};
  int code = 0;
  dun_stop_end(context); /* what is left is not interrupted */
  driver->cut = 1;
  if (driver->assembly->run.replicate > 0) {
    tell_left_out(driver);
    return 0;
  }
  if (is_complete(driver))
    tell_complete(driver, &diagnosis);
  else
    code = cut_method(context, driver, &diagnosis);
  if (driver->finishing == 0)
    dun_tails_diagnose(&driver->steps, &diagnosis);
  driver->seconding = 0;
  dun_finish_merge(driver, &diagnosis);
  return code;
}

int dun_budget_shorten(struct dun_context *context, struct dun_driver *driver)
{
  const struct dun_assembly *assembly = driver->assembly;
  const struct dun_kept *kept = &assembly->run.kept;
  int64_t each = kept->due > 0 ? kept->chains.total : 1;
  if (!driver->cut && each * assembly->run.options.replicates == dun_assembly_chains(assembly))
    return 0;
  return dun_result_shorten(context, &driver->result, each * dun_table_rows(&driver->replicates),
                            dun_assembly_draws(assembly));
}
