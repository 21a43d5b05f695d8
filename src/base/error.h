/* One error idiom: a negative code means failed; the sentence that explains it waits in a buffer of
 * this thread until it is printed.  Every function that returns int returns 0 or more when it
 * succeeded. */
#ifndef DUNLIN_BASE_ERROR_H
#define DUNLIN_BASE_ERROR_H

/* The codes, ordered so that the smallest of several ranks' codes is the one that decides. */
enum dun_error {
  DUN_ERROR_INPUT = -5,   /* the user's input, data or plugin: exit code 2 */
  DUN_ERROR_MEMORY = -4,  /* an allocation failed */
  DUN_ERROR_FILE = -3,    /* a file could not be read or written */
  DUN_ERROR_NUMERIC = -2, /* the computation cannot go on: no weight left, no finite density, ... */
  DUN_INTERRUPTED = -1,   /* no failure: what was begun is to be saved, and gone on with later */
};

/* Keeps the sentence (printf format, no final newline) and returns `code`.  A breakpoint here stops
 * where an error is born. */
int dun_fail(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The sentence of the last dun_fail of this thread; "" if there was none. */
const char *dun_error_text(void);

/* What a code means in general, one sentence; NULL for a number that is no code. */
const char *dun_error_meaning(int code);

/* The program's exit code for a return code: 0, 1 or 2. */
int dun_exit_code(int code);

#endif
