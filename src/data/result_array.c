#include "data/result_array.h"

#include "base/error.h"
#include "base/memory.h"
#include "data/hdf.h"
#include <string.h>

/* All numbers of a dataset; `list`: it has to have one axis. */
static int read_array(const char *file, const char *place, int list, struct dun_numbers *numbers)
{
  int rank, status;
  hid_t handle = dun_hdf_open(file, 0);
  if (handle < 0)
    return (int)handle;
  hid_t dataset = dun_hdf_open_dataset(handle, file, place);
  if (dataset < 0)
    return dun_hdf_close(handle, file, (int)dataset);
  int64_t count = dun_hdf_count(dataset, file, place, 0, &rank, NULL);
  if (count < 0)
    status = (int)count;
  else if (list && rank != 1)
    status = dun_fail(DUN_ERROR_INPUT, "'%s' of '%s' has %d axes, expected a list of numbers.",
                      place, file, rank);
  else
    status = dun_hdf_read(dataset, file, place, numbers);
  H5Dclose(dataset);
  return dun_hdf_close(handle, file, status);
}

int dun_result_array(struct dun_context *context, const char *file, const char *place,
                     struct dun_numbers *numbers)
{
  int status = 0;
  int64_t bytes = 0;
  char *block = NULL;
  *numbers = (struct dun_numbers){0};
  if (context->rank == 0) {
    status = read_array(file, place, 1, numbers);
    block = (char *)numbers->value;
    bytes = (int64_t)sizeof(double) * numbers->count;
  }
  status = dun_broadcast_block(context, status, &block, &bytes);
  if (status < 0) {
    dun_free(block);
    *numbers = (struct dun_numbers){0};
    return status;
  }
  numbers->value = (double *)(void *)block;
  numbers->count = bytes / (int64_t)sizeof(double);
  return 0;
}

static int pick_points(const char *file, const char *place, int width, int64_t points,
                       double *picked, int64_t *count)
{
  struct dun_numbers all = {0};
  int status = read_array(file, place, 0, &all);
  int64_t draws = all.count / width;
  *count = draws;
  if (status == 0 && (draws < 1 || draws * width != all.count))
    status = dun_fail(DUN_ERROR_INPUT, "'%s' of '%s' has %lld numbers, expected %d for each draw.",
                      place, file, (long long)all.count, width);
  int64_t taken = draws < points ? draws : points;
  for (int64_t k = 0; k < taken && status == 0; k++)
    memcpy(picked + k * width, all.value + (int64_t)((__int128)k * draws / taken) * width,
           (size_t)width * sizeof *picked);
  dun_free(all.value);
  return status;
}

int dun_result_points(struct dun_context *context, const char *file, const char *place, int width,
                      int64_t points, int64_t stride, double *out, int64_t *draws)
{
  double *picked = dun_allocate(points * width, sizeof *picked);
  int status = dun_agree(context, picked ? 0 : DUN_ERROR_MEMORY);
  if (status >= 0)
    status = dun_agree(
        context, context->rank == 0 ? pick_points(file, place, width, points, picked, draws) : 0);
  if (status >= 0)
    status = dun_broadcast(context, picked, points * width * (int64_t)sizeof *picked, 0);
  if (status >= 0)
    status = dun_broadcast(context, draws, (int64_t)sizeof *draws, 0);
  for (int64_t k = 0; k < points && status >= 0; k++)
    memcpy(out + k * stride, picked + k * width, (size_t)width * sizeof *out);
  dun_free(picked);
  return status;
}
