/* A run of few particles, in memory and for a short time, from which the time of the whole is told.
 * It does all that the method and the finishes do; nothing is looked at, kept or written. */
#ifndef DUNLIN_APP_REHEARSAL_H
#define DUNLIN_APP_REHEARSAL_H

#include "app/assemble.h"

struct dun_rehearsal {
  long long particles; /* it had so many, over all ranks */
  double share;        /* of a replicate that was gone through; 1: all of it, with the finishes */
  double seconds;      /* that a whole replicate of so many particles takes; NAN: the method does
                        * not know how far it came */
  int64_t steps;       /* of the method that were completed */
  double step;         /* seconds of one of them; if there was none, of what it did of the first */
};

/* Collective.  Assembles the input of `arguments` once more with so many particles, in tiles of
 * `tile`, and runs it until it ends or `budget` seconds are over.  The same answer on all ranks.
 * Negative if no such run can be made; it has left nothing behind. */
int dun_rehearse(struct dun_context *context, const struct dun_arguments *arguments,
                 long long particles, long long tile, double budget,
                 struct dun_rehearsal *rehearsal);

#endif
