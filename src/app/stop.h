/* When to stop early: signals, the time limit, the limit on evaluations; and when the budget of
 * evaluations is used up, which is no early stop but an end. */
#ifndef DUNLIN_APP_STOP_H
#define DUNLIN_APP_STOP_H

#include "parallel/context.h"

enum dun_stop_reason { DUN_STOP_NOT, DUN_STOP_SIGNAL, DUN_STOP_TIME, DUN_STOP_EVALUATIONS };

/* From here on SIGUSR1, SIGUSR2, SIGTERM, SIGXCPU and, unless it is ignored, SIGHUP only raise a
 * flag; dun_stop_release, called as often, puts back what was there. */
void dun_stop_catch(void);
void dun_stop_release(void);

/* The release of who does not stop in the midst: a signal that has come meanwhile comes now. */
void dun_stop_decline(void);

/* Local.  Whether such a signal has come. */
int dun_stop_asked(void);

struct dun_stop {
  /* given */
  double began;            /* dun_clock() when the program started */
  double time_limit;       /* seconds since then; 0: none */
  double evaluations;      /* limit over all ranks and jobs of the run; 0: none */
  double budget;           /* likewise */
  double checkpoint_every; /* seconds; 0: after every tick */

  /* rank 0's */
  double last_sync, last_checkpoint; /* dun_clock() */
  double longest;                    /* recent time without a look at the clock, fading */
  double checkpoint_seconds; /* what a checkpoint costs: an estimate first, then as measured */
  double end_seconds;        /* what the end of the program takes behind it */

  /* what the last sync agreed on */
  enum dun_stop_reason reason;
  int spent;                /* the budget is used up */
  int checkpoint;           /* one is due */
  int64_t evaluations_done; /* of all ranks, in this job */
};

/* `saved_bytes` of all ranks give the first guess of a checkpoint's time.  From here on passes over
 * the particles are interrupted by a signal or by the time limit, in time for a checkpoint, and
 * pause for a checkpoint that is overdue, until dun_stop_end.  Local. */
void dun_stop_begin(struct dun_context *context, struct dun_stop *stop, double began,
                    double saved_bytes);
void dun_stop_end(struct dun_context *context);

/* Collective, after every tick, one small Allreduce beside the tick's own: rank 0's clock and
 * any rank's signal decide for all.  `evaluations` is this rank's, `earlier` is what earlier jobs
 * of the run evaluated. */
int dun_stop_sync(struct dun_context *context, struct dun_stop *stop, int64_t evaluations,
                  int64_t earlier);

/* Local.  After a checkpoint was written, or could not be. */
void dun_stop_checkpointed(struct dun_context *context, struct dun_stop *stop, double seconds);

/* The reason in words: "a signal asked for it". */
const char *dun_stop_text(enum dun_stop_reason reason);

#endif
