#include "data/csv.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"
#include <limits.h>
#include <string.h>

enum { FIELD_SIZE = 256 };

/* Where the reader is in the bytes. */
struct scanner {
  const char *path;
  const char *at, *end;
  long long line;
  int comma;              /* separator: a comma, or else white space */
  char field[FIELD_SIZE]; /* the field just read, without quotes and surrounding white space */
  int last;               /* it was the last one of its line */
};

static int blank(char c)
{
  return c == ' ' || c == '\t' || c == '\r';
}

static int complain(const struct scanner *s, const char *what)
{
  return dun_fail(DUN_ERROR_INPUT, "%s:%lld: %s", s->path, s->line, what);
}

static int keep(struct scanner *s, int *length, char c)
{
  if (*length == FIELD_SIZE - 1)
    return complain(s, "a field is longer than 255 characters");
  s->field[(*length)++] = c;
  return 0;
}

/* After the opening quote; a doubled quote stands for one. */
static int read_quoted(struct scanner *s, int *length)
{
  while (s->at < s->end && *s->at != '\n') {
    if (*s->at == '"' && (s->at + 1 == s->end || s->at[1] != '"')) {
      s->at++;
      return 0;
    }
    s->at += *s->at == '"';
    if (keep(s, length, *s->at++) < 0)
      return DUN_ERROR_INPUT;
  }
  return complain(s, "a quote is opened but not closed on this line");
}

static int at_separator(const struct scanner *s)
{
  return *s->at == '\n' || (s->comma ? *s->at == ',' : blank(*s->at));
}

static int read_bare(struct scanner *s, int *length)
{
  while (s->at < s->end && !at_separator(s))
    if (keep(s, length, *s->at++) < 0)
      return DUN_ERROR_INPUT;
  while (*length > 0 && blank(s->field[*length - 1]))
    --*length;
  return 0;
}

static void skip_blanks(struct scanner *s)
{
  while (s->at < s->end && blank(*s->at))
    s->at++;
}

/* Reads one field and steps over what ends it. */
static int next_field(struct scanner *s)
{
  int length = 0, status;
  skip_blanks(s);
  if (s->at < s->end && *s->at == '"') {
    s->at++;
    status = read_quoted(s, &length);
    if (status == 0 && s->at < s->end && !blank(*s->at) && !at_separator(s))
      status = complain(s, "text follows a closing quote");
  } else {
    status = read_bare(s, &length);
  }
  if (status < 0)
    return status;
  s->field[length] = '\0';
  skip_blanks(s);
  s->last = s->at == s->end || *s->at == '\n';
  if (s->at < s->end && (s->last || s->comma))
    s->at++;
  return 0;
}

/* Words that stand for a number that is missing: a line that holds them is data, not a header. */
static int stands_for_number(const char *field)
{
  double value;
  return dun_text_number(field, &value) == 0 || *field == '\0' ||
         dun_words_find("nan|NaN|NAN|NA|N/A|na|inf|Inf|INF|-inf|-Inf|+inf|null|?", field) >= 0;
}

/* Counts the fields of the first line and looks whether it is a header. */
static int look_at_first_line(struct scanner s, int *columns, int *header)
{
  *columns = 0;
  *header = 0;
  do {
    if (next_field(&s) < 0)
      return DUN_ERROR_INPUT;
    if (*columns == INT_MAX)
      return complain(&s, "too many fields");
    ++*columns;
    *header |= !stands_for_number(s.field);
  } while (!s.last);
  return 0;
}

static int read_header(struct dun_csv *csv, struct scanner *s)
{
  for (int j = 0; j < csv->columns; j++) {
    if (next_field(s) < 0)
      return DUN_ERROR_INPUT;
    csv->name[j] = dun_copy_text(s->field);
    if (!csv->name[j])
      return DUN_ERROR_MEMORY;
    for (int i = 0; i < j && j < 10000; i++)
      if (*s->field && !strcmp(csv->name[i], s->field))
        return dun_fail(DUN_ERROR_INPUT, "%s:%lld: columns %d and %d are both called '%s'", s->path,
                        s->line, i, j, s->field);
  }
  s->line++;
  return 0;
}

static int complain_field(const struct dun_csv *csv, const struct scanner *s, int column)
{
  const char *name = csv->name[column];
  const char *found = *s->field ? s->field : "nothing";
  if (*name)
    return dun_fail(DUN_ERROR_INPUT,
                    "%s:%lld: column '%s': found '%.40s', expected a finite number", s->path,
                    s->line, name, found);
  return dun_fail(DUN_ERROR_INPUT, "%s:%lld: column %d: found '%.40s', expected a finite number",
                  s->path, s->line, column, found);
}

static int read_row(const struct dun_csv *csv, struct scanner *s, double *value)
{
  for (int j = 0; j < csv->columns; j++) {
    if (next_field(s) < 0)
      return DUN_ERROR_INPUT;
    if (s->last != (j == csv->columns - 1))
      return dun_fail(
          DUN_ERROR_INPUT, "%s:%lld: found %s %d fields, expected %d as in the first line", s->path,
          s->line, s->last ? "only" : "more than", s->last ? j + 1 : csv->columns, csv->columns);
    if (dun_text_number(s->field, &value[j]) < 0)
      return complain_field(csv, s, j);
  }
  s->line++;
  return 0;
}

static long long count_lines(const struct scanner *s)
{
  long long lines = 0;
  const char *at = s->at;
  while (at < s->end) {
    const char *newline = memchr(at, '\n', (size_t)(s->end - at));
    lines++;
    at = newline ? newline + 1 : s->end;
  }
  return lines;
}

static struct scanner scanner_of(const struct dun_data *data)
{
  struct scanner s = {.path = data->path, .at = data->bytes, .line = 1};
  s.end = data->bytes + data->size;
  if (data->size >= 3 && !memcmp(data->bytes, "\xef\xbb\xbf", 3))
    s.at += 3;
  while (s.end > s.at && (blank(s.end[-1]) || s.end[-1] == '\n'))
    s.end--;
  s.comma = memchr(s.at, ',', (size_t)(s.end - s.at)) != NULL;
  return s;
}

static int parse(struct dun_csv *csv, struct scanner *s)
{
  int header;
  if (look_at_first_line(*s, &csv->columns, &header) < 0)
    return DUN_ERROR_INPUT;
  csv->rows = count_lines(s) - header;
  if (csv->rows == 0)
    return dun_fail(DUN_ERROR_INPUT, "%s: found a header but no row of numbers", s->path);
  csv->name = dun_allocate(csv->columns, sizeof *csv->name);
  if (!csv->name)
    return DUN_ERROR_MEMORY;
  for (int j = 0; !header && j < csv->columns; j++)
    if (!(csv->name[j] = dun_copy_text("")))
      return DUN_ERROR_MEMORY;
  if (header && read_header(csv, s) < 0)
    return DUN_ERROR_INPUT;
  csv->value = dun_allocate(csv->rows, (size_t)csv->columns * sizeof(double));
  if (!csv->value)
    return DUN_ERROR_MEMORY;
  for (long long i = 0; i < csv->rows; i++)
    if (read_row(csv, s, csv->value + i * csv->columns) < 0)
      return DUN_ERROR_INPUT;
  return 0;
}

int dun_csv_parse(struct dun_csv *csv, const struct dun_data *data)
{
  struct scanner s;
  int status;
  memset(csv, 0, sizeof *csv);
  if (!data->path)
    return dun_fail(DUN_ERROR_INPUT, "no data file was given");
  if (memchr(data->bytes, '\0', (size_t)data->size))
    return dun_fail(DUN_ERROR_INPUT, "%s: found a zero byte, expected a text file of numbers",
                    data->path);
  s = scanner_of(data);
  if (s.at == s.end)
    return dun_fail(DUN_ERROR_INPUT, "%s: the file is empty", data->path);
  status = parse(csv, &s);
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
  csv->rows = csv->columns = 0;
}

int dun_csv_find(const struct dun_csv *csv, const struct dun_data *data, const char *name)
{
  long long number;
  int nearest = -1, distance = INT_MAX;
  for (int j = 0; j < csv->columns; j++) {
    int changes = dun_text_distance(csv->name[j], name);
    if (!strcmp(csv->name[j], name))
      return j;
    if (*csv->name[j] && changes < distance) {
      distance = changes;
      nearest = j;
    }
  }
  if (dun_text_integer(name, &number) == 0 && number >= 0 && number < csv->columns)
    return (int)number;
  if (nearest >= 0)
    return dun_fail(DUN_ERROR_INPUT, "%s: there is no column '%s'; the nearest name is '%s'",
                    data->path, name, csv->name[nearest]);
  return dun_fail(DUN_ERROR_INPUT,
                  "%s: there is no column '%s'; the file has no header and %d columns", data->path,
                  name, csv->columns);
}
