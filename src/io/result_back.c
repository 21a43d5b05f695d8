/* A result read back before it gets its name: as everybody will read it, and held against what was
 * to be written. */
#include "base/error.h"
#include "data/hdf.h"
#include "io/result_file.h"
#include "io/result_read.h"
#include <string.h>

static int refuse(const struct dun_result_file *file, const char *place, const char *name)
{
  return dun_fail(DUN_ERROR_FILE, "'%s%s' of '%s' is not what was written.", place, name,
                  file->name);
}

/* ---- values ------------------------------------------------------------------------------ */

static int is_same_number(double one, double other)
{
  return one == other || (one != one && other != other);
}

static int is_same(const struct dun_attribute *found, const struct dun_attribute *written)
{
  if (!found || found->type != written->type)
    return 0;
  if (written->type == DUN_ATTRIBUTE_TEXT)
    return !strcmp(found->text, written->text ? written->text : "");
  if (written->type == DUN_ATTRIBUTE_INTEGER)
    return found->integer == written->integer;
  return is_same_number(found->number, written->number);
}

static int compare_values(const struct dun_result_file *file, const char *place,
                          const struct dun_attribute *found, int count,
                          const struct dun_attribute *written, int due)
{
  for (int i = 0; i < due; i++)
    if (!is_same(dun_attribute_find(found, count, written[i].name), &written[i]))
      return refuse(file, place, written[i].name);
  return 0;
}

/* ---- tables ------------------------------------------------------------------------------ */

static int is_same_table(const struct dun_table *found, const struct dun_table *written)
{
  long long rows = dun_table_rows(written);
  int same = dun_table_rows(found) == rows && found->columns >= written->columns;
  for (int c = 0; c < written->columns && same; c++) {
    char name[64];
    dun_result_column_name(&written->column[c], name);
    for (long long i = 0; i < rows && same; i++)
      same = is_same_number(dun_table_cell(found, i, name),
                            written->cells.value[i * written->columns + c]);
  }
  return same;
}

static int compare_table(const struct dun_result_file *file, const struct dun_named_table *written)
{
  struct dun_table found = {0};
  int status = dun_result_table(file, written->group + strlen("/trace/"), &found);
  if (status == 0 && !is_same_table(&found, written->table))
    status = refuse(file, written->group, "");
  dun_table_free(&found);
  return status;
}

/* ---- all that there is ------------------------------------------------------------------- */

static herr_t open_attribute(hid_t object, const char *name, const H5A_info_t *info, void *data)
{
  hid_t attribute = H5Aopen(object, name, H5P_DEFAULT);
  (void)info;
  (void)data;
  return attribute < 0 ? -1 : H5Aclose(attribute);
}

static herr_t open_object(hid_t root, const char *name, const H5O_info_t *info, void *data)
{
  hid_t object = H5Oopen(root, name, H5P_DEFAULT);
  (void)info;
  (void)data;
  if (object < 0)
    return -1;
  herr_t status = H5Aiterate2(object, H5_INDEX_NAME, H5_ITER_INC, NULL, open_attribute, NULL);
  return H5Oclose(object) < 0 ? -1 : status;
}

static int visit(const struct dun_result_file *file)
{
  if (H5Ovisit(file->handle, H5_INDEX_NAME, H5_ITER_INC, open_object, NULL) >= 0)
    return 0;
  return dun_hdf_fail(DUN_ERROR_FILE, file->name, "it is damaged");
}

int dun_result_read_back(const struct dun_result *result, const struct dun_attribute *attribute,
                         int attributes, const struct dun_attribute *provenance, int provenances,
                         const struct dun_named_table *table, int tables)
{
  struct dun_result_file file;
  int status = dun_result_open(&file, result->part);
  if (status == 0)
    status = visit(&file);
  if (status == 0)
    status = compare_values(&file, "/", file.attribute, file.attributes, attribute, attributes);
  if (status == 0)
    status = compare_values(&file, "/provenance/", file.provenance, file.provenances, provenance,
                            provenances);
  for (int i = 0; i < tables && status == 0; i++)
    status = compare_table(&file, &table[i]);
  dun_result_close(&file);
  return status < 0 ? DUN_ERROR_FILE : 0;
}
