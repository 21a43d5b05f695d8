/* The members of a sweep that are to be run, in their order, and how far they are.
 *
 * Those come first that were never tried, then those that have failed or died: one that crashes
 * ends the command, and must not do so before the others had their turn. */
#ifndef DUNLIN_APP_ROSTER_H
#define DUNLIN_APP_ROSTER_H

#include "app/plan.h"

struct dun_roster {
  const struct dun_plan *plan;
  int count, done, held; /* members to be run; that were done before; that other processes run */
  int *member;           /* [count], owned */
  int next;              /* the first in `member` that nobody is known to have taken */
  char *over;            /* [count]: how far the last look saw it: '\0', 'd'one, 'f'ailed; owned */
  double began, shown;   /* dun_clock() */
};

/* Collective.  Of the members first <= i < last, which must be bound.  What is left of processes
 * that died is made a reason.  dun_roster_free is due in any case. */
int dun_roster_init(struct dun_context *context, struct dun_roster *roster,
                    const struct dun_plan *plan, int first, int last);
void dun_roster_free(struct dun_roster *roster);

/* Local.  "3 of 24 members done, 1 failed, 2 running, about 1:20 left" by the files that are there;
 * nothing if that was told less than `between` seconds ago. */
void dun_roster_tell(struct dun_roster *roster, double between, struct dun_text *text);

#endif
