/* Who works on a member of a sweep: FOLDER/IDENTITY.running, made by the one who takes it and
 * locked while its process lives.  What is left of a process that died says that it did, and of
 * what.
 *
 * Local; `result` is the result's name. */
#ifndef DUNLIN_APP_CLAIM_H
#define DUNLIN_APP_CLAIM_H

#include "base/text.h"

struct dun_claim {
  int file;   /* its descriptor; < 0: none */
  char *name; /* owned */
};

enum dun_claimed {
  DUN_CLAIM_NONE,
  DUN_CLAIM_OVER, /* the work has ended, its sweep may go on */
  DUN_CLAIM_HELD, /* a process works on it */
  DUN_CLAIM_DEAD, /* the one that did has died of it; `reason`, unless NULL, says of what */
};
enum dun_claimed dun_claim_look(const char *result, struct dun_text *reason);

/* 1: taken; 0: another one has it.  dun_claim_end is due.  DUN_ERROR_FILE. */
int dun_claim_take(struct dun_claim *claim, const char *result);
/* The work has ended, well or not; nobody else takes the member until dun_claim_forget. */
void dun_claim_end(struct dun_claim *claim);
void dun_claim_forget(const char *result);

#endif
