#include "app/sweep.h"
#include "app/collect.h"
#include "app/plan.h"
#include "app/running.h"
#include "app/standing.h"
#include "base/error.h"
#include "base/tell.h"
#include "numerics/linear.h"
#include <stdio.h>

/* ---- without running ----------------------------------------------------------------------- */

static void list_member(const struct dun_plan *plan, int member)
{
  struct dun_text label = {0}, file = {0}, reason = {0};
  const char *word = "-";
  dun_plan_describe(plan, member, &label);
  dun_plan_file(plan, member, ".h5", &file);
  if (file.text)
    word = dun_standing_word(dun_standing_of(file.text, plan->identity[member], NULL, &reason));
  dun_tell(stdout, "%d\t%016llx\t%s\t%s%s%s\n", member + 1,
           (unsigned long long)plan->identity[member], word, label.text ? label.text : "",
           reason.length ? "\t" : "", reason.length ? reason.text : "");
  dun_text_free(&label);
  dun_text_free(&file);
  dun_text_free(&reason);
}

/* Collective.  Rank 0 looks at the files. */
static int look(struct dun_context *context, struct dun_plan *plan)
{
  int code = 0, exit_code;
  if (plan->arguments->collect && context->rank == 0)
    code = dun_collect_check(plan->arguments);
  code = dun_agree(context, code);
  if (code == 0 && (exit_code = dun_plan_bind(context, plan, 0, plan->members.count, 0)) != 0)
    return exit_code;
  if (code == 0 && context->rank == 0 && plan->arguments->collect)
    code = dun_collect(plan);
  for (int i = 0; i < plan->members.count && plan->arguments->list && context->rank == 0; i++)
    list_member(plan, i);
  fflush(stdout);
  code = dun_agree(context, code);
  if (code < 0 && context->rank == 0)
    dun_tell(stderr, "dunlin: %s\n", dun_error_text());
  return dun_exit_code(code);
}

/* ---- the command --------------------------------------------------------------------------- */

static int check_numbers(const struct dun_context *context, const struct dun_plan *plan)
{
  long long index = plan->arguments->index, groups = plan->arguments->groups;
  if (index > plan->members.count)
    return dun_fail(DUN_ERROR_INPUT, "--index %lld: the sweep has %d members", index,
                    plan->members.count);
  if (groups > context->size)
    return dun_fail(DUN_ERROR_INPUT, "--groups %lld: there are %d ranks, and a group takes one",
                    groups, context->size);
  return 0;
}

/* One member alone is assembled alone: arrays of thousands of tasks begin at once. */
static int work(struct dun_context *context, struct dun_plan *plan, double began)
{
  int index = (int)plan->arguments->index, exit_code;
  int first = index > 0 ? index - 1 : 0, last = index > 0 ? index : plan->members.count;
  int code = check_numbers(context, plan);
  if (code < 0) {
    if (context->rank == 0)
      dun_tell(stderr, "dunlin: %s\n", dun_error_text());
    return dun_exit_code(code);
  }
  exit_code = dun_plan_bind(context, plan, first, last, 1);
  return exit_code ? exit_code : dun_running(context, plan, first, last, began);
}

int dun_command_sweep(struct dun_context *context, const struct dun_arguments *arguments,
                      double began)
{
  struct dun_plan plan;
  int exit_code, code;
  dun_blas_one_thread();
  code = dun_plan_read(context, &plan, arguments);
  if (code < 0 && context->rank == 0)
    dun_tell(stderr, "%s%s%s\n", plan.complaints.count ? plan.complaints.text.text : "dunlin: ",
             plan.complaints.count ? "dunlin: faults in the sweep" : dun_error_text(),
             plan.complaints.count ? "; nothing was run" : "");
  exit_code = code < 0                                ? dun_exit_code(code)
              : arguments->list || arguments->collect ? look(context, &plan)
                                                      : work(context, &plan, began);
  dun_plan_free(&plan);
  return exit_code;
}
