/* Two Gaussians, for tests of interruption.  Environment variables, which are no part of an input,
 * tell what happens in each process:
 *   DUNLIN_TEST_RAISE  the number of the evaluation, from 1, in which a signal is raised
 *   DUNLIN_TEST_SIGNAL its number; SIGUSR1 if this is not given
 *   DUNLIN_TEST_SLEEP  microseconds that this evaluation then takes
 *   DUNLIN_TEST_NAP    microseconds that every evaluation takes
 *   DUNLIN_TEST_WALL   outside the support lies what has an x[0] below this
 *   DUNLIN_TEST_LOG    a file that gets the time of every evaluation from that one on, and whose
 *   DUNLIN_TEST_FROM   it is; from this one on, if this is given */
#define _GNU_SOURCE
#include <dunlin/target.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { DIMENSION = 5 };

static long long count; /* in this process */

static long long number(const char *name)
{
  const char *text = getenv(name);
  return text ? atoll(text) : 0;
}

static void rest(long long microseconds)
{
  struct timespec time = {microseconds / 1000000, microseconds % 1000000 * 1000};
  if (microseconds > 0)
    nanosleep(&time, NULL);
}

static void note(void)
{
  struct timespec now;
  FILE *file = fopen(getenv("DUNLIN_TEST_LOG"), "a");
  if (!file)
    return;
  clock_gettime(CLOCK_BOOTTIME, &now);
  fprintf(file, "%.9f %ld\n", (double)now.tv_sec + 1e-9 * (double)now.tv_nsec, (long)getpid());
  fclose(file);
}

static void happen(void)
{
  long long at = number("DUNLIN_TEST_RAISE");
  long long from = getenv("DUNLIN_TEST_FROM") ? number("DUNLIN_TEST_FROM") : at;
  count++;
  if (getenv("DUNLIN_TEST_LOG") && count >= from)
    note();
  rest(number("DUNLIN_TEST_NAP"));
  if (count == at) {
    raise(getenv("DUNLIN_TEST_SIGNAL") ? (int)number("DUNLIN_TEST_SIGNAL") : SIGUSR1);
    rest(number("DUNLIN_TEST_SLEEP"));
  }
}

static double point(const void *self, const double *x, double *gradient)
{
  double low = 0, high = 0;
  (void)self;
  happen();
  if (getenv("DUNLIN_TEST_WALL") && x[0] < atof(getenv("DUNLIN_TEST_WALL")))
    return -INFINITY;
  for (int j = 0; j < DIMENSION; j++) {
    low += (x[j] + 2) * (x[j] + 2) / 2;
    high += (x[j] - 2) * (x[j] - 2) / 2;
  }
  double least = low < high ? low : high, a = exp(least - low), b = exp(least - high);
  for (int j = 0; gradient && j < DIMENSION; j++)
    gradient[j] = -(a * (x[j] + 2) + b * (x[j] - 2)) / (a + b);
  return log(a + b) - least;
}

const struct dun_target dun_target_interrupted = {
    .type = {DUN_TYPE(struct dun_target), .name = "interrupted", .doc = "Two Gaussians."},
    .dimension = DIMENSION,
    .point = point,
};
