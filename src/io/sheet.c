#include "io/sheet.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"
#include "data/hdf.h"
#include "data/hdf_guard.h"
#include "io/durable.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void dun_sheet_init(struct dun_sheet *sheet, int64_t rows)
{
  *sheet = (struct dun_sheet){.rows = rows};
}

static void free_column(struct dun_sheet_column *column, int64_t rows)
{
  for (int64_t i = 0; i < rows && column->text; i++)
    dun_free(column->text[i]);
  DUN_FREE(column->text);
  DUN_FREE(column->number);
  DUN_FREE(column->name);
}

void dun_sheet_free(struct dun_sheet *sheet)
{
  for (int c = 0; c < sheet->columns; c++)
    free_column(&sheet->column[c], sheet->rows);
  DUN_FREE(sheet->column);
  sheet->columns = sheet->room = 0;
}

/* ---- filling ------------------------------------------------------------------------------- */

static int make_room(struct dun_sheet *sheet)
{
  int room = 2 * sheet->room + 32;
  struct dun_sheet_column *larger = dun_allocate(room, sizeof *larger);
  if (!larger)
    return -1;
  if (sheet->columns)
    memcpy(larger, sheet->column, (size_t)sheet->columns * sizeof *larger);
  dun_free(sheet->column);
  sheet->column = larger;
  sheet->room = room;
  return 0;
}

/* NULL without memory. */
static struct dun_sheet_column *column_of(struct dun_sheet *sheet, int rank, const char *name,
                                          int is_text)
{
  for (int c = 0; c < sheet->columns; c++)
    if (!strcmp(sheet->column[c].name, name) && (sheet->column[c].text != NULL) == is_text)
      return &sheet->column[c];
  struct dun_sheet_column made = {.rank = rank, .name = dun_copy_text(name)};
  if (is_text)
    made.text = dun_allocate(sheet->rows, sizeof *made.text);
  else
    made.number = dun_allocate(sheet->rows, sizeof *made.number);
  if (!made.name || (!made.text && !made.number) ||
      (sheet->columns == sheet->room && make_room(sheet) < 0)) {
    free_column(&made, 0);
    sheet->failed = 1;
    return NULL;
  }
  for (int64_t i = 0; i < sheet->rows && made.number; i++)
    made.number[i] = NAN;
  sheet->column[sheet->columns] = made;
  return &sheet->column[sheet->columns++];
}

void dun_sheet_number(struct dun_sheet *sheet, int64_t row, int rank, const char *name,
                      double value)
{
  struct dun_sheet_column *column = column_of(sheet, rank, name, 0);
  if (column)
    column->number[row] = value;
}

void dun_sheet_text(struct dun_sheet *sheet, int64_t row, int rank, const char *name,
                    const char *text)
{
  struct dun_sheet_column *column = column_of(sheet, rank, name, 1);
  if (!column)
    return;
  dun_free(column->text[row]);
  column->text[row] = dun_copy_text(text);
  sheet->failed |= text && !column->text[row];
}

void dun_sheet_clear(struct dun_sheet *sheet, int64_t row, int rank)
{
  for (int c = 0; c < sheet->columns; c++) {
    struct dun_sheet_column *column = &sheet->column[c];
    if (column->rank < rank)
      continue;
    if (column->number)
      column->number[row] = NAN;
    else
      DUN_FREE(column->text[row]);
  }
}

const struct dun_sheet_column *dun_sheet_find(const struct dun_sheet *sheet, const char *name)
{
  for (int c = 0; c < sheet->columns; c++)
    if (!strcmp(sheet->column[c].name, name))
      return &sheet->column[c];
  return NULL;
}

void dun_sheet_order(struct dun_sheet *sheet)
{
  for (int c = 1; c < sheet->columns; c++)
    for (int k = c; k > 0 && sheet->column[k].rank < sheet->column[k - 1].rank; k--) {
      struct dun_sheet_column swapped = sheet->column[k];
      sheet->column[k] = sheet->column[k - 1];
      sheet->column[k - 1] = swapped;
    }
}

/* ---- as a table ---------------------------------------------------------------------------- */

/* Line ends inside a cell would be right, and a nuisance to all that count lines. */
static void add_cell(struct dun_text *out, const char *text)
{
  size_t length = strlen(text);
  int quoted =
      strpbrk(text, ",\"\r\n;") != NULL || (length && (*text == ' ' || text[length - 1] == ' '));
  if (quoted)
    dun_text_add(out, "\"");
  for (; *text; text++)
    if (*text == '"')
      dun_text_add(out, "\"\"");
    else
      dun_text_add(out, "%c", *text == '\n' || *text == '\r' ? ' ' : *text);
  if (quoted)
    dun_text_add(out, "\"");
}

static void add_number(struct dun_text *out, double value)
{
  if (isnan(value))
    return;
  if (isinf(value))
    dun_text_add(out, value > 0 ? "inf" : "-inf");
  else
    dun_text_add_number(out, value);
}

static void add_row(struct dun_text *out, const struct dun_sheet *sheet, int64_t row)
{
  for (int c = 0; c < sheet->columns; c++) {
    const struct dun_sheet_column *column = &sheet->column[c];
    dun_text_add(out, c ? "," : "");
    if (column->number)
      add_number(out, column->number[row]);
    else if (column->text[row])
      add_cell(out, column->text[row]);
  }
  dun_text_add(out, "\n");
}

static int write_bytes(const char *name, const struct dun_text *text)
{
  int status = dun_durable_create(name, text->length);
  int file = status < 0 ? status : dun_durable_open(name, 1);
  if (file < 0)
    return file;
  return dun_durable_close(file, name, 0,
                           dun_durable_write(file, name, text->text, text->length, 0));
}

/* FILE is written beside and renamed. */
static int beside(const char *file, struct dun_text *name)
{
  dun_text_add(name, "%s.writing", file);
  return name->failed ? dun_fail(DUN_ERROR_MEMORY, "no memory for the table") : 0;
}

int dun_sheet_write_csv(const struct dun_sheet *sheet, const char *file)
{
  struct dun_text out = {0}, name = {0};
  for (int c = 0; c < sheet->columns; c++) {
    dun_text_add(&out, c ? "," : "");
    add_cell(&out, sheet->column[c].name);
  }
  dun_text_add(&out, "\n");
  for (int64_t row = 0; row < sheet->rows; row++)
    add_row(&out, sheet, row);
  int code = out.failed || sheet->failed ? dun_fail(DUN_ERROR_MEMORY, "no memory for the table")
                                         : beside(file, &name);
  if (code == 0)
    code = write_bytes(name.text, &out);
  if (code == 0)
    code = dun_durable_publish(name.text, file);
  if (code < 0 && name.text)
    unlink(name.text);
  dun_text_free(&out);
  dun_text_free(&name);
  return code;
}

int dun_sheet_is_foreign_csv(const char *file, const char *cell)
{
  char first[128] = "";
  struct stat status;
  size_t length = strlen(cell);
  if (stat(file, &status) < 0)
    return 0;
  FILE *there = S_ISREG(status.st_mode) ? fopen(file, "re") : NULL; /* a pipe would be waited for */
  if (!there)
    return 1;
  int read = fgets(first, sizeof first, there) != NULL;
  fclose(there);
  return !read || strncmp(first, cell, length) != 0 || first[length] != ',';
}

/* ---- as a group ---------------------------------------------------------------------------- */

static int write_column(hid_t group, const struct dun_sheet *sheet,
                        const struct dun_sheet_column *column)
{
  hsize_t rows = (hsize_t)sheet->rows;
  char *name = dun_copy_text(column->name);
  const char **text = dun_allocate(sheet->rows, sizeof *text);
  int status = name && text ? 0 : -1;
  for (char *c = name; c && *c; c++)
    *c = *c == '/' ? '_' : *c;
  for (int64_t i = 0; i < sheet->rows && status == 0 && column->text; i++)
    text[i] = column->text[i] ? column->text[i] : "";
  if (status == 0)
    status = column->text ? dun_hdf_write_texts(group, name, sheet->rows, text)
                          : dun_hdf_write(group, name, H5T_NATIVE_DOUBLE, 1, &rows, column->number);
  dun_free(text);
  dun_free(name);
  return status;
}

static int write_sheet(hid_t handle, const char *name, const struct dun_sheet *sheet)
{
  hid_t group = dun_hdf_group(handle, name);
  int status = group < 0 || sheet->failed ? -1 : 0;
  for (int c = 0; c < sheet->columns && status == 0; c++)
    status = write_column(group, sheet, &sheet->column[c]);
  if (group >= 0)
    H5Gclose(group);
  return status;
}

int dun_sheet_write_hdf(int count, const char *const *name, const struct dun_sheet *const *sheet,
                        const char *file)
{
  struct dun_text temporary = {0};
  hid_t handle;
  int code = beside(file, &temporary);
  if (code < 0)
    return code;
  code = dun_durable_create(temporary.text, 0);
  handle = code < 0 ? code : dun_hdf_create(temporary.text);
  code = handle < 0 ? (int)handle : 0;
  for (int i = 0; i < count && code == 0; i++)
    if (write_sheet(handle, name[i], sheet[i]) < 0)
      code = dun_hdf_fail(DUN_ERROR_FILE, temporary.text, "the table cannot be written");
  if (handle >= 0)
    code = dun_hdf_close(handle, temporary.text, code);
  if (code == 0)
    code = dun_durable_publish(temporary.text, file);
  if (code < 0)
    unlink(temporary.text);
  dun_text_free(&temporary);
  return code;
}

struct look {
  const char *file, *group;
};

/* 1: the group is there; 0: it is not, or the file cannot be read. */
static int has_group(void *self)
{
  const struct look *look = self;
  hid_t handle = dun_hdf_open(look->file, 0);
  int there = handle >= 0 && H5Lexists(handle, look->group, H5P_DEFAULT) > 0;
  dun_hdf_close(handle, look->file, 0);
  return there;
}

int dun_sheet_is_foreign_hdf(const char *file, const char *group)
{
  struct stat status;
  struct look look = {file, group};
  if (stat(file, &status) < 0)
    return 0;
  return !S_ISREG(status.st_mode) || dun_hdf_guarded(file, DUN_ERROR_INPUT, has_group, &look) != 1;
}
