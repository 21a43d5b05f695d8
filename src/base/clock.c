#include "base/clock.h"
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

double dun_clock(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* /proc/self/stat holds it in ticks behind the program's name, which may hold anything. */
double dun_clock_process(void)
{
  char text[1024] = "";
  unsigned long long ticks;
  struct timespec now;
  FILE *file = fopen("/proc/self/stat", "re");
  size_t length = file ? fread(text, 1, sizeof text - 1, file) : 0;
  if (file)
    fclose(file);
  text[length] = 0;
  const char *rest = strrchr(text, ')');
  for (int field = 2; rest && field < 22; field++)
    rest = strchr(rest + 1, ' ');
  if (!rest || sscanf(rest, "%llu", &ticks) != 1 || clock_gettime(CLOCK_BOOTTIME, &now))
    return 0;
  double since = (double)now.tv_sec + 1e-9 * (double)now.tv_nsec -
                 (double)ticks / (double)sysconf(_SC_CLK_TCK);
  return since > 0 ? since : 0;
}

const char *dun_phase_name(enum dun_phase phase)
{
  static const char *const names[DUN_PHASES] = {
      [DUN_PHASE_SETUP] = "setup",   [DUN_PHASE_WEIGH] = "weigh",
      [DUN_PHASE_SELECT] = "select", [DUN_PHASE_MOVE] = "move",
      [DUN_PHASE_LOOK] = "look",     [DUN_PHASE_SECOND] = "second",
      [DUN_PHASE_OUTPUT] = "output", [DUN_PHASE_CHECKPOINT] = "checkpoint",
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
