#include "app/sweep.h"
#include "app/collect.h"
#include "app/commands.h"
#include "app/plan.h"
#include "app/standing.h"
#include "base/error.h"
#include "base/memory.h"
#include "io/result.h"
#include "numerics/linear.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* ---- the work ------------------------------------------------------------------------------ */

/* Collective.  1: the member is done; 0: it is not; < 0. */
static int is_complete(struct dun_context *context, const struct dun_plan *plan, int member)
{
  struct dun_text file = {0};
  dun_plan_file(plan, member, ".h5", &file);
  int code = dun_agree(context, file.failed ? DUN_ERROR_MEMORY : 0);
  if (code == 0)
    code = dun_result_exists(context, file.text, plan->identity[member]);
  dun_text_free(&file);
  return code < 0 ? code : code == 1 && !plan->arguments->overwrite;
}

static int run_member(struct dun_context *context, const struct dun_plan *plan, int member,
                      double began)
{
  struct dun_member_arguments own;
  struct dun_text file = {0}, label = {0};
  int exit_code = 1, code = dun_member_arguments(plan, member, &own);
  dun_plan_file(plan, member, ".h5", &file);
  dun_plan_describe(plan, member, &label);
  code = file.failed || label.failed ? DUN_ERROR_MEMORY : code;
  if (dun_agree(context, code) == 0) {
    own.arguments.output = file.text;
    dun_note(&context->log, "member %d of %d: %s", member + 1, plan->members.count, label.text);
    exit_code = dun_command_run(context, &own.arguments, began, NULL);
    if (context->rank == 0 && exit_code != DUN_EXIT_STOPPED)
      dun_standing_keep(file.text, exit_code ? dun_error_text() : NULL);
  }
  dun_member_free(&own);
  dun_text_free(&file);
  dun_text_free(&label);
  return exit_code;
}

static int make_folder(struct dun_context *context, const struct dun_plan *plan)
{
  int code = 0;
  if (context->rank == 0 && mkdir(plan->folder.text, 0777) && errno != EEXIST)
    code = dun_fail(DUN_ERROR_FILE, "%s: the folder cannot be made: %s", plan->folder.text,
                    strerror(errno));
  return dun_agree(context, code);
}

static int run_all(struct dun_context *context, const struct dun_plan *plan, int first, int last,
                   double began)
{
  int failed = 0, skipped = 0, exit_code;
  for (int i = first; i < last; i++) {
    int complete = is_complete(context, plan, i);
    if (complete > 0) {
      skipped++;
      continue;
    }
    if ((exit_code = run_member(context, plan, i, began)) == DUN_EXIT_STOPPED)
      return exit_code;
    failed += exit_code != 0;
  }
  dun_note(&context->log, "%d of %d members done, %d of them before, %d failed: %s",
           last - first - failed, last - first, skipped, failed, plan->folder.text);
  return failed > 0;
}

/* ---- without running ----------------------------------------------------------------------- */

static void list(const struct dun_plan *plan)
{
  for (int i = 0; i < plan->members.count; i++) {
    struct dun_text label = {0}, file = {0}, reason = {0};
    dun_plan_describe(plan, i, &label);
    dun_plan_file(plan, i, ".h5", &file);
    const char *word = "-";
    if (file.text)
      word = dun_standing_word(dun_standing_of(file.text, plan->identity[i], NULL, &reason));
    printf("%d\t%016llx\t%s\t%s%s%s\n", i + 1, (unsigned long long)plan->identity[i], word,
           label.text ? label.text : "", reason.length ? "\t" : "",
           reason.length ? reason.text : "");
    dun_text_free(&label);
    dun_text_free(&file);
    dun_text_free(&reason);
  }
  fflush(stdout);
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
  else if (code == 0 && context->rank == 0)
    list(plan);
  code = dun_agree(context, code);
  if (code < 0 && context->rank == 0)
    fprintf(stderr, "dunlin: %s\n", dun_error_text());
  return dun_exit_code(code);
}

/* ---- the command --------------------------------------------------------------------------- */

static int work(struct dun_context *context, struct dun_plan *plan, double began)
{
  long long index = plan->arguments->index;
  int first = index > 0 ? (int)index - 1 : 0, last = index > 0 ? first + 1 : plan->members.count;
  int code = 0, exit_code;
  if (index > plan->members.count)
    code = dun_fail(DUN_ERROR_INPUT, "--index %lld: the sweep has %d members", index,
                    plan->members.count);
  else if ((exit_code = dun_plan_bind(context, plan, first, last, 1)) != 0)
    return exit_code;
  if (code == 0)
    code = make_folder(context, plan);
  if (code < 0 && context->rank == 0)
    fprintf(stderr, "dunlin: %s\n", dun_error_text());
  return code < 0 ? dun_exit_code(code) : run_all(context, plan, first, last, began);
}

int dun_command_sweep(struct dun_context *context, const struct dun_arguments *arguments,
                      double began)
{
  struct dun_plan plan;
  int exit_code, code;
  dun_blas_one_thread();
  code = dun_plan_read(context, &plan, arguments);
  if (code < 0 && context->rank == 0)
    fprintf(stderr, "%s%s%s\n", plan.complaints.count ? plan.complaints.text.text : "dunlin: ",
            plan.complaints.count ? "dunlin: faults in the sweep" : dun_error_text(),
            plan.complaints.count ? "; nothing was run" : "");
  exit_code = code < 0                                ? dun_exit_code(code)
              : arguments->list || arguments->collect ? look(context, &plan)
                                                      : work(context, &plan, began);
  dun_plan_free(&plan);
  return exit_code;
}
