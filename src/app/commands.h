/* The commands.  All return the program's exit code, the same on all ranks, and print each error
 * once. */
#ifndef DUNLIN_APP_COMMANDS_H
#define DUNLIN_APP_COMMANDS_H

#include "app/arguments.h"
#include "dunlin/dunlin.h"
#include "parallel/context.h"

/* The exit code of a run that stopped early and can go on. */
enum { DUN_EXIT_STOPPED = 85 };

/* Collective.  `began`: dun_clock() when the program started; `result` may be NULL. */
int dun_command_run(struct dun_context *context, const struct dun_arguments *arguments,
                    double began, struct dunlin_result *result);
/* Collective. */
int dun_command_check(struct dun_context *context, const struct dun_arguments *arguments);
/* Collective. */
int dun_command_compare(struct dun_context *context, const struct dun_arguments *arguments);

/* list, help, summary, check-target: of one process, without MPI. */
int dun_command_local(const struct dun_arguments *arguments);

#endif
