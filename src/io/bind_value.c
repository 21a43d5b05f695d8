/* One value: its text against its row. */
#include "base/digest.h"
#include "base/error.h"
#include "base/memory.h"
#include "io/arrays.h"
#include "io/bind.h"
#include "io/file.h"
#include "io/hints.h"
#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int64_t largest_data = (int64_t)4 << 30;

/* What a value is bound by: all the small functions here need the same five things. */
struct place {
  struct dun_binder *binder;
  const struct dun_option *row;
  const struct dun_node *node;
  const char *name;
};

/* ---- messages ---------------------------------------------------------------------------- */

static const char *const noun[] = {
    [DUN_INTEGER] = "a whole number",
    [DUN_NUMBER] = "a number",
    [DUN_FLAG] = "true or false",
    [DUN_CHOICE] = "one of",
    [DUN_TEXT] = "a text",
    [DUN_DURATION] = "a duration such as 90s, 20min or 3h",
    [DUN_NUMBERS] = "a number or a list of numbers",
    [DUN_MATRIX] = "a list of lists of numbers, all of the same length",
    [DUN_FILE] = "the name of a file",
    [DUN_DATA] = "the name of a file",
    [DUN_SECTION] = "a mapping",
    [DUN_PART] = "a mapping {type: NAME, ...}",
    [DUN_PARTS] = "a list of mappings {type: NAME, ...}",
    [DUN_ARRAYS] = "the name of a JSON or CSV file",
};

static int has_bounds(const struct dun_option *row)
{
  return row->minimum < row->maximum;
}

const char *dun_option_bound(const struct dun_option *row, double bound, char text[DUN_BOUND])
{
  int exact = 0;
  if (row->type == DUN_INTEGER && fabs(bound) < 0x1p63)
    snprintf(text, DUN_BOUND, "%lld", (long long)bound);
  else if (row->type == DUN_INTEGER) /* no double is the largest whole number */
    snprintf(text, DUN_BOUND, "%lld", bound > 0 ? LLONG_MAX : LLONG_MIN);
  else
    for (int digits = 12; digits <= 17 && !exact; digits++) {
      snprintf(text, DUN_BOUND, "%.*g", digits, bound);
      exact = strtod(text, NULL) == bound;
    }
  return text;
}

static void add_bounds(char *text, const struct dun_option *row)
{
  size_t n = strlen(text), left = DUN_EXPECTATION - n;
  char least[DUN_BOUND], most[DUN_BOUND];
  dun_option_bound(row, row->minimum, least);
  dun_option_bound(row, row->maximum, most);
  if (row->maximum >= 1e300)
    snprintf(text + n, left, " of at least %s", least);
  else if (row->minimum <= -1e300)
    snprintf(text + n, left, " of at most %s", most);
  else
    snprintf(text + n, left, " from %s to %s", least, most);
}

/* "a, b or c" behind what is there. */
static void add_words(char *text, const char *words)
{
  char word[64];
  for (int i = 0; dun_words_get(words, i, word, sizeof word) == 0; i++) {
    size_t n = strlen(text);
    char next[64];
    int last = dun_words_get(words, i + 1, next, sizeof next) < 0;
    snprintf(text + n, DUN_EXPECTATION - n, "%s%s", i == 0 ? " " : last ? " or " : ", ", word);
  }
}

const char *dun_option_expected(const struct dun_option *row, char text[DUN_EXPECTATION])
{
  snprintf(text, DUN_EXPECTATION, "%s", noun[row->type]);
  if (row->type == DUN_DURATION && has_bounds(row))
    strcat(text, ",");
  if (has_bounds(row) && row->type != DUN_CHOICE)
    add_bounds(text, row);
  if (row->unit && *row->unit)
    snprintf(text + strlen(text), DUN_EXPECTATION - strlen(text), " (%s)", row->unit);
  if (row->words && *row->words) {
    if (row->type != DUN_CHOICE)
      snprintf(text + strlen(text), DUN_EXPECTATION - strlen(text), " or");
    add_words(text, row->words);
  }
  return text;
}

/* The nearest of the row's words, as " (did you mean 'x'?)". */
static void add_nearest(const char *words, const char *text, char *hint, size_t size)
{
  char word[64];
  int least = 2 + (int)(strlen(text) / 3);
  *hint = 0;
  for (int i = 0; dun_words_get(words, i, word, sizeof word) == 0; i++)
    if (dun_text_distance(word, text) < least) {
      least = dun_text_distance(word, text);
      snprintf(hint, size, " (did you mean '%s'?)", word);
    }
}

static int refuse(const struct place *p, const struct dun_node *node, const char *name)
{
  char found[DUN_DESCRIPTION], expected[DUN_EXPECTATION], hint[DUN_HINT] = "";
  if (node->kind == DUN_NODE_SCALAR && p->row->words)
    add_nearest(p->row->words, node->text, hint, sizeof hint);
  if (!*hint)
    dun_hint_value(node, hint);
  dun_complain(&p->binder->complaints, p->binder->input, node->line, node->column,
               "%s: found %s%s, expected %s%s", name, dun_node_describe(node, found),
               node->kind == DUN_NODE_SCALAR && node->quoted ? " in quotes" : "",
               dun_option_expected(p->row, expected), hint);
  return -1;
}

static void add_line(const struct place *p, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void add_line(const struct place *p, const char *format, ...)
{
  char value[128];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(value, sizeof value, format, arguments);
  va_end(arguments);
  dun_text_add(&p->binder->effective, "%s: %s\n", p->name, value);
}

/* ---- scalars ----------------------------------------------------------------------------- */

static int in_bounds(const struct dun_option *row, double value)
{
  return !has_bounds(row) || (value >= row->minimum && value <= row->maximum);
}

/* A word that stands for a number: -1, -2, ...; 0 if it is none. */
static int word_number(const struct place *p)
{
  return p->row->words ? -1 - dun_words_find(p->row->words, p->node->text) : 0;
}

static int bind_integer(const struct place *p, long long *member)
{
  long long value;
  int word = word_number(p);
  if (word < 0) {
    *member = word;
    add_line(p, "%.100s", p->node->text);
    return 0;
  }
  if (p->node->quoted || dun_text_integer(p->node->text, &value) < 0 ||
      !in_bounds(p->row, (double)value))
    return -1;
  *member = value;
  add_line(p, "%lld", value);
  return 0;
}

static int bind_number(const struct place *p, double *member)
{
  double value;
  int word = word_number(p);
  if (word < 0) {
    *member = word;
    add_line(p, "%.100s", p->node->text);
    return 0;
  }
  if (p->node->quoted || dun_text_number(p->node->text, &value) < 0 || !in_bounds(p->row, value))
    return -1;
  *member = value;
  dun_text_add(&p->binder->effective, "%s: ", p->name);
  dun_text_add_number(&p->binder->effective, value);
  dun_text_add(&p->binder->effective, "\n");
  return 0;
}

static int bind_duration(const struct place *p, double *member)
{
  double value;
  if (dun_text_duration(p->node->text, &value) < 0 || !in_bounds(p->row, value))
    return -1;
  *member = value;
  dun_text_add(&p->binder->effective, "%s: ", p->name);
  dun_text_add_number(&p->binder->effective, value);
  dun_text_add(&p->binder->effective, "s\n");
  return 0;
}

static int bind_flag(const struct place *p, int *member)
{
  int value;
  if (p->node->quoted || dun_text_flag(p->node->text, &value) < 0)
    return -1;
  *member = value;
  add_line(p, "%s", value ? "true" : "false");
  return 0;
}

static int bind_choice(const struct place *p, int *member)
{
  int value = dun_words_find(p->row->words, p->node->text);
  if (value < 0)
    return -1;
  *member = value;
  add_line(p, "%.100s", p->node->text);
  return 0;
}

/* A text as YAML would read it back. */
static void add_text_line(const struct place *p, const char *text)
{
  struct dun_text *effective = &p->binder->effective;
  int plain = *text && strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                    "0123456789_./+-") == strlen(text);
  dun_text_add(effective, plain ? "%s: %s\n" : "%s: \"", p->name, text);
  if (plain)
    return;
  dun_text_add_json(effective, text);
  dun_text_add(effective, "\"\n");
}

static char *own_text(struct dun_binder *binder, const char *text)
{
  char *copy = dun_binder_own(binder, (int64_t)strlen(text) + 1, 1);
  if (copy)
    strcpy(copy, text);
  return copy;
}

/* 1 after a complaint about a text that can hardly be meant. */
static int refuse_odd(const struct place *p)
{
  char found[DUN_DESCRIPTION];
  const char *fault = dun_hint_text(p->node);
  if (fault)
    dun_complain(&p->binder->complaints, p->binder->input, p->node->line, p->node->column,
                 "%s: found %s: %s", p->name, dun_node_describe(p->node, found), fault);
  return fault != NULL;
}

static int bind_text(const struct place *p, char **member)
{
  if (!*p->node->text && !p->node->quoted)
    return -1;
  if (refuse_odd(p))
    return 0;
  add_text_line(p, p->node->text);
  if (*p->node->text)
    *member = own_text(p->binder, p->node->text);
  return 0;
}

/* ---- files ------------------------------------------------------------------------------- */

static void complain_file(const struct place *p)
{
  dun_complain(&p->binder->complaints, p->binder->input, p->node->line, p->node->column, "%s: %s",
               p->name, dun_error_text());
}

/* What a file held, so that a result can say whether it has changed since. */
static void add_used(const struct place *p, const char *path, uint64_t digest, int64_t size)
{
  dun_text_add(&p->binder->used, "%s %016llx %lld %s\n", p->name, (unsigned long long)digest,
               (long long)size, path);
}

/* Whether the file lies in the folder, with links followed. */
static int lies_in(const char *folder, const char *file)
{
  char real_folder[PATH_MAX], real_file[PATH_MAX];
  if (!folder || !realpath(folder, real_folder) || !realpath(file, real_file))
    return 0;
  size_t length = strlen(real_folder);
  return !strncmp(real_folder, real_file, length) &&
         (real_file[length] == '/' || real_folder[length - 1] == '/');
}

static int is_code(const char *file)
{
  char head[4] = "";
  FILE *stream = fopen(file, "rb");
  int code = stream && fread(head, sizeof head, 1, stream) == 1 && !memcmp(head, "\177ELF", 4);
  if (stream)
    fclose(stream);
  return code;
}

/* Collective.  What a stranger's input names is not read from anywhere. */
static int refuse_stranger(const struct place *p, const char *folder, const char *path)
{
  struct dun_binder *b = p->binder;
  int code = 0;
  if (b->context->rank == 0 && is_code(path))
    code = dun_fail(DUN_ERROR_INPUT,
                    "the result names the library '%s', whose code would run: --trust takes it, or "
                    "--set %s=LIBRARY",
                    path, p->name);
  else if (b->context->rank == 0 && !lies_in(".", path) && !lies_in(folder, path))
    code = dun_fail(DUN_ERROR_INPUT,
                    "the result names the file '%s', which lies elsewhere: --trust takes it, or "
                    "--set %s=FILE",
                    path, p->name);
  if ((code = dun_agree(b->context, code)) < 0)
    complain_file(p);
  return code;
}

/* By its name: code is not taken from wherever a run happens to be started. */
static int is_library(const char *name)
{
  size_t length = strlen(name);
  return length > 3 && !strcmp(name + length - 3, ".so");
}

/* Returns 1 if there is a path to go on with, the same on all ranks. */
static int find_file(const struct place *p, char **path)
{
  struct dun_binder *b = p->binder;
  const char *folder = b->data_folder ? b->data_folder : getenv("DUNLIN_DATA");
  int here = p->row->type == DUN_FILE && !is_library(p->node->text);
  if (dun_file_find(b->context, p->node->text, b->input->name, folder, here, path) < 0) {
    complain_file(p);
    return 0;
  }
  if (!b->trusts || b->trusts(b->trusts_data, p->name) || refuse_stranger(p, folder, *path) == 0)
    return 1;
  DUN_FREE(*path);
  return 0;
}

static int bind_path(const struct place *p, char **member)
{
  char *path;
  if (!*p->node->text) {
    add_text_line(p, "");
    return p->node->quoted ? 0 : -1;
  }
  if (refuse_odd(p) || !find_file(p, &path))
    return 0;
  add_text_line(p, p->node->text);
  if (dun_binder_keep(p->binder, path) == 0)
    *member = path;
  return 0;
}

/* Its content decides numbers as much as that of data does. */
static int bind_file(const struct place *p, char **member)
{
  struct dun_binder *b = p->binder;
  uint64_t digest;
  int64_t size;
  if (bind_path(p, member) < 0)
    return -1;
  if (!*p->node->text || dun_agree(b->context, *member ? 0 : DUN_ERROR_INPUT) < 0)
    return 0;
  int code = b->context->rank == 0 && is_code(*member);
  dun_broadcast(b->context, &code, sizeof code, 0);
  if ((code && dun_file_compare(b->context, *member) < 0) ||
      dun_file_digest(b->context, *member, &digest, &size) < 0) {
    complain_file(p);
    return 0;
  }
  b->files = dun_digest(b->files, &digest, sizeof digest);
  add_used(p, *member, digest, size);
  return 0;
}

/* `member` has no bytes where none were given, or after a complaint; they are the caller's. */
static int bind_bytes(const struct place *p, struct dun_data *member)
{
  struct dun_binder *b = p->binder;
  struct dun_data data = {0};
  int64_t size;
  if (bind_path(p, &data.path) < 0)
    return -1;
  if (!*p->node->text || dun_agree(b->context, data.path ? 0 : DUN_ERROR_INPUT) < 0)
    return 0;
  if (dun_file_read(b->context, data.path, largest_data, &data.bytes, &size) < 0) {
    complain_file(p);
    return 0;
  }
  data.size = size;
  b->files = dun_digest(b->files, data.bytes, size);
  add_used(p, data.path, dun_digest(0, data.bytes, size), size);
  *member = data;
  return 0;
}

static int bind_data(const struct place *p, struct dun_data *member)
{
  int status = bind_bytes(p, member);
  if (member->bytes && dun_binder_keep(p->binder, member->bytes) < 0)
    *member = (struct dun_data){0};
  return status;
}

/* The bytes are given back: what was read of them is all that is used. */
static int bind_arrays(const struct place *p, struct dun_arrays *member)
{
  struct dun_binder *b = p->binder;
  struct dun_data data = {0};
  struct dun_arrays arrays = {0};
  struct dun_arrays_store store = {0};
  if (bind_bytes(p, &data) < 0)
    return -1;
  int status = data.bytes ? dun_arrays_read(&data, &arrays, &store) : 0;
  DUN_FREE(data.bytes);
  if (status == DUN_ERROR_MEMORY)
    b->status = status;
  else if (status < 0)
    complain_file(p);
  int kept = dun_binder_keep(b, store.array) | dun_binder_keep(b, store.number) |
             dun_binder_keep(b, store.words);
  if (status == 0 && kept == 0)
    *member = arrays;
  return 0;
}

/* ---- lists ------------------------------------------------------------------------------- */

/* One entry of a list; complains itself. */
static int entry(const struct place *p, const struct dun_node *node, const char *name,
                 double *value)
{
  if (node->kind == DUN_NODE_SCALAR && !node->quoted && dun_text_number(node->text, value) == 0 &&
      in_bounds(p->row, *value))
    return 0;
  struct dun_option number = *p->row;
  struct place at = {p->binder, &number, node, name};
  number.type = DUN_NUMBER;
  return refuse(&at, node, name);
}

static int entries(const struct place *p, const struct dun_node *list, const char *name,
                   double *value)
{
  char inside[300];
  int bad = 0;
  for (int i = 0; i < list->count; i++) {
    snprintf(inside, sizeof inside, "%.280s[%d]", name, i);
    bad |= entry(p, &list->child[i], inside, &value[i]);
  }
  return bad;
}

static void add_list(struct dun_text *text, const double *value, int64_t count)
{
  dun_text_add(text, "[");
  for (int64_t i = 0; i < count; i++) {
    dun_text_add(text, i ? ", " : "");
    dun_text_add_number(text, value[i]);
  }
  dun_text_add(text, "]");
}

static int bind_numbers(const struct place *p, struct dun_numbers *member)
{
  struct dun_text *effective = &p->binder->effective;
  const struct dun_node *node = p->node;
  int scalar = node->kind == DUN_NODE_SCALAR, count = scalar ? 1 : node->count;
  double *value;
  if (node->kind == DUN_NODE_MAP || count == 0)
    return -1;
  value = dun_binder_own(p->binder, count, sizeof *value);
  if (!value)
    return 0;
  if (scalar
          ? (node->quoted || dun_text_number(node->text, value) < 0 || !in_bounds(p->row, *value))
          : 0)
    return -1;
  if (!scalar && entries(p, node, p->name, value) < 0)
    return 0;
  *member = (struct dun_numbers){count, value};
  dun_text_add(effective, "%s: ", p->name);
  add_list(effective, value, count);
  dun_text_add(effective, "\n");
  return 0;
}

/* Number of columns; -1 after a complaint; 0: no matrix at all. */
static int matrix_columns(const struct place *p)
{
  const struct dun_node *node = p->node;
  int columns = node->kind == DUN_NODE_LIST && node->count ? node->child[0].count : 0;
  for (int i = 0; i < node->count && node->kind == DUN_NODE_LIST; i++) {
    const struct dun_node *row = &node->child[i];
    if (row->kind != DUN_NODE_LIST)
      return 0;
    if (row->count != columns) {
      dun_complain(&p->binder->complaints, p->binder->input, row->line, row->column,
                   "%s[%d]: found a list of %d, expected %d as in the first one", p->name, i,
                   row->count, columns);
      return -1;
    }
  }
  return columns;
}

static int bind_matrix(const struct place *p, struct dun_matrix *member)
{
  struct dun_text *effective = &p->binder->effective;
  int rows = p->node->count, columns = matrix_columns(p), bad = 0;
  char inside[300];
  double *value;
  if (columns <= 0)
    return columns == 0 ? -1 : 0;
  value = dun_binder_own(p->binder, (int64_t)rows * columns, sizeof *value);
  if (!value)
    return 0;
  for (int i = 0; i < rows; i++) {
    snprintf(inside, sizeof inside, "%.280s[%d]", p->name, i);
    bad |= entries(p, &p->node->child[i], inside, value + (int64_t)i * columns);
  }
  if (bad)
    return 0;
  *member = (struct dun_matrix){rows, columns, value};
  dun_text_add(effective, "%s: [", p->name);
  for (int i = 0; i < rows; i++) {
    dun_text_add(effective, i ? ", " : "");
    add_list(effective, value + (int64_t)i * columns, columns);
  }
  dun_text_add(effective, "]\n");
  return 0;
}

/* ---- all of them ------------------------------------------------------------------------- */

/* < 0: the value is not what the row expects and nobody has complained yet. */
static int bind_any(const struct place *p, void *member)
{
  if (p->row->type == DUN_NUMBERS)
    return bind_numbers(p, member);
  if (p->row->type == DUN_MATRIX)
    return bind_matrix(p, member);
  if (p->node->kind != DUN_NODE_SCALAR)
    return -1;
  switch (p->row->type) {
  case DUN_INTEGER: return bind_integer(p, member);
  case DUN_NUMBER: return bind_number(p, member);
  case DUN_FLAG: return bind_flag(p, member);
  case DUN_CHOICE: return bind_choice(p, member);
  case DUN_TEXT: return bind_text(p, member);
  case DUN_DURATION: return bind_duration(p, member);
  case DUN_FILE: return bind_file(p, member);
  case DUN_DATA: return bind_data(p, member);
  case DUN_ARRAYS: return bind_arrays(p, member);
  default: return -1;
  }
}

void dun_bind_value(struct dun_binder *binder, const struct dun_option *row,
                    const struct dun_node *node, const char *name, void *member)
{
  struct place place = {binder, row, node, name};
  memset(member, 0, dun_option_size(row->type));
  if (bind_any(&place, member) < 0)
    refuse(&place, node, name);
}
