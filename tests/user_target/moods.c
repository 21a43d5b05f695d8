/* A normal law, or what a target should not be, as its option says. */
#define _POSIX_C_SOURCE 200809L /* nanosleep */
#include <dunlin/target.h>
#include <math.h>
#include <time.h>

enum { WELL, CRASH, NOWHERE, SLOW };

struct moods {
  int mood;
};

static volatile long calls;

static double point(const void *self, const double *x, double *gradient)
{
  const struct moods *m = self;
  if (gradient)
    gradient[0] = -x[0];
  if (m->mood == CRASH && ++calls > 300)
    *(volatile int *)calls = 0;
  if (m->mood == SLOW)
    nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
  return m->mood == NOWHERE ? -INFINITY : -.5 * x[0] * x[0];
}

static const struct dun_option options[] = {
    {.name = "mood",
     .type = DUN_CHOICE,
     .offset = offsetof(struct moods, mood),
     .initial = "well",
     .words = "well|crash|nowhere|slow",
     .doc = "What it does."},
    {0},
};

const struct dun_target dun_target_moods = {
    .type = {DUN_TYPE(struct dun_target), .name = "moods", .doc = "A normal law, at best.",
             .size = sizeof(struct moods), .options = options},
    .dimension = 1,
    .point = point,
};
