#include "data/csv.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"
#include "data/csv_scan.h"
#include "data/format.h"
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { AUTO, YES, NO };

/* ---- the first line: header or row ------------------------------------------------------- */

struct first_line {
  long long line;
  int columns, kind[DUN_FIELD_TEXT + 1];
  int counts;                 /* the fields are 0, 1, 2, ... */
  int odd;                    /* the first column that is no number, */
  char field[48];             /* and what it holds */
  char number[DUN_CSV_FIELD]; /* a field that is a number */
};

static int look_at_first_line(struct dun_scanner s, struct first_line *first)
{
  *first = (struct first_line){.line = s.line, .counts = 1, .odd = -1};
  do {
    double value = NAN;
    if (dun_scanner_field(&s) < 0)
      return DUN_ERROR_INPUT;
    if (first->columns == INT_MAX)
      return dun_fail(DUN_ERROR_INPUT, "%s:%lld: too many fields", s.path, first->line);
    enum dun_field_kind kind = dun_field_kind(&s);
    first->counts &= dun_field_number(&s, &value) == 0 && value == first->columns;
    if (kind == DUN_FIELD_NUMBER) {
      memcpy(first->number, s.field, sizeof first->number);
    } else if (first->odd < 0) {
      first->odd = first->columns;
      snprintf(first->field, sizeof first->field, "%.40s", *s.field ? s.field : "nothing");
    }
    first->kind[kind]++;
    first->columns++;
  } while (!s.last);
  return 0;
}

static int refuse_first_line(const struct dun_scanner *s, const struct first_line *f)
{
  const char *advice = "say header: yes or header: no, or mend it";
  if (f->counts)
    return dun_fail(DUN_ERROR_INPUT,
                    "%s:%lld: the first line, 0, 1, 2, ..., may be a header that counts the "
                    "columns or a row of numbers: say header: yes or header: no",
                    s->path, f->line);
  if (f->kind[DUN_FIELD_NUMBER])
    return dun_fail(
        DUN_ERROR_INPUT,
        "%s:%lld: the first line may be a row, of which column %d holds no number but "
        "'%s'%s, or a header, of which '%.40s' is a name: %s",
        s->path, f->line, f->odd, f->field,
        dun_field_hint(strcmp(f->field, "nothing") ? f->field : "", s->separator, s->decimal),
        f->number, advice);
  return dun_fail(
      DUN_ERROR_INPUT,
      "%s:%lld: the first line, with '%s' in column %d, may be a header or a row of "
      "numbers that cannot be read%s: %s",
      s->path, f->line, f->field, f->odd,
      dun_field_hint(strcmp(f->field, "nothing") ? f->field : "", s->separator, s->decimal),
      advice);
}

/* A header is a line of which no field is a number or looks as if it were to be one. */
static int find_header(const struct dun_scanner *s, const struct first_line *f, int stated,
                       int *header)
{
  int numbers = f->kind[DUN_FIELD_NUMBER];
  int counts = f->counts && dun_scanner_count(*s) > 1; /* a header has rows below it */
  *header = stated == YES;
  if (stated != AUTO)
    return 0;
  *header = numbers == 0;
  if (numbers == f->columns && !counts)
    return 0;
  if (numbers == 0 && f->kind[DUN_FIELD_TEXT] && !f->kind[DUN_FIELD_DAMAGED])
    return 0;
  return refuse_first_line(s, f);
}

/* ---- the header -------------------------------------------------------------------------- */

/* Names go into result files, which hold UTF-8 only. */
static int check_name(const struct dun_scanner *s, long long line, int column)
{
  for (const char *c = s->field; *c;) {
    int length = dun_text_character(c);
    if (length == 0)
      return dun_fail(DUN_ERROR_INPUT,
                      "%s:%lld: the name of column %d holds the byte 0x%02x, which is no UTF-8: "
                      "is the file in Latin-1? Then convert it (iconv -f latin1 -t utf-8)",
                      s->path, line, column, (unsigned char)*c);
    if ((unsigned char)*c < 32 || *c == 127)
      return dun_fail(DUN_ERROR_INPUT,
                      "%s:%lld: the name of column %d holds the control character 0x%02x", s->path,
                      line, column, (unsigned char)*c);
    c += length;
  }
  return 0;
}

static int read_header(struct dun_csv *csv, struct dun_scanner *s)
{
  long long line = s->line;
  for (int j = 0; j < csv->columns; j++) {
    if (dun_scanner_field(s) < 0 || check_name(s, line, j) < 0)
      return DUN_ERROR_INPUT;
    csv->name[j] = dun_copy_text(s->field);
    if (!csv->name[j])
      return DUN_ERROR_MEMORY;
    for (int i = 0; i < j && j < 10000; i++)
      if (*s->field && !strcmp(csv->name[i], s->field))
        return dun_fail(DUN_ERROR_INPUT, "%s:%lld: columns %d and %d are both called '%s'", s->path,
                        line, i, j, s->field);
  }
  return 0;
}

/* ---- rows -------------------------------------------------------------------------------- */

static int refuse_length(const struct dun_csv *csv, struct dun_scanner *s, long long line,
                         int fields)
{
  int more = fields == csv->columns, blanks = !s->separator;
  while (more && !s->last) {
    if (dun_scanner_field(s) < 0)
      return DUN_ERROR_INPUT;
    fields++;
  }
  return dun_fail(DUN_ERROR_INPUT,
                  "%s:%lld: found %s%d field%s, expected %d as in the first line%s "
                  "(fields are separated by %s)",
                  s->path, line, more ? "" : "only ", fields, fields == 1 ? "" : "s", csv->columns,
                  more && csv->named && fields == csv->columns + 1
                      ? ": do rows begin with a name that the header has no word for?"
                  : !more && blanks ? ": is a value missing?"
                                    : "",
                  dun_separator_name(s->separator));
}

static void note(struct dun_csv_fault *fault, const struct dun_scanner *s, long long line)
{
  if (fault->line)
    return;
  fault->line = line;
  snprintf(fault->field, sizeof fault->field, "%.*s", (int)sizeof fault->field - 1, s->field);
}

static int read_row(struct dun_csv *csv, struct dun_scanner *s, long long row)
{
  double *value = csv->value + row * csv->columns;
  long long line = s->line;
  csv->line[row] = line;
  for (int j = 0; j < csv->columns; j++) {
    if (dun_scanner_field(s) < 0)
      return DUN_ERROR_INPUT;
    if (s->last != (j == csv->columns - 1))
      return refuse_length(csv, s, line, j + 1);
    if (dun_field_number(s, &value[j]) == 0)
      continue;
    value[j] = NAN;
    note(&csv->fault[j], s, line);
    if (!dun_field_is_gap(s))
      note(&csv->odd[j], s, line);
  }
  return 0;
}

/* A blank line in a file of one column may be a value that is missing. */
static int refuse_gap(const struct dun_scanner *s, long long line)
{
  return dun_fail(
      DUN_ERROR_INPUT,
      "%s:%lld: found an empty line between the rows of one column: is a value missing?", s->path,
      line - 1);
}

static int read_rows(struct dun_csv *csv, struct dun_scanner *s)
{
  for (long long i = 0; i < csv->rows; i++) {
    long long gaps = s->gaps;
    dun_scanner_line(s);
    if (csv->columns == 1 && s->gaps > gaps)
      return refuse_gap(s, s->line);
    if (read_row(csv, s, i) < 0)
      return DUN_ERROR_INPUT;
  }
  return 0;
}

/* ---- columns without a name -------------------------------------------------------------- */

/* Whether the first column is what tables are written with, if nobody asks otherwise: its rows'
 * numbers from 0 or 1. */
static int counts_rows(const struct dun_csv *csv)
{
  double first = csv->value[0];
  if (csv->fault[0].line || (first != 0 && first != 1) || csv->columns == 1)
    return 0;
  for (long long i = 0; i < csv->rows; i++)
    if (csv->value[i * csv->columns] != first + (double)i)
      return 0;
  return 1;
}

static void drop_first_column(struct dun_csv *csv)
{
  int columns = csv->columns - 1;
  dun_free(csv->name[0]);
  memmove(csv->name, csv->name + 1, (size_t)columns * sizeof *csv->name);
  csv->name[columns] = NULL;
  memmove(csv->fault, csv->fault + 1, (size_t)columns * sizeof *csv->fault);
  memmove(csv->odd, csv->odd + 1, (size_t)columns * sizeof *csv->odd);
  for (long long i = 0; i < csv->rows; i++)
    memmove(csv->value + i * columns, csv->value + i * csv->columns + 1,
            (size_t)columns * sizeof *csv->value);
  csv->columns = columns;
  csv->indexed++;
}

/* A table read with its rows' numbers and written again has a name for them. */
static int is_unnamed(const char *name)
{
  return !*name || !strncmp(name, "Unnamed: ", 9);
}

static int settle_names(struct dun_csv *csv, const struct dun_scanner *s, long long line)
{
  while (csv->named && is_unnamed(csv->name[0]) && counts_rows(csv))
    drop_first_column(csv);
  for (int j = 0; j < csv->columns && csv->named; j++)
    if (is_unnamed(csv->name[j]))
      return dun_fail(DUN_ERROR_INPUT,
                      "%s:%lld: column %d has no name in the header%s: name it, or leave it out",
                      s->path, line, j + csv->indexed,
                      j == csv->columns - 1 ? " (do all lines end with a separator?)"
                      : j == 0              ? " and does not just count the rows"
                                            : "");
  return 0;
}

/* ---- all of it --------------------------------------------------------------------------- */

/* A row has a byte behind each of its fields; of what is too short for so many rows none is read
 * behind the first that is too short. */
static int allocate(struct dun_csv *csv, long long size)
{
  long long most = (size + 1) / csv->columns + 1, rows = csv->rows < most ? csv->rows : most;
  csv->name = dun_allocate(csv->columns, sizeof *csv->name);
  csv->fault = dun_allocate(csv->columns, sizeof *csv->fault);
  csv->odd = dun_allocate(csv->columns, sizeof *csv->odd);
  csv->line = dun_allocate(rows, sizeof *csv->line);
  csv->value = dun_allocate(rows, (size_t)csv->columns * sizeof(double));
  for (int j = 0; csv->name && !csv->named && j < csv->columns; j++)
    if (!(csv->name[j] = dun_copy_text("")))
      return DUN_ERROR_MEMORY;
  return csv->name && csv->fault && csv->odd && csv->line && csv->value ? 0 : DUN_ERROR_MEMORY;
}

static int parse(struct dun_csv *csv, struct dun_scanner *s, const struct dun_csv_format *format,
                 long long size)
{
  struct first_line first;
  if (look_at_first_line(*s, &first) < 0 || find_header(s, &first, format->header, &csv->named) < 0)
    return DUN_ERROR_INPUT;
  csv->columns = first.columns;
  csv->separator = s->separator;
  csv->decimal = s->decimal;
  csv->rows = dun_scanner_count(*s) - csv->named;
  if (csv->rows == 0)
    return dun_fail(DUN_ERROR_INPUT, "%s: found a header but no row of numbers", s->path);
  int status = allocate(csv, size);
  if (status == 0 && csv->named)
    status = read_header(csv, s);
  if (status == 0)
    status = read_rows(csv, s);
  return status < 0 ? status : settle_names(csv, s, first.line);
}

/* What the file is, if it is none of text. */
static int check_bytes(const struct dun_data *data)
{
  const char *what = dun_format_find(data->bytes, data->size), *zero;
  if (what)
    return dun_fail(DUN_ERROR_INPUT, "%s: found %s", data->path, what);
  zero = memchr(data->bytes, '\0', (size_t)data->size);
  if (zero)
    return dun_fail(DUN_ERROR_INPUT,
                    "%s: found a zero byte at place %lld, expected a text file of numbers",
                    data->path, (long long)(zero - data->bytes));
  return 0;
}

int dun_csv_parse(struct dun_csv *csv, const struct dun_data *data,
                  const struct dun_csv_format *format)
{
  struct dun_scanner s;
  int status;
  memset(csv, 0, sizeof *csv);
  if (!data->path)
    return dun_fail(DUN_ERROR_INPUT, "no data file was given");
  if (check_bytes(data) < 0 || dun_scanner_init(&s, data, format) < 0)
    return DUN_ERROR_INPUT;
  if (!dun_scanner_line(&s))
    return dun_fail(DUN_ERROR_INPUT, "%s: the file is empty", data->path);
  status = parse(csv, &s, format, data->size);
  if (status < 0)
    dun_csv_free(csv);
  return status;
}

void dun_csv_free(struct dun_csv *csv)
{
  for (int j = 0; csv->name && j < csv->columns; j++)
    DUN_FREE(csv->name[j]);
  DUN_FREE(csv->name);
  DUN_FREE(csv->value);
  DUN_FREE(csv->line);
  DUN_FREE(csv->fault);
  DUN_FREE(csv->odd);
  csv->rows = csv->columns = 0;
}

/* ---- columns ----------------------------------------------------------------------------- */

static int refuse_field(const struct dun_csv *csv, const struct dun_data *data, int column,
                        const struct dun_csv_fault *fault, const char *expected)
{
  char name[80];
  if (*csv->name[column])
    snprintf(name, sizeof name, "'%.60s'", csv->name[column]);
  else
    snprintf(name, sizeof name, "%d", column);
  return dun_fail(DUN_ERROR_INPUT,
                  "%s:%lld: column %s: found '%.40s', expected a finite number%s%s", data->path,
                  fault->line, name, *fault->field ? fault->field : "nothing", expected,
                  dun_field_hint(fault->field, csv->separator, csv->decimal));
}

int dun_csv_check(const struct dun_csv *csv, const struct dun_data *data, int column)
{
  int first = -1;
  for (int j = column < 0 ? 0 : column; j < (column < 0 ? csv->columns : column + 1); j++)
    if (csv->fault[j].line && (first < 0 || csv->fault[j].line < csv->fault[first].line))
      first = j;
  return first < 0 ? 0 : refuse_field(csv, data, first, &csv->fault[first], "");
}

int dun_csv_check_gaps(const struct dun_csv *csv, const struct dun_data *data, int column)
{
  const struct dun_csv_fault *odd = &csv->odd[column];
  return odd->line ? refuse_field(csv, data, column, odd, ", or nan where it is missing") : 0;
}

static int find_number(const struct dun_csv *csv, const char *name)
{
  long long number;
  if (dun_text_integer(name, &number) == 0 && number >= 0 && number < csv->columns && !csv->indexed)
    return (int)number;
  return -1;
}

int dun_csv_find(const struct dun_csv *csv, const struct dun_data *data, const char *name)
{
  int nearest = -1, distance = INT_MAX, number;
  for (int j = 0; j < csv->columns; j++) {
    int changes = dun_text_distance(csv->name[j], name);
    if (csv->named && !strcmp(csv->name[j], name))
      return j;
    if (*csv->name[j] && changes < distance) {
      distance = changes;
      nearest = j;
    }
  }
  if ((number = find_number(csv, name)) >= 0)
    return number;
  if (nearest >= 0)
    return dun_fail(DUN_ERROR_INPUT, "%s: there is no column '%s'; the nearest name is '%s'%s",
                    data->path, name, csv->name[nearest],
                    csv->indexed ? " (the first column counts the rows and is left out)" : "");
  return dun_fail(DUN_ERROR_INPUT,
                  "%s: there is no column '%s'; the file has no header and %d columns", data->path,
                  name, csv->columns);
}

int dun_csv_select(const struct dun_csv *csv, const struct dun_data *data, const char *list,
                   int *column)
{
  char name[DUN_CSV_FIELD];
  int count = 0;
  for (const char *at = list; *at;) {
    size_t length;
    at += strspn(at, " \t");
    length = strcspn(at, ",");
    snprintf(name, sizeof name, "%.*s", (int)length, at);
    at += length + (at[length] == ',');
    for (size_t end = strlen(name); end > 0 && (name[end - 1] == ' ' || name[end - 1] == '\t');)
      name[--end] = 0;
    int found = dun_csv_find(csv, data, name);
    if (found < 0)
      return found;
    for (int i = 0; i < count; i++)
      if (column[i] == found)
        return dun_fail(DUN_ERROR_INPUT, "%s: the column '%s' is listed twice", data->path, name);
    column[count++] = found;
  }
  return count;
}
