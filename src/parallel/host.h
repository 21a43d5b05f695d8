/* Ranks that share memory, and tables that stand once for all of them. */
#ifndef DUNLIN_PARALLEL_HOST_H
#define DUNLIN_PARALLEL_HOST_H

#include "parallel/context.h"

struct dun_host {
  MPI_Comm comm;    /* of the ranks that share memory; owned */
  MPI_Comm leaders; /* of the first rank of each node, MPI_COMM_NULL on the others; owned */
  int rank, size;   /* in comm */
  int nodes;        /* how many there are */
  int ready;
};

/* Collective.  `most` > 0: at most so many ranks of a machine are taken together, as if it were
 * several. */
int dun_host_init(struct dun_context *context, struct dun_host *node, int most);
/* Collective.  Safe twice and for a zeroed struct. */
void dun_host_free(struct dun_host *node);

/* Collective over the node.  What its ranks wrote into shared memory before is seen by all
 * afterwards. */
void dun_host_meet(const struct dun_host *node);

/* Collective.  Sums an array of shared memory over the nodes, in place, element by element; where
 * all but one node hold 0 that is an exchange.  Meets before and after. */
void dun_host_sum(struct dun_context *context, const struct dun_host *node, double *shared,
                  int64_t count);

/* Collective.  *bytes: what each rank can still have where those of a node divide evenly what is
 * left there (parallel/available.h); on the scarcest node, so that all ranks say the same. */
int dun_host_memory(struct dun_context *context, double *bytes);

/* Memory that every rank of a node may read and write; `data` is aligned to 64 bytes. */
struct dun_shared {
  MPI_Win window;
  int windowed; /* an open window; otherwise a plain block of this rank alone */
  double *data;
};

/* Collective.  `count` numbers in all, the same on every rank; not zeroed.  DUN_ERROR_MEMORY,
 * also where the folder that MPI keeps shared memory in is too small. */
int dun_shared_init(struct dun_context *context, const struct dun_host *node,
                    struct dun_shared *shared, int64_t count);
/* Collective over the node.  Safe twice and for a zeroed struct. */
void dun_shared_free(struct dun_shared *shared);

#endif
