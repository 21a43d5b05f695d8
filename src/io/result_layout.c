#include "io/result_file.h"

#include "base/digest.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"
#include "data/hdf.h"
#include "data/hdf_scales.h"
#include "io/column_type.h"
#include "io/durable.h"
#include <errno.h>
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

uint64_t dun_result_layout(const struct dun_result *result)
{
  int64_t extent[2] = {result->chains, result->draws};
  uint64_t layout = dun_digest(DUN_RESULT_VERSION, extent, sizeof extent);
  for (int i = 0; i < result->variables; i++) {
    const struct dun_result_variable *v = &result->variable[i];
    int shape[5] = {(int)v->group, (int)v->type, v->rank, v->rank > 0 ? v->shape[0] : 0,
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

/* The scale of one more axis of a variable, its own. */
static hid_t make_own_scale(hid_t group, const struct dun_result_variable *v, int axis)
{
  char name[80];
  snprintf(name, sizeof name, "%s_dim_%d", v->name, axis);
  return axis == 0 && v->label ? make_labels(group, name, v->shape[0], v->label)
                               : make_scale(group, name, v->shape[axis]);
}

/* scale[0], scale[1]: chain and draw.  Writes two uses of these. */
static int attach_scales(hid_t group, hid_t dataset, const struct dun_result_variable *v,
                         hid_t scale[2 + DUN_MAX_SHAPE], struct dun_hdf_use *use)
{
  struct dun_hdf_use all[2 + DUN_MAX_SHAPE];
  int made = 0, status = 0;
  while (made < v->rank && status == 0) {
    scale[2 + made] = make_own_scale(group, v, made);
    status = scale[2 + made] < 0 ? -1 : 0;
    made += status == 0;
  }
  if (status == 0)
    status = dun_hdf_attach(dataset, 2 + v->rank, scale, all);
  for (int axis = 0; axis < made; axis++) {
    if (status == 0)
      status = dun_hdf_list_uses(scale[2 + axis], 1, &all[2 + axis]);
    H5Dclose(scale[2 + axis]);
  }
  if (status == 0)
    memcpy(use, all, 2 * sizeof *use);
  return status;
}

static int make_variable(hid_t group, hid_t scale[2 + DUN_MAX_SHAPE],
                         const struct dun_result *result, struct dun_result_variable *v,
                         struct dun_hdf_use *use)
{
  hsize_t size[2 + DUN_MAX_SHAPE] = {(hsize_t)result->chains, (hsize_t)result->draws};
  for (int i = 0; i < v->rank; i++)
    size[2 + i] = (hsize_t)v->shape[i];
  hid_t dataset = dun_hdf_dataset(group, v->name, dun_column_file_type(v->type), 2 + v->rank, size);
  int status = dataset < 0 ? -1 : attach_scales(group, dataset, v, scale, use);
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

/* The variables of the group, with the lists of their shared scales behind them. */
static int make_variables(hid_t group, hid_t scale[2 + DUN_MAX_SHAPE], enum dun_result_group which,
                          struct dun_result *result)
{
  int64_t count = 0;
  int status = 0;
  struct dun_hdf_use both[2], *use[2] = {dun_allocate(result->variables + 1, sizeof **use),
                                         dun_allocate(result->variables + 1, sizeof **use)};
  if (!use[0] || !use[1])
    status = -1;
  for (int i = 0; i < result->variables && status == 0; i++)
    if (result->variable[i].group == which &&
        (status = make_variable(group, scale, result, &result->variable[i], both)) == 0) {
      use[0][count] = both[0];
      use[1][count++] = both[1];
    }
  for (int axis = 0; axis < 2 && status == 0; axis++)
    status = dun_hdf_list_uses(scale[axis], count, use[axis]);
  dun_free(use[0]);
  dun_free(use[1]);
  return status;
}

int dun_result_make_group(int64_t handle, const char *name, enum dun_result_group which,
                          struct dun_result *result)
{
  hid_t group = dun_hdf_group(handle, name), scale[2 + DUN_MAX_SHAPE] = {-1, -1};
  scale[0] = group < 0 ? -1 : make_scale(group, "chain", result->chains);
  scale[1] = scale[0] < 0 ? -1 : make_scale(group, "draw", result->draws);
  int status = scale[1] < 0 ? -1 : make_variables(group, scale, which, result);
  for (int axis = 1; axis >= 0; axis--)
    if (scale[axis] >= 0)
      H5Dclose(scale[axis]);
  if (group >= 0)
    H5Gclose(group);
  return status;
}

void dun_result_known_as(const struct dun_result *result, char text[DUN_WRITER])
{
  snprintf(text, DUN_WRITER, "dunlin draws %016llx %016llx ", (unsigned long long)result->identity,
           (unsigned long long)dun_result_layout(result));
}

/* No two runs have the same: the process's number and the time of day. */
static void choose_writer(struct dun_result *result)
{
  struct timespec now = {0};
  clock_gettime(CLOCK_REALTIME, &now);
  dun_result_known_as(result, result->writer);
  size_t length = strlen(result->writer);
  snprintf(result->writer + length, DUN_WRITER - length, "%08lx%08llx", (long)getpid() & 0xffffffff,
           ((unsigned long long)now.tv_sec * 1000003 + (unsigned long long)now.tv_nsec) &
               0xffffffff);
}

/* A group that not every result has. */
static int make_if(hid_t handle, const char *name, enum dun_result_group which,
                   struct dun_result *result)
{
  for (int i = 0; i < result->variables; i++)
    if (result->variable[i].group == which)
      return dun_result_make_group(handle, name, which, result);
  return 0;
}

static int fill(hid_t handle, struct dun_result *result)
{
  char identity[20], layout[20];
  snprintf(identity, sizeof identity, "%016llx", (unsigned long long)result->identity);
  snprintf(layout, sizeof layout, "%016llx", (unsigned long long)dun_result_layout(result));
  if (dun_hdf_attribute_integer(handle, "format_version", DUN_RESULT_VERSION) < 0 ||
      dun_hdf_attribute_text(handle, "identity", identity) < 0 ||
      dun_hdf_attribute_text(handle, "layout", layout) < 0 ||
      dun_hdf_attribute_text(handle, "writer", result->writer) < 0 ||
      dun_result_make_group(handle, "posterior", DUN_POSTERIOR, result) < 0 ||
      dun_result_make_group(handle, "sample_stats", DUN_SAMPLE_STATS, result) < 0)
    return -1;
  return make_if(handle, "log_likelihood", DUN_LOG_LIKELIHOOD, result) < 0 ||
                 make_if(handle, "unconstrained_posterior", DUN_UNCONSTRAINED_POSTERIOR, result) < 0
             ? -1
             : 0;
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

/* `name` with its groups, variables and coordinates; the draws are left out. */
static int make_file(const char *name, struct dun_result *result)
{
  hid_t handle = dun_hdf_create(name);
  int status = handle < 0 ? DUN_ERROR_FILE : 0;
  if (status == 0 && fill(handle, result) < 0)
    status = dun_hdf_fail(DUN_ERROR_FILE, name, "it cannot be laid out");
  return handle < 0 ? status : dun_hdf_close(handle, name, status);
}

/* ---- the wrapping ------------------------------------------------------------------------ */

/* The variables in the order of their places; the caller's. */
static int *order_of(const struct dun_result *result)
{
  int *order = dun_allocate(result->variables, sizeof *order);
  for (int i = 0; order && i < result->variables; i++) {
    int at = i;
    for (; at > 0 && result->variable[order[at - 1]].offset > result->variable[i].offset; at--)
      order[at] = order[at - 1];
    order[at] = i;
  }
  return order;
}

/* Calls `visit` for all pieces of the file between the draws, in order. */
static int each_piece(const struct dun_result *result,
                      int (*visit)(void *data, char *bytes, int64_t size, int64_t offset),
                      void *data)
{
  enum { PIECE = 1 << 20 };
  int *order = order_of(result), status = 0;
  char *bytes = dun_allocate(PIECE, 1);
  int64_t at = 0, draws = result->chains * result->draws;
  for (int i = 0; order && bytes && i <= result->variables && status == 0; i++) {
    const struct dun_result_variable *v =
        i < result->variables ? &result->variable[order[i]] : NULL;
    int64_t end = v ? v->offset : result->size;
    for (int64_t n; at < end && status == 0; at += n) {
      n = end - at < PIECE ? end - at : PIECE;
      status = visit(data, bytes, n, at);
    }
    at = v ? v->offset + draws * (int64_t)dun_result_bytes(v) : end;
  }
  status = order && bytes ? status : DUN_ERROR_MEMORY;
  dun_free(order);
  dun_free(bytes);
  return status;
}

struct two_files {
  int from, to;
  const char *from_name, *to_name;
  uint64_t digest;
};

static int digest_piece(void *data, char *bytes, int64_t size, int64_t offset)
{
  struct two_files *files = data;
  int status = dun_durable_read_some(files->from, files->from_name, bytes, size, offset);
  if (status == 0)
    files->digest = dun_digest(files->digest, bytes, size);
  return status;
}

static int copy_piece(void *data, char *bytes, int64_t size, int64_t offset)
{
  struct two_files *files = data;
  int status = dun_durable_read_some(files->from, files->from_name, bytes, size, offset);
  return status < 0 ? status : dun_durable_write(files->to, files->to_name, bytes, size, offset);
}

static int wrapping_of(const struct dun_result *result, int file, const char *name,
                       uint64_t *digest)
{
  struct two_files files = {.from = file, .from_name = name, .digest = result->identity};
  int status = each_piece(result, digest_piece, &files);
  *digest = files.digest;
  return status;
}

int dun_result_is_whole(const struct dun_result *result, int file, const char *name)
{
  uint64_t digest;
  int64_t size = dun_durable_size(name);
  if (size != result->size) /* nor is as much read as a forger says that there is */
    return size < 0 ? (int)size : 0;
  int status = wrapping_of(result, file, name, &digest);
  return status < 0 ? status : digest == result->wrapping;
}

/* Whether that file has what FILE.part was laid out with. */
static int check_wrapping(const struct dun_result *result, int file, const char *name)
{
  int whole = dun_result_is_whole(result, file, name);
  if (whole == 0)
    return dun_fail(DUN_ERROR_FILE,
                    "'%s' is damaged outside its draws, and this program, or its HDF5, is not "
                    "the one that laid it out and could mend it.",
                    result->part);
  return whole < 0 ? whole : 0;
}

/* All but the draws of one file into the other, which then ends where it should. */
static int copy_wrapping(const struct dun_result *result, struct two_files *files)
{
  int status = files->to < 0 ? files->to : check_wrapping(result, files->from, files->from_name);
  if (status == 0)
    status = each_piece(result, copy_piece, files);
  if (status == 0 && ftruncate(files->to, result->size) < 0)
    status =
        dun_fail(DUN_ERROR_FILE, "'%s' cannot be written: %s.", files->to_name, strerror(errno));
  return status;
}

static int mend_from(const char *name, const struct dun_result *result)
{
  struct dun_result other = *result; /* offsets are found to be the same, or nothing is mended */
  struct two_files files = {.from_name = name, .to_name = result->part};
  int status = dun_durable_create(name, 0);
  other.variable = dun_allocate(result->variables, sizeof *other.variable);
  if (status == 0 && !other.variable)
    status = DUN_ERROR_MEMORY;
  if (status == 0) {
    memcpy(other.variable, result->variable, (size_t)result->variables * sizeof *other.variable);
    status = make_file(name, &other);
  }
  files.from = status == 0 ? dun_durable_open(name, 0) : status;
  if (files.from >= 0) {
    files.to = dun_durable_open(result->part, 1);
    status = copy_wrapping(result, &files);
    if (files.to >= 0)
      status = dun_durable_close(files.to, result->part, 1, status);
    status = dun_durable_close(files.from, name, 0, status);
  } else
    status = files.from;
  dun_free(other.variable);
  unlink(name);
  return status;
}

/* ---- whose it is ------------------------------------------------------------------------- */

enum { HEAD = 1 << 16 };

/* Where the text stands among the attributes, which come first in the file; 0: nowhere; < 0: it
 * cannot be read (with a sentence, DUN_ERROR_FILE or DUN_ERROR_MEMORY). */
static int64_t find_text(int file, const char *name, const char *text)
{
  char *head = dun_allocate(HEAD, 1), *found;
  int status = head ? dun_durable_read_some(file, name, head, HEAD, 0) : DUN_ERROR_MEMORY;
  found = status == 0 ? memmem(head, HEAD, text, strlen(text)) : NULL;
  int64_t at = found ? found - head : status < 0 ? status : 0;
  dun_free(head);
  return at;
}

int dun_result_is_ours(const struct dun_result *result, int file)
{
  char found[DUN_WRITER];
  size_t length = strlen(result->writer);
  return pread(file, found, length, result->mark) == (ssize_t)length &&
         !memcmp(found, result->writer, length);
}

int dun_result_open_part(const struct dun_result *result, int write)
{
  int file = dun_durable_open(result->part, write);
  if (file < 0 || dun_result_is_ours(result, file))
    return file;
  close(file);
  return dun_fail(DUN_ERROR_FILE, "'%s' is another run's by now: two runs have the same output.",
                  result->part);
}

/* Says nothing: a failure before it has already done so. */
void dun_result_discard(const struct dun_result *result)
{
  int file = result->own ? open(result->part, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;
  if (file < 0)
    return;
  if (dun_result_is_ours(result, file))
    unlink(result->part);
  close(file);
}

int dun_result_left(const struct dun_result *result)
{
  char text[DUN_WRITER];
  int there = dun_durable_is_there(result->part), file;
  if (there <= 0)
    return there;
  if ((file = dun_durable_open(result->part, 0)) < 0)
    return file;
  dun_result_known_as(result, text);
  int64_t at = find_text(file, result->part, text);
  close(file);
  if (at != 0)
    return at > 0 ? 1 : (int)at;
  return dun_fail(DUN_ERROR_INPUT,
                  "'%s' is there and not known to be of this input: it may hold the draws of "
                  "another run; --overwrite gives them up, --output gives another name",
                  result->part);
}

void dun_result_remove_left(const char *file, uint64_t identity)
{
  char text[DUN_WRITER];
  struct dun_text part = {0};
  dun_text_add(&part, "%s.part", file);
  snprintf(text, sizeof text, "dunlin draws %016llx ", (unsigned long long)identity);
  int bytes = part.failed ? -1 : open(part.text, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
  if (bytes >= 0) {
    if (find_text(bytes, part.text, text) > 0)
      unlink(part.text);
    close(bytes);
  }
  dun_text_free(&part);
}

/* ---- all of it --------------------------------------------------------------------------- */

/* What is to be known of the file to go on with it. */
static int look_at(const char *name, struct dun_result *result)
{
  int file = dun_durable_open(name, 0);
  if (file < 0)
    return file;
  int status = wrapping_of(result, file, name, &result->wrapping);
  int64_t mark = status == 0 ? find_text(file, name, result->writer) : status;
  if (mark == 0)
    mark = dun_fail(DUN_ERROR_FILE, "'%s' does not show what was written into it.", name);
  result->mark = mark;
  return dun_durable_close(file, name, 0, mark < 0 ? (int)mark : 0);
}

static int lay_out_as(const char *name, struct dun_result *result, int replace)
{
  int status = dun_durable_create(name, bound(result)); /* HDF5 takes a full disk badly */
  if (status < 0)
    return status;
  status = make_file(name, result);
  result->size = status == 0 ? dun_durable_size(name) : status;
  if (status == 0)
    status = result->size < 0 ? (int)result->size : dun_durable_reserve(name, result->size);
  if (status == 0)
    status = look_at(name, result);
  if (status == 0 && replace)
    dun_checkpoint_remove(result->file, NULL);
  if (status == 0)
    status = dun_durable_publish(name, result->part);
  if (status < 0)
    unlink(name);
  return status;
}

static char *name_beside(const struct dun_result *result)
{
  struct dun_text name = {0};
  dun_text_add(&name, "%s.new", result->part);
  if (name.failed)
    dun_text_free(&name);
  return name.text;
}

int dun_result_lay_out(struct dun_result *result, int replace)
{
  char *name = name_beside(result);
  choose_writer(result);
  int status = name ? lay_out_as(name, result, replace) : DUN_ERROR_MEMORY;
  dun_free(name);
  return status;
}

int dun_result_mend(const struct dun_result *result)
{
  char *name = name_beside(result);
  int status = name ? mend_from(name, result) : DUN_ERROR_MEMORY;
  dun_free(name);
  return status;
}
