/* The end of a result: traces, provenance, attributes. */
#include "base/error.h"
#include "base/memory.h"
#include "data/hdf.h"
#include "data/learned.h"
#include "io/durable.h"
#include "io/result_file.h"
#include <hdf5_hl.h>
#include <string.h>

/* ---- attributes -------------------------------------------------------------------------- */

static int write_attribute(hid_t place, const struct dun_attribute *attribute)
{
  switch (attribute->type) {
  case DUN_ATTRIBUTE_NUMBER:
    return dun_hdf_attribute_number(place, attribute->name, attribute->number);
  case DUN_ATTRIBUTE_INTEGER:
    return dun_hdf_attribute_integer(place, attribute->name, attribute->integer);
  default:
    return dun_hdf_attribute_text(place, attribute->name, attribute->text ? attribute->text : "");
  }
}

/* What readers of such files expect in every group. */
static int is_group_attribute(const char *name)
{
  return !strcmp(name, "created_at") || !strncmp(name, "inference_library", 17);
}

static int write_attributes(hid_t handle, const struct dun_attribute *attribute, int count)
{
  static const char *const places[] = {
      "/", "posterior", "sample_stats", "log_likelihood", "prior", "unconstrained_posterior"};
  for (int p = 0; p < (int)(sizeof places / sizeof *places); p++) {
    if (p > 2 && H5Lexists(handle, places[p], H5P_DEFAULT) <= 0)
      continue;
    hid_t place = H5Gopen2(handle, places[p], H5P_DEFAULT);
    int status = place < 0 ? -1 : 0;
    for (int i = 0; i < count && status == 0; i++)
      if (p == 0 || is_group_attribute(attribute[i].name))
        status = write_attribute(place, &attribute[i]);
    if (place >= 0)
      H5Gclose(place);
    if (status < 0)
      return status;
  }
  return 0;
}

/* Every value is a scalar dataset: texts may be longer than attributes can be. */
static int write_provenance(hid_t handle, const struct dun_attribute *provenance, int count)
{
  dun_hdf_remove(handle, "provenance");
  hid_t group = dun_hdf_group(handle, "provenance");
  int status = group < 0 ? -1 : 0;
  for (int i = 0; i < count && status == 0; i++) {
    const struct dun_attribute *value = &provenance[i];
    if (value->type == DUN_ATTRIBUTE_TEXT)
      status = dun_hdf_write_text(group, value->name, value->text ? value->text : "");
    else if (value->type == DUN_ATTRIBUTE_INTEGER)
      status = dun_hdf_write(group, value->name, H5T_NATIVE_INT64, 0, NULL, &value->integer);
    else
      status = dun_hdf_write(group, value->name, H5T_NATIVE_DOUBLE, 0, NULL, &value->number);
  }
  if (group >= 0)
    H5Gclose(group);
  return status;
}

/* ---- tables ------------------------------------------------------------------------------ */

void dun_result_column_name(const struct dun_table_column *column, char name[64])
{
  memcpy(name, column->name, 64);
  name[63] = 0;
  for (char *slash = name; (slash = strchr(slash, '/'));)
    *slash = '_';
}

/* A column's numbers; the dataset stays open. */
static hid_t write_column(hid_t group, const struct dun_table *table, int c, double *buffer)
{
  const struct dun_table_column *column = &table->column[c];
  hsize_t rows = (hsize_t)dun_table_rows(table);
  char name[64];
  dun_result_column_name(column, name);
  for (hsize_t i = 0; i < rows; i++)
    buffer[i] = table->cells.value[i * (hsize_t)table->columns + (hsize_t)c];
  hid_t dataset = dun_hdf_dataset(group, name, H5T_NATIVE_DOUBLE, 1, &rows);
  if (dataset < 0)
    return -1;
  if ((rows == 0 ||
       H5Dwrite(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, buffer) >= 0) &&
      dun_hdf_attribute_unit(dataset, column->unit) == 0 &&
      (!*column->doc || dun_hdf_attribute_text(dataset, "long_name", column->doc) == 0))
    return dataset;
  H5Dclose(dataset);
  return -1;
}

/* The scale of the rows: the column of that name, or 0, 1, ... */
static hid_t write_scale(hid_t group, const struct dun_named_table *named, int *own, double *buffer)
{
  hsize_t rows = (hsize_t)dun_table_rows(named->table);
  hid_t scale = -1;
  *own = -1;
  for (int c = 0; c < named->table->columns; c++)
    if (!strcmp(named->table->column[c].name, named->dimension))
      *own = c;
  if (*own >= 0)
    scale = write_column(group, named->table, *own, buffer);
  else {
    int64_t *row = (int64_t *)(void *)buffer;
    for (hsize_t i = 0; i < rows; i++)
      row[i] = (int64_t)i;
    if (dun_hdf_write(group, named->dimension, H5T_NATIVE_INT64, 1, &rows, row) == 0)
      scale = H5Dopen2(group, named->dimension, H5P_DEFAULT);
  }
  if (scale >= 0 && H5DSset_scale(scale, named->dimension) < 0) {
    H5Dclose(scale);
    scale = -1;
  }
  return scale;
}

static int write_table(hid_t handle, const struct dun_named_table *named)
{
  double *buffer = dun_allocate(dun_table_rows(named->table) + 1, sizeof *buffer);
  int own;
  if (!buffer)
    return -1;
  dun_hdf_remove(handle, named->group);
  hid_t group = dun_hdf_group(handle, named->group);
  hid_t scale = group < 0 ? -1 : write_scale(group, named, &own, buffer);
  int status = scale < 0 ? -1 : 0;
  for (int c = 0; c < named->table->columns && status == 0; c++) {
    if (c == own)
      continue;
    hid_t dataset = write_column(group, named->table, c, buffer);
    status = dataset < 0 || H5DSattach_scale(dataset, scale, 0) < 0 ? -1 : 0;
    if (dataset >= 0)
      H5Dclose(dataset);
  }
  if (scale >= 0)
    H5Dclose(scale);
  if (group >= 0)
    H5Gclose(group);
  dun_free(buffer);
  return status;
}

/* ---- all of it --------------------------------------------------------------------------- */

static int64_t bound(const struct dun_attribute *attribute, int attributes,
                     const struct dun_attribute *provenance, int provenances,
                     const struct dun_named_table *table, int tables)
{
  int64_t bytes = 1 << 18;
  for (int i = 0; i < attributes; i++)
    bytes += 2048 + (attribute[i].text ? 3 * (int64_t)strlen(attribute[i].text) : 0);
  for (int i = 0; i < provenances; i++)
    bytes += 16384 + (provenance[i].text ? (int64_t)strlen(provenance[i].text) : 0);
  for (int i = 0; i < tables; i++)
    bytes += 16384 + (1 + table[i].table->columns) * (16384 + 8 * dun_table_rows(table[i].table));
  return bytes;
}

static int fill(hid_t handle, const struct dun_attribute *attribute, int attributes,
                const struct dun_attribute *provenance, int provenances,
                const struct dun_named_table *table, int tables)
{
  if (write_attributes(handle, attribute, attributes) < 0 ||
      write_provenance(handle, provenance, provenances) < 0)
    return -1;
  for (int i = 0; i < tables; i++)
    if (write_table(handle, &table[i]) < 0)
      return -1;
  dun_hdf_remove(handle, "layout"); /* it marks a file that is not finished */
  dun_hdf_remove(handle, "writer");
  return 0;
}

int dun_result_complete(struct dun_result *result, const struct dun_attribute *attribute,
                        int attributes, const struct dun_attribute *provenance, int provenances,
                        const struct dun_named_table *table, int tables,
                        const struct dun_learned_list *learned)
{
  int file = dun_result_open_part(result, 0);
  if (file < 0 || (file = dun_durable_close(file, result->part, 0, 0)) < 0)
    return file;
  int64_t size = dun_durable_size(result->part);
  int64_t more = bound(attribute, attributes, provenance, provenances, table, tables) +
                 dun_learned_bytes(learned) + dun_result_prior_bytes(result);
  int status = size < 0 ? (int)size : dun_durable_reserve(result->part, size + more);
  if (status < 0)
    return status;
  hid_t handle = dun_hdf_open(result->part, 1);
  if (handle < 0)
    return (int)handle;
  if (dun_learned_write(handle, learned) < 0 || dun_result_write_prior(handle, result) < 0 ||
      fill(handle, attribute, attributes, provenance, provenances, table, tables) < 0)
    status = dun_hdf_fail(DUN_ERROR_FILE, result->part, "the end of the result cannot be written");
  return dun_hdf_close(handle, result->part, status);
}
