/* Where a file of points comes from, if it is a result: what that run thought of itself, and what
 * its target was. */
#ifndef DUNLIN_DATA_ORIGIN_H
#define DUNLIN_DATA_ORIGIN_H

#include "parallel/context.h"

struct dun_origin {
  char diagnosis[16]; /* "good", "doubtful", "bad"; "": the file does not tell, and is no result */
  char *target;       /* its lines (data/target_lines.h), owned; NULL: nobody knows */
};

/* Collective: rank 0 reads, all get the same.  A file that is no HDF5, or not a result's, tells
 * nothing.  DUN_ERROR_INPUT, DUN_ERROR_MEMORY; dun_origin_free is due in any case. */
int dun_origin_read(struct dun_context *context, const char *file, struct dun_origin *origin);
void dun_origin_free(struct dun_origin *origin);

#endif
