/* One-dimensional arrays of numbers out of HDF5 files that earlier runs wrote. */
#ifndef DUNLIN_DATA_RESULT_ARRAY_H
#define DUNLIN_DATA_RESULT_ARRAY_H

#include "dunlin/target.h"
#include "parallel/context.h"

/* Collective: rank 0 reads, all get the same.  `place` is "/trace/steps/time".  numbers->value
 * is the caller's (dun_free).  A missing file, place, or wrong type is DUN_ERROR_INPUT and names
 * all three. */
int dun_result_array(struct dun_context *context, const char *file, const char *place,
                     struct dun_numbers *numbers);

#endif
