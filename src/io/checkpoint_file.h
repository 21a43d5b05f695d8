/* The file of a checkpoint: what its first bytes say, and what rank 0 puts and finds in the rest.
 *
 * An HDF5 file behind a user block of 4096 bytes that holds the header below in little-endian
 * words, so that everything outside the columns can be checked before HDF5 looks at it: HDF5 itself
 * does not survive every damage.
 *
 *   /columns/NAME       number[particles][width], global particle order
 *   /state/OBJECT/ROW   integers or numbers
 *   /checksums          uint64[columns][blocks of 65536 particles] */
#ifndef DUNLIN_IO_CHECKPOINT_FILE_H
#define DUNLIN_IO_CHECKPOINT_FILE_H

#include "io/checkpoint.h"

enum { DUN_CHECKPOINT_VERSION = 1, DUN_CHECKPOINT_BLOCK = 65536, DUN_CHECKPOINT_HEADER = 4096 };

struct dun_checkpoint_header {
  char magic[16];
  uint64_t version, generation, identity;
  uint64_t layout; /* digest of the names, types and widths of all that is saved */
  uint64_t particles, columns;
  uint64_t size; /* of the file */
  uint64_t column_offset[DUN_MAX_COLUMNS];
  uint64_t rest; /* digest of all bytes but this header and the columns */
  uint64_t own;  /* digest of this header up to here */
};

/* The saved columns of a population in their order. */
struct dun_saved {
  int columns;
  const struct dun_column *column[DUN_MAX_COLUMNS];
  int64_t blocks, bytes; /* of all ranks, without the header */
};
struct dun_saved dun_checkpoint_saved(const struct dun_checkpoint *checkpoint);
int64_t dun_checkpoint_row(const struct dun_column *column); /* bytes per particle */
uint64_t dun_checkpoint_layout(const struct dun_checkpoint *checkpoint);

/* STEM.slot.checkpoint, with `suffix` behind it; the caller's (dun_free). */
char *dun_checkpoint_name(const char *file, int slot, const char *suffix);

/* This rank's part of every column's block sums, sum[columns][blocks]. */
void dun_checkpoint_sums(const struct dun_checkpoint *checkpoint, const struct dun_saved *saved,
                         int64_t *sum);

/* Rank 0: makes the file `name` with everything but the columns' bytes, all space reserved;
 * completes the header.  On failure the file is removed. */
int dun_checkpoint_lay_out(const char *name, const struct dun_checkpoint *checkpoint,
                           const struct dun_saved *saved, const int64_t *sum,
                           struct dun_checkpoint_header *header);

/* Rank 0: the header of a file, checked in itself and against the file's size.  1: it is there and
 * good; 0: there is no such file; < 0 with a sentence. */
int dun_checkpoint_examine(const char *name, struct dun_checkpoint_header *header);

/* Rank 0: checks everything but the columns, reads the sums into sum[columns][blocks] and the
 * states into one block, of which every row is a count and its 8-byte values. */
int dun_checkpoint_load(const char *name, const struct dun_checkpoint *checkpoint,
                        const struct dun_saved *saved, const struct dun_checkpoint_header *header,
                        int64_t *sum, char **state, int64_t *state_size);

/* The row's numbers inside an object; *count of them. */
const void *dun_state_values(const struct dun_state *row, const void *self, int64_t *count);

#endif
