/* Checkpoints: everything a run needs to go on bit for bit, at any number of ranks.
 *
 * Flat files (io/checkpoint_file.h), laid out and reserved by rank 0, columns written by
 * independent transfers of at most 256 MiB in global particle order, checksummed, flushed, renamed.
 * Two generations are kept: STEM.0.checkpoint and STEM.1.checkpoint for the result STEM.h5; the
 * older is replaced.  No collective raw transfer anywhere: it hangs on a full disk. */
#ifndef DUNLIN_IO_CHECKPOINT_H
#define DUNLIN_IO_CHECKPOINT_H

#include "base/type.h"
#include "population/population.h"

/* What the owner of the draws' file wants to know of it (io/result.h). */
struct dun_checkpoint_draws {
  char *bytes; /* [size], the caller's; NULL: nothing */
  int64_t size;
};

struct dun_checkpoint {
  const char *file;  /* the result's name, STEM.h5; made by no one here */
  uint64_t identity; /* hash of the input's meaning: a checkpoint of another is refused */
  const struct dun_stateful *objects;
  int object_count;
  struct dun_population *population; /* its saved columns */
  int ended;                         /* nobody needs the particles any more: they are left out */
  struct dun_checkpoint_draws draws; /* rank 0's when it is written, of all when it is read */
};

/* Collective.  Writes the next generation.  < 0: the message says so, the older one is untouched
 * and nothing half-written is left; the run may go on. */
int dun_checkpoint_write(struct dun_context *context, const struct dun_checkpoint *checkpoint);

/* Collective.  Reads the newest good generation into the objects and columns, and fills `draws`,
 * and `ended`.  Returns 1; 0 if there is none; DUN_ERROR_INPUT if the newest good one belongs to
 * another input.  A damaged one is warned about and the older one taken; if all are damaged:
 * DUN_ERROR_INPUT.  One that is there and cannot be read: DUN_ERROR_FILE, since what cannot be read
 * once is not gone.  Left-over temporary files are removed. */
int dun_checkpoint_read(struct dun_context *context, struct dun_checkpoint *checkpoint);

/* Local, rank 0's: removes both generations and what is left of half-written ones.  With `identity`
 * only those of that input (NULL: all). */
void dun_checkpoint_remove(const char *file, const uint64_t *identity);

#endif
