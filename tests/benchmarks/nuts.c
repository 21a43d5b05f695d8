/* Chains of the no-U-turn sampler on the target of an input:
 *
 *     nuts INPUT DRAWS.npy [chains N] [warmup N] [draws N] [thin N] [seed N] [metric dense]
 *
 * The input is one that `dunlin run` takes, of which the target counts alone.  DRAWS.npy gets the
 * output parameters, [chains][draws][entries], for numpy.load; standard output a line of JSON:
 * names of the entries, and what was counted.  Gradients are those of leapfrogs, of the starts and
 * of the searches for a first step; that at the point of departure is kept from move to move. */
#include "nuts.h"
#include "app/assemble.h"
#include "base/error.h"
#include "base/memory.h"
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct plan {
  long long chains, warmup, draws, thin, seed;
  int dense;
};

static int read_plan(struct plan *plan, int argc, char **argv)
{
  *plan = (struct plan){4, 1000, 1000, 1, 1, 0};
  const char *name[] = {"chains", "warmup", "draws", "thin", "seed"};
  long long *member[] = {&plan->chains, &plan->warmup, &plan->draws, &plan->thin, &plan->seed};
  if (argc < 3 || argc % 2 == 0)
    return -1;
  for (int a = 3; a < argc; a += 2) {
    int known = !strcmp(argv[a], "metric");
    if (known)
      plan->dense = !strcmp(argv[a + 1], "dense");
    for (int i = 0; i < 5; i++)
      if (!strcmp(argv[a], name[i])) {
        *member[i] = atoll(argv[a + 1]);
        known = *member[i] >= (member[i] != &plan->warmup);
      }
    if (!known)
      return -1;
  }
  return 0;
}

/* ---- output --------------------------------------------------------------------------------- */

static void print_names(const struct dun_evaluator *evaluator)
{
  int count = dun_evaluator_parameters(evaluator, 0, NULL), first = 1;
  struct dun_parameter *p = calloc((size_t)count, sizeof *p);
  dun_evaluator_parameters(evaluator, count, p);
  printf("\"names\": [");
  for (int i = 0; i < count; i++) {
    int rows = p[i].rank > 0 ? p[i].shape[0] : 1, columns = p[i].rank > 1 ? p[i].shape[1] : 1;
    for (int e = 0; e < rows * columns; e++, first = 0) {
      printf("%s\"%s", first ? "" : ", ", p[i].name);
      if (p[i].rank == 1)
        printf("[%d]", e + 1);
      if (p[i].rank == 2)
        printf("[%d,%d]", e / columns + 1, e % columns + 1);
      printf("\"");
    }
  }
  printf("]");
  free(p);
}

static int write_draws(const char *name, const struct plan *plan, int entries, const double *draws)
{
  char head[129];
  int length = snprintf(head, sizeof head,
                        "%cNUMPY%c%cv%c{'descr': '<f8', 'fortran_order': False, 'shape': (%lld, "
                        "%lld, %d), }",
                        0x93, 1, 0, 0, plan->chains, plan->draws, entries);
  memset(head + length, ' ', sizeof head - 1 - (size_t)length);
  head[127] = '\n';
  head[6] = 1; /* version 1.0, and 118 bytes of header */
  head[7] = 0;
  head[8] = 118;
  head[9] = 0;
  FILE *file = fopen(name, "wb");
  size_t count = (size_t)(plan->chains * plan->draws * entries);
  int good = file && fwrite(head, 1, 128, file) == 128 &&
             fwrite(draws, sizeof *draws, count, file) == count;
  return file && fclose(file) == 0 && good ? 0 : -1;
}

/* ---- chains --------------------------------------------------------------------------------- */

static int run_chain(struct nuts_chain *chain, const struct plan *plan, double *draws)
{
  struct dun_evaluator *evaluator = chain->evaluator;
  if (nuts_start(chain) < 0 || nuts_adapt(chain, (int)plan->warmup) < 0)
    return -1;
  int64_t warm = chain->gradients;
  chain->moves = chain->divergences = chain->deepest = 0;
  for (long long i = 0; i < plan->draws; i++) {
    for (long long s = 0; s < plan->thin; s++)
      nuts_move(chain);
    dun_evaluator_constrain(evaluator, chain->now.q, draws + i * evaluator->outputs);
  }
  printf("{\"warmup_gradients\": %lld, \"gradients\": %lld, \"divergences\": %lld, "
         "\"deepest\": %lld, \"step\": %.4g}",
         (long long)warm, (long long)(chain->gradients - warm), (long long)chain->divergences,
         (long long)chain->deepest, chain->step);
  return 0;
}

static int run_chains(struct dun_evaluator *evaluator, const struct plan *plan, const char *file)
{
  int64_t entries = evaluator->outputs, size = plan->draws * entries;
  double *draws = dun_allocate(plan->chains * size, sizeof *draws);
  int status = draws ? 0 : -1;
  printf("{");
  print_names(evaluator);
  printf(", \"dimension\": %d, \"chains\": [", evaluator->dimension);
  for (long long c = 0; c < plan->chains && status == 0; c++) {
    struct nuts_chain chain;
    printf("%s", c ? ", " : "");
    status = nuts_init(&chain, evaluator, plan->dense, (uint64_t)(plan->seed * 1000 + c));
    if (status == 0)
      status = run_chain(&chain, plan, draws + c * size);
    nuts_free(&chain);
  }
  printf("]}\n");
  if (status == 0)
    status = write_draws(file, plan, (int)entries, draws);
  DUN_FREE(draws);
  return status;
}

static int run(struct dun_context *context, const char *input, const struct plan *plan,
               const char *file)
{
  struct dun_assembly assembly = {0};
  struct dun_arguments arguments = {.command = DUN_COMMAND_RUN,
                                    .operand = {input},
                                    .operands = 1,
                                    .overwrite = 1,
                                    .quiet = 1,
                                    .trust = 1,
                                    .time_limit = -1};
  int status = dun_assemble(context, &assembly, &arguments);
  if (status < 0)
    fprintf(stderr, "%s\n%s\n",
            assembly.binder.complaints.text.text ? assembly.binder.complaints.text.text : "",
            dun_error_text());
  else if ((status = run_chains(&assembly.evaluator, plan, file)) < 0)
    fprintf(stderr, "No finite start, no metric, no memory or no room for %s.\n", file);
  dun_assembly_free(&assembly);
  return status;
}

int main(int argc, char **argv)
{
  struct dun_context context;
  struct plan plan;
  if (read_plan(&plan, argc, argv) < 0) {
    fprintf(stderr, "nuts INPUT DRAWS.npy [chains N] [warmup N] [draws N] [thin N] [seed N] "
                    "[metric dense|diagonal]\n");
    return 2;
  }
  MPI_Init(&argc, &argv);
  if (dun_context_init(&context, MPI_COMM_WORLD, DUN_WARNINGS) < 0)
    MPI_Abort(MPI_COMM_WORLD, 1);
  int status = run(&context, argv[1], &plan, argv[2]);
  dun_context_free(&context);
  MPI_Finalize();
  return status < 0;
}
