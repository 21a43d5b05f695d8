/* Sums over a batch of examples whose bits do not depend on the ranks.  A batch is cut into groups
 * by the examples' numbers, each of which one rank sums in order, dealt to them as tiles are; the
 * groups' sums are added along
 * a binary tree: 0 and 1, 2 and 3, ..., then these.  How many groups there are is part of the
 * identity of what comes of it, and no more ranks than groups have work. */
#ifndef DUNLIN_LEARNING_BATCH_SUM_H
#define DUNLIN_LEARNING_BATCH_SUM_H

#include "parallel/context.h"

struct dun_batch_sum {
  int groups, first, own; /* of all ranks; this rank's */
  int64_t numbers;        /* in a sum */
  double *sum;            /* [own][numbers], owned */
};

/* Local.  DUN_ERROR_MEMORY; free is safe twice and for a zeroed struct. */
int dun_batch_sum_init(const struct dun_context *context, struct dun_batch_sum *sum, int groups,
                       int64_t numbers);
void dun_batch_sum_free(struct dun_batch_sum *sum);

/* Where group first + i is summed. */
static inline double *dun_batch_sum_of(const struct dun_batch_sum *sum, int i)
{
  return sum->sum + i * sum->numbers;
}
/* All of this rank's become 0. */
void dun_batch_sum_clear(struct dun_batch_sum *sum);

/* Collective.  total[numbers] of all groups, on every rank; the groups' sums are lost.  Nothing of
 * it can fail on one rank alone, so that none of its steps is spent on agreeing. */
int dun_batch_sum_total(struct dun_context *context, struct dun_batch_sum *sum, double *total);

#endif
