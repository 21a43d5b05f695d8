/* Whoever ends the program from within, a target that crashes, exits or never comes back, ends all
 * ranks with a sentence that names the target and its function, and never with exit code 0. */
#ifndef DUNLIN_APP_LAST_WORDS_H
#define DUNLIN_APP_LAST_WORDS_H

#include "parallel/context.h"

/* From here on until dun_last_words_end, which puts back the handlers that were there; crashes
 * outside of targets are told too, and a copy of the process goes on to those handlers.  The
 * context must live so long. */
void dun_last_words_begin(const struct dun_context *context);
void dun_last_words_end(void);

/* How long one call of a target's function may take, looked at once a second; 0: no limit. */
void dun_last_words_limit(double seconds);

/* What is said is added to `file` too, if that is there, and `sentence` is said behind it; both
 * must stay until they are forgotten (NULL). */
void dun_last_words_note(const char *file, const char *sentence);

/* For handlers of signals: the program was asked to end, and a call that does not come back within
 * ten seconds from now will not be waited for. */
void dun_last_words_hurry(void);

/* Before the process exits: returns only outside of targets. */
void dun_last_words_exit(void);

/* Behind all work: what libraries may still do wrong when they clean up changes nothing of what is
 * on the disk, and not the exit code. */
void dun_last_words_done(int code);
/* At once before the process exits with that code, which is returned: libraries that do not come
 * back when they clean up are waited for five seconds. */
int dun_last_words_leave(int code);

#endif
