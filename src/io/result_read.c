#include "io/result_read.h"

#include "base/error.h"
#include "base/memory.h"
#include "data/hdf.h"
#include "data/hdf_guard.h"
#include <hdf5_hl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { REHEARSED = 1 << 21 }; /* numbers of a variable that may be read in vain */

/* ---- names in a group -------------------------------------------------------------------- */

struct names {
  int count, capacity, bad;
  char **name; /* [count] */
};

static int names_reserve(struct names *names)
{
  int capacity = 2 * names->capacity + 64;
  if (names->count < names->capacity)
    return 0;
  char **larger = dun_hdf_allocate(capacity, sizeof *larger);
  if (!larger)
    return DUN_ERROR_MEMORY;
  if (names->count)
    memcpy(larger, names->name, (size_t)names->count * sizeof *larger);
  dun_free(names->name);
  names->name = larger;
  names->capacity = capacity;
  return 0;
}

static herr_t add_link(hid_t group, const char *name, const H5L_info_t *info, void *data)
{
  struct names *names = data;
  (void)group;
  (void)info;
  if (names_reserve(names) < 0 || !(names->name[names->count] = dun_copy_text(name)))
    return names->bad = -1;
  names->count++;
  return 0;
}

static herr_t add_attribute(hid_t place, const char *name, const H5A_info_t *info, void *data)
{
  (void)info;
  return add_link(place, name, NULL, data);
}

static void names_free(struct names *names)
{
  for (int i = 0; names && i < names->count; i++)
    dun_free(names->name[i]);
  if (names)
    dun_free(names->name);
  dun_free(names);
}

/* The links of a group, or the attributes of the root, in the order of their making if the file
 * knows it; NULL after a sentence. */
static struct names *list_names(const struct dun_result_file *file, const char *place,
                                int attributes)
{
  struct names *names = dun_hdf_allocate(1, sizeof *names);
  hid_t group = H5Gopen2(file->handle, place, H5P_DEFAULT);
  H5_index_t index = H5_INDEX_CRT_ORDER;
  herr_t status = -1;
  for (int i = 0; names && group >= 0 && i < 2 && status < 0 && !names->bad; i++) {
    status = attributes ? H5Aiterate2(group, index, H5_ITER_INC, NULL, add_attribute, names)
                        : H5Literate(group, index, H5_ITER_INC, NULL, add_link, names);
    if (status < 0)
      dun_hdf_note_hunger(H5E_DEFAULT); /* iterations alone tell nobody of their errors */
    index = H5_INDEX_NAME;
  }
  if (group >= 0)
    H5Gclose(group);
  if (status >= 0)
    return names;
  if (names && !names->bad) /* else there was no memory, and that was said */
    dun_fail(DUN_ERROR_INPUT, "'%s' of '%s' is missing or damaged.", place, file->name);
  names_free(names);
  return NULL;
}

/* ---- attributes and provenance ----------------------------------------------------------- */

static void values_free(struct dun_attribute *value, int *count)
{
  for (int i = 0; i < *count; i++) {
    dun_free((void *)(uintptr_t)value[i].name);
    dun_free((void *)(uintptr_t)value[i].text);
  }
  dun_free(value);
  *count = 0;
}

/* One scalar of a dataset or an attribute; 0 if it is of a type that nobody here writes. */
static int read_value(const struct dun_result_file *file, hid_t dataset, hid_t attribute,
                      const char *place, struct dun_attribute *value)
{
  int is_attribute = attribute >= 0;
  hid_t type = is_attribute ? H5Aget_type(attribute) : H5Dget_type(dataset);
  hid_t space = is_attribute ? H5Aget_space(attribute) : H5Dget_space(dataset);
  H5T_class_t kind = type < 0 ? H5T_NO_CLASS : H5Tget_class(type);
  int scalar = space >= 0 && H5Sget_simple_extent_npoints(space) == 1;
  hid_t memory = kind == H5T_INTEGER ? H5T_NATIVE_INT64 : H5T_NATIVE_DOUBLE;
  void *to = kind == H5T_INTEGER ? (void *)&value->integer : (void *)&value->number;
  char *text = NULL;
  int status = 0;
  if (type >= 0)
    H5Tclose(type);
  if (space >= 0)
    H5Sclose(space);
  if (!scalar || (kind != H5T_INTEGER && kind != H5T_FLOAT && kind != H5T_STRING))
    return 0;
  if (kind == H5T_STRING)
    status = dun_hdf_read_text(dataset, attribute, file->name, place, &text);
  else if (dun_hdf_read_number(dataset, attribute, memory, to) < 0)
    status = dun_fail(DUN_ERROR_INPUT, "'%s' of '%s' cannot be read.", place, file->name);
  value->text = text;
  value->type = kind == H5T_STRING    ? DUN_ATTRIBUTE_TEXT
                : kind == H5T_INTEGER ? DUN_ATTRIBUTE_INTEGER
                                      : DUN_ATTRIBUTE_NUMBER;
  return status < 0 ? status : 1;
}

/* All scalars of a place: attributes of the root, or datasets of the group. */
static int read_values(const struct dun_result_file *file, const char *place, int attributes,
                       struct dun_attribute **values, int *count)
{
  struct names *names = list_names(file, place, attributes);
  int status = 0;
  if (!names)
    return DUN_ERROR_INPUT;
  *values = dun_hdf_allocate(names->count + 1, sizeof **values);
  if (!*values)
    status = DUN_ERROR_MEMORY;
  for (int i = 0; i < names->count && status >= 0; i++) {
    char path[512];
    struct dun_attribute *value = &(*values)[*count];
    snprintf(path, sizeof path, "%.200s/%.300s", place, names->name[i]);
    hid_t object = attributes ? H5Aopen(file->handle, names->name[i], H5P_DEFAULT)
                              : dun_hdf_open_dataset(file->handle, file->name, path);
    if (object < 0) {
      status = dun_fail(DUN_ERROR_INPUT, "'%s' of '%s' cannot be opened.", path, file->name);
      break;
    }
    status = read_value(file, attributes ? -1 : object, attributes ? object : -1, path, value);
    if (attributes)
      H5Aclose(object);
    else
      H5Dclose(object);
    if (status > 0) {
      value->name = names->name[i];
      names->name[i] = NULL;
      ++*count;
    }
  }
  names_free(names);
  return status < 0 ? status : 0;
}

const struct dun_attribute *dun_attribute_find(const struct dun_attribute *attribute, int count,
                                               const char *name)
{
  for (int i = 0; i < count; i++)
    if (!strcmp(attribute[i].name, name))
      return &attribute[i];
  return NULL;
}

/* ---- variables --------------------------------------------------------------------------- */

static const char *group_of(int statistic)
{
  return statistic ? "/sample_stats" : "/posterior";
}

/* 1 if the dataset is a variable of chains and draws; 0 if it is a scale or something foreign. */
static int read_shape(const struct dun_result_file *file, int statistic, const char *name,
                      struct dun_result_shape *variable)
{
  char place[128];
  int64_t size[2 + DUN_MAX_AXES] = {0};
  int rank = 0, kept = 0;
  *variable = (struct dun_result_shape){.statistic = statistic, .width = 1};
  if (strlen(name) >= sizeof variable->name)
    return 0;
  strcpy(variable->name, name);
  snprintf(place, sizeof place, "%s/%s", group_of(statistic), name);
  hid_t dataset = dun_hdf_open_dataset(file->handle, file->name, place);
  if (dataset < 0)
    return DUN_ERROR_INPUT;
  int64_t count = 0;
  if (H5DSis_scale(dataset) <= 0)
    count = dun_hdf_count(dataset, file->name, place, 2 + DUN_MAX_AXES, &rank, size);
  H5Dclose(dataset);
  if (count < 0)
    return (int)count;
  kept = rank >= 2 && rank <= 2 + DUN_MAX_AXES;
  variable->chains = size[0];
  variable->draws = size[1];
  variable->axes = kept ? rank - 2 : 0;
  for (int axis = 0; axis < variable->axes; axis++) {
    variable->shape[axis] = size[2 + axis];
    variable->width *= size[2 + axis];
  }
  return kept && count > 0;
}

static int read_group(struct dun_result_file *file, int statistic)
{
  struct names *names = list_names(file, group_of(statistic), 0);
  if (!names)
    return DUN_ERROR_INPUT;
  int status = 0, total = file->variables + names->count;
  struct dun_result_shape *all = dun_hdf_allocate(total + 1, sizeof *all);
  if (!all)
    status = DUN_ERROR_MEMORY;
  else if (file->variables)
    memcpy(all, file->variable, (size_t)file->variables * sizeof *all);
  if (all) {
    dun_free(file->variable);
    file->variable = all;
  }
  for (int i = 0; i < names->count && status >= 0; i++) {
    status = read_shape(file, statistic, names->name[i], &file->variable[file->variables]);
    file->variables += status > 0;
  }
  names_free(names);
  return status < 0 ? status : 0;
}

const struct dun_result_shape *dun_result_find(const struct dun_result_file *file, int statistic,
                                               const char *name)
{
  for (int i = 0; i < file->variables; i++)
    if (file->variable[i].statistic == statistic && !strcmp(file->variable[i].name, name))
      return &file->variable[i];
  return NULL;
}

/* The component's index along every axis. */
static void unravel(const struct dun_result_shape *variable, int64_t component, int64_t *index)
{
  for (int axis = variable->axes - 1; axis >= 0; axis--) {
    index[axis] = component % variable->shape[axis];
    component /= variable->shape[axis];
  }
}

/* Never inside a character. */
static void cut_label(const char *label, char *text, size_t size)
{
  size_t length = strlen(label);
  if (length >= size) {
    for (length = size - 4; length > 0 && ((unsigned char)label[length] & 0xc0) == 0x80;)
      length--;
    snprintf(text, size, "%.*s...", (int)length, label);
  } else {
    memcpy(text, label, length + 1);
  }
}

void dun_result_component_name(const struct dun_result_shape *variable, int64_t component,
                               char name[128])
{
  int64_t index[DUN_MAX_AXES];
  int length = snprintf(name, 128, "%.63s", variable->name);
  unravel(variable, component, index);
  for (int axis = 0; axis < variable->axes && length < 100; axis++) {
    char number[48];
    snprintf(number, sizeof number, "%" PRId64, index[axis]);
    if (axis == 0 && variable->label)
      cut_label(variable->label[index[0]], number, sizeof number);
    length += snprintf(name + length, 128 - (size_t)length, "%s%s%s", axis ? "," : "[", number,
                       axis == variable->axes - 1 ? "]" : "");
  }
}

static int read_component(hid_t dataset, const struct dun_result_shape *variable, int64_t component,
                          double *out)
{
  int64_t index[DUN_MAX_AXES] = {0};
  hsize_t start[2 + DUN_MAX_AXES] = {0}, count[2 + DUN_MAX_AXES];
  hsize_t total = (hsize_t)(variable->chains * variable->draws);
  unravel(variable, component, index);
  count[0] = (hsize_t)variable->chains;
  count[1] = (hsize_t)variable->draws;
  for (int axis = 0; axis < variable->axes; axis++) {
    start[2 + axis] = (hsize_t)index[axis];
    count[2 + axis] = 1;
  }
  hid_t space = H5Dget_space(dataset), memory = H5Screate_simple(1, &total, NULL);
  int bad = space < 0 || memory < 0 || H5Sget_simple_extent_ndims(space) != 2 + variable->axes ||
            H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL) < 0 ||
            H5Sselect_valid(space) <= 0 ||
            H5Dread(dataset, H5T_NATIVE_DOUBLE, memory, space, H5P_DEFAULT, out) < 0;
  if (space >= 0)
    H5Sclose(space);
  if (memory >= 0)
    H5Sclose(memory);
  return bad ? -1 : 0;
}

int dun_result_component(const struct dun_result_file *file,
                         const struct dun_result_shape *variable, int64_t component, double *out)
{
  char place[128];
  snprintf(place, sizeof place, "%s/%s", group_of(variable->statistic), variable->name);
  if (component < 0 || component >= variable->width)
    return dun_fail(DUN_ERROR_INPUT, "'%s' of '%s' has no component %lld.", place, file->name,
                    (long long)component);
  hid_t dataset = dun_hdf_open_dataset(file->handle, file->name, place);
  if (dataset < 0)
    return (int)dataset;
  int status = read_component(dataset, variable, component, out);
  H5Dclose(dataset);
  return status == 0 ? 0 : dun_hdf_fail(DUN_ERROR_INPUT, file->name, place);
}

/* ---- labels ------------------------------------------------------------------------------ */

/* Cuts the line "variable TAB label TAB label ..." into the labels of a variable of so many. */
static int take_labels(struct dun_result_file *file, char *line)
{
  char *rest = line, *word = strsep(&rest, "\t");
  for (int v = 0; v < file->variables; v++) {
    struct dun_result_shape *variable = &file->variable[v];
    int64_t count = 0;
    if (variable->statistic || variable->axes < 1 || variable->label ||
        strcmp(variable->name, word) != 0)
      continue;
    const char **label = dun_hdf_allocate(variable->shape[0], sizeof *label);
    if (!label)
      return DUN_ERROR_MEMORY;
    while (count < variable->shape[0] && (word = strsep(&rest, "\t")))
      label[count++] = word;
    if (count == variable->shape[0] && !rest)
      variable->label = label;
    else
      dun_free(label); /* numbers will do */
    return 0;
  }
  return 0;
}

/* From the provenance: the scales hold them too, but as texts of variable length, which no library
 * reads safely from a damaged file. */
static int read_labels(struct dun_result_file *file)
{
  const struct dun_attribute *value =
      dun_attribute_find(file->provenance, file->provenances, "labels");
  int status = 0;
  if (!value || value->type != DUN_ATTRIBUTE_TEXT)
    return 0;
  if (!(file->labels = dun_copy_text(value->text)))
    return DUN_ERROR_MEMORY;
  for (char *rest = file->labels, *line; status == 0 && (line = strsep(&rest, "\n"));)
    status = take_labels(file, line);
  return status;
}

/* ---- tables ------------------------------------------------------------------------------ */

static void copy_attribute(hid_t dataset, const struct dun_result_file *file, const char *name,
                           char *to, size_t size)
{
  char *text = NULL;
  hid_t attribute = H5Aexists(dataset, name) > 0 ? H5Aopen(dataset, name, H5P_DEFAULT) : -1;
  if (attribute >= 0 && dun_hdf_read_text(-1, attribute, file->name, name, &text) == 0)
    snprintf(to, size, "%s", text);
  if (attribute >= 0)
    H5Aclose(attribute);
  dun_free(text);
}

static int read_column(const struct dun_result_file *file, const char *group, const char *name,
                       struct dun_table_column *column, struct dun_numbers *numbers)
{
  char place[512];
  int rank;
  snprintf(place, sizeof place, "%.250s/%.250s", group, name);
  snprintf(column->name, sizeof column->name, "%s", name);
  hid_t dataset = dun_hdf_open_dataset(file->handle, file->name, place);
  if (dataset < 0)
    return (int)dataset;
  int64_t count = dun_hdf_count(dataset, file->name, place, 0, &rank, NULL);
  int status = count < 0 ? (int)count : 0;
  if (status == 0 && rank != 1)
    status = dun_fail(DUN_ERROR_INPUT, "'%s' of '%s' is no column.", place, file->name);
  if (status == 0)
    status = dun_hdf_read(dataset, file->name, place, numbers);
  copy_attribute(dataset, file, "units", column->unit, sizeof column->unit);
  copy_attribute(dataset, file, "long_name", column->doc, sizeof column->doc);
  H5Dclose(dataset);
  return status;
}

/* Columns side by side; they must be equally long. */
static int join_columns(const struct dun_result_file *file, const char *group,
                        struct dun_table *table, const struct dun_numbers *numbers)
{
  int columns = table->columns;
  int64_t rows = columns ? numbers[0].count : 0, cells = 0;
  for (int c = 0; c < columns; c++)
    if (numbers[c].count != rows)
      return dun_fail(DUN_ERROR_INPUT, "The columns of '%s' of '%s' differ in length.", group,
                      file->name);
  if (__builtin_mul_overflow(rows, (int64_t)columns, &cells))
    return dun_fail(DUN_ERROR_INPUT, "'%s' of '%s' is too large.", group, file->name);
  table->cells.value = dun_hdf_allocate(cells, sizeof(double));
  if (!table->cells.value)
    return DUN_ERROR_MEMORY;
  table->cells.count = cells;
  for (int c = 0; c < columns; c++)
    for (int64_t i = 0; i < rows; i++)
      table->cells.value[i * columns + c] = numbers[c].value[i];
  return 0;
}

int dun_result_table(const struct dun_result_file *file, const char *name, struct dun_table *table)
{
  char group[256];
  *table = (struct dun_table){0};
  snprintf(group, sizeof group, "/trace/%.200s", name);
  struct names *names = list_names(file, group, 0);
  if (!names)
    return DUN_ERROR_INPUT;
  struct dun_numbers *numbers = dun_hdf_allocate(names->count + 1, sizeof *numbers);
  int status = numbers ? dun_table_init(table, names->count) : DUN_ERROR_MEMORY;
  for (int c = 0; c < names->count && status == 0; c++)
    status = read_column(file, group, names->name[c], &table->column[c], &numbers[c]);
  if (status == 0)
    status = join_columns(file, group, table, numbers);
  for (int c = 0; numbers && c < names->count; c++)
    dun_free(numbers[c].value);
  dun_free(numbers);
  names_free(names);
  if (status < 0)
    dun_table_free(table);
  return status;
}

/* ---- the file ---------------------------------------------------------------------------- */

static int check_version(const struct dun_result_file *file)
{
  const struct dun_attribute *version =
      dun_attribute_find(file->attribute, file->attributes, "format_version");
  if (!version || version->type != DUN_ATTRIBUTE_INTEGER ||
      !dun_attribute_find(file->attribute, file->attributes, "identity"))
    return dun_fail(DUN_ERROR_INPUT, "'%s' is not a result of this program.", file->name);
  if (version->integer != DUN_RESULT_VERSION)
    return dun_fail(DUN_ERROR_INPUT, "'%s' has format version %lld, this program reads %d.",
                    file->name, (long long)version->integer, DUN_RESULT_VERSION);
  if (dun_attribute_find(file->attribute, file->attributes, "layout"))
    return dun_fail(DUN_ERROR_INPUT, "'%s' is not finished.", file->name);
  return 0;
}

static int read_tables(struct dun_result_file *file)
{
  if (H5Lexists(file->handle, "/trace", H5P_DEFAULT) <= 0)
    return 0;
  struct names *names = list_names(file, "/trace", 0);
  if (!names)
    return DUN_ERROR_INPUT;
  file->table = dun_hdf_allocate(names->count + 1, sizeof *file->table);
  for (int i = 0; file->table && i < names->count; i++) {
    file->table[file->tables++] = names->name[i];
    names->name[i] = NULL;
  }
  names_free(names);
  return file->table ? 0 : DUN_ERROR_MEMORY;
}

int dun_result_open_within(struct dun_result_file *file, const char *name)
{
  *file = (struct dun_result_file){.handle = -1, .name = dun_copy_text(name)};
  int status = file->name ? 0 : DUN_ERROR_MEMORY;
  if (status == 0) {
    file->handle = dun_hdf_open(name, 0);
    status = file->handle < 0 ? (int)file->handle : 0;
  }
  if (status == 0)
    status = read_values(file, "/", 1, &file->attribute, &file->attributes);
  if (status == 0)
    status = check_version(file);
  if (status == 0)
    status = read_values(file, "/provenance", 0, &file->provenance, &file->provenances);
  if (status == 0)
    status = read_group(file, 0);
  if (status == 0)
    status = read_group(file, 1);
  if (status == 0)
    status = read_labels(file);
  if (status == 0)
    status = read_tables(file);
  if (status < 0)
    dun_result_close(file);
  return status;
}

void dun_result_rehearse(const struct dun_result_file *file)
{
  for (int v = 0; v < file->variables; v++) {
    const struct dun_result_shape *shape = &file->variable[v];
    int64_t draws = shape->chains * shape->draws;
    double *out = draws <= REHEARSED / shape->width ? dun_hdf_allocate(draws, sizeof *out) : NULL;
    if (out)
      dun_result_component(file, shape, 0, out);
    dun_free(out);
  }
}

struct opening {
  struct dun_result_file *file;
  const char *name;
};

static int open_result(void *self)
{
  const struct opening *opening = self;
  int status = dun_result_open_within(opening->file, opening->name);
  if (status >= 0 && dun_hdf_rehearsing())
    dun_result_rehearse(opening->file);
  return status;
}

int dun_result_open(struct dun_result_file *file, const char *name)
{
  struct opening opening = {file, name};
  *file = (struct dun_result_file){.handle = -1};
  return dun_hdf_guarded(name, DUN_ERROR_INPUT, open_result, &opening);
}

void dun_result_close(struct dun_result_file *file)
{
  if (file->name && file->handle >= 0)
    dun_hdf_close(file->handle, file->name, 0);
  file->handle = -1;
  values_free(file->attribute, &file->attributes);
  values_free(file->provenance, &file->provenances);
  file->attribute = file->provenance = NULL;
  for (int i = 0; i < file->tables; i++)
    dun_free(file->table[i]);
  DUN_FREE(file->table);
  file->tables = 0;
  for (int v = 0; v < file->variables; v++)
    dun_free(file->variable[v].label);
  DUN_FREE(file->variable);
  file->variables = 0;
  DUN_FREE(file->labels);
  DUN_FREE(file->name);
}

double dun_attribute_number(const struct dun_attribute *value)
{
  if (!value || value->type == DUN_ATTRIBUTE_TEXT)
    return NAN;
  return value->type == DUN_ATTRIBUTE_INTEGER ? (double)value->integer : value->number;
}

const char *dun_attribute_text(const struct dun_attribute *value)
{
  return value && value->type == DUN_ATTRIBUTE_TEXT ? value->text : "";
}

int dun_result_table_if(const struct dun_result_file *file, const char *name,
                        struct dun_table *table)
{
  *table = (struct dun_table){0};
  for (int i = 0; i < file->tables; i++)
    if (!strcmp(file->table[i], name))
      return dun_result_table(file, name, table);
  return 0;
}
