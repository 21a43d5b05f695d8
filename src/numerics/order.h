/* Order and ranks of numbers that are spread over the ranks of a communicator.  Everything is
 * exact, so that nothing depends on the partition.  -0 counts as 0; no number may be NaN. */
#ifndef DUNLIN_NUMERICS_ORDER_H
#define DUNLIN_NUMERICS_ORDER_H

#include "parallel/context.h"

/* The integers that are ordered as the numbers are, and back. */
uint64_t dun_order_key(double value);
double dun_order_value(uint64_t key);

/* Sorts keys[n]; place[n] gets where each was before.  Both are arrays of 2 n, of which the second
 * half is scratch.  n < 2^32.  By digits, high ones first: about 10 ns a number.  Local. */
void dun_order_sort(int64_t n, uint64_t *keys, uint32_t *place);

enum { DUN_ORDER_ROOMS = 6 };

/* This rank's numbers in order.  A zeroed one is empty. */
struct dun_order {
  int64_t n;
  uint64_t *keys;              /* [2 n], sorted; owned */
  uint32_t *place;             /* [2 n]: which number each key is of; owned */
  void *room[DUN_ORDER_ROOMS]; /* scratch of dun_order_ranks; owned */
};

/* Sorts value[n], in the memory of what was sorted before.  DUN_ERROR_MEMORY, also for more than
 * 2^29 numbers; local: agree afterwards. */
int dun_order_set(struct dun_order *order, int64_t n, const double *value);
void dun_order_free(struct dun_order *order);

/* Puts distances |value - centre| in the place of the numbers: no sorting.  Local. */
void dun_order_fold(struct dun_order *order, double centre);

/* Collective.  value[m] = the numbers with so many others before them, place[m] in 0 .. N - 1, N of
 * all ranks.  8 small reductions, 16 for more than 16 places. */
int dun_order_statistics(struct dun_context *context, const struct dun_order *order, int m,
                         const int64_t *place, double *value);

/* Collective.  rank[n] = the ranks, from 1, of this rank's numbers among all; equal numbers share
 * the mean of theirs.  A distributed merge with splitters that are found by counting: a rank
 * holds at most 1/16 more than its share of the different numbers of all, 80 bytes each.
 * DUN_ERROR_MEMORY. */
int dun_order_ranks(struct dun_context *context, struct dun_order *order, double *rank);

#endif
