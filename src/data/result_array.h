/* Numbers out of HDF5 files that earlier runs wrote. */
#ifndef DUNLIN_DATA_RESULT_ARRAY_H
#define DUNLIN_DATA_RESULT_ARRAY_H

#include "data/hdf.h"
#include "dunlin/target.h"
#include "parallel/context.h"

/* Collective: rank 0 reads, all get the same.  `place` is "/trace/steps/time".  numbers->value
 * is the caller's (dun_free).  A missing file, place, or wrong type is DUN_ERROR_INPUT and names
 * all three. */
int dun_result_array(struct dun_context *context, const char *file, const char *place,
                     struct dun_numbers *numbers);

/* Local.  1 if a file has a dataset, or anything else, of that name in a group; 0; DUN_ERROR_INPUT
 * if it cannot be opened. */
int dun_result_has(const char *file, const char *group, const char *name);

/* Local.  DUN_ERROR_INPUT if a dataset of these sizes does not have draws of that parameter, chain
 * by chain: each must have its shape, and not only as many numbers in all.  Axes of one entry do
 * not count. */
int dun_result_fits(const char *file, const char *place, int rank, const int64_t size[DUN_HDF_AXES],
                    const struct dun_parameter *parameter);

/* Collective: rank 0 reads, all get the same.  Of the draws of a parameter, "/posterior/x",
 * `points` equally spaced ones, out[points][stride] from its first numbers on; or all *draws of
 * them where there are fewer than that.  Rank 0 holds all of the draws meanwhile.  DUN_ERROR_INPUT
 * as above, and if they have another shape. */
int dun_result_points(struct dun_context *context, const char *file, const char *place,
                      const struct dun_parameter *parameter, int64_t points, int64_t stride,
                      double *out, int64_t *draws);

#endif
