/* What belongs to the process and a target may change for all: the working folder, by which every
 * file is found, the handlers of signals, and which of them are blocked. */
#ifndef DUNLIN_APP_SURROUNDINGS_H
#define DUNLIN_APP_SURROUNDINGS_H

#include "parallel/context.h"

/* Local.  Keeps what is there now; the last one counts. */
void dun_surroundings_keep(void);
/* Local.  Puts back what was changed since, with a warning that names the target. */
void dun_surroundings_restore(struct dun_context *context, const char *target);

#endif
