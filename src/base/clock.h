/* Seconds, and the phases that a run's time is booked to. */
#ifndef DUNLIN_BASE_CLOCK_H
#define DUNLIN_BASE_CLOCK_H

enum dun_phase {
  DUN_PHASE_SETUP,  /* reading, allocating, first draws */
  DUN_PHASE_WEIGH,  /* next time, weights, estimates */
  DUN_PHASE_SELECT, /* offspring and exchange of rows */
  DUN_PHASE_MOVE,   /* kernels, target evaluations */
  DUN_PHASE_LOOK,   /* probes */
  DUN_PHASE_SECOND, /* the second estimate of log Z */
  DUN_PHASE_OUTPUT, /* result files, progress */
  DUN_PHASE_CHECKPOINT,
  DUN_PHASES
};

struct dun_timers {
  double seconds[DUN_PHASES];
  enum dun_phase now; /* time since `since` belongs to this phase */
  double since;
};

double dun_clock(void);                           /* monotonic seconds */
double dun_clock_process(void);                   /* since this process began; 0: not known */
const char *dun_phase_name(enum dun_phase phase); /* "setup", ... */

void dun_timers_start(struct dun_timers *timers, enum dun_phase phase);
/* Books the time since the last switch and goes over to `phase`; returns the phase left, so that a
 * caller can go back to it. */
enum dun_phase dun_timers_switch(struct dun_timers *timers, enum dun_phase phase);

/* "ISO 8601 UTC", at least 32 bytes. */
void dun_clock_text(char *text, int size);

#endif
