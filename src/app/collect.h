/* The table of a sweep: a row a member, and its means over seeds. */
#ifndef DUNLIN_APP_COLLECT_H
#define DUNLIN_APP_COLLECT_H

#include "app/plan.h"
#include "io/sheet.h"

/* Ranks of columns; those from DUN_RANK_MACHINE on depend on clocks and machines, the others on the
 * input alone. */
enum { DUN_RANK_MEMBER, DUN_RANK_STATE, DUN_RANK_RESULT, DUN_RANK_PROBE, DUN_RANK_MACHINE };

/* Local.  All members must be bound.  Reads their results, whatever lies in their places: what
 * cannot be read is a row that says so.  DUN_ERROR_MEMORY; dun_sheet_free is due in any case. */
int dun_collect_members(const struct dun_plan *plan, struct dun_sheet *sheet);

/* Local.  A row for the members that differ by run.seed only: of each number its mean, its standard
 * error by their spread, and of how many members.  Members that are not done count for none. */
int dun_collect_means(const struct dun_plan *plan, const struct dun_sheet *members,
                      struct dun_sheet *sheet);

/* Local.  Whether the file is one that may be written: DUN_ERROR_INPUT. */
int dun_collect_check(const struct dun_arguments *arguments);
/* Local.  Writes both to --collect FILE and prints the means. */
int dun_collect(const struct dun_plan *plan);

#endif
