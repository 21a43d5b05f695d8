/* Order and ranks of numbers that are spread over the ranks of a communicator.  Everything is
 * exact, so that nothing depends on the partition.  -0 counts as 0; no number may be NaN. */
#ifndef DUNLIN_NUMERICS_ORDER_H
#define DUNLIN_NUMERICS_ORDER_H

#include "parallel/context.h"

/* The integers that are ordered as the numbers are, and back. */
uint64_t dun_order_key(double value);
double dun_order_value(uint64_t key);

/* Sorts keys[n]; place[n] gets where each was before.  Both are arrays of 2 n, of which the second
 * half is scratch.  n < 2^32.  By digits: about 20 ns a number.  Local. */
void dun_order_sort(int64_t n, uint64_t *keys, uint32_t *place);

/* Collective.  value[m] = the numbers with so many others before them, place[m] in 0 .. N - 1, N of
 * all ranks; from each rank's sorted keys[n].  64 small reductions, whatever m. */
int dun_order_statistics(struct dun_context *context, int status, int64_t n, const uint64_t *keys,
                         int m, const int64_t *place, double *value);

/* Collective.  rank[n] = the ranks, from 1, of this rank's value[n] among all; equal numbers share
 * the mean of theirs.  A distributed sort with exact splitters: a rank holds at most its share of
 * the different numbers of all, 100 bytes each.  DUN_ERROR_MEMORY. */
int dun_order_ranks(struct dun_context *context, int64_t n, const double *value, double *rank);

#endif
