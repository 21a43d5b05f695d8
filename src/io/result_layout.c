#include "io/result_file.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"
#include "data/hdf.h"
#include "io/column_type.h"
#include "io/digest.h"
#include "io/durable.h"
#include <fcntl.h>
#include <hdf5_hl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

size_t dun_result_bytes(const struct dun_result_variable *variable)
{
  return (size_t)variable->width * dun_column_size(variable->type);
}

static uint64_t digest_of(const struct dun_result *result)
{
  int64_t extent[2] = {result->chains, result->draws};
  uint64_t layout = dun_digest(DUN_RESULT_VERSION, extent, sizeof extent);
  for (int i = 0; i < result->variables; i++) {
    const struct dun_result_variable *v = &result->variable[i];
    int shape[5] = {v->statistic, (int)v->type, v->rank, v->rank > 0 ? v->shape[0] : 0,
                    v->rank > 1 ? v->shape[1] : 0};
    layout = dun_digest(layout, v->name, (int64_t)strlen(v->name));
    layout = dun_digest(layout, shape, sizeof shape);
  }
  return layout;
}

/* ---- laying out -------------------------------------------------------------------------- */

/* A dimension with the coordinates 0, 1, ..., as a dataset that is open: a scale to attach. */
static hid_t make_scale(hid_t group, const char *name, int64_t count)
{
  enum { PIECE = 1 << 16 };
  hsize_t size = (hsize_t)count;
  int64_t *number = dun_allocate(PIECE, sizeof *number);
  hid_t dataset = dun_hdf_dataset(group, name, H5T_NATIVE_INT64, 1, &size);
  hid_t space = dataset < 0 ? -1 : H5Dget_space(dataset);
  int bad = !number || space < 0 || H5DSset_scale(dataset, name) < 0;
  for (int64_t first = 0; first < count && !bad; first += PIECE) {
    hsize_t at = (hsize_t)first, n = (hsize_t)(count - first < PIECE ? count - first : PIECE);
    hid_t memory = H5Screate_simple(1, &n, NULL);
    for (hsize_t i = 0; i < n; i++)
      number[i] = first + (int64_t)i;
    H5Sselect_hyperslab(space, H5S_SELECT_SET, &at, NULL, &n, NULL);
    bad = H5Dwrite(dataset, H5T_NATIVE_INT64, memory, space, H5P_DEFAULT, number) < 0;
    H5Sclose(memory);
  }
  dun_free(number);
  if (space >= 0)
    H5Sclose(space);
  if (!bad)
    return dataset;
  if (dataset >= 0)
    H5Dclose(dataset);
  return -1;
}

/* The same with names in the place of numbers. */
static hid_t make_labels(hid_t group, const char *name, int64_t count, const char *const *label)
{
  if (dun_hdf_write_texts(group, name, count, label) < 0)
    return -1;
  hid_t dataset = H5Dopen2(group, name, H5P_DEFAULT);
  if (dataset < 0 || H5DSset_scale(dataset, name) >= 0)
    return dataset;
  H5Dclose(dataset);
  return -1;
}

/* One more axis of a variable with a scale of its own. */
static int attach_own_scale(hid_t group, hid_t dataset, const struct dun_result_variable *v,
                            int axis)
{
  char name[80];
  snprintf(name, sizeof name, "%s_dim_%d", v->name, axis);
  hid_t scale = axis == 0 && v->label ? make_labels(group, name, v->shape[0], v->label)
                                      : make_scale(group, name, v->shape[axis]);
  int status = scale < 0 || H5DSattach_scale(dataset, scale, (unsigned)(2 + axis)) < 0 ? -1 : 0;
  if (scale >= 0)
    H5Dclose(scale);
  return status;
}

static int make_variable(hid_t group, hid_t chain, hid_t draw, const struct dun_result *result,
                         struct dun_result_variable *v)
{
  hsize_t size[2 + DUN_MAX_SHAPE] = {(hsize_t)result->chains, (hsize_t)result->draws};
  for (int i = 0; i < v->rank; i++)
    size[2 + i] = (hsize_t)v->shape[i];
  hid_t dataset = dun_hdf_dataset(group, v->name, dun_column_file_type(v->type), 2 + v->rank, size);
  int status = dataset < 0 || H5DSattach_scale(dataset, chain, 0) < 0 ||
                       H5DSattach_scale(dataset, draw, 1) < 0
                   ? -1
                   : 0;
  for (int axis = 0; axis < v->rank && status == 0; axis++)
    status = attach_own_scale(group, dataset, v, axis);
  if (status == 0)
    status = dun_hdf_attribute_unit(dataset, v->unit);
  if (status == 0 && v->doc && *v->doc)
    status = dun_hdf_attribute_text(dataset, "long_name", v->doc);
  haddr_t offset = status < 0 ? HADDR_UNDEF : H5Dget_offset(dataset);
  v->offset = (int64_t)offset;
  if (dataset >= 0)
    H5Dclose(dataset);
  return offset == HADDR_UNDEF ? -1 : 0;
}

static int make_group(hid_t handle, const char *name, int statistic, struct dun_result *result)
{
  hid_t group = dun_hdf_group(handle, name);
  hid_t chain = group < 0 ? -1 : make_scale(group, "chain", result->chains);
  hid_t draw = chain < 0 ? -1 : make_scale(group, "draw", result->draws);
  int status = draw < 0 ? -1 : 0;
  for (int i = 0; i < result->variables && status == 0; i++)
    if (result->variable[i].statistic == statistic)
      status = make_variable(group, chain, draw, result, &result->variable[i]);
  if (draw >= 0)
    H5Dclose(draw);
  if (chain >= 0)
    H5Dclose(chain);
  if (group >= 0)
    H5Gclose(group);
  return status;
}

/* No two runs have the same: the process's number and the time of day. */
static void choose_writer(struct dun_result *result)
{
  struct timespec now = {0};
  clock_gettime(CLOCK_REALTIME, &now);
  snprintf(result->writer, sizeof result->writer, "%08lx%08llx", (long)getpid() & 0xffffffff,
           ((unsigned long long)now.tv_sec * 1000003 + (unsigned long long)now.tv_nsec) &
               0xffffffff);
}

static int fill(hid_t handle, struct dun_result *result)
{
  char identity[20], layout[20];
  snprintf(identity, sizeof identity, "%016llx", (unsigned long long)result->identity);
  snprintf(layout, sizeof layout, "%016llx", (unsigned long long)digest_of(result));
  if (dun_hdf_attribute_integer(handle, "format_version", DUN_RESULT_VERSION) < 0 ||
      dun_hdf_attribute_text(handle, "identity", identity) < 0 ||
      dun_hdf_attribute_text(handle, "layout", layout) < 0 ||
      dun_hdf_attribute_text(handle, "writer", result->writer) < 0 ||
      make_group(handle, "posterior", 0, result) < 0 ||
      make_group(handle, "sample_stats", 1, result) < 0)
    return -1;
  return 0;
}

/* Numbers, coordinates, and what HDF5 may add. */
static int64_t bound(const struct dun_result *result)
{
  int64_t draws = result->chains * result->draws;
  int64_t bytes = 16 * (result->chains + result->draws) + (1 << 18);
  for (int i = 0; i < result->variables; i++) {
    const struct dun_result_variable *v = &result->variable[i];
    bytes += draws * (int64_t)dun_result_bytes(v) + 32768;
    for (int axis = 0; axis < v->rank; axis++)
      bytes += 8 * v->shape[axis] + 16384;
    for (int k = 0; v->label && k < v->shape[0]; k++) /* a reference and an object of a heap */
      bytes += 64 + 2 * (int64_t)strlen(v->label[k]);
  }
  return bytes;
}

static int lay_out_as(const char *name, struct dun_result *result)
{
  int status = dun_durable_create(name, bound(result)); /* HDF5 takes a full disk badly */
  if (status < 0)
    return status;
  hid_t handle = dun_hdf_create(name, 0);
  status = handle < 0 ? DUN_ERROR_FILE : 0;
  if (status == 0 && fill(handle, result) < 0)
    status = dun_hdf_fail(DUN_ERROR_FILE, name, "it cannot be laid out");
  if (handle >= 0)
    status = dun_hdf_close(handle, name, status);
  int64_t size = status == 0 ? dun_durable_size(name) : status;
  status = size < 0 ? (int)size : dun_durable_reserve(name, size);
  if (status == 0)
    status = dun_durable_publish(name, result->part);
  if (status < 0)
    unlink(name);
  return status;
}

/* ---- whose it is ------------------------------------------------------------------------- */

/* Where the writer stands among the attributes, which come first in the file. */
static void find_mark(struct dun_result *result)
{
  enum { HEAD = 1 << 16 };
  char *head = dun_allocate(HEAD, 1);
  int file = head ? open(result->part, O_RDONLY | O_CLOEXEC) : -1;
  ssize_t size = file < 0 ? 0 : pread(file, head, HEAD, 0);
  result->mark = 0;
  for (ssize_t at = 1; at + 16 <= size && *result->writer && result->mark == 0; at++)
    if (!memcmp(head + at, result->writer, 16))
      result->mark = at;
  if (file >= 0)
    close(file);
  dun_free(head);
}

static int is_ours(const struct dun_result *result, int file)
{
  char found[16];
  return result->mark == 0 ||
         (pread(file, found, sizeof found, result->mark) == (ssize_t)sizeof found &&
          !memcmp(found, result->writer, sizeof found));
}

int dun_result_open_part(const struct dun_result *result, int write)
{
  int file = dun_durable_open(result->part, write);
  if (file < 0 || is_ours(result, file))
    return file;
  close(file);
  return dun_fail(DUN_ERROR_FILE, "'%s' is another run's by now: two runs have the same output.",
                  result->part);
}

/* Says nothing: a failure before it has already done so. */
void dun_result_discard(const struct dun_result *result)
{
  int file = result->part ? open(result->part, O_RDONLY | O_CLOEXEC) : -1;
  if (file < 0)
    return;
  if (is_ours(result, file))
    unlink(result->part);
  close(file);
}

int dun_result_lay_out(struct dun_result *result)
{
  struct dun_text name = {0};
  dun_text_add(&name, "%s.new", result->part);
  choose_writer(result);
  int status = name.failed ? DUN_ERROR_MEMORY : lay_out_as(name.text, result);
  dun_text_free(&name);
  if (status == 0)
    find_mark(result);
  return status;
}

/* ---- going on ---------------------------------------------------------------------------- */

static int has_text(hid_t handle, const char *file, const char *name, uint64_t expected)
{
  char number[20], *text = NULL;
  snprintf(number, sizeof number, "%016llx", (unsigned long long)expected);
  hid_t attribute = H5Aexists(handle, name) > 0 ? H5Aopen(handle, name, H5P_DEFAULT) : -1;
  if (attribute < 0)
    return 0;
  int same = dun_hdf_read_text(-1, attribute, file, name, &text) == 0 && !strcmp(text, number);
  H5Aclose(attribute);
  dun_free(text);
  return same;
}

static int find_variable(hid_t handle, const struct dun_result *result,
                         struct dun_result_variable *v, int64_t size)
{
  char place[96];
  int64_t expected = result->chains * result->draws * (int64_t)dun_result_bytes(v);
  snprintf(place, sizeof place, "/%s/%s", v->statistic ? "sample_stats" : "posterior", v->name);
  hid_t dataset = dun_hdf_open_dataset(handle, result->part, place);
  if (dataset < 0)
    return 0;
  v->offset = (int64_t)H5Dget_offset(dataset);
  int good = H5Dget_storage_size(dataset) == (hsize_t)expected && v->offset > 0 &&
             v->offset <= size - expected;
  H5Dclose(dataset);
  return good;
}

static void read_writer(hid_t handle, struct dun_result *result)
{
  char *text = NULL;
  hid_t attribute = H5Aexists(handle, "writer") > 0 ? H5Aopen(handle, "writer", H5P_DEFAULT) : -1;
  *result->writer = 0;
  if (attribute < 0)
    return;
  if (dun_hdf_read_text(-1, attribute, result->part, "writer", &text) == 0 && strlen(text) == 16)
    memcpy(result->writer, text, 17);
  H5Aclose(attribute);
  dun_free(text);
}

int dun_result_reopen(struct dun_result *result)
{
  if (access(result->part, F_OK) < 0)
    return 0;
  int64_t size = dun_durable_size(result->part);
  hid_t handle = dun_hdf_open(result->part, 0);
  if (handle < 0)
    return 0;
  int good = has_text(handle, result->part, "identity", result->identity) &&
             has_text(handle, result->part, "layout", digest_of(result));
  for (int i = 0; i < result->variables && good; i++)
    good = find_variable(handle, result, &result->variable[i], size);
  if (good)
    read_writer(handle, result);
  H5Fclose(handle);
  if (good)
    find_mark(result);
  return good;
}
