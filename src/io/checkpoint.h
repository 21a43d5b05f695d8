/* Checkpoints: everything a run needs to go on bit for bit, at any number of ranks.
 *
 * HDF5, laid out and reserved by rank 0, columns written by independent transfers of at most 256
 * MiB in global particle order, checksummed, flushed, renamed.  Two generations are kept:
 * STEM.0.checkpoint and STEM.1.checkpoint for the result STEM.h5; the older is replaced.  No
 * collective raw transfer anywhere: it hangs on a full disk. */
#ifndef DUNLIN_IO_CHECKPOINT_H
#define DUNLIN_IO_CHECKPOINT_H

#include "base/type.h"
#include "population/population.h"

struct dun_checkpoint {
  const char *file;  /* the result's name, STEM.h5; made by no one here */
  uint64_t identity; /* hash of the input's meaning: a checkpoint of another is refused */
  const struct dun_stateful *objects;
  int object_count;
  struct dun_population *population; /* its saved columns */
};

/* Collective.  Writes the next generation.  < 0: the message says so, the older one is untouched
 * and nothing half-written is left; the run may go on. */
int dun_checkpoint_write(struct dun_context *context, const struct dun_checkpoint *checkpoint);

/* Collective.  Reads the newest good generation into the objects and columns.  Returns 1; 0 if
 * there is none; DUN_ERROR_INPUT if the newest good one belongs to another input.  A damaged one
 * is warned about and the older one taken; if all are damaged: DUN_ERROR_INPUT.  Left-over
 * temporary files are removed. */
int dun_checkpoint_read(struct dun_context *context, const struct dun_checkpoint *checkpoint);

/* Rank 0 removes both generations after the result is complete. */
void dun_checkpoint_remove(struct dun_context *context, const char *file);

#endif
