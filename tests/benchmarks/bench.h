/* The frame of the benchmarks.  A row is one function that times its work, and one line in the
 * table of its file:
 *
 *     static void ten_normals(struct bench_result *result)
 *     {
 *       struct bench_timer timer = {0};
 *       while (bench_again(&timer))
 *         dun_normals(address, 10, out);
 *       result->ns = bench_ns(&timer, DUN_LANES);
 *     }
 *
 *     const struct bench_row bench_base[] = {
 *         {.work = "10 normals", .slots = 1250, .measure = ten_normals},
 *         {0},
 *     };
 */
#ifndef DUNLIN_TESTS_BENCH_H
#define DUNLIN_TESTS_BENCH_H

#include "parallel/context.h"
#include <stddef.h>
#include <stdint.h>

struct bench_result {
  double ns;   /* nanoseconds per particle (or element) */
  double bare; /* the same of the least loop that does this work, or of a memcpy; 0: none */
};

struct bench_row {
  const char *work;
  double slots; /* aim: ns × the core's peak in GF/s; 0: none */
  double times; /* aim: multiple of the bare loop; 0: none */
  void (*measure)(struct bench_result *result);
};

/* Zeroed before use.  The best of several batches is taken. */
struct bench_timer {
  int64_t left, batch; /* calls to go, and of each batch */
  double start, best;  /* seconds; best: per call */
  int rounds;
};

/* The ranks of the run; rows may use it. */
extern struct dun_context bench_context;

/* Collective, between batches: all ranks make the same number of calls, and the slowest counts. */
int bench_next_batch(struct bench_timer *timer);

/* Collective: 1 as long as the work is to be done once more. */
static inline int bench_again(struct bench_timer *timer)
{
  return timer->left-- > 0 || bench_next_batch(timer);
}

/* Nanoseconds per particle, when a call does `particles` of them, over all ranks. */
double bench_ns(const struct bench_timer *timer, int64_t particles);

/* Collective.  Nanoseconds per row of a memcpy of so many rows on each rank, over all ranks. */
double bench_copy_ns(int64_t rows, size_t bytes);

/* Keeps a value alive, so that its computation is not left out. */
void bench_keep(double value);

#endif
