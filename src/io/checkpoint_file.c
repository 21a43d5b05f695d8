#include "io/checkpoint_file.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"
#include "data/hdf.h"
#include "io/column_type.h"
#include "io/digest.h"
#include "io/durable.h"
#include <stddef.h>
#include <string.h>
#include <unistd.h>

enum { PIECE = 1 << 20 };

static const char magic[16] = "DUNLIN-CHECK\r\n\x1a";

/* ---- what is saved ----------------------------------------------------------------------- */

int64_t dun_checkpoint_row(const struct dun_column *column)
{
  return column->width * (int64_t)dun_column_size(column->type);
}

struct dun_saved dun_checkpoint_saved(const struct dun_checkpoint *checkpoint)
{
  const struct dun_population *population = checkpoint->population;
  int64_t total = population->tiles.total;
  struct dun_saved saved = {.blocks = (total + DUN_CHECKPOINT_BLOCK - 1) / DUN_CHECKPOINT_BLOCK};
  for (int i = 0; i < population->columns; i++)
    if (population->column[i].flags & DUN_SAVED) {
      saved.column[saved.columns++] = &population->column[i];
      saved.bytes += total * dun_checkpoint_row(&population->column[i]);
    }
  return saved;
}

static uint64_t digest_text(uint64_t digest, const char *text)
{
  return dun_digest(digest, text, (int64_t)strlen(text));
}

uint64_t dun_checkpoint_layout(const struct dun_checkpoint *checkpoint)
{
  struct dun_saved saved = dun_checkpoint_saved(checkpoint);
  uint64_t layout = 0;
  for (int i = 0; i < saved.columns; i++) {
    int shape[2] = {(int)saved.column[i]->type, saved.column[i]->width};
    layout = dun_digest(digest_text(layout, saved.column[i]->name), shape, sizeof shape);
  }
  for (int i = 0; i < checkpoint->object_count; i++) {
    const struct dun_stateful *object = &checkpoint->objects[i];
    layout = digest_text(layout, object->name);
    for (const struct dun_state *row = object->rows; row && row->name; row++) {
      int shape[2] = {(int)row->type, row->type == DUN_STATE_NUMBERS ? 0 : row->count};
      layout = dun_digest(digest_text(layout, row->name), shape, sizeof shape);
    }
  }
  return layout;
}

/* A scalar whose row was written without a count is still one number, not none. */
static int fixed_count(const struct dun_state *row)
{
  return row->count < 1 ? 1 : row->count;
}

const void *dun_state_values(const struct dun_state *row, const void *self, int64_t *count)
{
  const char *member = (const char *)self + row->offset;
  if (row->type == DUN_STATE_NUMBERS) {
    const struct dun_numbers *numbers = (const void *)member;
    *count = numbers->count;
    return numbers->value;
  }
  *count = fixed_count(row);
  return member;
}

char *dun_checkpoint_name(const char *file, int slot, const char *suffix)
{
  struct dun_text name = {0};
  size_t length = strlen(file);
  if (length > 3 && !strcmp(file + length - 3, ".h5"))
    length -= 3;
  dun_text_add(&name, "%.*s.%d.checkpoint%s", (int)length, file, slot, suffix);
  if (name.failed)
    dun_text_free(&name);
  return name.text;
}

void dun_checkpoint_sums(const struct dun_checkpoint *checkpoint, const struct dun_saved *saved,
                         int64_t *sum)
{
  int64_t first = checkpoint->population->tiles.first;
  int64_t end = first + checkpoint->population->tiles.local;
  memset(sum, 0, (size_t)(saved->columns * saved->blocks) * sizeof *sum);
  for (int c = 0; c < saved->columns; c++) {
    const struct dun_column *column = saved->column[c];
    int size = (int)dun_column_size(column->type);
    for (int64_t at = first; at < end;) {
      int64_t block = at / DUN_CHECKPOINT_BLOCK, next = (block + 1) * DUN_CHECKPOINT_BLOCK;
      int64_t n = (next < end ? next : end) - at;
      const char *rows = (const char *)column->data + (at - first) * dun_checkpoint_row(column);
      sum[c * saved->blocks + block] = (int64_t)dun_digest_elements((uint64_t)c, at * column->width,
                                                                    n * column->width, size, rows);
      at += n;
    }
  }
}

/* ---- the digest of the rest -------------------------------------------------------------- */

static int digest_piece(int file, const char *name, int64_t from, int64_t to, char *buffer,
                        uint64_t *digest)
{
  for (int64_t n; from < to; from += n) {
    n = to - from < PIECE ? to - from : PIECE;
    if (dun_durable_read(file, name, buffer, n, from) < 0)
      return DUN_ERROR_FILE;
    *digest = dun_digest(*digest, buffer, n);
  }
  return 0;
}

/* The columns in the order of their places in the file. */
static void sort_columns(const struct dun_saved *saved, const struct dun_checkpoint_header *header,
                         int order[DUN_MAX_COLUMNS])
{
  for (int c = 0; c < saved->columns; c++) {
    int at = c;
    for (; at > 0 && header->column_offset[order[at - 1]] > header->column_offset[c]; at--)
      order[at] = order[at - 1];
    order[at] = c;
  }
}

/* All bytes between the columns. */
static int digest_rest(const char *name, const struct dun_saved *saved, int64_t particles,
                       const struct dun_checkpoint_header *header, uint64_t *digest)
{
  int64_t from = DUN_CHECKPOINT_HEADER, size = (int64_t)header->size;
  int file = dun_durable_open(name, 0), status = 0, order[DUN_MAX_COLUMNS];
  char *buffer = dun_allocate(PIECE, 1);
  *digest = header->identity;
  sort_columns(saved, header, order);
  if (file < 0 || !buffer)
    status = file < 0 ? file : DUN_ERROR_MEMORY;
  for (int i = 0; i <= saved->columns && status == 0; i++) {
    int64_t to = i == saved->columns ? size : (int64_t)header->column_offset[order[i]];
    if (to < from || to > size)
      status = dun_fail(DUN_ERROR_FILE, "'%s': its columns do not lie in it.", name);
    else
      status = digest_piece(file, name, from, to, buffer, digest);
    from = to + (i < saved->columns ? particles * dun_checkpoint_row(saved->column[order[i]]) : 0);
  }
  dun_free(buffer);
  return file < 0 ? status : dun_durable_close(file, name, 0, status);
}

/* ---- laying out -------------------------------------------------------------------------- */

static int write_state(hid_t handle, const struct dun_checkpoint *checkpoint)
{
  for (int i = 0; i < checkpoint->object_count; i++) {
    const struct dun_stateful *object = &checkpoint->objects[i];
    hid_t states = dun_hdf_group(handle, "state"), group = dun_hdf_group(states, object->name);
    int status = group < 0 ? -1 : 0;
    for (const struct dun_state *row = object->rows; row && row->name && status == 0; row++) {
      int64_t count;
      const void *values = dun_state_values(row, object->self, &count);
      hsize_t size = (hsize_t)count;
      hid_t type = row->type == DUN_STATE_INTEGER ? H5T_NATIVE_INT64 : H5T_NATIVE_DOUBLE;
      status = dun_hdf_write(group, row->name, type, 1, &size, values);
    }
    if (group >= 0)
      H5Gclose(group);
    if (states >= 0)
      H5Gclose(states);
    if (status < 0)
      return status;
  }
  return 0;
}

static int make_columns(hid_t handle, const struct dun_saved *saved, int64_t particles,
                        struct dun_checkpoint_header *header)
{
  hid_t group = dun_hdf_group(handle, "columns");
  int status = group < 0 ? -1 : 0;
  for (int c = 0; c < saved->columns && status == 0; c++) {
    const struct dun_column *column = saved->column[c];
    hsize_t size[2] = {(hsize_t)particles, (hsize_t)column->width};
    hid_t dataset =
        dun_hdf_dataset(group, column->name, dun_column_file_type(column->type), 2, size);
    haddr_t offset = dataset < 0 ? HADDR_UNDEF : H5Dget_offset(dataset);
    if (offset == HADDR_UNDEF)
      status = -1;
    header->column_offset[c] = offset;
    if (dataset >= 0)
      H5Dclose(dataset);
  }
  if (group >= 0)
    H5Gclose(group);
  return status;
}

static int fill(hid_t handle, const struct dun_checkpoint *checkpoint,
                const struct dun_saved *saved, const int64_t *sum,
                struct dun_checkpoint_header *header)
{
  hsize_t size[2] = {(hsize_t)saved->columns, (hsize_t)saved->blocks};
  if (dun_hdf_attribute_integer(handle, "format_version", DUN_CHECKPOINT_VERSION) < 0 ||
      dun_hdf_attribute_integer(handle, "generation", (int64_t)header->generation) < 0 ||
      dun_hdf_attribute_integer(handle, "particles", (int64_t)header->particles) < 0 ||
      write_state(handle, checkpoint) < 0 ||
      dun_hdf_write(handle, "checksums", H5T_NATIVE_UINT64, 2, size, sum) < 0 ||
      make_columns(handle, saved, (int64_t)header->particles, header) < 0 ||
      H5Fflush(handle, H5F_SCOPE_GLOBAL) < 0)
    return -1;
  return 0;
}

/* What HDF5 may add to the columns: states, sums, and a page or so for each name. */
static int64_t bound(const struct dun_checkpoint *checkpoint, const struct dun_saved *saved)
{
  int64_t bytes = saved->bytes + 8 * saved->columns * saved->blocks + (1 << 18) +
                  16384 * (int64_t)saved->columns;
  for (int i = 0; i < checkpoint->object_count; i++) {
    bytes += 16384;
    for (const struct dun_state *row = checkpoint->objects[i].rows; row && row->name; row++) {
      int64_t count;
      dun_state_values(row, checkpoint->objects[i].self, &count);
      bytes += 8 * count + 8192;
    }
  }
  return bytes;
}

static uint64_t digest_header(const struct dun_checkpoint_header *header)
{
  return dun_digest(header->version, header, offsetof(struct dun_checkpoint_header, own));
}

static int write_header(const char *name, const struct dun_checkpoint_header *header)
{
  int file = dun_durable_open(name, 1);
  if (file < 0)
    return file;
  return dun_durable_close(file, name, 1, dun_durable_write(file, name, header, sizeof *header, 0));
}

int dun_checkpoint_lay_out(const char *name, const struct dun_checkpoint *checkpoint,
                           const struct dun_saved *saved, const int64_t *sum,
                           struct dun_checkpoint_header *header)
{
  int64_t particles = checkpoint->population->tiles.total;
  /* reserved first: HDF5 takes a full disk badly */
  int status = dun_durable_create(name, bound(checkpoint, saved));
  if (status < 0)
    return status;
  memcpy(header->magic, magic, sizeof magic);
  header->version = DUN_CHECKPOINT_VERSION;
  header->identity = checkpoint->identity;
  header->layout = dun_checkpoint_layout(checkpoint);
  header->particles = (uint64_t)particles;
  header->columns = (uint64_t)saved->columns;
  hid_t handle = dun_hdf_create(name, DUN_CHECKPOINT_HEADER);
  status = handle < 0 ? DUN_ERROR_FILE : 0;
  if (status == 0 && fill(handle, checkpoint, saved, sum, header) < 0)
    status = dun_hdf_fail(DUN_ERROR_FILE, name, "it cannot be laid out");
  status = handle < 0 ? status : dun_hdf_close(handle, name, status);
  int64_t size = status == 0 ? dun_durable_size(name) : status;
  header->size = size < 0 ? 0 : (uint64_t)size;
  status = size < 0 ? (int)size : dun_durable_reserve(name, size);
  if (status == 0)
    status = digest_rest(name, saved, particles, header, &header->rest);
  header->own = digest_header(header);
  if (status == 0)
    status = write_header(name, header);
  if (status < 0)
    unlink(name);
  return status;
}

/* ---- reading ----------------------------------------------------------------------------- */

int dun_checkpoint_examine(const char *name, struct dun_checkpoint_header *header)
{
  if (access(name, F_OK) < 0)
    return 0;
  int64_t size = dun_durable_size(name);
  int file = dun_durable_open(name, 0), status = file;
  if (file < 0)
    return file;
  status = size < DUN_CHECKPOINT_HEADER
               ? dun_fail(DUN_ERROR_FILE, "'%s' has %lld bytes: it is cut off or no checkpoint.",
                          name, (long long)size)
               : dun_durable_read(file, name, header, sizeof *header, 0);
  status = dun_durable_close(file, name, 0, status);
  if (status < 0)
    return status;
  if (memcmp(header->magic, magic, sizeof magic))
    return dun_fail(DUN_ERROR_FILE, "'%s' is not a checkpoint.", name);
  if (header->version != DUN_CHECKPOINT_VERSION)
    return dun_fail(DUN_ERROR_FILE, "'%s' has format version %llu, this program reads %d.", name,
                    (unsigned long long)header->version, DUN_CHECKPOINT_VERSION);
  if (header->own != digest_header(header))
    return dun_fail(DUN_ERROR_FILE, "'%s' is damaged at its begin.", name);
  if (header->size != (uint64_t)size)
    return dun_fail(DUN_ERROR_FILE, "'%s' has %lld bytes, expected %llu%s.", name, (long long)size,
                    (unsigned long long)header->size,
                    header->size > (uint64_t)size ? ": it is cut off" : "");
  return 1;
}

static int read_row(hid_t handle, const char *name, const char *place, const struct dun_state *row,
                    char **state, int64_t *size)
{
  int rank;
  hid_t dataset = dun_hdf_open_dataset(handle, name, place);
  if (dataset < 0)
    return (int)dataset;
  int64_t count = dun_hdf_count(dataset, name, place, 0, &rank, NULL);
  int status = 0;
  hid_t type = row->type == DUN_STATE_INTEGER ? H5T_NATIVE_INT64 : H5T_NATIVE_DOUBLE;
  char *larger = count < 0 ? NULL : dun_allocate(*size + 8 + 8 * count, 1);
  if (count >= 0 && row->type != DUN_STATE_NUMBERS && count != fixed_count(row))
    status = dun_fail(DUN_ERROR_FILE, "'%s' of '%s' has %lld numbers, expected %d.", place, name,
                      (long long)count, fixed_count(row));
  else if (!larger)
    status = count < 0 ? (int)count : DUN_ERROR_MEMORY;
  else if (count > 0 &&
           H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, larger + *size + 8) < 0)
    status = dun_hdf_fail(DUN_ERROR_FILE, name, "a state cannot be read");
  H5Dclose(dataset);
  if (status < 0) {
    dun_free(larger);
    return status;
  }
  if (*state)
    memcpy(larger, *state, (size_t)*size);
  memcpy(larger + *size, &count, 8);
  dun_free(*state);
  *state = larger;
  *size += 8 + 8 * count;
  return 0;
}

static int read_state(hid_t handle, const char *name, const struct dun_checkpoint *checkpoint,
                      char **state, int64_t *size)
{
  for (int i = 0; i < checkpoint->object_count; i++) {
    const struct dun_stateful *object = &checkpoint->objects[i];
    for (const struct dun_state *row = object->rows; row && row->name; row++) {
      struct dun_text place = {0};
      dun_text_add(&place, "/state/%s/%s", object->name, row->name);
      int status =
          place.failed ? DUN_ERROR_MEMORY : read_row(handle, name, place.text, row, state, size);
      dun_text_free(&place);
      if (status < 0)
        return status;
    }
  }
  return 0;
}

static int read_sums(hid_t handle, const char *name, const struct dun_saved *saved, int64_t *sum)
{
  int rank, status = 0;
  hid_t dataset = dun_hdf_open_dataset(handle, name, "/checksums");
  if (dataset < 0)
    return (int)dataset;
  int64_t count = dun_hdf_count(dataset, name, "/checksums", 0, &rank, NULL);
  if (count != saved->columns * saved->blocks)
    status = dun_fail(DUN_ERROR_FILE, "'%s' has %lld checksums, expected %lld.", name,
                      (long long)count, (long long)(saved->columns * saved->blocks));
  else if (count > 0 && H5Dread(dataset, H5T_NATIVE_UINT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, sum) < 0)
    status = dun_hdf_fail(DUN_ERROR_FILE, name, "its checksums cannot be read");
  H5Dclose(dataset);
  return status;
}

int dun_checkpoint_load(const char *name, const struct dun_checkpoint *checkpoint,
                        const struct dun_saved *saved, const struct dun_checkpoint_header *header,
                        int64_t *sum, char **state, int64_t *state_size)
{
  uint64_t rest;
  *state = NULL;
  *state_size = 0;
  if (header->layout != dun_checkpoint_layout(checkpoint) ||
      header->columns != (uint64_t)saved->columns ||
      header->particles != (uint64_t)checkpoint->population->tiles.total)
    return dun_fail(DUN_ERROR_FILE,
                    "'%s' holds other columns or states than this program saves for this input.",
                    name);
  int status = digest_rest(name, saved, (int64_t)header->particles, header, &rest);
  if (status == 0 && rest != header->rest)
    status = dun_fail(DUN_ERROR_FILE, "'%s' is damaged outside its columns.", name);
  if (status < 0)
    return status;
  hid_t handle = dun_hdf_open(name, 0);
  if (handle < 0)
    return (int)handle;
  status = read_sums(handle, name, saved, sum);
  if (status == 0)
    status = read_state(handle, name, checkpoint, state, state_size);
  if (status < 0)
    DUN_FREE(*state);
  return dun_hdf_close(handle, name, status);
}
