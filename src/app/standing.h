/* Where a member of a sweep stands, by its files alone. */
#ifndef DUNLIN_APP_STANDING_H
#define DUNLIN_APP_STANDING_H

#include "base/text.h"
#include "io/result_read.h"

enum dun_standing {
  DUN_STANDING_MISSING, /* it was not begun */
  DUN_STANDING_DONE,
  DUN_STANDING_BUDGET,  /* done, cut short by run.evaluations */
  DUN_STANDING_FAILED,  /* its result is damaged, or the last attempt at it has failed */
  DUN_STANDING_STOPPED, /* it stopped early; a checkpoint is there */
};

/* As tables and lists call it. */
const char *dun_standing_word(enum dun_standing standing);

/* Local.  `result` is the result's name, that of its files otherwise is the same with another end.
 * Of what is not done `reason` says why, a sentence without its end.  Of what is done
 * `file` is left open, for the caller to close; NULL: nobody wants it. */
enum dun_standing dun_standing_of(const char *result, uint64_t identity,
                                  struct dun_result_file *file, struct dun_text *reason);

/* Local.  RESULT.h5 becomes RESULT and `end`; the caller's (dun_free), NULL without memory. */
char *dun_standing_file(const char *result, const char *end);

/* Local.  Keeps the reason of a failed attempt beside the result; NULL: forgets it. */
void dun_standing_keep(const char *result, const char *reason);

#endif
