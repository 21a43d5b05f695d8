/* The file of a checkpoint: flat, in little-endian words, so that every byte of it is checked
 * before it is believed, and no library stands between a failed write and the run.
 *
 *   header    struct dun_checkpoint_header
 *   front     states: of every row of every object a count and so many 8-byte values;
 *             what is known of the draws' file (struct dun_checkpoint.draws);
 *             sums: uint64[columns][blocks of 65536 particles]
 *   columns   number[particles][width], global particle order, one behind the other */
#ifndef DUNLIN_IO_CHECKPOINT_FILE_H
#define DUNLIN_IO_CHECKPOINT_FILE_H

#include "io/checkpoint.h"

enum { DUN_CHECKPOINT_VERSION = 2, DUN_CHECKPOINT_BLOCK = 65536 };

struct dun_checkpoint_header {
  char magic[16];
  uint64_t version, generation, identity;
  uint64_t layout; /* digest of the names, types and widths of all that is saved */
  uint64_t particles;
  uint64_t columns;       /* 0: of an ended run, whose particles nobody needs */
  uint64_t states, draws; /* bytes */
  uint64_t size;          /* of the file */
  uint64_t front;         /* digest of the front */
  uint64_t own;           /* digest of this header up to here */
};
enum { DUN_CHECKPOINT_HEADER = sizeof(struct dun_checkpoint_header) };

/* The saved columns of a population in their order, and their places in the file. */
struct dun_saved {
  int columns;
  const struct dun_column *column[DUN_MAX_COLUMNS];
  int64_t blocks;                  /* 65536 particles each, of all ranks */
  int64_t offset[DUN_MAX_COLUMNS]; /* filled by dun_checkpoint_place */
};
struct dun_saved dun_checkpoint_saved(const struct dun_checkpoint *checkpoint);
int64_t dun_checkpoint_row(const struct dun_column *column); /* bytes per particle */

/* Places the columns behind a front with so many bytes of states and draws; returns the file's
 * size. */
int64_t dun_checkpoint_place(struct dun_saved *saved, int64_t particles, int64_t states,
                             int64_t draws);

/* STEM.slot.checkpoint, with `suffix` behind it; the caller's (dun_free). */
char *dun_checkpoint_name(const char *file, int slot, const char *suffix);
/* The first checkpoint of the result that is there; what cannot be looked at is not gone.  NULL:
 * none; else the caller's (dun_free). */
char *dun_checkpoint_left(const char *file);

/* This rank's part of every column's block sums, sum[columns][blocks]. */
void dun_checkpoint_sums(const struct dun_checkpoint *checkpoint, const struct dun_saved *saved,
                         int64_t *sum);

/* Rank 0: makes the file `name` with everything but the columns' bytes, all space reserved, and
 * places the columns.  On failure the file is removed. */
int dun_checkpoint_lay_out(const char *name, const struct dun_checkpoint *checkpoint,
                           struct dun_saved *saved, const int64_t *sum, uint64_t generation);

/* Rank 0: the header of a file, checked in itself and against the file's size.  1: it is there and
 * good; 0: there is no such file; DUN_ERROR_INPUT: it was read and is damaged or no checkpoint;
 * DUN_ERROR_FILE: it cannot be read. */
int dun_checkpoint_examine(const char *name, struct dun_checkpoint_header *header);

/* Rank 0: the front of an examined file, checked: the states fit the objects.  *front is the
 * caller's. */
int dun_checkpoint_load(const char *name, const struct dun_checkpoint *checkpoint,
                        const struct dun_checkpoint_header *header, char **front, int64_t *size);

/* The row's numbers inside an object; *count of them. */
const void *dun_state_values(const struct dun_state *row, const void *self, int64_t *count);

#endif
