#include "dunlin/dunlin.h"
#include "app/accord.h"
#include "app/commands.h"
#include "app/last_words.h"
#include "app/stop.h"
#include "app/surroundings.h"
#include "app/sweep.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/tell.h"
#include <stdio.h>
#include <string.h>

static int needs_mpi(const struct dun_arguments *arguments)
{
  return arguments->command == DUN_COMMAND_RUN || arguments->command == DUN_COMMAND_CHECK ||
         arguments->command == DUN_COMMAND_COMPARE || arguments->command == DUN_COMMAND_SWEEP;
}

static int can_stop(const struct dun_arguments *arguments)
{
  return arguments->command == DUN_COMMAND_RUN || arguments->command == DUN_COMMAND_SWEEP;
}

int dunlin_local(int argc, char **argv, int *exit_code)
{
  struct dun_arguments arguments;
  int code = dun_arguments_parse(&arguments, argc, argv), done = 1;
  *exit_code = 0;
  if (!can_stop(&arguments))
    dun_stop_decline();
  if (code == DUN_ERROR_MEMORY)
    done = 0; /* on this rank perhaps: all will agree on it, and rank 0 tells */
  else if (code < 0)
    *exit_code = dun_exit_code(code);
  else if (arguments.answered)
    *exit_code = fflush(stdout) ? 1 : 0;
  else if (needs_mpi(&arguments))
    done = 0;
  else
    *exit_code = dun_command_local(&arguments);
  dun_arguments_free(&arguments);
  return done;
}

static int dispatch(struct dun_context *context, const struct dun_arguments *arguments,
                    double began, struct dunlin_result *result)
{
  int code = 0;
  switch (arguments->command) {
  case DUN_COMMAND_RUN: return dun_command_run(context, arguments, began, result);
  case DUN_COMMAND_SWEEP: return dun_command_sweep(context, arguments, began);
  case DUN_COMMAND_CHECK: return dun_command_check(context, arguments);
  case DUN_COMMAND_COMPARE: return dun_command_compare(context, arguments);
  default: break;
  }
  if (context->rank == 0)
    code = dun_command_local(arguments);
  dun_broadcast(context, &code, sizeof code, 0);
  return code;
}

static int work(struct dun_context *context, const struct dun_arguments *arguments, double began,
                struct dunlin_result *result)
{
  int stops = can_stop(arguments);
  dun_last_words_begin(context);
  if (stops)
    dun_stop_catch();
  dun_surroundings_keep();
  int code = dispatch(context, arguments, began, result);
  if (stops)
    dun_stop_release();
  dun_last_words_end();
  return code;
}

int dunlin_run(MPI_Comm comm, int argc, char **argv, struct dunlin_result *result)
{
  double began = dun_clock();
  struct dun_arguments arguments;
  struct dun_context context;
  int parsed = dun_arguments_parse(&arguments, argc, argv), accord, code;
  if (result)
    memset(result, 0, sizeof *result);
  if (dun_context_init(&context, comm, arguments.quiet ? DUN_WARNINGS : DUN_NOTES) < 0) {
    dun_tell(stderr, "dunlin: %s\n", dun_error_text());
    dun_arguments_free(&arguments);
    return 1;
  }
  accord = dun_accord(&context, argc, argv);
  code = accord < 0 ? accord : dun_agree(&context, parsed);
  if ((accord < 0 || code == DUN_ERROR_MEMORY) && context.rank == 0) /* else the parser has told */
    dun_tell(stderr, "dunlin: %s\n", dun_error_text());
  if (code < 0 || arguments.answered)
    code = dun_exit_code(code);
  else
    code = work(&context, &arguments, began, result);
  dun_context_free(&context);
  dun_arguments_free(&arguments);
  return code;
}

int dunlin_agree(MPI_Comm comm, int argc, char **argv)
{
  struct dun_context context;
  int code = dun_context_init(&context, comm, DUN_WARNINGS);
  if (code == 0)
    code = dun_accord(&context, argc, argv);
  if (code < 0 && context.rank == 0)
    dun_tell(stderr, "dunlin: %s\n", dun_error_text());
  dun_context_free(&context);
  return dun_exit_code(code);
}
