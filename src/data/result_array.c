#include "data/result_array.h"

#include "base/error.h"
#include "base/memory.h"
#include "data/hdf.h"
#include "data/hdf_guard.h"
#include <stdio.h>
#include <string.h>

int dun_result_array(struct dun_context *context, const char *file, const char *place,
                     struct dun_numbers *numbers)
{
  int status = 0;
  int64_t bytes = 0;
  char *block = NULL;
  *numbers = (struct dun_numbers){0};
  if (context->rank == 0) {
    int rank;
    int64_t size[DUN_HDF_AXES];
    status = dun_hdf_array(file, place, &rank, size, numbers);
    if (status >= 0 && rank != 1)
      status = dun_fail(DUN_ERROR_INPUT, "'%s' of '%s' has %d axes, expected a list of numbers.",
                        place, file, rank);
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

struct looked {
  const char *file, *group, *name;
};

static int look(void *self)
{
  const struct looked *looked = self;
  char place[256];
  hid_t handle = dun_hdf_open(looked->file, 0);
  if (handle < 0)
    return (int)handle;
  snprintf(place, sizeof place, "%s/%s", looked->group, looked->name);
  int there = H5Lexists(handle, looked->group, H5P_DEFAULT) > 0 &&
              H5Lexists(handle, place, H5P_DEFAULT) > 0;
  return dun_hdf_close(handle, looked->file, there);
}

int dun_result_has(const char *file, const char *group, const char *name)
{
  struct looked looked = {file, group, name};
  return dun_hdf_guarded(file, DUN_ERROR_INPUT, look, &looked);
}

static int64_t width_of(const struct dun_parameter *parameter)
{
  int64_t width = 1;
  for (int axis = 0; axis < parameter->rank; axis++)
    width *= parameter->shape[axis];
  return width;
}

int dun_result_fits(const char *file, const char *place, int rank, const int64_t size[DUN_HDF_AXES],
                    const struct dun_parameter *parameter)
{
  int axis = 2, own = 0, same = rank >= 2 && rank <= DUN_HDF_AXES;
  while (same && (axis < rank || own < parameter->rank)) {
    if (axis < rank && size[axis] == 1)
      axis++;
    else if (own < parameter->rank && parameter->shape[own] == 1)
      own++;
    else
      same = axis < rank && own < parameter->rank && size[axis++] == parameter->shape[own++];
  }
  if (same)
    return 0;
  char shape[64] = "";
  for (int i = 0; i < parameter->rank; i++) {
    size_t length = strlen(shape);
    snprintf(shape + length, sizeof shape - length, ", %d", parameter->shape[i]);
  }
  return dun_fail(DUN_ERROR_INPUT,
                  "'%s' of '%s' has another shape than %s of this target: expected (chains, "
                  "draws%s).",
                  place, file, parameter->name, shape);
}

static int pick_points(const char *file, const char *place, const struct dun_parameter *parameter,
                       int64_t points, double *picked, int64_t *count)
{
  struct dun_numbers all = {0};
  int64_t size[DUN_HDF_AXES], width = width_of(parameter);
  int rank, status = dun_hdf_array(file, place, &rank, size, &all);
  int64_t draws = all.count / width;
  *count = draws;
  if (status == 0)
    status = dun_result_fits(file, place, rank, size, parameter);
  if (status == 0 && draws < 1)
    status = dun_fail(DUN_ERROR_INPUT, "'%s' of '%s' has no draws.", place, file);
  int64_t taken = draws < points ? draws : points;
  for (int64_t k = 0; k < taken && status == 0; k++)
    memcpy(picked + k * width, all.value + (int64_t)((__int128)k * draws / taken) * width,
           (size_t)width * sizeof *picked);
  dun_free(all.value);
  return status;
}

int dun_result_points(struct dun_context *context, const char *file, const char *place,
                      const struct dun_parameter *parameter, int64_t points, int64_t stride,
                      double *out, int64_t *draws)
{
  int64_t width = width_of(parameter);
  double *picked = dun_allocate(points * width, sizeof *picked);
  int status = dun_agree(context, picked ? 0 : DUN_ERROR_MEMORY);
  if (status >= 0)
    status = dun_agree(context, context->rank == 0
                                    ? pick_points(file, place, parameter, points, picked, draws)
                                    : 0);
  if (status >= 0)
    status = dun_broadcast(context, picked, points * width * (int64_t)sizeof *picked, 0);
  if (status >= 0)
    status = dun_broadcast(context, draws, (int64_t)sizeof *draws, 0);
  for (int64_t k = 0; k < points && status >= 0; k++)
    memcpy(out + k * stride, picked + k * width, (size_t)width * sizeof *out);
  dun_free(picked);
  return status;
}
