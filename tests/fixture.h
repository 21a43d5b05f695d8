/* A run put together from the text of an input, as the program does it. */
#ifndef DUNLIN_TESTS_FIXTURE_H
#define DUNLIN_TESTS_FIXTURE_H

#include "app/assemble.h"
#include "base/error.h"
#ifndef FIXTURE_CONTEXT
#include "check.h"
#define FIXTURE_CONTEXT test_context
#endif
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct fixture {
  struct dun_arguments arguments;
  struct dun_assembly assembly;
};

/* Collective.  Assembles and allocates; ends the program with the complaints if the input is
 * refused. */
static inline struct dun_run *fixture_make(struct fixture *fixture, const char *text)
{
  char name[64] = "";
  memset(fixture, 0, sizeof *fixture);
  if (FIXTURE_CONTEXT.rank == 0) {
    snprintf(name, sizeof name, "fixture.%ld.yaml", (long)getpid());
    FILE *file = fopen(name, "w");
    if (!file || fputs(text, file) < 0 || fclose(file))
      MPI_Abort(FIXTURE_CONTEXT.comm, 1);
  }
  MPI_Bcast(name, sizeof name, MPI_CHAR, 0, FIXTURE_CONTEXT.comm);
  fixture->arguments = (struct dun_arguments){.command = DUN_COMMAND_RUN,
                                              .operand = {name},
                                              .operands = 1,
                                              .overwrite = 1,
                                              .quiet = 1,
                                              .time_limit = -1};
  int status = dun_assemble(&FIXTURE_CONTEXT, &fixture->assembly, &fixture->arguments);
  if (status >= 0)
    status = dun_assembly_allocate(&FIXTURE_CONTEXT, &fixture->assembly);
  if (status < 0) {
    if (FIXTURE_CONTEXT.rank == 0)
      fprintf(stderr, "%s\n%s\n",
              fixture->assembly.binder.complaints.text.text
                  ? fixture->assembly.binder.complaints.text.text
                  : "",
              dun_error_text());
    MPI_Abort(FIXTURE_CONTEXT.comm, 1);
  }
  MPI_Barrier(FIXTURE_CONTEXT.comm);
  if (FIXTURE_CONTEXT.rank == 0)
    unlink(name);
  return &fixture->assembly.run;
}

static inline void fixture_free(struct fixture *fixture)
{
  dun_assembly_free(&fixture->assembly);
}

#endif
