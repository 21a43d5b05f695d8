#include "base/clock.h"
#include <string.h>
#include <time.h>

double dun_clock(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

const char *dun_phase_name(enum dun_phase phase)
{
  static const char *const names[DUN_PHASES] = {
      [DUN_PHASE_SETUP] = "setup",
      [DUN_PHASE_WEIGH] = "weigh",
      [DUN_PHASE_SELECT] = "select",
      [DUN_PHASE_MOVE] = "move",
      [DUN_PHASE_LOOK] = "look",
      [DUN_PHASE_OUTPUT] = "output",
      [DUN_PHASE_CHECKPOINT] = "checkpoint",
  };
  return names[phase];
}

void dun_timers_start(struct dun_timers *timers, enum dun_phase phase)
{
  *timers = (struct dun_timers){.now = phase, .since = dun_clock()};
}

enum dun_phase dun_timers_switch(struct dun_timers *timers, enum dun_phase phase)
{
  enum dun_phase left = timers->now;
  double now = dun_clock();
  timers->seconds[left] += now - timers->since;
  timers->since = now;
  timers->now = phase;
  return left;
}

void dun_clock_text(char *text, int size)
{
  time_t now = time(NULL);
  struct tm utc;
  if (size <= 0)
    return;
  if (!gmtime_r(&now, &utc) || !strftime(text, (size_t)size, "%Y-%m-%dT%H:%M:%SZ", &utc))
    text[0] = 0;
}
