#include "io/input.h"

#include "base/memory.h"
#include "data/format.h"
#include "io/hints.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <yaml.h>

enum { MAXIMUM_BYTES = 1 << 20, MAXIMUM_DEPTH = 16, MAXIMUM_KEYS = 1000, PLACE = 256 };

/* ---- complaints -------------------------------------------------------------------------- */

static void add_origin(struct dun_text *text, const struct dun_input *input, int line, int column)
{
  const char *name = input && input->name ? input->name : "input";
  if (line > 0)
    dun_text_add(text, "%s:%d:%d: ", name, line, column);
  else
    dun_text_add(text, "%s: ", line == 0 ? "--set" : name);
}

void dun_complain(struct dun_complaints *complaints, const struct dun_input *input, int line,
                  int column, const char *format, ...)
{
  char sentence[2048];
  va_list arguments;
  complaints->count++;
  if (complaints->count > DUN_COMPLAINTS_LISTED) {
    if (complaints->count == DUN_COMPLAINTS_LISTED + 1)
      dun_text_add(&complaints->text, "... further faults are not listed\n");
    return;
  }
  va_start(arguments, format);
  vsnprintf(sentence, sizeof sentence, format, arguments);
  va_end(arguments);
  add_origin(&complaints->text, input, line, column);
  dun_text_add(&complaints->text, "%s\n", sentence);
}

void dun_complaints_free(struct dun_complaints *complaints)
{
  dun_text_free(&complaints->text);
  complaints->count = 0;
}

const char *dun_quote(const char *text, char description[DUN_DESCRIPTION])
{
  size_t length = strlen(text), shown = length > 60 ? 57 : length;
  /* never cut inside a character of several bytes */
  while (shown < length && shown > 0 && ((unsigned char)text[shown] & 0xc0) == 0x80)
    shown--;
  snprintf(description, DUN_DESCRIPTION, "'%.*s%s'", (int)shown, text, shown < length ? "..." : "");
  for (char *c = description; *c; c++)
    if ((unsigned char)*c < 32 || *c == 127)
      *c = ' ';
  return description;
}

const char *dun_node_describe(const struct dun_node *node, char description[DUN_DESCRIPTION])
{
  if (node->kind == DUN_NODE_MAP)
    snprintf(description, DUN_DESCRIPTION, "a mapping");
  else if (node->kind == DUN_NODE_LIST)
    snprintf(description, DUN_DESCRIPTION, "a list of %d", node->count);
  else if (!node->quoted && (!node->text || !*node->text))
    snprintf(description, DUN_DESCRIPTION, "nothing");
  else
    return dun_quote(node->text, description);
  return description;
}

/* ---- nodes ------------------------------------------------------------------------------- */

void dun_node_free(struct dun_node *node)
{
  for (int i = 0; i < node->count; i++) {
    dun_node_free(&node->child[i]);
    if (node->key)
      dun_free(node->key[i]);
  }
  dun_free(node->text);
  dun_free(node->child);
  dun_free(node->key);
  dun_free(node->key_line);
  dun_free(node->key_column);
  memset(node, 0, sizeof *node);
}

/* Room for one more; the capacity is the next power of two, so nobody has to remember it. */
static int grow(void *array_, int count, size_t size)
{
  void **array = array_, *larger;
  if (count & (count - 1))
    return 0;
  larger = dun_allocate(count ? 2 * (int64_t)count : 1, size);
  if (!larger)
    return -1;
  if (count)
    memcpy(larger, *array, (size_t)count * size);
  dun_free(*array);
  *array = larger;
  return 0;
}

struct dun_node *dun_node_add(struct dun_node *node, const char *key, int line, int column)
{
  int n = node->count;
  if (grow(&node->child, n, sizeof *node->child) < 0)
    return NULL;
  memset(&node->child[n], 0, sizeof node->child[n]);
  if (key) {
    if (grow(&node->key, n, sizeof *node->key) < 0 || grow(&node->key_line, n, sizeof(int)) < 0 ||
        grow(&node->key_column, n, sizeof(int)) < 0)
      return NULL;
    node->key_line[n] = line;
    node->key_column[n] = column;
    node->key[n] = dun_copy_text(key);
    if (!node->key[n])
      return NULL;
  }
  node->count++;
  return &node->child[n];
}

const struct dun_node *dun_node_find(const struct dun_node *map, const char *key)
{
  if (map && map->kind == DUN_NODE_MAP)
    for (int i = 0; i < map->count; i++)
      if (!strcmp(map->key[i], key))
        return &map->child[i];
  return NULL;
}

/* ---- from libyaml's events to nodes -------------------------------------------------------------
 *
 * Events, not libyaml's document: that one has resolved the aliases and forgotten anchors and
 * tags. */

struct builder {
  const struct dun_input *input; /* for messages */
  struct dun_complaints *complaints;
  const char *bytes;
  int64_t size;
  int line;      /* < 0: nodes get their own lines; else this one (of --set and defaults) */
  int flow_only; /* a value on the command line */
  yaml_parser_t parser;
  yaml_event_t event;
  int has_event;

  /* a value without quotes that went on over several lines */
  int is_long;
  yaml_mark_t long_begin;
  size_t long_end;
  char long_place[PLACE];
};

static int line_of(const struct builder *b, yaml_mark_t mark)
{
  return b->line < 0 ? (int)mark.line + 1 : b->line;
}

static int column_of(const struct builder *b, yaml_mark_t mark)
{
  return b->line < 0 ? (int)mark.column + 1 : b->line > 0;
}

#define COMPLAIN(b, mark, ...)                                                                     \
  dun_complain((b)->complaints, (b)->input, line_of(b, mark), column_of(b, mark), __VA_ARGS__)

static int out_of_memory(struct builder *b)
{
  dun_complain(b->complaints, b->input, -1, 0, "no memory left to read it");
  return -1;
}

static void complain_reader(struct builder *b)
{
  yaml_mark_t mark = {0, 0, 0};
  size_t end = b->parser.problem_offset;
  for (size_t i = 0; i < end && i < (size_t)b->size; i++) {
    mark.column = b->bytes[i] == '\n' ? 0 : mark.column + 1;
    mark.line += b->bytes[i] == '\n';
  }
  const char *what = dun_format_find(b->bytes, b->size);
  if (what)
    COMPLAIN(b, mark, "found %s; an input is YAML in UTF-8", what);
  else
    COMPLAIN(b, mark,
             "found a byte or character 0x%02x that text cannot have (%s), expected UTF-8%s",
             (unsigned)b->parser.problem_value, b->parser.problem,
             strstr(b->parser.problem, "octet")
                 ? ": is the file in Latin-1? Then convert it (iconv -f latin1 -t utf-8)"
                 : "");
}

static int complain_syntax(struct builder *b)
{
  const yaml_parser_t *p = &b->parser;
  char hint[DUN_HINT];
  struct dun_stumble s = {p->problem_mark.line, p->problem_mark.column, p->context_mark.line,
                          p->problem ? p->problem : "unknown fault", p->context ? p->context : ""};
  if (p->error == YAML_MEMORY_ERROR)
    return out_of_memory(b);
  if (p->error == YAML_READER_ERROR) {
    complain_reader(b);
    return -1;
  }
  const char *cause = dun_hint_syntax(b->bytes, (size_t)b->size, &s, hint);
  yaml_mark_t mark = {.line = s.line, .column = s.column};
  COMPLAIN(b, mark, "this is not YAML: %s (%s%s%s)", cause, s.problem, *s.context ? " " : "",
           s.context);
  return -1;
}

/* A line that the parser took for more of the value before it: as a rule its colon has no blank. */
static void refuse_lines(struct builder *b)
{
  char hint[DUN_HINT];
  struct dun_stumble s = {
      .line = b->long_begin.line, .column = b->long_begin.column, .problem = "", .context = ""};
  const char *cause = "";
  if (b->complaints->count < DUN_COMPLAINTS_LISTED) /* else it is not listed */
    cause = dun_hint_lines(b->bytes, (size_t)b->size, b->long_end, &s, hint);
  yaml_mark_t mark = {.line = s.line, .column = s.column};
  COMPLAIN(b, mark, "%s%sfound a value that goes on over lines %d to %d, expected one line: %s",
           b->long_place, *b->long_place ? ": " : "", (int)b->long_begin.line + 1,
           (int)b->long_end + 1, cause);
}

static int next_event(struct builder *b)
{
  if (b->has_event)
    yaml_event_delete(&b->event);
  b->has_event = yaml_parser_parse(&b->parser, &b->event);
  if (!b->has_event)
    return complain_syntax(b);
  if (b->is_long)
    refuse_lines(b);
  b->is_long = 0;
  return 0;
}

static void refuse_property(struct builder *b, const char *place, const yaml_char_t *anchor,
                            const yaml_char_t *tag)
{
  char quoted[DUN_DESCRIPTION];
  if (anchor)
    COMPLAIN(b, b->event.start_mark,
             "%s%sfound the anchor %s, expected the value itself: values are written out wherever "
             "they are used",
             place, *place ? ": " : "", dun_quote((const char *)anchor, quoted));
  if (tag)
    COMPLAIN(b, b->event.start_mark,
             "%s%sfound the tag %s, expected the value itself: a text that begins with ! stands in "
             "quotes",
             place, *place ? ": " : "", dun_quote((const char *)tag, quoted));
}

/* Of a value over several lines it is told when the parser goes on behind it: where it cannot, that
 * is the fault to tell. */
static void note_lines(struct builder *b, const char *place)
{
  if (b->event.data.scalar.style != YAML_PLAIN_SCALAR_STYLE ||
      b->event.end_mark.line == b->event.start_mark.line)
    return;
  b->is_long = 1;
  b->long_begin = b->event.start_mark;
  b->long_end = b->event.end_mark.line;
  snprintf(b->long_place, sizeof b->long_place, "%s", place);
}

static int read_scalar(struct builder *b, struct dun_node *node, const char *place)
{
  const char *text = (const char *)b->event.data.scalar.value;
  refuse_property(b, place, b->event.data.scalar.anchor, b->event.data.scalar.tag);
  if (strlen(text) != b->event.data.scalar.length)
    COMPLAIN(b, b->event.start_mark, "%s%sfound a zero byte in the text, expected none", place,
             *place ? ": " : "");
  note_lines(b, place);
  node->kind = DUN_NODE_SCALAR;
  node->quoted = b->event.data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
  node->text = dun_copy_text(text);
  return node->text ? 0 : out_of_memory(b);
}

static int read_node(struct builder *b, struct dun_node *node, const char *place, int depth);

static int read_list(struct builder *b, struct dun_node *node, const char *place, int depth)
{
  node->kind = DUN_NODE_LIST;
  refuse_property(b, place, b->event.data.sequence_start.anchor, b->event.data.sequence_start.tag);
  for (;;) {
    char inside[PLACE];
    struct dun_node *child;
    if (next_event(b) < 0)
      return -1;
    if (b->event.type == YAML_SEQUENCE_END_EVENT)
      return 0;
    snprintf(inside, sizeof inside, "%.200s[%d]", place, node->count);
    child = dun_node_add(node, NULL, 0, 0);
    if (!child)
      return out_of_memory(b);
    if (read_node(b, child, inside, depth + 1) < 0)
      return -1;
  }
}

/* The key in the present event goes into a new child; a doubled one is complained about and its
 * value goes into `ignored`. */
static int read_key(struct builder *b, struct dun_node *node, const char *place, char inside[PLACE],
                    struct dun_node *ignored, struct dun_node **value)
{
  char quoted[DUN_DESCRIPTION];
  yaml_mark_t mark = b->event.start_mark;
  const char *key = (const char *)b->event.data.scalar.value, *colon = *place ? ": " : "";
  if (b->event.type != YAML_SCALAR_EVENT || !*key) {
    COMPLAIN(b, mark, "%s%sfound %s as a key, expected a name", place, colon,
             b->event.type == YAML_SCALAR_EVENT ? "nothing" : "a list, mapping or alias");
    return -1;
  }
  refuse_property(b, place, b->event.data.scalar.anchor, b->event.data.scalar.tag);
  snprintf(inside, PLACE, "%.200s%s%.50s", place, *place ? "." : "", key);
  for (int i = 0; i < node->count; i++)
    if (!strcmp(node->key[i], key)) {
      COMPLAIN(b, mark, "%s%skey %s given twice (first at line %d), expected once", place, colon,
               dun_quote(key, quoted), node->key_line[i]);
      *value = ignored;
      return 0;
    }
  if (node->count >= MAXIMUM_KEYS) {
    COMPLAIN(b, mark, "%s%sfound more than %d keys", place, colon, MAXIMUM_KEYS);
    return -1;
  }
  *value = dun_node_add(node, key, line_of(b, mark), column_of(b, mark));
  return *value ? 0 : out_of_memory(b);
}

static int read_map(struct builder *b, struct dun_node *node, const char *place, int depth)
{
  node->kind = DUN_NODE_MAP;
  refuse_property(b, place, b->event.data.mapping_start.anchor, b->event.data.mapping_start.tag);
  for (;;) {
    char inside[PLACE];
    int status;
    struct dun_node ignored = {0}, *value;
    if (next_event(b) < 0)
      return -1;
    if (b->event.type == YAML_MAPPING_END_EVENT)
      return 0;
    if (read_key(b, node, place, inside, &ignored, &value) < 0 || next_event(b) < 0)
      return -1;
    status = read_node(b, value, inside, depth + 1);
    dun_node_free(&ignored);
    if (status < 0)
      return -1;
  }
}

/* Whether the present event begins a list or mapping in block style. */
static int is_block(const yaml_event_t *event)
{
  if (event->type == YAML_SEQUENCE_START_EVENT)
    return event->data.sequence_start.style != YAML_FLOW_SEQUENCE_STYLE;
  return event->type == YAML_MAPPING_START_EVENT &&
         event->data.mapping_start.style != YAML_FLOW_MAPPING_STYLE;
}

/* Reads the node that begins with the present event, to its end. */
static int read_node(struct builder *b, struct dun_node *node, const char *place, int depth)
{
  yaml_mark_t mark = b->event.start_mark;
  node->line = line_of(b, mark);
  node->column = column_of(b, mark);
  if (depth > MAXIMUM_DEPTH) {
    COMPLAIN(b, mark, "found more than %d levels of lists and mappings", MAXIMUM_DEPTH);
    return -1;
  }
  if (b->flow_only && is_block(&b->event)) {
    COMPLAIN(b, mark,
             "%s: expected a value in flow style: a number, a text, [a, list] or "
             "{a: mapping}",
             place);
    return -1;
  }
  switch (b->event.type) {
  case YAML_SCALAR_EVENT: return read_scalar(b, node, place);
  case YAML_SEQUENCE_START_EVENT: return read_list(b, node, place, depth);
  case YAML_MAPPING_START_EVENT: return read_map(b, node, place, depth);
  case YAML_ALIAS_EVENT:
    COMPLAIN(b, mark,
             "%s%sfound the alias '*%.60s', expected the value itself: values are written out "
             "wherever they are used",
             place, *place ? ": " : "", (const char *)b->event.data.alias.anchor);
    return -1;
  default:
    COMPLAIN(b, mark, "%s%sfound the end, expected a value", place, *place ? ": " : "");
    return -1;
  }
}

/* One document into `node`; *found tells whether there was any. */
static int read_document(struct builder *b, struct dun_node *node, const char *place, int *found)
{
  *found = 0;
  if (next_event(b) < 0 || next_event(b) < 0) /* stream start, then document start */
    return -1;
  if (b->event.type != YAML_DOCUMENT_START_EVENT)
    return 0;
  *found = 1;
  if (next_event(b) < 0 || read_node(b, node, place, 0) < 0)
    return -1;
  if (next_event(b) < 0 || next_event(b) < 0) /* document end, then stream end */
    return -1;
  if (b->event.type != YAML_STREAM_END_EVENT)
    COMPLAIN(b, b->event.start_mark, "found a second document, expected the end of the file");
  return 0;
}

static int build(struct builder *b, struct dun_node *node, const char *place, int *found)
{
  int status;
  if (!yaml_parser_initialize(&b->parser))
    return out_of_memory(b);
  yaml_parser_set_encoding(&b->parser, YAML_UTF8_ENCODING);
  yaml_parser_set_input_string(&b->parser, (const unsigned char *)b->bytes, (size_t)b->size);
  status = read_document(b, node, place, found);
  if (b->has_event)
    yaml_event_delete(&b->event);
  yaml_parser_delete(&b->parser);
  return status;
}

int dun_node_parse(struct dun_node *node, const struct dun_input *input, const char *what,
                   const char *value, int line, struct dun_complaints *complaints)
{
  int found = 0, before = complaints->count;
  struct builder b = {.input = input,
                      .complaints = complaints,
                      .bytes = value,
                      .size = (int64_t)strlen(value),
                      .line = line,
                      .flow_only = 1};
  memset(node, 0, sizeof *node);
  if (b.size > MAXIMUM_BYTES)
    dun_complain(complaints, input, line, 0, "%s: found a value of more than 1 MiB", what);
  else if (build(&b, node, what, &found) == 0 && !found)
    node->text = dun_copy_text("");
  if (complaints->count == before)
    return 0;
  dun_node_free(node);
  return -1;
}

int dun_input_parse(struct dun_input *input, const char *name, const char *bytes, int64_t size,
                    struct dun_complaints *complaints)
{
  char found_text[DUN_DESCRIPTION];
  int found;
  struct builder b = {.input = input, .complaints = complaints, .size = size, .line = -1};
  memset(input, 0, sizeof *input);
  input->name = dun_copy_text(name);
  if (size > MAXIMUM_BYTES) {
    dun_complain(complaints, input, -1, 0, "found %lld bytes, expected at most 1 MiB",
                 (long long)size);
    return -1;
  }
  b.bytes = input->bytes = dun_allocate(size + 1, 1);
  if (!input->name || !input->bytes)
    return out_of_memory(&b);
  memcpy(input->bytes, bytes, (size_t)size);
  input->size = size;
  if (size >= 3 && !memcmp(bytes, "\xef\xbb\xbf", 3)) { /* a byte order mark is nothing to read */
    b.bytes += 3;
    b.size -= 3;
  }
  if (build(&b, &input->root, "", &found) < 0)
    return -1;
  if (!found || input->root.kind != DUN_NODE_MAP) {
    dun_complain(complaints, input, found ? input->root.line : -1, input->root.column,
                 "found %s, expected a mapping of sections (run, target, method, ...)",
                 found ? dun_node_describe(&input->root, found_text) : "nothing");
    return -1;
  }
  return 0;
}

void dun_input_free(struct dun_input *input)
{
  dun_node_free(&input->root);
  DUN_FREE(input->name);
  DUN_FREE(input->bytes);
  input->size = 0;
}
