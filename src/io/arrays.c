/* JSON is read by libyaml, whose flow style it is: that library is here anyway, and its events have
 * lines, so that a number that is none is named with its place.  What YAML allows beyond JSON
 * (names without quotes, anchors, tags, several documents) is refused. */
#include "io/arrays.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"
#include "data/csv.h"
#include "data/format.h"
#include "io/input.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

enum { MOST_NAMES = 10000, LONGEST_NAME = 255, DEEPEST = 64 };

/* An array on its way: places in the growing blocks instead of pointers. */
struct item {
  struct dun_array array;
  int64_t name, fault; /* in `words`; fault -1: none */
  int64_t first;       /* in `number` */
};

struct reader {
  const struct dun_data *data;
  struct item *item; /* [items], capacity as of `grow` */
  int items;
  double *number; /* [numbers] */
  int64_t numbers, capacity;
  struct dun_text words; /* zero bytes are written as '\n' until the end */

  yaml_parser_t parser;
  yaml_event_t event;
  int has_event;
};

/* ---- growing ------------------------------------------------------------------------------- */

static int push(struct reader *r, double value)
{
  if (r->numbers == r->capacity) {
    int64_t capacity = 2 * r->capacity + 1024;
    double *larger = dun_allocate(capacity, sizeof *larger);
    if (!larger)
      return DUN_ERROR_MEMORY;
    if (r->numbers)
      memcpy(larger, r->number, (size_t)r->numbers * sizeof *larger);
    dun_free(r->number);
    r->number = larger;
    r->capacity = capacity;
  }
  r->number[r->numbers++] = value;
  return 0;
}

/* The place of a word among the words. */
static int64_t keep(struct reader *r, const char *word)
{
  int64_t place = r->words.length;
  dun_text_add(&r->words, "%s\n", word);
  for (char *c = r->words.text + place; !r->words.failed && c[1]; c++)
    *c = *c == '\n' ? ' ' : *c;
  return place;
}

static int add_item(struct reader *r, const char *name, struct item **item)
{
  if (r->items == MOST_NAMES)
    return dun_fail(DUN_ERROR_INPUT, "%s: found more than %d names, expected at most that many",
                    r->data->path, MOST_NAMES);
  if (!r->item && !(r->item = dun_allocate(MOST_NAMES, sizeof *r->item)))
    return DUN_ERROR_MEMORY;
  *item = &r->item[r->items++];
  **item = (struct item){.name = keep(r, name), .fault = -1, .first = r->numbers};
  return r->words.failed ? DUN_ERROR_MEMORY : 0;
}

/* Of the first fault of an array the place is told; the numbers are left out. */
static void spoil(struct reader *r, struct item *item, long long line, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
static void spoil(struct reader *r, struct item *item, long long line, const char *format, ...)
{
  char words[200], sentence[256];
  va_list arguments;
  if (item->fault >= 0)
    return;
  va_start(arguments, format);
  vsnprintf(words, sizeof words, format, arguments);
  va_end(arguments);
  snprintf(sentence, sizeof sentence, "line %lld: %s", line, words);
  item->fault = keep(r, sentence);
  r->numbers = item->first;
}

/* ---- JSON: events -------------------------------------------------------------------------- */

static int refuse(const struct reader *r, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static int refuse(const struct reader *r, const char *format, ...)
{
  char words[300];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(words, sizeof words, format, arguments);
  va_end(arguments);
  return dun_fail(DUN_ERROR_INPUT, "%s:%zu:%zu: %s", r->data->path, r->event.start_mark.line + 1,
                  r->event.start_mark.column + 1, words);
}

static int refuse_syntax(const struct reader *r)
{
  const yaml_parser_t *p = &r->parser;
  size_t line = p->problem_mark.line + 1;
  if (p->error == YAML_MEMORY_ERROR)
    return dun_fail(DUN_ERROR_MEMORY, "%s: no memory left to read it", r->data->path);
  if (p->error != YAML_READER_ERROR)
    return dun_fail(DUN_ERROR_INPUT, "%s:%zu:%zu: this is not JSON: %s%s%s", r->data->path, line,
                    p->problem_mark.column + 1, p->problem ? p->problem : "unknown fault",
                    p->context ? " " : "", p->context ? p->context : "");
  line = 1;
  for (size_t i = 0; i < p->problem_offset && i < (size_t)r->data->size; i++)
    line += r->data->bytes[i] == '\n';
  return dun_fail(DUN_ERROR_INPUT,
                  "%s:%zu: found a byte or character 0x%02x that text cannot have, expected UTF-8",
                  r->data->path, line, (unsigned)p->problem_value);
}

static int next(struct reader *r)
{
  if (r->has_event)
    yaml_event_delete(&r->event);
  r->has_event = yaml_parser_parse(&r->parser, &r->event);
  if (!r->has_event)
    return refuse_syntax(r);
  const yaml_char_t *anchor = NULL, *tag = NULL;
  if (r->event.type == YAML_SCALAR_EVENT) {
    anchor = r->event.data.scalar.anchor;
    tag = r->event.data.scalar.tag;
  } else if (r->event.type == YAML_SEQUENCE_START_EVENT) {
    anchor = r->event.data.sequence_start.anchor;
    tag = r->event.data.sequence_start.tag;
  } else if (r->event.type == YAML_MAPPING_START_EVENT) {
    anchor = r->event.data.mapping_start.anchor;
    tag = r->event.data.mapping_start.tag;
  }
  return anchor || tag || r->event.type == YAML_ALIAS_EVENT
             ? refuse(r, "found an anchor, alias or tag of YAML, expected JSON")
             : 0;
}

static int expect(struct reader *r, yaml_event_type_t type, const char *what)
{
  int status = next(r);
  return status < 0 || r->event.type == type ? status : refuse(r, "expected %s", what);
}

/* ---- JSON: values -------------------------------------------------------------------------- */

static const char *digits(const char *text)
{
  const char *end = text;
  while (*end >= '0' && *end <= '9')
    end++;
  return end > text ? end : NULL;
}

/* Whether a text is a number as JSON writes it. */
static int is_number(const char *text)
{
  text += *text == '-';
  int zero = *text == '0';
  const char *end = digits(text);
  if (!end || (zero && end > text + 1))
    return 0;
  if (*end == '.' && !(end = digits(end + 1)))
    return 0;
  if (*end == 'e' || *end == 'E')
    end = digits(end + 1 + (end[1] == '+' || end[1] == '-'));
  return end && !*end;
}

/* Where a value stands among its lists. */
struct nest {
  int depth;
  int leaf; /* depth of numbers, and of lists without entries; -1: none yet */
  long long count[DUN_ARRAY_RANK], length[DUN_ARRAY_RANK]; /* length -1: no list has ended */
};

static int read_number(struct reader *r, struct item *item)
{
  const char *text = (const char *)r->event.data.scalar.value;
  int plain = r->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
  long long line = (long long)r->event.start_mark.line + 1;
  char quoted[DUN_DESCRIPTION];
  double value;
  if (!plain || !is_number(text))
    spoil(r, item, line, "found %s%s, expected a number",
          *text ? dun_quote(text, quoted) : "nothing", plain ? "" : " in quotes");
  else if (dun_text_number(text, &value) < 0)
    spoil(r, item, line, "found %s, expected a number that a double can hold",
          dun_quote(text, quoted));
  else
    return push(r, value);
  return 0;
}

/* Numbers and empty lists are all equally deep. */
static void set_leaf(struct reader *r, struct item *item, struct nest *nest, int depth)
{
  if (nest->leaf >= 0 && nest->leaf != depth)
    spoil(r, item, (long long)r->event.start_mark.line + 1,
          "found numbers %d lists deep, expected %d as before", depth, nest->leaf);
  nest->leaf = depth;
}

static void end_list(struct reader *r, struct item *item, struct nest *nest)
{
  int depth = nest->depth--;
  long long count = nest->count[depth - 1], *length = &nest->length[depth - 1];
  if (count == 0)
    set_leaf(r, item, nest, depth);
  if (*length >= 0 && *length != count)
    spoil(r, item, (long long)r->event.start_mark.line + 1,
          "found a list of %lld, expected %lld as before", count, *length);
  *length = count;
}

/* Passes over what is no array, to the event that ends the value; `depth` lists or objects are
 * open. */
static int skip(struct reader *r, int depth)
{
  int status = 0;
  while (depth > 0 && (status = next(r)) == 0) {
    yaml_event_type_t type = r->event.type;
    depth += type == YAML_SEQUENCE_START_EVENT || type == YAML_MAPPING_START_EVENT;
    depth -= type == YAML_SEQUENCE_END_EVENT || type == YAML_MAPPING_END_EVENT;
    if (depth > DEEPEST)
      return refuse(r, "found more than %d lists or objects in each other", DEEPEST);
  }
  return status;
}

/* One event of a value; its depth is changed accordingly. */
static int read_event(struct reader *r, struct item *item, struct nest *nest)
{
  if (r->event.type == YAML_SEQUENCE_END_EVENT) {
    end_list(r, item, nest);
    return 0;
  }
  if (nest->depth > 0)
    nest->count[nest->depth - 1]++;
  if (r->event.type == YAML_SCALAR_EVENT) {
    set_leaf(r, item, nest, nest->depth);
    return read_number(r, item);
  }
  if (r->event.type != YAML_SEQUENCE_START_EVENT)
    spoil(r, item, (long long)r->event.start_mark.line + 1, "found an object, expected numbers");
  else if (nest->depth == DUN_ARRAY_RANK)
    spoil(r, item, (long long)r->event.start_mark.line + 1,
          "found more than %d lists in each other, expected at most that many", DUN_ARRAY_RANK);
  else
    nest->count[nest->depth] = 0;
  nest->depth++;
  return 0;
}

static int read_value(struct reader *r, struct item *item)
{
  struct nest nest = {.leaf = -1, .length = {-1, -1, -1, -1}};
  do {
    int status = next(r);
    if (status == 0)
      status = read_event(r, item, &nest);
    if (status < 0)
      return status;
  } while (nest.depth > 0 && item->fault < 0);
  if (item->fault >= 0)
    return skip(r, nest.depth);
  item->array.rank = nest.leaf;
  item->array.count = r->numbers - item->first;
  for (int i = 0; i < nest.leaf; i++)
    item->array.shape[i] = nest.length[i];
  return 0;
}

static int read_name(struct reader *r)
{
  const char *name = (const char *)r->event.data.scalar.value;
  if (r->event.type != YAML_SCALAR_EVENT ||
      r->event.data.scalar.style != YAML_DOUBLE_QUOTED_SCALAR_STYLE)
    return refuse(r, "expected a name in double quotes");
  if (strlen(name) != r->event.data.scalar.length || !*name || strlen(name) > LONGEST_NAME ||
      strpbrk(name, "\n\r"))
    return refuse(r, "expected a name of 1 to %d bytes on one line", LONGEST_NAME);
  return 0;
}

static int read_object(struct reader *r)
{
  struct item *item;
  int status = expect(r, YAML_STREAM_START_EVENT, "JSON");
  if (status == 0)
    status = expect(r, YAML_DOCUMENT_START_EVENT, "JSON");
  if (status == 0)
    status = expect(r, YAML_MAPPING_START_EVENT, "an object {\"name\": numbers, ...}");
  while (status == 0 && (status = next(r)) == 0 && r->event.type != YAML_MAPPING_END_EVENT) {
    status = read_name(r);
    if (status == 0)
      status = add_item(r, (const char *)r->event.data.scalar.value, &item);
    if (status == 0)
      status = read_value(r, item);
  }
  if (status == 0)
    status = expect(r, YAML_DOCUMENT_END_EVENT, "nothing behind the object");
  return status < 0 ? status : expect(r, YAML_STREAM_END_EVENT, "nothing behind the object");
}

static int read_json(struct reader *r)
{
  if (!yaml_parser_initialize(&r->parser))
    return dun_fail(DUN_ERROR_MEMORY, "%s: no memory left to read it", r->data->path);
  yaml_parser_set_encoding(&r->parser, YAML_UTF8_ENCODING);
  yaml_parser_set_input_string(&r->parser, (const unsigned char *)r->data->bytes,
                               (size_t)r->data->size);
  int status = read_object(r);
  if (r->has_event)
    yaml_event_delete(&r->event);
  yaml_parser_delete(&r->parser);
  return status;
}

/* ---- tables -------------------------------------------------------------------------------- */

static int read_column(struct reader *r, const struct dun_csv *csv, int column)
{
  const struct dun_csv_fault *fault = &csv->fault[column];
  char number[24], quoted[DUN_DESCRIPTION];
  struct item *item;
  snprintf(number, sizeof number, "%d", column);
  int status = add_item(r, csv->named && *csv->name[column] ? csv->name[column] : number, &item);
  if (status == 0 && fault->line) {
    spoil(r, item, fault->line, "found %s, expected a finite number",
          dun_quote(fault->field, quoted));
    return 0;
  }
  for (long long i = 0; i < csv->rows && status == 0; i++)
    status = push(r, csv->value[i * csv->columns + column]);
  if (status == 0)
    item->array = (struct dun_array){.rank = 1, .shape = {csv->rows}, .count = csv->rows};
  return status;
}

static int read_table(struct reader *r)
{
  struct dun_csv csv = {0};
  struct dun_csv_format format = {0};
  int status = dun_csv_parse(&csv, r->data, &format);
  for (int i = 0; i < csv.columns && status == 0; i++)
    status = read_column(r, &csv, i);
  dun_csv_free(&csv);
  return status;
}

/* ---- both ---------------------------------------------------------------------------------- */

/* What the file begins with, but for white space and a byte order mark. */
static char first_of(const struct dun_data *data)
{
  const char *at = data->bytes;
  at += strncmp(at, "\xef\xbb\xbf", 3) ? 0 : 3;
  return at[strspn(at, " \t\r\n")];
}

static int check_names(struct reader *r)
{
  const char **names = dun_allocate(r->items + 1, sizeof *names);
  if (!names)
    return DUN_ERROR_MEMORY;
  for (int i = 0; i < r->items; i++)
    names[i] = r->item[i].array.name;
  const char *twice = dun_names_double(r->items, names);
  int status = twice
                   ? dun_fail(DUN_ERROR_INPUT, "%s: the name '%.60s' is given twice, expected once",
                              r->data->path, twice)
                   : 0;
  dun_free(names);
  return status;
}

/* From places to pointers. */
static int finish(struct reader *r, struct dun_arrays *arrays, struct dun_arrays_store *store)
{
  struct dun_array *array = dun_allocate(r->items + 1, sizeof *array);
  if (!array || r->words.failed || (!r->number && push(r, 0) < 0)) {
    dun_free(array);
    return DUN_ERROR_MEMORY;
  }
  for (char *c = r->words.text; c && *c; c++)
    *c = *c == '\n' ? 0 : *c;
  for (int i = 0; i < r->items; i++) {
    struct item *item = &r->item[i];
    item->array.name = r->words.text + item->name;
    item->array.fault = item->fault < 0 ? NULL : r->words.text + item->fault;
    item->array.value = item->fault < 0 ? r->number + item->first : NULL;
    array[i] = item->array;
  }
  *store = (struct dun_arrays_store){array, r->number, r->words.text};
  *arrays = (struct dun_arrays){.path = r->data->path, .count = r->items, .array = array};
  return 0;
}

int dun_arrays_read(const struct dun_data *data, struct dun_arrays *arrays,
                    struct dun_arrays_store *store)
{
  struct reader r = {.data = data};
  char first = first_of(data);
  int status;
  *arrays = (struct dun_arrays){0};
  *store = (struct dun_arrays_store){0};
  if (first == '{')
    status = read_json(&r);
  else if (first == '[')
    status = dun_fail(DUN_ERROR_INPUT,
                      "%s: found a list, expected an object {\"name\": numbers, "
                      "...}",
                      data->path);
  else
    status = read_table(&r);
  if (status == 0)
    status = finish(&r, arrays, store);
  if (status == 0) {
    status = check_names(&r);
  } else {
    dun_free(r.number);
    dun_text_free(&r.words);
  }
  dun_free(r.item);
  return status;
}
