/* Numbers out of HDF5 files that earlier runs wrote. */
#ifndef DUNLIN_DATA_RESULT_ARRAY_H
#define DUNLIN_DATA_RESULT_ARRAY_H

#include "dunlin/target.h"
#include "parallel/context.h"

/* Collective: rank 0 reads, all get the same.  `place` is "/trace/steps/time".  numbers->value
 * is the caller's (dun_free).  A missing file, place, or wrong type is DUN_ERROR_INPUT and names
 * all three. */
int dun_result_array(struct dun_context *context, const char *file, const char *place,
                     struct dun_numbers *numbers);

/* Collective: rank 0 reads, all get the same.  Of the draws of a variable, "/posterior/x", each of
 * `width` numbers, `points` equally spaced ones, out[points][stride] from its first numbers on; or
 * all *draws of them where there are fewer than that.  Rank 0 holds all of the draws
 * meanwhile.  DUN_ERROR_INPUT as above. */
int dun_result_points(struct dun_context *context, const char *file, const char *place, int width,
                      int64_t points, int64_t stride, double *out, int64_t *draws);

#endif
