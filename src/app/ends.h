/* What the tables of probes say at the ends of the replicates. */
#ifndef DUNLIN_APP_ENDS_H
#define DUNLIN_APP_ENDS_H

#include "base/table.h"

/* Of the probe modes, on the average: modes with a tenth of their due, total variation of the
 * shares, share of no mode; of `modes` modes, 0: not looked at. */
struct dun_modes_end {
  double modes, hit, variation, outside;
};
struct dun_modes_end dun_ends_modes(const struct dun_table *table);

/* Of tables with a row for each number: the largest (sign 1) or least (sign -1) of a column among
 * the last rows of all replicates; NAN: there is none. */
double dun_ends_worst(const struct dun_table *table, const char *column, double sign);

/* Whether each look at the particles is one row. */
int dun_ends_are_single(const struct dun_table *table);
/* Of such a table the mean of a column over the last rows of the replicates; NAN if one is not
 * known. */
double dun_ends_mean(const struct dun_table *table, const char *column);

#endif
