/* `dunlin list` and `dunlin help`: written from the option rows that also parse and check. */
#ifndef DUNLIN_APP_HELP_H
#define DUNLIN_APP_HELP_H

#include "base/text.h"

/* Both write to `out` and return 0, or DUN_ERROR_INPUT with a sentence; NULL arguments are not
 * given.  The name of a target may be the file of a library, which is loaded. */
int dun_help_list(struct dun_text *out, const char *kind);
int dun_help_show(struct dun_text *out, const char *kind, const char *name, int markdown);

#endif
