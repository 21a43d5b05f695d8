#include "app/help.h"
#include "app/assemble.h"
#include "base/error.h"
#include "targets/library.h"
#include <stdio.h>
#include <string.h>

/* ---- which --------------------------------------------------------------------------------- */

/* The kind of that name, singular or plural; DUN_KINDS: none. */
static enum dun_kind kind_find(const char *word)
{
  for (int k = 0; k < DUN_KINDS; k++) {
    const char *name = dun_kind_name(k);
    size_t length = strlen(name);
    if (!strncmp(word, name, length) &&
        (!word[length] || !strcmp(word + length, "s") || !strcmp(word + length, "es")))
      return k;
  }
  return DUN_KINDS;
}

static int unknown_kind(const char *word)
{
  struct dun_text names = {0};
  int code;
  for (int k = 0; k < DUN_KINDS; k++)
    dun_text_add(&names, "%s, ", dun_kind_name(k));
  code = dun_fail(DUN_ERROR_INPUT, "found '%s', expected one of %srun, output", word,
                  names.text ? names.text : "");
  dun_text_free(&names);
  return code;
}

static int unknown_type(enum dun_kind kind, const char *name)
{
  const char *near = dun_type_nearest(kind, name);
  if (near)
    return dun_fail(DUN_ERROR_INPUT, "there is no %s '%s'; did you mean '%s'?", dun_kind_name(kind),
                    name, near);
  return dun_fail(DUN_ERROR_INPUT, "there is no %s '%s'; `dunlin list %s` says which there are",
                  dun_kind_name(kind), name, dun_kind_name(kind));
}

/* ---- list ---------------------------------------------------------------------------------- */

static void list_kind(struct dun_text *out, enum dun_kind kind)
{
  dun_text_add(out, "%s\n", dun_kind_name(kind));
  for (const struct dun_type *const *type = dun_registry(kind); *type; type++)
    dun_text_add(out, "  %-20s %s\n", (*type)->name, (*type)->doc);
}

int dun_help_list(struct dun_text *out, const char *word)
{
  enum dun_kind kind = word ? kind_find(word) : DUN_KINDS;
  if (word && kind == DUN_KINDS)
    return unknown_kind(word);
  for (int k = 0; k < DUN_KINDS; k++) {
    if (!word || k == (int)kind)
      list_kind(out, k);
  }
  return 0;
}

/* ---- one row ------------------------------------------------------------------------------- */

static const char *type_word(enum dun_option_type type)
{
  static const char *const word[] = {
      [DUN_INTEGER] = "whole number",
      [DUN_NUMBER] = "number",
      [DUN_FLAG] = "true or false",
      [DUN_CHOICE] = "word",
      [DUN_TEXT] = "text",
      [DUN_DURATION] = "time",
      [DUN_NUMBERS] = "number or list",
      [DUN_MATRIX] = "list of lists",
      [DUN_FILE] = "file",
      [DUN_DATA] = "data file",
      [DUN_SECTION] = "section",
      [DUN_PART] = "part",
      [DUN_PARTS] = "list",
      [DUN_ARRAYS] = "JSON or CSV file",
  };
  return word[type];
}

/* "first, second or third" */
static void add_words(struct dun_text *out, const char *words)
{
  char word[64], next[64];
  int more = dun_words_get(words, 0, next, sizeof next) == 0;
  for (int i = 0; more; i++) {
    snprintf(word, sizeof word, "%s", next);
    more = dun_words_get(words, i + 1, next, sizeof next) == 0;
    dun_text_add(out, "%s%s", i == 0 ? "" : more ? ", " : " or ", word);
  }
}

/* "a kernel: hmc, mala or rwm", whose own options `dunlin help kernel NAME` tells. */
static void add_part(struct dun_text *out, const struct dun_option *row)
{
  const struct dun_type *const *type = dun_registry((enum dun_kind)row->kind);
  const char *kind = dun_kind_name((enum dun_kind)row->kind);
  dun_text_add(out, "%sa%s %s: ", row->type == DUN_PARTS ? "list, each " : "",
               strchr("aeiou", kind[0]) ? "n" : "", kind);
  for (int i = 0; type[i]; i++)
    dun_text_add(out, "%s%s", i == 0 ? "" : type[i + 1] ? ", " : " or ", type[i]->name);
}

static void add_type(struct dun_text *out, const struct dun_option *row)
{
  if (row->type == DUN_PART || row->type == DUN_PARTS) {
    add_part(out, row);
    return;
  }
  if (row->type == DUN_CHOICE && row->words) {
    add_words(out, row->words);
    return;
  }
  dun_text_add(out, "%s", type_word(row->type));
  if (row->words) {
    dun_text_add(out, " or ");
    add_words(out, row->words);
  }
}

static int is_bounded(const struct dun_option *row)
{
  return row->minimum < row->maximum; /* as when values are bound */
}

static void add_bounds(struct dun_text *out, const struct dun_option *row)
{
  char least[DUN_BOUND], most[DUN_BOUND];
  if (is_bounded(row))
    dun_text_add(out, "%s to %s", dun_option_bound(row, row->minimum, least),
                 dun_option_bound(row, row->maximum, most));
}

static const char *default_word(const struct dun_option *row)
{
  if (row->type == DUN_SECTION)
    return "";
  return !row->initial ? "required" : *row->initial ? row->initial : "none";
}

/* "when layout is grid or forty" from "layout=grid|forty". */
static void add_when(struct dun_text *out, const char *when)
{
  const char *equal = when ? strchr(when, '=') : NULL;
  if (!equal)
    return;
  dun_text_add(out, "only when %.*s is ", (int)(equal - when), when);
  add_words(out, equal + 1);
}

/* ---- as text ------------------------------------------------------------------------------- */

static void show_rows(struct dun_text *out, const struct dun_option *row, int indent)
{
  for (; row && row->name; row++) {
    if (row->type == DUN_GONE)
      continue;
    dun_text_add(out, "%*s%-*s ", indent, "", 24 - indent, row->name);
    add_type(out, row);
    if (row->type != DUN_SECTION && !row->initial)
      dun_text_add(out, ", required");
    else if (row->type != DUN_SECTION && *row->initial)
      dun_text_add(out, ", default %s", row->initial);
    if (is_bounded(row)) {
      dun_text_add(out, ", ");
      add_bounds(out, row);
    }
    if (row->unit)
      dun_text_add(out, ", in %s", row->unit);
    if (row->when) {
      dun_text_add(out, ", ");
      add_when(out, row->when);
    }
    dun_text_add(out, "\n%*s%s\n", 25, "", row->doc ? row->doc : "");
    if (row->type == DUN_SECTION)
      show_rows(out, row->rows, indent + 2);
  }
}

/* ---- as Markdown --------------------------------------------------------------------------- */

/* A cell must not hold the sign that ends it. */
static void add_escaped(struct dun_text *out, const char *text)
{
  for (; text && *text; text++)
    dun_text_add(out, "%s%c", *text == '|' ? "\\" : "", *text);
}

static void markdown_rows(struct dun_text *out, const struct dun_option *row, const char *prefix)
{
  for (; row && row->name; row++) {
    char name[160];
    if (row->type == DUN_GONE)
      continue;
    snprintf(name, sizeof name, "%s%s", prefix, row->name);
    dun_text_add(out, "| `%s` | ", name);
    add_type(out, row);
    dun_text_add(out, " | ");
    add_escaped(out, default_word(row));
    dun_text_add(out, " | ");
    add_bounds(out, row);
    dun_text_add(out, "%s%s | ", row->unit ? " " : "", row->unit ? row->unit : "");
    add_escaped(out, row->doc);
    if (row->when) {
      dun_text_add(out, " (");
      add_when(out, row->when);
      dun_text_add(out, ")");
    }
    dun_text_add(out, " |\n");
    if (row->type == DUN_SECTION) {
      snprintf(name, sizeof name, "%s%s.", prefix, row->name);
      markdown_rows(out, row->rows, name);
    }
  }
}

static void markdown_table(struct dun_text *out, const struct dun_option *rows)
{
  if (!rows || !rows->name)
    return;
  dun_text_add(out, "| option | type | default | bounds | meaning |\n");
  dun_text_add(out, "| --- | --- | --- | --- | --- |\n");
  markdown_rows(out, rows, "");
}

/* ---- help ---------------------------------------------------------------------------------- */

static void show_type(struct dun_text *out, enum dun_kind kind, const struct dun_type *type,
                      int markdown)
{
  dun_text_add(out, markdown ? "### %s `%s`\n\n%s" : "%s %s\n\n%s", dun_kind_name(kind), type->name,
               type->doc);
  if (type->citation)
    dun_text_add(out, markdown ? " *%s*" : "\n%s", type->citation);
  dun_text_add(out, "\n\n");
  if (markdown)
    markdown_table(out, type->options);
  else if (type->options && type->options->name)
    show_rows(out, type->options, 0);
  else
    dun_text_add(out, "No options.\n");
}

static void show_section(struct dun_text *out, const char *name, const struct dun_option *rows,
                         int markdown)
{
  dun_text_add(out, markdown ? "### section `%s`\n\n" : "section %s\n\n", name);
  if (markdown)
    markdown_table(out, rows);
  else
    show_rows(out, rows, 0);
}

static void show_everything(struct dun_text *out)
{
  dun_text_add(out,
               "An input has the sections run, target, path, kernel, method, finish, probes and "
               "output.\n`dunlin help run`, `dunlin help output` and `dunlin help KIND NAME` "
               "tell their options; `dunlin --help` the commands.\n\n");
  dun_help_list(out, NULL);
}

static int is_library(const char *name)
{
  size_t length = strlen(name);
  return strchr(name, '/') || (length > 3 && !strcmp(name + length - 3, ".so"));
}

/* A target that is no type of ours: what its own table says. */
static int show_library(struct dun_text *out, const char *file, int markdown)
{
  const struct dun_target *target = dun_library_load(file);
  if (!target)
    return DUN_ERROR_INPUT;
  show_type(out, DUN_KIND_TARGET, &target->type, markdown);
  dun_text_add(out,
               "%sAn input names it with `target: {type: library, file: %s}`; these options "
               "stand beside `file` and `timeout`.\n",
               "\n", file);
  return 0;
}

int dun_help_show(struct dun_text *out, const char *word, const char *name, int markdown)
{
  enum dun_kind kind;
  const struct dun_type *type;
  if (!word) {
    show_everything(out);
    return 0;
  }
  if (!name && (!strcmp(word, "run") || !strcmp(word, "output"))) {
    show_section(out, word, *word == 'r' ? dun_run_rows : dun_output_rows, markdown);
    return 0;
  }
  kind = kind_find(word);
  if (kind == DUN_KINDS)
    return unknown_kind(word);
  if (!name)
    return dun_help_list(out, word);
  if (kind == DUN_KIND_TARGET && is_library(name))
    return show_library(out, name, markdown);
  if (!(type = dun_type_find(kind, name)))
    return unknown_type(kind, name);
  show_type(out, kind, type, markdown);
  return 0;
}
