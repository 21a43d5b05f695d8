/* Run the sampler from another program.
 *
 *     char *argv[] = {"dunlin", "run", "input.yaml", "--quiet", NULL};
 *     struct dunlin_result result;
 *     int code = dunlin_run(MPI_COMM_WORLD, 4, argv, &result);
 *
 * Link the static library `dunlin` and what cmake/dependencies.cmake names. */
#ifndef DUNLIN_DUNLIN_H
#define DUNLIN_DUNLIN_H

#include <mpi.h>
#include <stdint.h>

/* What a run found, as in the root attributes of its result file. */
struct dunlin_result {
  double log_evidence, log_evidence_error; /* NAN: not known */
  double effective_sample_size;
  uint64_t population_hash;
  int diagnosis; /* 0 good, 1 doubtful, 2 bad */
};

/* Collective over `comm`, which is duplicated; MPI is initialised and stays so.  Does what the
 * command line does: argv[0] is not looked at, argv[1] is the command.  While it runs, SIGUSR1,
 * SIGUSR2, SIGTERM, SIGXCPU and, unless it is ignored, SIGHUP lead to a checkpoint and the code 85;
 * the handlers that were there are put back.
 * `result` may be NULL; it is filled on all ranks when a run was done, else zero.
 *
 * Returns the program's exit code: 0 done; 1 failed; 2 bad usage or input; 85 stopped early with
 * a checkpoint. */
int dunlin_run(MPI_Comm comm, int argc, char **argv, struct dunlin_result *result);

/* Before MPI is initialised: does what needs no MPI (list, help, summary, check-target, --help,
 * faults of the command line) and returns 1 with the exit code; returns 0 if dunlin_run has to go
 * on.  Signals that were caught before and that the command does not stop for end the process. */
int dunlin_local(int argc, char **argv, int *exit_code);

/* Collective over `comm`, after dunlin_local has done everything: 0; 2, after a sentence on stderr,
 * where ranks were started with other words, in other folders or with other builds of the program
 * than rank 0, as dunlin_run would return. */
int dunlin_agree(MPI_Comm comm, int argc, char **argv);

#endif
