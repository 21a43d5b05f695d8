/* bench [WORD ...]: times the rows whose name, or whose file's, holds one of the words; all of them
 * without words.  Also under mpirun.
 *
 * Machines differ: `slots` are nanoseconds per particle × this core's peak in GF/s (fused
 * multiply-adds in registers), measured just before the row.  With AVX2 up to 1.5 times the aim is
 * in order. */
#include "bench.h"
#include "base/memory.h"
#include "base/vmath.h"
#include "dunlin/target.h"
#include "version.h"
#include <stdio.h>
#include <string.h>

struct dun_context bench_context;

static volatile double kept;

void bench_keep(double value)
{
  kept = value;
}

/* ---- time -------------------------------------------------------------------------------- */

enum { ROUNDS = 15 };

int bench_next_batch(struct bench_timer *timer)
{
  static const double enough = 2e-3; /* seconds of a batch */
  double seconds = dun_clock() - timer->start;
  if (timer->batch > 0) {
    MPI_Allreduce(MPI_IN_PLACE, &seconds, 1, MPI_DOUBLE, MPI_MAX, bench_context.comm);
    if (seconds < enough && timer->rounds == 0) {
      timer->batch *= 2;
    } else {
      double call = seconds / (double)timer->batch;
      timer->best = timer->rounds == 0 || call < timer->best ? call : timer->best;
      timer->rounds++;
    }
  } else {
    timer->batch = 1;
  }
  if (timer->rounds == ROUNDS)
    return 0;
  timer->left = timer->batch - 1;
  MPI_Barrier(bench_context.comm);
  timer->start = dun_clock();
  return 1;
}

double bench_ns(const struct bench_timer *timer, int64_t particles)
{
  return 1e9 * timer->best / ((double)particles * bench_context.size);
}

double bench_copy_ns(int64_t rows, size_t bytes)
{
  char *from = dun_allocate(rows, bytes), *to = dun_allocate(rows, bytes);
  struct bench_timer timer = {0};
  while (from && to && bench_again(&timer))
    memcpy(to, from, (size_t)rows * bytes);
  bench_keep(to ? to[rows / 2] : 0);
  DUN_FREE(from);
  DUN_FREE(to);
  return bench_ns(&timer, rows);
}

/* ---- peak -------------------------------------------------------------------------------- */

enum { REPEATS = 4096 };

/* As many chains as fit the registers of one width or another. */
#define CHAINS(count)                                                                              \
  DUN_CLONES static double chains_##count(double factor)                                           \
  {                                                                                                \
    double x[count], sum = 0;                                                                      \
    for (int i = 0; i < count; i++)                                                                \
      x[i] = i;                                                                                    \
    for (int r = 0; r < REPEATS; r++)                                                              \
      for (int i = 0; i < count; i++)                                                              \
        x[i] = DUN_FMA(x[i], factor, factor);                                                      \
    for (int i = 0; i < count; i++)                                                                \
      sum += x[i];                                                                                 \
    return sum;                                                                                    \
  }

CHAINS(16)
CHAINS(32)
CHAINS(48)
CHAINS(64)
CHAINS(96)
CHAINS(128)

/* GF/s of one core, while all ranks do the same. */
static double peak(void)
{
  static const struct {
    double (*run)(double);
    int chains;
  } all[] = {{chains_16, 16}, {chains_32, 32}, {chains_48, 48},
             {chains_64, 64}, {chains_96, 96}, {chains_128, 128}};
  double most = 0;
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
    struct bench_timer timer = {0};
    while (bench_again(&timer))
      bench_keep(all[i].run(kept * 0 + .5));
    double rate = 2e-9 * REPEATS * all[i].chains / timer.best;
    most = rate > most ? rate : most;
  }
  return most;
}

/* ---- the table --------------------------------------------------------------------------- */

#define ROOM(name) extern const struct bench_row bench_##name[];
BENCH_ROOMS
#undef ROOM
#define ROOM(name) {#name, bench_##name},
static const struct {
  const char *name;
  const struct bench_row *rows;
} rooms[] = {BENCH_ROOMS};

static int chosen(const char *work, int argc, char **argv)
{
  for (int i = 1; i < argc; i++)
    if (strstr(work, argv[i]))
      return 1;
  return argc < 2;
}

static void print_ratio(double value, double by)
{
  if (by > 0)
    printf(" %8.2f", value / by);
  else
    printf(" %8s", "-");
}

static void print_number(double value)
{
  if (value > 0)
    printf(value < 100 ? " %8.2f" : " %8.0f", value);
  else
    printf(" %8s", "-");
}

static void print_row(const struct bench_row *row, struct bench_result result, double gigaflops)
{
  double slots = result.ns * gigaflops;
  printf("%-44s", row->work);
  print_number(result.ns);
  print_number(slots);
  print_number(row->slots);
  print_ratio(row->slots, row->slots > 0 ? slots : 0);
  print_number(result.bare);
  print_ratio(result.ns, result.bare);
  print_number(row->times);
  printf("\n");
  fflush(stdout);
}

static void print_head(void)
{
  enum { ROWS = 1000000 };
  double gigaflops = peak(), copy = bench_copy_ns(ROWS, 10 * sizeof(double));
  if (bench_context.rank != 0)
    return;
  printf("%s, %s, width %s, %d rank(s)\n", DUN_COMMIT, DUN_COMPILER, DUN_SIMD, bench_context.size);
  printf("peak of a core %.1f GF/s, memcpy of a row of 10 numbers %.2f ns (%d rows)\n\n", gigaflops,
         copy, ROWS);
  printf("%-44s %8s %8s %8s %8s %8s %8s %8s\n", "work", "ns", "slots", "aim", "aim/is", "bare ns",
         "ns/bare", "aim");
}

static void run(int argc, char **argv)
{
  print_head();
  for (size_t r = 0; r < sizeof rooms / sizeof *rooms; r++)
    for (const struct bench_row *row = rooms[r].rows; row->work; row++) {
      struct bench_result result = {0};
      if (!chosen(row->work, argc, argv) && !chosen(rooms[r].name, argc, argv))
        continue;
      double gigaflops = peak();
      row->measure(&result);
      if (bench_context.rank == 0)
        print_row(row, result, gigaflops);
    }
}

int main(int argc, char **argv)
{
  MPI_Init(&argc, &argv);
  if (dun_context_init(&bench_context, MPI_COMM_WORLD, DUN_WARNINGS) < 0)
    MPI_Abort(MPI_COMM_WORLD, 1);
  run(argc, argv);
  dun_context_free(&bench_context);
  MPI_Finalize();
  return 0;
}
