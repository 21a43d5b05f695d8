#include "io/bind.h"

#include "base/digest.h"
#include "base/error.h"
#include "base/memory.h"
#include "io/file.h"
#include "io/hints.h"
#include "targets/library.h"
#include <stdio.h>
#include <string.h>

enum { NAME = 300, DEEPEST = 8 };

/* ---- the binder -------------------------------------------------------------------------- */

void dun_binder_init(struct dun_binder *binder, struct dun_context *context,
                     const struct dun_input *input)
{
  *binder = (struct dun_binder){.context = context, .input = input};
}

void dun_binder_free(struct dun_binder *binder)
{
  for (int i = 0; i < binder->owned_count; i++)
    dun_free(binder->owned[i]);
  DUN_FREE(binder->owned);
  binder->owned_count = binder->owned_capacity = 0;
  dun_text_free(&binder->effective);
  dun_text_free(&binder->used);
  dun_complaints_free(&binder->complaints);
}

int dun_binder_keep(struct dun_binder *binder, void *block)
{
  if (binder->owned_count == binder->owned_capacity) {
    int capacity = 2 * binder->owned_capacity + 16;
    void **larger = dun_allocate(capacity, sizeof *larger);
    if (!larger) {
      dun_free(block);
      return binder->status = DUN_ERROR_MEMORY;
    }
    if (binder->owned_count)
      memcpy(larger, binder->owned, (size_t)binder->owned_count * sizeof *larger);
    dun_free(binder->owned);
    binder->owned = larger;
    binder->owned_capacity = capacity;
  }
  binder->owned[binder->owned_count++] = block;
  return 0;
}

void *dun_binder_own(struct dun_binder *binder, int64_t count, size_t size)
{
  void *block = dun_allocate(count, size);
  if (!block)
    binder->status = DUN_ERROR_MEMORY;
  return block && dun_binder_keep(binder, block) == 0 ? block : NULL;
}

/* Memory may have run out on one rank only: then all complain. */
static void settle(struct dun_binder *binder)
{
  if (binder->effective.failed || binder->used.failed)
    binder->status = DUN_ERROR_MEMORY;
  if (dun_agree(binder->context, binder->status) < 0)
    dun_complain(&binder->complaints, binder->input, -1, 0, "%s", dun_error_text());
}

/* Whether a restart may change this line.  No budget is what inputs had before there were any. */
static int is_free(const char *line)
{
  static const char *const names[] = {"run.time_limit:", "run.evaluations: 0\n",
                                      "target.timeout:", "output."};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (!strncmp(line, names[i], strlen(names[i])))
      return 1;
  return 0;
}

uint64_t dun_binder_identity(const struct dun_binder *binder)
{
  uint64_t identity = dun_digest(binder->files, "dunlin input", 12);
  const char *line = binder->effective.text, *end;
  for (; line && (end = strchr(line, '\n')); line = end + 1)
    if (!is_free(line))
      identity = dun_digest(identity, line, end - line);
  return identity;
}

/* ---- unknown keys ------------------------------------------------------------------------ */

static void nearest(const char *name, const char *known, int *least, char near[64])
{
  int distance = dun_text_distance(name, known);
  if (distance < *least && strlen(known) < 64) {
    *least = distance;
    strcpy(near, known);
  }
}

static void complain_unknown(struct dun_binder *b, const struct dun_node *map, int i,
                             const char *path, const char *near, const char *known)
{
  char key[DUN_DESCRIPTION], hint[DUN_HINT];
  const char *colon = *path ? ": " : "", *what = *path ? "option" : "section";
  dun_quote(map->key[i], key);
  dun_hint_name(map->key[i], hint);
  if (*hint)
    dun_complain(&b->complaints, b->input, map->key_line[i], map->key_column[i],
                 "%s%sfound %s, expected the name of %s %s%s", path, colon, key,
                 *what == 'o' ? "an" : "a", what, hint);
  else if (*near)
    dun_complain(&b->complaints, b->input, map->key_line[i], map->key_column[i],
                 "%s%sfound %s, expected the name of %s %s (did you mean '%s'?)", path, colon, key,
                 *what == 'o' ? "an" : "a", what, near);
  else
    dun_complain(&b->complaints, b->input, map->key_line[i], map->key_column[i],
                 "%s%sfound %s, expected the name of %s %s: %s", path, colon, key,
                 *what == 'o' ? "an" : "a", what, *known ? known : "there are none");
}

static int first_threshold(const char *key)
{
  return 2 + (int)(strlen(key) / 3);
}

void dun_bind_unknown(struct dun_binder *binder, const struct dun_node *map, const char *path,
                      const char *known)
{
  for (int i = 0; map && map->kind == DUN_NODE_MAP && i < map->count; i++) {
    char near[64] = "", word[64];
    struct dun_text all = {0};
    int least = first_threshold(map->key[i]);
    if (dun_words_find(known, map->key[i]) >= 0)
      continue;
    for (int w = 0; dun_words_get(known, w, word, sizeof word) == 0; w++) {
      nearest(map->key[i], word, &least, near);
      dun_text_add(&all, w ? ", %s" : "%s", word);
    }
    complain_unknown(binder, map, i, path, near, all.text ? all.text : "");
    dun_text_free(&all);
  }
}

static int is_row(const struct dun_option *rows, const char *key)
{
  for (; rows && rows->name; rows++)
    if (!strcmp(rows->name, key))
      return 1;
  return 0;
}

static void refuse_unknown(struct dun_binder *b, const struct dun_node *map, const char *path,
                           const char *skip, const struct dun_option *rows)
{
  for (int i = 0; map && i < map->count; i++) {
    char near[64] = "";
    struct dun_text all = {0};
    int least = first_threshold(map->key[i]);
    if (dun_words_find(skip, map->key[i]) >= 0 || is_row(rows, map->key[i]))
      continue;
    for (const struct dun_option *row = rows; row && row->name; row++) {
      if (row->type == DUN_GONE)
        continue;
      nearest(map->key[i], row->name, &least, near);
      dun_text_add(&all, all.length ? ", %s" : "%s", row->name);
    }
    complain_unknown(b, map, i, path, near, all.text ? all.text : "");
    dun_text_free(&all);
  }
}

/* ---- rows -------------------------------------------------------------------------------- */

/* A section on its way into a struct. */
struct section {
  struct dun_binder *binder;
  const struct dun_node *map; /* NULL: defaults */
  const char *path, *skip;    /* skip: keys that are no options, "type|file" */
  int line, column;
  int silent; /* defaults only: the section has no meaning here */
  const struct dun_option *rows;
  char *self;
};

static const struct dun_option *sibling(const struct dun_option *rows, const char *when)
{
  size_t length = strcspn(when, "=");
  for (; rows->name; rows++)
    if (strlen(rows->name) == length && !memcmp(rows->name, when, length))
      return rows;
  return NULL;
}

/* 1: the row has a meaning beside its siblings; 0: not; -1: that cannot be told, the sibling is
 * faulty.  *blame is the sibling's condition that does not hold. */
static int is_active(const struct section *s, const struct dun_option *row, int depth,
                     const char **blame)
{
  const struct dun_option *other = row->when ? sibling(s->rows, row->when) : NULL;
  const struct dun_node *node;
  const char *value;
  int active;
  if (!other || depth > DEEPEST)
    return 1;
  active = is_active(s, other, depth + 1, blame);
  if (active != 1)
    return active;
  node = dun_node_find(s->map, other->name);
  if (node && node->kind != DUN_NODE_SCALAR)
    return -1;
  value = node ? node->text : other->initial;
  if (!value || dun_words_find(other->words, value) < 0)
    return -1;
  *blame = row->when;
  return dun_words_find(row->when + strcspn(row->when, "=") + 1, value) >= 0;
}

static void refuse_inactive(const struct section *s, const struct dun_node *node, const char *name,
                            const char *blame)
{
  char words[DUN_DESCRIPTION];
  int sibling_length = (int)strcspn(blame, "=");
  snprintf(words, sizeof words, "%s", blame[sibling_length] ? blame + sibling_length + 1 : "");
  for (char *bar = words; (bar = strchr(bar, '|'));)
    *bar = '/';
  dun_complain(&s->binder->complaints, s->binder->input, node->line, node->column,
               "%s: found a value, expected none: it has a meaning only with %.*s: %s", name,
               sibling_length, blame, words);
}

static void refuse_missing(const struct section *s, const struct dun_option *row, const char *name)
{
  char expected[DUN_EXPECTATION];
  dun_complain(&s->binder->complaints, s->binder->input, s->line, s->column,
               "%s: found nothing, expected %s%s%s", name, dun_option_expected(row, expected),
               row->doc && *row->doc ? ": " : "", row->doc ? row->doc : "");
}

/* The row's default, as if it had been written in the input. */
static void bind_default(const struct section *s, const struct dun_option *row, const char *name)
{
  struct dun_binder *b = s->binder;
  int64_t length = b->effective.length;
  struct dun_node node;
  memset(s->self + row->offset, 0, dun_option_size(row->type));
  if (!row->initial || !*row->initial)
    return;
  if (s->silent && (row->type == DUN_FILE || row->type == DUN_DATA || row->type == DUN_ARRAYS))
    return;
  if (dun_node_parse(&node, b->input, name, row->initial, s->line, &b->complaints) == 0)
    dun_bind_value(b, row, &node, name, s->self + row->offset);
  dun_node_free(&node);
  if (s->silent && b->effective.length > length) {
    b->effective.length = length;
    b->effective.text[length] = 0;
  }
}

/* Of what stands where a mapping is expected. */
static const char *hint_mapping(const struct dun_node *node, char hint[DUN_HINT])
{
  if (node && node->kind == DUN_NODE_LIST)
    return " (a mapping has curly brackets: {name: value, ...})";
  return dun_hint_name(node && node->text ? node->text : "", hint);
}

static void bind_section(const struct section *s);

static void bind_inner(const struct section *s, const struct dun_option *row,
                       const struct dun_node *node, const char *name, int silent)
{
  struct section inner = {.binder = s->binder,
                          .map = node,
                          .path = name,
                          .skip = "",
                          .line = node ? node->line : s->line,
                          .column = node ? node->column : s->column,
                          .silent = silent,
                          .rows = row->rows,
                          .self = s->self + row->offset};
  char found[DUN_DESCRIPTION], hint[DUN_HINT];
  if (node && node->kind != DUN_NODE_MAP) {
    dun_complain(&s->binder->complaints, s->binder->input, node->line, node->column,
                 "%s: found %s, expected a mapping of options%s", name,
                 dun_node_describe(node, found), hint_mapping(node, hint));
    inner.map = NULL;
    inner.silent = 1;
  }
  bind_section(&inner);
}

/* A part, or a list of them, that the input gives or the row's default names. */
static void bind_nested(const struct section *s, const struct dun_option *row,
                        const struct dun_node *node, const char *name)
{
  struct dun_node made = {0};
  void *member = s->self + row->offset;
  struct dun_part *part = member;
  memset(member, 0, dun_option_size(row->type));
  if (!node && (s->silent || !row->initial || !*row->initial))
    return;
  if (!node) {
    char text[NAME];
    int alone = !strchr("[{", *row->initial);
    snprintf(text, sizeof text, alone ? "{type: %.200s}" : "%.250s", row->initial);
    int status =
        dun_node_parse(&made, s->binder->input, name, text, s->line, &s->binder->complaints);
    /* what is bound below it communicates */
    if (dun_agree(s->binder->context, status < 0 ? DUN_ERROR_MEMORY : 0) == 0)
      node = &made;
    else if (status == 0)
      dun_complain(&s->binder->complaints, s->binder->input, -1, 0, "%s: no memory", name);
  }
  if (row->type == DUN_PARTS && node) {
    dun_bind_parts(s->binder, node, name, (enum dun_kind)row->kind, member);
  } else if (node) {
    *part = (struct dun_part){.line = node->line, .column = node->column};
    part->type = dun_bind_type(s->binder, node, name, (enum dun_kind)row->kind, &part->self);
  }
  dun_node_free(&made);
}

static void bind_row(const struct section *s, const struct dun_option *row)
{
  char name[NAME];
  const char *blame = "";
  const struct dun_node *node = dun_node_find(s->map, row->name);
  int active = is_active(s, row, 0, &blame);
  struct section quiet = *s;
  snprintf(name, sizeof name, "%.200s%s%.64s", s->path, *s->path ? "." : "", row->name);
  if (row->type == DUN_GONE) {
    if (node)
      dun_complain(&s->binder->complaints, s->binder->input, node->line, node->column,
                   "%s is no option any more: %s", name, row->doc);
    return;
  }
  quiet.silent |= active != 1;
  if (node && active == 0)
    refuse_inactive(s, node, name, blame);
  if (!node && !row->initial && !quiet.silent) {
    refuse_missing(s, row, name);
    quiet.silent = 1;
  }
  if (active == 0)
    node = NULL;
  if (row->type == DUN_SECTION)
    bind_inner(s, row, node, name, quiet.silent && !node);
  else if (row->type == DUN_PART || row->type == DUN_PARTS)
    bind_nested(&quiet, row, node, name);
  else if (node)
    dun_bind_value(s->binder, row, node, name, s->self + row->offset);
  else
    bind_default(&quiet, row, name);
}

static void bind_section(const struct section *s)
{
  refuse_unknown(s->binder, s->map, s->path, s->skip, s->rows);
  for (const struct dun_option *row = s->rows; row && row->name; row++)
    bind_row(s, row);
}

void dun_bind_rows(struct dun_binder *binder, const struct dun_node *map, const char *path,
                   int line, int typed, const struct dun_option *rows, void *self)
{
  struct section section = {.binder = binder,
                            .map = map,
                            .path = path,
                            .skip = typed ? "type" : "",
                            .line = map ? map->line : line,
                            .column = map ? map->column : 1,
                            .rows = rows,
                            .self = self};
  char found[DUN_DESCRIPTION], hint[DUN_HINT];
  if (map && map->kind != DUN_NODE_MAP) {
    dun_complain(&binder->complaints, binder->input, map->line, map->column,
                 "%s: found %s, expected a mapping of options%s", path,
                 dun_node_describe(map, found), hint_mapping(map, hint));
    section.map = NULL;
    section.silent = 1;
  }
  bind_section(&section);
  settle(binder);
}

/* ---- types ------------------------------------------------------------------------------- */

static void refuse_type(struct dun_binder *b, const struct dun_node *map,
                        const struct dun_node *node, const char *path, enum dun_kind kind)
{
  char found[DUN_DESCRIPTION], hint[DUN_HINT] = "";
  struct dun_text names = {0};
  const struct dun_node *at = node ? node : map;
  int scalar = node && node->kind == DUN_NODE_SCALAR;
  const char *near = scalar ? dun_type_nearest(kind, node->text) : NULL;
  for (const struct dun_type *const *type = dun_registry(kind); *type; type++)
    dun_text_add(&names, "%s%s", names.length ? ", " : "", (*type)->name);
  if (scalar && !near)
    dun_hint_value(node, hint);
  for (int i = 0; !node && i < map->count && !*hint; i++) /* {type:hmc} has another key */
    dun_hint_name(map->key[i], hint);
  if (near)
    dun_complain(&b->complaints, b->input, at->line, at->column,
                 "%s.type: found %s, expected the name of a %s (did you mean '%s'?)", path,
                 dun_node_describe(node, found), dun_kind_name(kind), near);
  else
    dun_complain(&b->complaints, b->input, at->line, at->column,
                 "%s.type: found %s, expected one of: %s%s", path,
                 node ? dun_node_describe(node, found) : "nothing", names.text ? names.text : "",
                 hint);
  dun_text_free(&names);
}

/* What a library's section has beside the file and the library's own options. */
static void bind_timeout(struct dun_binder *b, const struct dun_node *map, const char *path,
                         const struct dun_target *target)
{
  const struct dun_option *row = dun_type_find(DUN_KIND_TARGET, "library")->options;
  const struct dun_node *node = dun_node_find(map, "timeout");
  char name[NAME];
  while (strcmp(row->name, "timeout"))
    row++;
  snprintf(name, sizeof name, "%.200s.%s", path, row->name);
  if (node && !is_row(target->type.options, row->name))
    dun_bind_value(b, row, node, name, &b->timeout);
}

/* Collective: the table that a library holds, or NULL after a complaint. */
static const struct dun_type *load_library(struct dun_binder *b, const struct dun_node *map,
                                           const char *path)
{
  static const struct dun_option row = {
      .name = "file", .type = DUN_FILE, .doc = "The shared library."};
  struct section section = {
      .binder = b, .map = map, .path = path, .line = map->line, .column = map->column};
  const struct dun_node *node = dun_node_find(map, "file");
  const struct dun_target *target = NULL;
  char name[NAME], *file = NULL, *bytes = NULL;
  int64_t size = 0;
  int before = b->complaints.count, status = 0;
  uint64_t files = b->files;
  snprintf(name, sizeof name, "%.200s.file", path);
  if (node && b->trusts && !b->trusts(b->trusts_data, name)) {
    dun_complain(&b->complaints, b->input, node->line, node->column,
                 "%s: the result names a library, whose code would run: --trust takes it, or "
                 "--set %s=LIBRARY",
                 name, name);
    return NULL;
  }
  if (node)
    dun_bind_value(b, &row, node, name, &file);
  b->files = files; /* it is read as a whole below */
  if (!node || (!file && b->complaints.count == before && b->status == 0))
    refuse_missing(&section, &row, name);
  if (dun_agree(b->context, file ? 0 : DUN_ERROR_INPUT) < 0)
    return NULL;
  target = dun_library_load(file);
  status = target ? 0 : DUN_ERROR_INPUT;
  if (status == 0 && is_row(target->type.options, "file"))
    status = dun_fail(DUN_ERROR_INPUT, "An option of a library cannot be called 'file'.");
  status = dun_agree(b->context, status);
  if (status == 0)
    status = dun_file_read(b->context, file, INT64_MAX, &bytes, &size);
  if (status == 0)
    b->files = dun_digest(b->files, bytes, size);
  else
    dun_complain(&b->complaints, b->input, node->line, node->column, "%s: %s", name,
                 dun_error_text());
  dun_free(bytes);
  if (status == 0)
    bind_timeout(b, map, path, target);
  return status == 0 ? &target->type : NULL;
}

/* The table that the section names, or NULL after a complaint. */
static const struct dun_type *find_type(struct dun_binder *b, const struct dun_node *map,
                                        const char *path, enum dun_kind kind)
{
  const struct dun_node *node = dun_node_find(map, "type");
  int scalar = node && node->kind == DUN_NODE_SCALAR;
  const struct dun_type *type = scalar ? dun_type_find(kind, node->text) : NULL;
  int library = scalar && kind == DUN_KIND_TARGET && !strcmp(node->text, "library");
  if (!type && !library) {
    refuse_type(b, map, node, path, kind);
    return NULL;
  }
  dun_text_add(&b->effective, "%s.type: %s\n", path, node->text);
  return library ? load_library(b, map, path) : type;
}

const struct dun_type *dun_bind_type(struct dun_binder *binder, const struct dun_node *map,
                                     const char *path, enum dun_kind kind, void **self)
{
  char found[DUN_DESCRIPTION], hint[DUN_HINT];
  int before = binder->complaints.count;
  const struct dun_type *type;
  *self = NULL;
  if (!map || map->kind != DUN_NODE_MAP) {
    dun_complain(&binder->complaints, binder->input, map ? map->line : -1, map ? map->column : 0,
                 "%s: found %s, expected a mapping {type: NAME, ...}%s", path,
                 map ? dun_node_describe(map, found) : "nothing", hint_mapping(map, hint));
    return NULL;
  }
  type = find_type(binder, map, path, kind);
  if (!type)
    return NULL;
  *self = dun_allocate((int64_t)type->size + 1, 1);
  if (dun_agree(binder->context, *self ? 0 : DUN_ERROR_MEMORY) < 0) {
    DUN_FREE(*self);
    dun_complain(&binder->complaints, binder->input, -1, 0, "%s: %s", path, dun_error_text());
    return NULL;
  }
  struct section section = {.binder = binder,
                            .map = map,
                            .path = path,
                            .line = map->line,
                            .column = map->column,
                            .rows = type->options,
                            .self = *self};
  /* what a library's section has beside its own options was read already */
  section.skip = dun_type_find(kind, type->name) == type ? "type"
                 : is_row(type->options, "timeout")      ? "type|file"
                                                         : "type|file|timeout";
  bind_section(&section);
  settle(binder);
  if (binder->complaints.count == before)
    return type;
  dun_object_free(type, self);
  return NULL;
}

void dun_object_free(const struct dun_type *type, void **self)
{
  struct dun_part part = {.type = type, .self = *self};
  dun_part_free(&part);
  *self = NULL;
}

int dun_binder_append(struct dun_binder *binder, struct dun_parts *parts, struct dun_part part)
{
  struct dun_part *longer = dun_binder_own(binder, parts->count + 1, sizeof *longer);
  if (!longer)
    return binder->status;
  if (parts->count)
    memcpy(longer, parts->part, (size_t)parts->count * sizeof *longer);
  longer[parts->count++] = part;
  parts->part = longer;
  return 0;
}

void dun_bind_parts(struct dun_binder *binder, const struct dun_node *list, const char *path,
                    enum dun_kind kind, struct dun_parts *parts)
{
  char found[DUN_DESCRIPTION], name[NAME];
  if (list->kind != DUN_NODE_LIST) {
    dun_complain(&binder->complaints, binder->input, list->line, list->column,
                 "%s: found %s, expected a list such as [{type: %s}]", path,
                 dun_node_describe(list, found), (*dun_registry(kind))->name);
    return;
  }
  for (int i = 0; i < list->count; i++) {
    const struct dun_node *node = &list->child[i];
    struct dun_part part = {.line = node->line, .column = node->column};
    snprintf(name, sizeof name, "%.200s[%d]", path, i);
    part.type = dun_bind_type(binder, node, name, kind, &part.self);
    if (part.type && dun_binder_append(binder, parts, part) < 0)
      dun_part_free(&part);
  }
  settle(binder);
}
