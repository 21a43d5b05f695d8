/* What a process died of, told by itself in memory that it shares with its parent. */
#ifndef DUNLIN_APP_CRASH_H
#define DUNLIN_APP_CRASH_H

#include "population/caller.h"
#include <stddef.h>

struct dun_crash {
  volatile int number;             /* of the signal; 0: none was caught */
  volatile int writes;             /* the access that failed was to write */
  volatile int stack;              /* it was near the end of the stack */
  volatile int callable;           /* it was to fetch an instruction */
  const char *volatile array;      /* whose guard was touched; NULL: none */
  volatile long long index, count; /* of the entry, and of the array */
  char exception[128];             /* C++'s name of what left a function of the target; "": none */
};

/* In the process that may die: signals are noted in `record`, then it dies of them. */
void dun_crash_catch(struct dun_crash *record);
/* The guarded arrays of the caller are known from here on; it must stay. */
void dun_crash_watch(const struct dun_caller *caller);
/* Once libraries are loaded: exceptions that nobody catches are noted too. */
void dun_crash_catch_exceptions(void);

/* In its parent: one sentence on a process that ended with `status` of waitpid in what `where`
 * names. */
void dun_crash_tell(const struct dun_crash *record, int status, const char *function,
                    char *sentence, size_t size);

#endif
