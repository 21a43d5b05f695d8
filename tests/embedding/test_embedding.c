/* The sampler inside another program: half of the ranks run it on a communicator of their own,
 * and the program goes on afterwards. */
/* ranks: 1 3 */
#include "dunlin/dunlin.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char input[] = "run: {seed: 3, particles: 1024}\n"
                            "target: {type: gaussian, dimension: 3, mean: 1}\n"
                            "path: {type: geometric, base: {type: gaussian, mean: 0, scale: 3}, "
                            "schedule: {type: adaptive}}\n"
                            "kernel: {type: hmc}\n"
                            "method: {type: smc}\n";

static int write_input(char *folder, size_t size, char *name)
{
  FILE *file;
  snprintf(folder, size, "%s/dunlin-embedding-XXXXXX",
           getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
  if (!mkdtemp(folder))
    return -1;
  snprintf(name, size, "%s/input.yaml", folder);
  file = fopen(name, "w");
  if (!file)
    return -1;
  fputs(input, file);
  return fclose(file);
}

/* log Z of a normalised density is 0; the error is the program's own. */
static int judge(int code, const struct dunlin_result *result)
{
  int good = code == 0 && result->log_evidence_error > 0 && result->log_evidence_error < .5 &&
             fabs(result->log_evidence) < 5 * result->log_evidence_error &&
             result->population_hash != 0 && result->effective_sample_size > 100;
  printf("exit code %d, log Z %.4f +- %.4f, ESS %.0f, hash %016llx: %s\n", code,
         result->log_evidence, result->log_evidence_error, result->effective_sample_size,
         (unsigned long long)result->population_hash, good ? "good" : "wrong");
  return !good;
}

static void clean(const char *folder)
{
  static const char *const left[] = {"input.yaml", "result.h5", "result.h5.progress.jsonl"};
  char name[512];
  for (size_t i = 0; i < sizeof left / sizeof *left; i++) {
    snprintf(name, sizeof name, "%s/%s", folder, left[i]);
    unlink(name);
  }
  rmdir(folder);
}

int main(int argc, char **argv)
{
  char folder[400] = "", name[400] = "", output[450];
  struct dunlin_result result = {0};
  int rank, part, code, bad = 0, worst;
  MPI_Comm own;
  MPI_Init(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  /* The last ranks have something else to do. */
  part = rank >= 2;
  MPI_Comm_split(MPI_COMM_WORLD, part, rank, &own);
  if (rank == 0)
    bad = write_input(folder, sizeof folder, name);
  MPI_Bcast(folder, sizeof folder, MPI_CHAR, 0, MPI_COMM_WORLD);
  MPI_Bcast(name, sizeof name, MPI_CHAR, 0, MPI_COMM_WORLD);
  if (!part && !bad) {
    snprintf(output, sizeof output, "--output=%s/result.h5", folder);
    char *words[] = {argv[0], "run", name, output, "--quiet", NULL};
    code = dunlin_run(own, 5, words, &result);
    bad = judge(code, &result);
    /* The result is there already: refused, by all ranks. */
    code = dunlin_run(own, 5, words, &result);
    bad |= code != 2 || result.population_hash != 0;
  }
  MPI_Allreduce(&bad, &worst, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
  if (rank == 0)
    clean(folder);
  MPI_Comm_free(&own);
  MPI_Finalize();
  return worst != 0;
}
