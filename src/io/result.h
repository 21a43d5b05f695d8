/* Result files (HDF5) that xarray and ArviZ read as they are.
 *
 * The draws go to FILE.part, laid out beforehand by rank 0; at the end the traces, provenance and
 * attributes are added, the file is flushed, read, and renamed: a result is complete or not there.
 *
 * Until then FILE.part is numbers at known places inside a wrapping of HDF5 that can be made again
 * bit by bit.  A checkpoint knows the places and has a checksum of every chunk of the numbers and
 * one of the wrapping, so that a run goes on from whatever is left: from one that was killed while
 * HDF5 was writing, too. */
#ifndef DUNLIN_IO_RESULT_H
#define DUNLIN_IO_RESULT_H

#include "base/table.h"
#include "io/checkpoint.h"
#include "methods/run.h"

enum { DUN_RESULT_VERSION = 1, DUN_WRITER = 72 };

enum dun_result_group {
  DUN_POSTERIOR,
  DUN_SAMPLE_STATS,
  DUN_LOG_LIKELIHOOD,
  DUN_UNCONSTRAINED_POSTERIOR
};

/* One dataset of (chain, draw, shape...). */
struct dun_result_variable {
  char name[64];
  enum dun_result_group group;
  int rank, shape[DUN_MAX_SHAPE];
  int64_t width; /* numbers per draw */
  enum dun_column_type type;
  const struct dun_column *column; /* of the population; NULL: of theta, lp or the likelihood */
  const char *unit, *doc;          /* NULL: none */
  const char *const *label;        /* [shape[0]], the target's; NULL: numbers */
  int64_t offset;                  /* of its numbers in the file */
  int64_t first_chunk;             /* number of the first of its chunks */
};

struct dun_result {
  char *file, *part; /* FILE.h5 and FILE.h5.part */
  char *whole;       /* FILE.h5.part where `part` is a shorter copy; NULL */
  int64_t chains, draws;
  uint64_t identity; /* of the input */
  int64_t chunk;     /* numbers of a variable that share a checksum */
  int64_t chunks;    /* of all variables */

  /* made when it is laid out */
  char writer[DUN_WRITER]; /* what FILE.part is known by as this run's */
  int64_t mark;            /* where it stands in FILE.part */
  int64_t size;            /* of FILE.part */
  uint64_t wrapping;       /* digest of all its bytes but the draws' */
  int own;                 /* it was laid out by this process, not gone on with */

  int64_t *sum; /* [chunks], this rank's part of the checksums of all draws written so far; owned */
  int variables; /* the parameters, then lp if there is one, then the output columns, then the
                  * log likelihoods, then the unconstrained coordinates */
  struct dun_result_variable *variable; /* [variables], owned */
  int outputs;                          /* numbers in all parameters of a draw */
  int64_t prior_draws;
  double *prior; /* [prior_draws][outputs], of rank 0, written at the end; owned; NULL: none */
  struct dun_result_buffer *buffer; /* of chains that are written draw by draw; owned */
};

/* Collective.  Lays out FILE.part for chains × draws of the run's output parameters and of the
 * population's output columns.  One that is there and is no earlier one of this input is refused
 * (DUN_ERROR_INPUT), unless `replace`: then it, and all checkpoints beside it, give way as soon as
 * the new one is laid out. */
int dun_result_begin(struct dun_context *context, struct dun_result *result, const char *file,
                     uint64_t identity, const struct dun_run *run, int64_t chains, int64_t draws,
                     int replace);

/* Collective, after dun_result_flush.  What a checkpoint is to know of the draws so far; rank 0's
 * bytes are the caller's (dun_free). */
int dun_result_seal(struct dun_context *context, const struct dun_result *result,
                    const struct dun_run *run, struct dun_checkpoint_draws *sealed);

/* Collective.  Goes on with FILE.part, of which a checkpoint, the run's by now, has said so much:
 * all draws are read and compared with their checksums.  Numbers of damaged chunks become NaN (or
 * 0, where they are whole); how many numbers that were written is told in *lost.
 * DUN_ERROR_FILE if the file cannot be read, is gone, or holds none of the draws: it stays as it
 * is. */
int dun_result_resume(struct dun_context *context, struct dun_result *result, const char *file,
                      uint64_t identity, const struct dun_run *run, int64_t chains, int64_t draws,
                      const struct dun_checkpoint_draws *sealed, int64_t *lost);

/* Local.  Removes FILE.part, if this run has laid it out. */
void dun_result_discard(const struct dun_result *result);
/* Local.  Removes the FILE.part of this input that a run left beside its complete result. */
void dun_result_remove_left(const char *file, uint64_t identity);

/* Collective.  Writes `draws` equally spaced particles of the population (global indices
 * floor(k N / draws)) as the draws of one chain, flushed to the disk before it returns.  lp is
 * log pi_t of the population's parts at time 1. */
int dun_result_population(struct dun_context *context, struct dun_result *result,
                          struct dun_run *run, int64_t chain);

/* Draws of chains (run->kept), chain number replicate * run->kept.chains.total + i.
 *
 * Collective.  Makes the buffer, at most 32 MiB a rank, and sets run->kept's reader. */
int dun_result_chains(struct dun_context *context, struct dun_result *result, struct dun_run *run);
/* Collective.  The particles as they stand become draw `draw` of their chains.  It waits in the
 * buffer until that is full; then each chain's draws are written, in one piece unless several ranks
 * hold some of them. */
int dun_result_draw(struct dun_context *context, struct dun_result *result, int64_t draw);
/* Collective.  Everything is written, and on the disk when it returns. */
int dun_result_flush(struct dun_context *context, struct dun_result *result);
/* Collective.  run->kept.read: `source` is the result.  Reads several numbers at once, as many as
 * fit into 64 MiB a rank (one, if that is more), so that calls in ascending order are cheap. */
int dun_result_kept(struct dun_context *context, void *source, int index, double *out);

/* Collective, before dun_result_finish.  Of the chains the first `chains` are left, and of each
 * the first `draws`: what a run that ends early has written.  FILE.part itself stays until the
 * result is complete, so that a checkpoint can be gone on from. */
int dun_result_shorten(struct dun_context *context, struct dun_result *result, int64_t chains,
                       int64_t draws);

/* Collective.  Reads all draws once more and compares them with the checksums of what was written:
 * all draws of chains below `done`, and the first `draws` of a replicate's chains behind them.
 * DUN_ERROR_FILE if they are others. */
int dun_result_verify(struct dun_context *context, struct dun_result *result,
                      const struct dun_run *run, int64_t done, int64_t draws);

/* A named value for the root attributes or the provenance. */
struct dun_attribute {
  const char *name;
  enum { DUN_ATTRIBUTE_NUMBER, DUN_ATTRIBUTE_INTEGER, DUN_ATTRIBUTE_TEXT } type;
  double number;
  int64_t integer;
  const char *text;
};

struct dun_learned_list; /* data/learned.h */

struct dun_named_table {
  const char *group;     /* "/trace/steps" */
  const char *dimension; /* name of the row dimension, "step" */
  const struct dun_table *table;
};

/* Collective.  Adds attributes, tables and what was learned (NULL: nothing), syncs, reads it as
 * everybody will, renames. */
int dun_result_finish(struct dun_context *context, struct dun_result *result,
                      const struct dun_attribute *attribute, int attributes,
                      const struct dun_attribute *provenance, int provenances,
                      const struct dun_named_table *table, int tables,
                      const struct dun_learned_list *learned);
void dun_result_free(struct dun_result *result);

/* Collective: 1 if FILE is there and is a complete result of this identity, 2 if it is another
 * complete file, 0 if there is none.  DUN_ERROR_FILE if it cannot be looked at. */
int dun_result_exists(struct dun_context *context, const char *file, uint64_t identity);

#endif
