#include "data/result_array.h"

#include "base/error.h"
#include "base/memory.h"
#include "data/hdf.h"

static int read_array(const char *file, const char *place, struct dun_numbers *numbers)
{
  int rank, status;
  int64_t size;
  hid_t handle = dun_hdf_open(file, 0);
  if (handle < 0)
    return (int)handle;
  hid_t dataset = dun_hdf_open_dataset(handle, file, place);
  if (dataset < 0)
    return dun_hdf_close(handle, file, (int)dataset);
  int64_t count = dun_hdf_count(dataset, file, place, 1, &rank, &size);
  if (count < 0)
    status = (int)count;
  else if (rank != 1)
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
    status = read_array(file, place, numbers);
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
