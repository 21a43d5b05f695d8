#include "base/type.h"
#include "base/memory.h"
#include "base/text.h"
#include <stdio.h>
#include <string.h>

const char *dun_kind_name(enum dun_kind kind)
{
  static const char *const names[DUN_KINDS] = {
      [DUN_KIND_TARGET] = "target",           [DUN_KIND_PATH] = "path",
      [DUN_KIND_KERNEL] = "kernel",           [DUN_KIND_METHOD] = "method",
      [DUN_KIND_FINISH] = "finish",           [DUN_KIND_PROBE] = "probe",
      [DUN_KIND_PROCESS] = "process",         [DUN_KIND_FIELD] = "field",
      [DUN_KIND_OBSERVATION] = "observation", [DUN_KIND_NETWORK] = "network",
  };
  return names[kind];
}

const struct dun_type *dun_type_find(enum dun_kind kind, const char *name)
{
  for (const struct dun_type *const *type = dun_registry(kind); *type; type++)
    if (!strcmp((*type)->name, name))
      return *type;
  return NULL;
}

const char *dun_type_nearest(enum dun_kind kind, const char *name)
{
  const char *nearest = NULL;
  int least = 1 + (int)(strlen(name) / 3) + 1; /* a third of the letters may be wrong, and one */
  for (const struct dun_type *const *type = dun_registry(kind); *type; type++) {
    int distance = dun_text_distance((*type)->name, name);
    if (distance < least) {
      least = distance;
      nearest = (*type)->name;
    }
  }
  return nearest;
}

size_t dun_option_size(enum dun_option_type type)
{
  static const size_t size[] = {
      [DUN_INTEGER] = sizeof(long long),
      [DUN_NUMBER] = sizeof(double),
      [DUN_FLAG] = sizeof(int),
      [DUN_CHOICE] = sizeof(int),
      [DUN_TEXT] = sizeof(char *),
      [DUN_DURATION] = sizeof(double),
      [DUN_NUMBERS] = sizeof(struct dun_numbers),
      [DUN_MATRIX] = sizeof(struct dun_matrix),
      [DUN_FILE] = sizeof(char *),
      [DUN_DATA] = sizeof(struct dun_data),
      [DUN_SECTION] = 0,
      [DUN_PART] = sizeof(struct dun_part),
      [DUN_PARTS] = sizeof(struct dun_parts),
      [DUN_GONE] = 0,
      [DUN_ARRAYS] = sizeof(struct dun_arrays),
  };
  return (unsigned)type < sizeof size / sizeof *size ? size[type] : 0;
}

/* ---- parts that nest ----------------------------------------------------------------------- */

struct walk {
  int (*visit)(void *data, const char *place, struct dun_part *part);
  void *data;
};

static int walk_parts(const struct walk *walk, const char *place, const struct dun_parts *parts)
{
  char name[DUN_PLACE];
  int code = 0;
  for (int i = 0; i < parts->count && code >= 0; i++) {
    snprintf(name, sizeof name, "%.140s[%d]", place, i);
    code = dun_part_walk(name, &parts->part[i], walk->visit, walk->data);
  }
  return code;
}

static int walk_rows(const struct walk *walk, const char *place, const struct dun_option *row,
                     char *self)
{
  char name[DUN_PLACE];
  int code = 0;
  for (; row && row->name && code >= 0; row++) {
    void *member = self + row->offset;
    snprintf(name, sizeof name, "%.90s.%.64s", place, row->name);
    if (row->type == DUN_SECTION)
      code = walk_rows(walk, name, row->rows, member);
    else if (row->type == DUN_PART)
      code = dun_part_walk(name, member, walk->visit, walk->data);
    else if (row->type == DUN_PARTS)
      code = walk_parts(walk, name, member);
  }
  return code;
}

int dun_part_walk(const char *place, struct dun_part *part,
                  int (*visit)(void *data, const char *place, struct dun_part *part), void *data)
{
  struct walk walk = {visit, data};
  if (!part->type || !part->self)
    return 0;
  int code = walk_rows(&walk, place, part->type->options, part->self);
  return code < 0 ? code : visit(data, place, part);
}

static int free_one(void *data, const char *place, struct dun_part *part)
{
  (void)data;
  (void)place;
  if (part->type->free)
    part->type->free(part->self);
  DUN_FREE(part->self);
  return 0;
}

void dun_part_free(struct dun_part *part)
{
  dun_part_walk("", part, free_one, NULL);
}

/* ---- state --------------------------------------------------------------------------------- */

/* Of whole numbers the bounds lie within 2^62, so that what is compared is what becomes of it. */
int dun_state_takes(const struct dun_state *row, double value)
{
  int bounded = row->least != 0 || row->most != 0, whole = row->type == DUN_STATE_INTEGER;
  if (!bounded && !whole)
    return 1;
  double most = bounded ? (double)row->most : 0x1p53, far = 0x1p62;
  return value >= (double)row->least && value <= most && (!whole || (value > -far && value < far));
}

int64_t dun_state_fault(const struct dun_state *row, const void *values, int64_t count)
{
  const int64_t *integer = values;
  const double *number = values;
  int bounded = row->least != 0 || row->most != 0;
  int64_t most = bounded ? row->most : (int64_t)1 << 53;
  for (int64_t i = 0; i < count; i++)
    if (row->type == DUN_STATE_INTEGER ? integer[i] < row->least || integer[i] > most
                                       : !dun_state_takes(row, number[i]))
      return i;
  return -1;
}
