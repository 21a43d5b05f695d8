#include "data/learned.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"
#include "data/hdf.h"
#include "data/hdf_guard.h"
#include "data/result_array.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

int dun_learned_is(const struct dun_state *row)
{
  for (; row && row->name; row++)
    if (row->learned)
      return 1;
  return 0;
}

int dun_learned_add(struct dun_learned_list *list, const char *place, const char *type,
                    const struct dun_state *rows, void *self)
{
  if (list->count == list->room) {
    int room = 2 * list->room + 8;
    struct dun_learned *larger = dun_allocate(room, sizeof *larger);
    if (!larger)
      return DUN_ERROR_MEMORY;
    if (list->count)
      memcpy(larger, list->item, (size_t)list->count * sizeof *larger);
    dun_free(list->item);
    list->item = larger;
    list->room = room;
  }
  struct dun_learned *item = &list->item[list->count++];
  *item = (struct dun_learned){.type = type, .rows = rows, .self = self};
  snprintf(item->place, sizeof item->place, "%s", place);
  return 0;
}

void dun_learned_free(struct dun_learned_list *list)
{
  DUN_FREE(list->item);
  list->count = list->room = 0;
}

/* ---- writing ------------------------------------------------------------------------------- */

static int64_t count_of(const struct dun_state *row, const char *self)
{
  const struct dun_numbers *numbers = (const void *)(self + row->offset);
  return row->type == DUN_STATE_NUMBERS ? numbers->count : row->count;
}

int64_t dun_learned_bytes(const struct dun_learned_list *list)
{
  int64_t bytes = 16384;
  int64_t options = list && list->options ? (int64_t)strlen(list->options) : 0;
  for (int i = 0; list && i < list->count; i++) {
    bytes += 16384 + options;
    for (const struct dun_state *row = list->item[i].rows; row && row->name; row++)
      bytes += row->learned ? 8192 + 8 * count_of(row, list->item[i].self) : 0;
  }
  return bytes;
}

static const void *values_of(const struct dun_state *row, const char *self)
{
  const struct dun_numbers *numbers = (const void *)(self + row->offset);
  return row->type == DUN_STATE_NUMBERS ? (const void *)numbers->value : numbers;
}

/* Of a row's name and its numbers as they lie there, of 8 bytes each. */
static int64_t digest_of(const struct dun_state *row, const char *self)
{
  uint64_t name = dun_digest(0, row->name, (int64_t)strlen(row->name));
  return (int64_t)dun_digest(name, values_of(row, self),
                             count_of(row, self) * (int64_t)sizeof(double));
}

static int write_row(hid_t group, const struct dun_state *row, const char *self)
{
  hsize_t size = (hsize_t)count_of(row, self);
  hid_t type = row->type == DUN_STATE_INTEGER ? H5T_NATIVE_INT64 : H5T_NATIVE_DOUBLE;
  if (dun_hdf_write(group, row->name, type, 1, &size, values_of(row, self)) < 0)
    return -1;
  hid_t dataset = H5Dopen2(group, row->name, H5P_DEFAULT);
  int status = dataset < 0 ? -1 : dun_hdf_attribute_text(dataset, "long_name", row->learned);
  if (status == 0)
    status = dun_hdf_attribute_integer(dataset, "digest", digest_of(row, self));
  if (dataset >= 0)
    H5Dclose(dataset);
  return status;
}

static int write_one(hid_t handle, const struct dun_learned_list *list, int i)
{
  const struct dun_learned *item = &list->item[i];
  hid_t all = dun_hdf_group(handle, "learned"), group = dun_hdf_group(all, item->place);
  int status = group < 0 ? -1 : dun_hdf_attribute_text(group, "type", item->type);
  if (status == 0)
    status = dun_hdf_attribute_text(group, "target", list->target);
  if (status == 0 && list->options)
    status = dun_hdf_attribute_text(group, "target_options", list->options);
  if (status == 0)
    status = dun_hdf_attribute_integer(group, "dimension", list->dimension);
  for (const struct dun_state *row = item->rows; row->name && status == 0; row++)
    status = row->learned ? write_row(group, row, item->self) : 0;
  if (group >= 0)
    H5Gclose(group);
  if (all >= 0)
    H5Gclose(all);
  return status;
}

int dun_learned_write(hid_t handle, const struct dun_learned_list *list)
{
  int status = 0;
  dun_hdf_remove(handle, "learned");
  for (int i = 0; list && i < list->count && status == 0; i++)
    status = write_one(handle, list, i);
  return status;
}

/* ---- reading ------------------------------------------------------------------------------- */

/* An attribute of a group, allocated. */
static int read_text(hid_t group, const char *name, const char *file, const char *place,
                     char **text)
{
  hid_t attribute = H5Aexists(group, name) > 0 ? H5Aopen(group, name, H5P_DEFAULT) : -1;
  int status =
      attribute < 0 ? DUN_ERROR_INPUT : dun_hdf_read_text(-1, attribute, file, place, text);
  if (attribute >= 0)
    H5Aclose(attribute);
  return status;
}

static int check_type(hid_t group, const char *file, const struct dun_learned *learned)
{
  char *text = NULL;
  int status = read_text(group, "type", file, learned->place, &text);
  if (status < 0 || strcmp(text, learned->type) != 0)
    status = dun_fail(DUN_ERROR_INPUT, "%s: /learned/%s was learned by %s, expected %s", file,
                      learned->place, text ? text : "nobody knows what", learned->type);
  dun_free(text);
  return status;
}

static int check_dimension(hid_t group, const char *file, const struct dun_learned *learned,
                           int dimension)
{
  int64_t found = -1;
  hid_t attribute =
      H5Aexists(group, "dimension") > 0 ? H5Aopen(group, "dimension", H5P_DEFAULT) : -1;
  if (attribute >= 0 && dun_hdf_read_number(-1, attribute, H5T_NATIVE_INT64, &found) < 0)
    found = -1;
  if (attribute >= 0)
    H5Aclose(attribute);
  if (found == dimension)
    return 0;
  return dun_fail(DUN_ERROR_INPUT,
                  "%s: /learned/%s is of a target in %lld dimensions, and this one has %d", file,
                  learned->place, (long long)found, dimension);
}

/* Rank 0 alone.  The group of a place; < 0: there is none. */
static hid_t open_place(hid_t handle, const char *file, const char *name)
{
  char place[DUN_PLACE + 16];
  snprintf(place, sizeof place, "/learned/%s", name);
  int there =
      H5Lexists(handle, "/learned", H5P_DEFAULT) > 0 && H5Lexists(handle, place, H5P_DEFAULT) > 0;
  hid_t group = there ? H5Gopen2(handle, place, H5P_DEFAULT) : -1;
  return group >= 0 ? group : dun_fail(DUN_ERROR_INPUT, "%s: there is no %s", file, place);
}

/* What is asked of a place of a file before its numbers. */
struct head {
  const char *file, *place;
  const struct dun_learned *learned; /* whose place and type are expected, or NULL: */
  int dimension;
  char *type; /* [DUN_LEARNED_TYPE]: which is told */
};

static int find_type(hid_t group, const struct head *head)
{
  char *text = NULL;
  int status = read_text(group, "type", head->file, head->place, &text);
  if (status >= 0)
    snprintf(head->type, DUN_LEARNED_TYPE, "%s", text);
  else
    status = dun_fail(DUN_ERROR_INPUT, "%s: /learned/%s does not tell what learned it", head->file,
                      head->place);
  dun_free(text);
  return status;
}

static int read_head(void *self)
{
  const struct head *head = self;
  hid_t handle = dun_hdf_open(head->file, 0);
  if (handle < 0)
    return (int)handle;
  hid_t group = open_place(handle, head->file, head->place);
  int status = group < 0       ? (int)group
               : head->learned ? check_type(group, head->file, head->learned)
                               : find_type(group, head);
  if (status >= 0 && head->learned)
    status = check_dimension(group, head->file, head->learned, head->dimension);
  if (group >= 0)
    H5Gclose(group);
  return dun_hdf_close(handle, head->file, status);
}

static int guarded_head(struct head head)
{
  return dun_hdf_guarded(head.file, DUN_ERROR_INPUT, read_head, &head);
}

int dun_learned_type(struct dun_context *context, const char *file, const char *place,
                     char type[DUN_LEARNED_TYPE])
{
  struct head head = {.file = file, .place = place, .type = type};
  memset(type, 0, DUN_LEARNED_TYPE);
  int status = dun_agree(context, context->rank == 0 ? guarded_head(head) : 0);
  return status < 0 ? status : dun_broadcast(context, type, DUN_LEARNED_TYPE, 0);
}

static int check_numbers(const char *file, const char *place, const struct dun_state *row,
                         const struct dun_numbers *found)
{
  if (row->type != DUN_STATE_NUMBERS && found->count != row->count)
    return dun_fail(DUN_ERROR_INPUT, "%s: %s holds %lld numbers, expected %d", file, place,
                    found->count, row->count);
  for (long long i = 0; i < found->count; i++)
    if (!isfinite(found->value[i]) || !dun_state_takes(row, found->value[i]))
      return dun_fail(DUN_ERROR_INPUT, "%s: %s: number %lld is %g", file, place, i + 1,
                      found->value[i]);
  return 0;
}

static void take_over(const struct dun_state *row, char *self, struct dun_numbers *found)
{
  void *member = self + row->offset;
  if (row->type == DUN_STATE_NUMBERS) {
    DUN_FREE(((struct dun_numbers *)member)->value);
    *(struct dun_numbers *)member = *found;
    *found = (struct dun_numbers){0};
  } else if (row->type == DUN_STATE_NUMBER) {
    memcpy(member, found->value, (size_t)row->count * sizeof(double));
  } else {
    for (int i = 0; i < row->count; i++)
      ((int64_t *)member)[i] = (int64_t)found->value[i];
  }
}

/* The digest that was written with numbers. */
struct kept {
  const char *file, *place;
  int there; /* results of earlier versions have none */
  int64_t digest;
};

static int read_digest(void *self)
{
  struct kept *kept = self;
  kept->there = 0;
  hid_t handle = dun_hdf_open(kept->file, 0);
  if (handle < 0)
    return (int)handle;
  hid_t dataset = dun_hdf_open_dataset(handle, kept->file, kept->place), attribute = -1;
  int status = dataset < 0 ? (int)dataset : 0;
  if (dataset >= 0)
    kept->there = H5Aexists(dataset, "digest") > 0;
  if (kept->there)
    attribute = H5Aopen(dataset, "digest", H5P_DEFAULT);
  if (kept->there &&
      (attribute < 0 || dun_hdf_read_number(-1, attribute, H5T_NATIVE_INT64, &kept->digest) < 0))
    status =
        dun_fail(DUN_ERROR_INPUT, "%s: the digest of %s cannot be read", kept->file, kept->place);
  if (attribute >= 0)
    H5Aclose(attribute);
  if (dataset >= 0)
    H5Dclose(dataset);
  return dun_hdf_close(handle, kept->file, status);
}

/* Rank 0 alone: of what was taken over. */
static int check_digest(const char *file, const char *place, const struct dun_state *row,
                        const char *self)
{
  struct kept kept = {.file = file, .place = place};
  int status = dun_hdf_guarded(file, DUN_ERROR_INPUT, read_digest, &kept);
  if (status < 0 || !kept.there || kept.digest == digest_of(row, self))
    return status;
  return dun_fail(DUN_ERROR_INPUT, "%s: %s is damaged: its numbers are not those that were written",
                  file, place);
}

static int load_row(struct dun_context *context, const char *file,
                    const struct dun_learned *learned, const struct dun_state *row)
{
  char place[DUN_PLACE + 80];
  struct dun_numbers found = {0};
  snprintf(place, sizeof place, "/learned/%s/%.60s", learned->place, row->name);
  int status = dun_result_array(context, file, place, &found);
  if (status >= 0)
    status = check_numbers(file, place, row, &found);
  if (status >= 0)
    take_over(row, learned->self, &found);
  if (status >= 0)
    status =
        dun_agree(context, context->rank == 0 ? check_digest(file, place, row, learned->self) : 0);
  dun_free(found.value);
  return status;
}

int dun_learned_load(struct dun_context *context, const char *file,
                     const struct dun_learned *learned, int dimension)
{
  struct head head = {file, learned->place, learned, dimension, NULL};
  int status = dun_agree(context, context->rank == 0 ? guarded_head(head) : 0);
  for (const struct dun_state *row = learned->rows; row->name && status >= 0; row++)
    if (row->learned)
      status = load_row(context, file, learned, row);
  return status;
}

/* The lines of a target. */
struct lines {
  const char *file, *place;
  char *text; /* found; owned by the memory of whoever reads */
};

static int read_lines(void *self)
{
  struct lines *lines = self;
  lines->text = NULL;
  hid_t handle = dun_hdf_open(lines->file, 0);
  if (handle < 0)
    return (int)handle;
  hid_t group = open_place(handle, lines->file, lines->place);
  int status = group < 0 ? (int)group : 0;
  if (group >= 0 && H5Aexists(group, "target_options") > 0)
    status = read_text(group, "target_options", lines->file, lines->place, &lines->text);
  if (group >= 0)
    H5Gclose(group);
  return dun_hdf_close(handle, lines->file, status);
}

int dun_learned_target(struct dun_context *context, const char *file, const char *place, char **out)
{
  struct lines lines = {.file = file, .place = place};
  int status = 0;
  int64_t size = 0;
  *out = NULL;
  if (context->rank == 0) {
    status = dun_hdf_guarded(file, DUN_ERROR_INPUT, read_lines, &lines);
    size = status >= 0 && lines.text ? (int64_t)strlen(lines.text) + 1 : 0;
  }
  status = dun_broadcast_block(context, status, &lines.text, &size);
  if (status >= 0 && size > 0)
    *out = lines.text;
  else
    dun_free(lines.text);
  return status;
}
