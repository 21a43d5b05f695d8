/* A job's ranks in several groups, each of which works for itself; one that has to stop early tells
 * the others. */
#ifndef DUNLIN_PARALLEL_GROUPS_H
#define DUNLIN_PARALLEL_GROUPS_H

#include "parallel/context.h"

struct dun_groups {
  MPI_Comm all, own; /* duplicates, owned */
  int rank, size;    /* of all */
  int count, number; /* groups, and this rank's */
  int teller;        /* this rank has told the others */
  MPI_Request *sent; /* [size] */
};

/* Collective.  Ranks are dealt to `count` groups in contiguous runs; 1 <= count <= ranks.
 * dun_groups_free is due in any case. */
int dun_groups_init(struct dun_context *context, struct dun_groups *groups, int count);
void dun_groups_free(struct dun_groups *groups);

/* Collective over the group: a context of its own, whose `groups` are these; dun_context_free is
 * due. */
int dun_groups_context(struct dun_groups *groups, struct dun_context *own, enum dun_level level);

/* Local, by one rank of a group.  Tells all ranks of the others to stop; the first call counts. */
void dun_groups_tell(struct dun_groups *groups);
/* Local.  Whether another group has told to stop.  NULL: there is none. */
int dun_groups_told(const struct dun_groups *groups);
/* Collective over all, when every group is done: whether one has told. */
int dun_groups_end(struct dun_groups *groups);

#endif
