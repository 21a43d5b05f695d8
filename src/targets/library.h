/* A user's target, loaded from a shared library. */
#ifndef DUNLIN_TARGETS_LIBRARY_H
#define DUNLIN_TARGETS_LIBRARY_H

#include "dunlin/target.h"

/* Loads `file` and returns its table `dun_target_<stem>` (for .../mine.so: dun_target_mine, also
 * libmine.so), checked: ABI number, sizes of the table and of an option row, a name, a dimension
 * and exactly one of point, rows, columns.  NULL after dun_fail.  Symbols stay local; the
 * floating-point control register is kept.  The library stays loaded. */
const struct dun_target *dun_library_load(const char *file);

/* The same; *flushes tells whether the library, as if linked with -ffast-math, switches subnormal
 * numbers off when it is loaded for the first time. */
const struct dun_target *dun_library_load_telling(const char *file, int *flushes);

/* Whether a library's code is behind the table: its own, or one that stands for a Stan model. */
int dun_target_is_foreign(const struct dun_target *target);

/* The same checks for any table; < 0 after dun_fail.  `origin` names it in the message. */
int dun_target_check(const struct dun_target *target, const char *origin);

#endif
