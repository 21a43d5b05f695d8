/* The test harness: small, collective, and unable to hang when one rank fails. */
#ifndef DUNLIN_TESTS_CHECK_H
#define DUNLIN_TESTS_CHECK_H

#include "parallel/context.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct dun_context test_context;
static int test_bad;

#define CHECK(condition)                                                                           \
  do {                                                                                             \
    if (!(condition)) {                                                                            \
      fprintf(stderr, "%s:%d: rank %d: %s\n", __FILE__, __LINE__, test_context.rank, #condition);  \
      test_bad++;                                                                                  \
    }                                                                                              \
  } while (0)

/* |a - b| <= tolerance, both printed if not; NaN fails. */
#define CHECK_NEAR(a, b, tolerance)                                                                \
  do {                                                                                             \
    double a_ = (a), b_ = (b), t_ = (tolerance);                                                   \
    if (!(fabs(a_ - b_) <= t_)) {                                                                  \
      fprintf(stderr, "%s:%d: rank %d: %s = %.17g, %s = %.17g, |difference| %.3g > %.3g\n",        \
              __FILE__, __LINE__, test_context.rank, #a, a_, #b, b_, fabs(a_ - b_), t_);           \
      test_bad++;                                                                                  \
    }                                                                                              \
  } while (0)

struct test {
  const char *name;
  void (*run)(void);
};

/* Runs the tests (all, or those named on the command line); a test fails if any rank saw a
 * fault. */
static int run_tests(const struct test *tests, int count, int argc, char **argv)
{
  int failed = 0, ran = 0;
  MPI_Init(&argc, &argv);
  if (dun_context_init(&test_context, MPI_COMM_WORLD, DUN_WARNINGS) < 0)
    MPI_Abort(MPI_COMM_WORLD, 1);
  for (int i = 0; i < count; i++) {
    int any = 0, wanted = argc < 2;
    for (int a = 1; a < argc; a++)
      wanted |= !strcmp(argv[a], tests[i].name);
    if (!wanted)
      continue;
    test_bad = 0;
    tests[i].run();
    MPI_Allreduce(&test_bad, &any, 1, MPI_INT, MPI_SUM, test_context.comm);
    if (test_context.rank == 0)
      printf("%s %d - %s\n", any ? "not ok" : "ok", i + 1, tests[i].name);
    failed += any != 0;
    ran++;
  }
  dun_context_free(&test_context);
  MPI_Finalize();
  return failed || !ran;
}

#define TEST_MAIN(...)                                                                             \
  int main(int argc, char **argv)                                                                  \
  {                                                                                                \
    static const struct test tests[] = {__VA_ARGS__};                                              \
    return run_tests(tests, (int)(sizeof tests / sizeof *tests), argc, argv);                      \
  }

#endif
