/* The context: communicator, log, timers.  Every collective function takes it first; a function
 * that takes no context never communicates. */
#ifndef DUNLIN_PARALLEL_CONTEXT_H
#define DUNLIN_PARALLEL_CONTEXT_H

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/log.h"
#include <mpi.h>
#include <stdint.h>

struct dun_groups;

struct dun_context {
  MPI_Comm comm; /* a duplicate, owned */
  int rank, size;
  struct dun_log log;
  struct dun_timers timers;
  struct dun_interrupt interrupt;  /* whoever wants passes to be interrupted sets it */
  const struct dun_groups *groups; /* where these ranks are one of several; NULL: they are all */
  int64_t bytes_sent, collectives; /* by this rank, counted */

  /* Scratch of the reductions in sum.h, of the same length on every rank; owned. */
  void *buffer; /* [capacity] numbers of 8 bytes */
  int64_t capacity;
};

/* Collective.  Duplicates the communicator; errors of MPI itself abort all ranks. */
int dun_context_init(struct dun_context *context, MPI_Comm comm, enum dun_level level);

/* Local: of this process alone, also where MPI is not initialised.  Its collective functions are
 * those of this file only. */
void dun_context_alone(struct dun_context *context, enum dun_level level);

/* Collective over `comm` given above.  Safe twice, and for a zeroed struct. */
void dun_context_free(struct dun_context *context);

/* Collective.  Ranks fail together: returns the smallest of the ranks' codes; where some rank
 * failed, every rank holds the sentence of the lowest rank with that code afterwards.  Costs one
 * small Allreduce when nobody failed; then it returns the smallest status, which is 0 or more. */
int dun_agree(struct dun_context *context, int status);

/* Collective.  Bytes of rank `root` to all, in pieces of at most 256 MiB; counts are 64 bits. */
int dun_broadcast(struct dun_context *context, void *bytes, int64_t size, int root);

/* Collective.  Rank 0's block of *size bytes, allocated on the others (dun_allocate, one zero byte
 * behind it).  `status` is rank 0's (ignored on the others): if it failed, all return its code and
 * sentence.  Where it fails the others are left with NULL and 0. */
int dun_broadcast_block(struct dun_context *context, int status, char **bytes, int64_t *size);

#endif
