/* Rank 0's part of a result: its layout and its end. */
#ifndef DUNLIN_IO_RESULT_FILE_H
#define DUNLIN_IO_RESULT_FILE_H

#include "io/result.h"

size_t dun_result_bytes(const struct dun_result_variable *variable); /* per draw */

/* Local.  Makes FILE.part under another name first, so that one with its name is whole; fills the
 * variables' offsets. */
int dun_result_lay_out(struct dun_result *result);
/* Local.  1 if FILE.part is there, belongs to this input and has this layout: then the offsets are
 * filled.  0 otherwise. */
int dun_result_reopen(struct dun_result *result);

/* Local.  Opens FILE.part, as dun_durable_open does; refused if another run has put its own in this
 * one's place: both would write into it. */
int dun_result_open_part(const struct dun_result *result, int write);

/* Local.  Adds what comes at the end to FILE.part. */
int dun_result_complete(struct dun_result *result, const struct dun_attribute *attribute,
                        int attributes, const struct dun_attribute *provenance, int provenances,
                        const struct dun_named_table *table, int tables,
                        const struct dun_learned_list *learned);

/* Local.  What dun_result_chains made. */
void dun_result_chains_free(struct dun_result *result);

#endif
