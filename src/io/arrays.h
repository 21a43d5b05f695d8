/* Numbers under names, from JSON or CSV: what an option of type DUN_ARRAYS holds. */
#ifndef DUNLIN_IO_ARRAYS_H
#define DUNLIN_IO_ARRAYS_H

#include "dunlin/target.h"

/* What the arrays point to: owned by the caller, who frees each; NULL: nothing. */
struct dun_arrays_store {
  struct dun_array *array;
  double *number;
  char *words;
};

/* Parses a file's content, which may be given back afterwards.
 *
 * What begins with { is JSON: one object of numbers and of lists of numbers, at most DUN_ARRAY_RANK
 * deep, in all at most 10000 names of up to 255 bytes in UTF-8, each once.  Else it is a table as
 * data/csv.h reads it, of which every column is a list; without a header their names are 0, 1, ....
 * What is no number, or a list whose parts differ in length, is no fault of the file but of that
 * array, which has no values then: what nobody uses may hold what it likes.
 *
 * DUN_ERROR_INPUT with "file:line: ...", DUN_ERROR_MEMORY.  Local. */
int dun_arrays_read(const struct dun_data *data, struct dun_arrays *arrays,
                    struct dun_arrays_store *store);

#endif
