#include "app/commands.h"
#include "app/check_target.h"
#include "app/compare.h"
#include "app/diagnosis.h"
#include "app/driver.h"
#include "app/estimate.h"
#include "app/help.h"
#include "app/promises.h"
#include "app/record.h"
#include "app/room.h"
#include "app/source.h"
#include "app/summary.h"
#include "app/surroundings.h"
#include "app/tile_size.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/tell.h"
#include "io/result.h"
#include "numerics/linear.h"
#include <stdio.h>

/* ---- what went wrong ----------------------------------------------------------------------- */

static void end_line(struct dun_context *context)
{
  if (context->log.line_open)
    fputc('\n', context->log.stream);
  context->log.line_open = 0;
}

/* Rank 0 prints the complaints, or the one sentence of the failure; returns the exit code. */
static int fail(struct dun_context *context, int code, const struct dun_complaints *complaints)
{
  const char *text = dun_error_text();
  if (context->rank != 0)
    return dun_exit_code(code);
  end_line(context);
  if (complaints && complaints->count) {
    dun_tell(stderr, "%s", complaints->text.text ? complaints->text.text : "");
    dun_tell(stderr, "dunlin: %d fault%s in the input; nothing was run\n", complaints->count,
             complaints->count > 1 ? "s" : "");
  } else {
    dun_tell(stderr, "dunlin: %s\n", *text ? text : dun_error_meaning(code));
  }
  return dun_exit_code(code);
}

/* Everything that is refused before anything expensive starts.  Returns 1 if the result is
 * complete. */
static int prepare(struct dun_context *context, struct dun_assembly *assembly,
                   const struct dun_arguments *arguments, int *exit_code)
{
  int code;
  dun_blas_one_thread();
  code = dun_assemble(context, assembly, arguments);
  if (assembly->run.target)
    dun_surroundings_restore(context, assembly->run.target->type.name);
  if (code >= 0)
    code = dun_source_refuse(context, assembly);
  if (code == 0 && !arguments->no_check)
    code = dun_promises_try(context, assembly);
  if (assembly->run.target)
    dun_surroundings_restore(context, assembly->run.target->type.name);
  if (code < 0)
    *exit_code = fail(context, code, &assembly->binder.complaints);
  return code;
}

/* ---- check --------------------------------------------------------------------------------- */

static void tell_input(const struct dun_assembly *assembly, int complete)
{
  const struct dun_run *run = &assembly->run;
  dun_tell(stdout, "%s: good\n", assembly->input.name);
  dun_tell(stdout, "target %s in %d dimensions, method %s, %lld particles", run->target->type.name,
           run->evaluator->dimension, run->method->type.name, run->options.particles);
  dun_tell(stdout, run->options.replicates > 1 ? ", %lld replicates\n" : "\n",
           run->options.replicates);
  dun_tell(stdout, "result: %s%s\n", assembly->file, complete ? ", complete already" : "");
}

/* What asks for more memory or disk than there is will not run: to `check` that is a fault of the
 * input. */
static int refused(struct dun_context *context, int code)
{
  fail(context, code, NULL);
  return dun_exit_code(code == DUN_ERROR_MEMORY || code == DUN_ERROR_FILE ? DUN_ERROR_INPUT : code);
}

static int check(struct dun_context *context, struct dun_assembly *assembly, int complete)
{
  struct dun_text estimate = {0};
  int code = complete ? 0 : dun_room_check(context, assembly), small = 0;
  if (code >= 0 && !assembly->arguments->no_check)
    code = dun_tile_size_tell(context, assembly, &estimate);
  if (code >= 0 && assembly->arguments->estimate)
    code = dun_estimate(context, assembly, &estimate, &small);
  if (code >= 0 && context->rank == 0) {
    tell_input(assembly, complete);
    dun_tell(stdout, "%s", estimate.text ? estimate.text : "");
    fflush(stdout);
  }
  dun_text_free(&estimate);
  if (code < 0)
    return refused(context, code);
  return small ? dun_exit_code(DUN_ERROR_INPUT) : 0;
}

int dun_command_check(struct dun_context *context, const struct dun_arguments *arguments)
{
  struct dun_assembly *assembly = dun_allocate(1, sizeof *assembly);
  int exit_code = 0, code;
  if ((code = dun_agree(context, assembly ? 0 : DUN_ERROR_MEMORY)) < 0) {
    dun_free(assembly);
    return fail(context, code, NULL);
  }
  code = prepare(context, assembly, arguments, &exit_code);
  if (code >= 0)
    exit_code = check(context, assembly, code == 1);
  else if (code == DUN_ERROR_MEMORY)
    exit_code = dun_exit_code(DUN_ERROR_INPUT);
  dun_assembly_free(assembly);
  dun_free(assembly);
  return exit_code;
}

/* ---- run ----------------------------------------------------------------------------------- */

static int run(struct dun_context *context, struct dun_driver *driver,
               struct dun_assembly *assembly, double began, const struct dun_beginning *beginning)
{
  const struct dun_arguments *arguments = assembly->arguments;
  int code = dun_assembly_allocate(context, assembly);
  if (code >= 0)
    code = dun_driver_run(context, driver, assembly, began, beginning);
  if (code < 0)
    return fail(context, code, NULL);
  end_line(context);
  if (code == DUN_RUN_STOPPED) {
    if (context->rank == 0)
      dun_tell(stderr, "dunlin: %s\n", dun_error_text());
    return DUN_EXIT_STOPPED;
  }
  if (context->rank == 0 && !arguments->quiet && dun_summary_brief(assembly->file) < 0)
    dun_tell(stderr, "dunlin: %s\n", dun_error_text());
  return arguments->strict && dun_diagnosis_level(&driver->stored.diagnosis) == DUN_BAD;
}

static void fill(struct dunlin_result *result, const struct dun_driver *driver)
{
  struct dun_evidence evidence = dun_finish_evidence(driver);
  result->log_evidence = evidence.log_evidence;
  result->log_evidence_error = evidence.error;
  result->effective_sample_size = evidence.ess;
  result->population_hash = dun_finish_hash(driver);
  result->diagnosis = dun_diagnosis_level(&driver->stored.diagnosis);
}

int dun_command_run(struct dun_context *context, const struct dun_arguments *arguments,
                    double began, struct dunlin_result *result)
{
  struct dun_assembly *assembly = dun_allocate(1, sizeof *assembly);
  struct dun_driver *driver = dun_allocate(1, sizeof *driver);
  struct dun_beginning beginning;
  dun_record_begin(context, &beginning);
  int exit_code = 0, code = dun_agree(context, assembly && driver ? 0 : DUN_ERROR_MEMORY);
  if (code < 0) {
    exit_code = fail(context, code, NULL);
    goto out;
  }
  code = prepare(context, assembly, arguments, &exit_code);
  if (code == 1) {
    dun_note(&context->log, "%s is complete already", assembly->file);
    if (context->rank == 0) { /* left by a run that died behind its last step but one */
      dun_checkpoint_remove(assembly->file, &assembly->identity);
      dun_result_remove_left(assembly->file, assembly->identity);
    }
  }
  if (code == 0)
    exit_code = run(context, driver, assembly, began, &beginning);
  if (code == 0 && result && driver->finished)
    fill(result, driver);
  dun_driver_free(driver);
  dun_assembly_free(assembly);
out:
  dun_free(driver);
  dun_free(assembly);
  return exit_code;
}

/* ---- compare ------------------------------------------------------------------------------- */

int dun_command_compare(struct dun_context *context, const struct dun_arguments *arguments)
{
  struct dun_text out = {0};
  dun_blas_one_thread();
  int exit_code = dun_compare(context, arguments, &out);
  if (exit_code < 0)
    exit_code = fail(context, exit_code, NULL);
  else if (context->rank == 0)
    dun_tell(stdout, "%s", out.text ? out.text : "");
  dun_text_free(&out);
  fflush(stdout);
  return exit_code;
}

/* ---- without MPI --------------------------------------------------------------------------- */

int dun_command_local(const struct dun_arguments *arguments)
{
  struct dun_text out = {0};
  int code;
  if (arguments->command == DUN_COMMAND_CHECK_TARGET)
    return dun_check_target(arguments);
  if (arguments->command == DUN_COMMAND_LIST)
    code = dun_help_list(&out, arguments->operand[0]);
  else if (arguments->command == DUN_COMMAND_HELP)
    code = dun_help_show(&out, arguments->operand[0], arguments->operand[1], arguments->markdown);
  else
    code = dun_summary(&out, arguments->operand[0], arguments->json);
  if (code >= 0 && out.failed)
    code = dun_fail(DUN_ERROR_MEMORY, "no memory for the answer");
  if (dun_launcher_rank() == 0 && code < 0)
    dun_tell(stderr, "dunlin: %s\n", dun_error_text());
  if (dun_launcher_rank() == 0 && code >= 0)
    dun_tell(stdout, "%s", out.text ? out.text : "");
  dun_text_free(&out);
  return fflush(stdout) ? 1 : dun_exit_code(code);
}
