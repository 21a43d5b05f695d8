/* A wish that the work should stop, as a rank sees it in the midst of it.  A zeroed struct: nobody
 * ever wishes that.  Never communicates: ranks see a wish at different times, and agree on it where
 * they meet (population/pass.h). */
#ifndef DUNLIN_BASE_INTERRUPT_H
#define DUNLIN_BASE_INTERRUPT_H

#include <signal.h>

struct dun_interrupt {
  /* given */
  const volatile sig_atomic_t *signal; /* not 0: stop soon; NULL: nobody asks */
  double limit;                        /* dun_clock() when the work has to end; 0: none */
  double due; /* dun_clock() from which on work that can go on where it was pauses for a checkpoint;
               * 0: never */

  double asked; /* dun_clock() of the last look before the signal was seen; 0: it was not */
  double last;  /* dun_clock() at the last look */
};

/* Whether no other piece of work is to be begun. */
int dun_interrupt_wished(struct dun_interrupt *interrupt);
/* The same of work that loses nothing by a pause: also where a checkpoint is due. */
int dun_interrupt_pauses(struct dun_interrupt *interrupt);
/* Whether the piece in hand is to be given up.  What was done of it is lost: the limit is reached,
 * or a signal has waited for the end of the piece in vain for a moment.  It is `kept`: at once, and
 * also where a checkpoint is due. */
int dun_interrupt_urgent(struct dun_interrupt *interrupt, int kept);

#endif
