/* Rank 0's part of a result: its layout and its end. */
#ifndef DUNLIN_IO_RESULT_FILE_H
#define DUNLIN_IO_RESULT_FILE_H

#include "io/result.h"

size_t dun_result_bytes(const struct dun_result_variable *variable); /* per draw */

/* Local.  Makes FILE.part under another name first, so that one with its name is whole; fills the
 * variables' offsets, writer, mark, size and wrapping.  With `replace` checkpoints beside it are
 * removed. */
int dun_result_lay_out(struct dun_result *result, int replace);
/* Local.  A group of an open HDF5 file with all variables that belong to it, without numbers; sets
 * their offsets.  -1: HDF5 failed. */
int dun_result_make_group(int64_t handle, const char *name, enum dun_result_group which,
                          struct dun_result *result);
/* Local.  The group `prior`, if there are draws of it, into an open HDF5 file; -1: it failed. */
int dun_result_write_prior(int64_t handle, const struct dun_result *result);
int64_t dun_result_prior_bytes(const struct dun_result *result); /* at most, in the file */

/* Local.  Makes all but the draws anew in FILE.part, where it was left half-written or damaged. */
int dun_result_mend(const struct dun_result *result);
/* Local.  1: an open file has the size of FILE.part, and the bytes that this was laid out with, the
 * draws left out; 0: it has not; < 0: it cannot be read. */
int dun_result_is_whole(const struct dun_result *result, int file, const char *name);
/* Digest of what is laid out: names, types, extents. */
uint64_t dun_result_layout(const struct dun_result *result);

/* What a writer begins with: the input and the layout. */
void dun_result_known_as(const struct dun_result *result, char text[DUN_WRITER]);
/* Local.  1 if FILE.part is there and is of this input; 0 if there is none; DUN_ERROR_INPUT if it
 * is of another or not known; DUN_ERROR_FILE if it cannot be read. */
int dun_result_left(const struct dun_result *result);
/* Local.  Whether an open FILE.part carries this run's mark. */
int dun_result_is_ours(const struct dun_result *result, int file);
/* Local.  Opens FILE.part, as dun_durable_open does; refused if another run has put its own in this
 * one's place: both would write into it. */
int dun_result_open_part(const struct dun_result *result, int write);

/* ---- checksums (result_sums.c) ----------------------------------------------------------- */

/* Local.  Cuts the variables into chunks. */
int dun_result_cut(struct dun_result *result);
/* Collective.  Takes over what a checkpoint kept of FILE.part (offsets, mark, sums), and compares
 * the draws with it, see dun_result_resume.  1: no draw was kept, and the file is not looked at. */
int dun_result_check(struct dun_context *context, struct dun_result *result,
                     const struct dun_run *run, const struct dun_checkpoint_draws *sealed,
                     int64_t *lost);
/* Local.  Adds the numbers of `count` draws of a chain, from `draw` on, to the checksums. */
void dun_result_count(struct dun_result *result, int variable, int64_t chain, int64_t draw,
                      int64_t count, const void *numbers);

/* Local.  Adds what comes at the end to FILE.part. */
int dun_result_complete(struct dun_result *result, const struct dun_attribute *attribute,
                        int attributes, const struct dun_attribute *provenance, int provenances,
                        const struct dun_named_table *table, int tables,
                        const struct dun_learned_list *learned);

/* The name of a column in the file; no slash is left. */
void dun_result_column_name(const struct dun_table_column *column, char name[64]);
/* Local.  Whether everybody will be able to read FILE.part, and finds what the same arguments made
 * of it in dun_result_complete: until then nothing that it replaces is removed. */
int dun_result_read_back(const struct dun_result *result, const struct dun_attribute *attribute,
                         int attributes, const struct dun_attribute *provenance, int provenances,
                         const struct dun_named_table *table, int tables);

/* Local.  What dun_result_chains made. */
void dun_result_chains_free(struct dun_result *result);

#endif
