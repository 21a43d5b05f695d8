#include "io/hints.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* ---- letters ----------------------------------------------------------------------------- */

static const struct mark {
  const char *bytes, *hint;
} marks[] = {
    {"\xe2\x80\x9c", "curly quotes are letters like others: write \" or '"},
    {"\xe2\x80\x9d", "curly quotes are letters like others: write \" or '"},
    {"\xe2\x80\x9e", "curly quotes are letters like others: write \" or '"},
    {"\xe2\x80\x98", "curly quotes are letters like others: write \" or '"},
    {"\xe2\x80\x99", "curly quotes are letters like others: write \" or '"},
    {"\xc2\xab", "such quotes are letters like others: write \" or '"},
    {"\xc2\xbb", "such quotes are letters like others: write \" or '"},
    {"\xc2\xa0", "it holds a no-break space (U+00A0): write a plain one"},
    {"\xe2\x80\x8b", "it holds a space of no width (U+200B): leave it out"},
    {"\xe2\x88\x92", "it holds a Unicode minus sign (U+2212): write -"},
    {"\xe2\x80\x93", "it holds a dash (U+2013): write -"},
    {"\xef\xbc\x9a", "it holds a colon of full width (U+FF1A): write ':' and a blank"},
};
enum { MARKS = sizeof marks / sizeof *marks, QUOTES = 7 };

static const char *find_mark(const char *text, int count)
{
  for (int i = 0; i < count; i++)
    if (strstr(text, marks[i].bytes))
      return marks[i].hint;
  return NULL;
}

static const char *in_brackets(char hint[DUN_HINT], const char *what)
{
  snprintf(hint, DUN_HINT, what ? " (%s)" : "%s", what ? what : "");
  return hint;
}

/* ---- names ------------------------------------------------------------------------------- */

static int name_length(const char *text)
{
  return (int)strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
}

const char *dun_hint_name(const char *found, char hint[DUN_HINT])
{
  const char *odd = find_mark(found, MARKS);
  int length = name_length(found);
  const char *rest = found + length, *value = rest + strspn(rest, " =:");
  if (odd)
    return in_brackets(hint, odd);
  *hint = 0;
  if (*found && strspn(found, "0123456789.") == strlen(found))
    return in_brackets(hint, "is the comma before it one of a number? Write 65536 or 65_536, 1.5");
  if (length > 0 && length < 60 && *rest == ':')
    snprintf(hint, DUN_HINT, " (a blank is missing behind the colon: '%.*s: %.*s')", length, found,
             (int)strcspn(value, " "), value);
  else if (length > 0 && length < 60 && *value && rest[strspn(rest, " ")] == '=')
    snprintf(hint, DUN_HINT, " (options are written with a colon: '%.*s: %.*s')", length, found,
             (int)strcspn(value, " "), value);
  else if (length > 0 && length < 60 && strpbrk(rest, "{["))
    snprintf(hint, DUN_HINT, " (a colon is missing: '%.*s: %.1s...')", length, found,
             strpbrk(rest, "{["));
  else if (strpbrk(found, "()"))
    return in_brackets(hint, "mappings are written {name: value, ...}");
  return hint;
}

/* ---- values ------------------------------------------------------------------------------ */

static int is_one_of(const char *text, const char *const *words)
{
  for (; *words; words++)
    if (!strcmp(text, *words))
      return 1;
  return 0;
}

static int is_null(const struct dun_node *node)
{
  static const char *const words[] = {"null", "Null", "NULL", "~", "None", "nil", NULL};
  return node->kind == DUN_NODE_SCALAR && !node->quoted && node->text &&
         is_one_of(node->text, words);
}

static int is_flag(const char *text)
{
  static const char *const words[] = {"yes", "no",  "Yes",  "No",    "YES",  "NO",    "on", "off",
                                      "On",  "Off", "True", "False", "TRUE", "FALSE", NULL};
  return is_one_of(text, words);
}

/* Digits with commas between them, as in 65,536. */
static int has_commas(const char *text)
{
  text += *text == '-' || *text == '+';
  return strchr(text, ',') && strspn(text, "0123456789,.") == strlen(text);
}

static const char *hint_number(const char *text)
{
  size_t digits = strspn(text, "0123456789.+-");
  if (has_commas(text))
    return "numbers have a decimal point, and no commas: 65536, 65_536 or 1.5";
  if (digits == 0)
    return NULL;
  if (text[digits] == '#')
    return "a comment has a blank before its #";
  if (text[digits] == '%')
    return "write 5% as 0.05";
  if (text[digits] && strchr("*^/(", text[digits]))
    return "expressions are not evaluated: write the number";
  if (!text[digits] && text[0] == '0' && digits > 1 && !strpbrk(text, ".+-"))
    return "leave the leading zero out";
  if (!strncmp(text + digits, " ", 1))
    return "numbers, and times such as 20min, have no blanks in them";
  return NULL;
}

const char *dun_hint_value(const struct dun_node *node, char hint[DUN_HINT])
{
  const char *text = node->text, *what = NULL;
  if (node->kind != DUN_NODE_SCALAR || !text)
    return in_brackets(hint, NULL);
  if (is_null(node))
    what = "an option that has no value is left out";
  else if (find_mark(text, MARKS))
    what = find_mark(text, MARKS);
  else if (node->quoted)
    what = *text ? "leave the quotes out" : NULL;
  else if (is_flag(text))
    what = "write true or false";
  else
    what = hint_number(text);
  return in_brackets(hint, what);
}

/* What begins or ends with quotes of other alphabets was to be quoted; within words they are
 * apostrophes. */
const char *dun_hint_text(const struct dun_node *node)
{
  size_t size = strlen(node->text);
  if (is_null(node))
    return "an option that has no value is left out; a text or file of that name stands in quotes";
  for (int i = 0; i < QUOTES && !node->quoted; i++) {
    size_t length = strlen(marks[i].bytes);
    if (size >= length && (!memcmp(node->text, marks[i].bytes, length) ||
                           !memcmp(node->text + size - length, marks[i].bytes, length)))
      return marks[i].hint;
  }
  return NULL;
}

/* ---- syntax ------------------------------------------------------------------------------ */

/* A line of the input, cut to what fits, without its end. */
enum { LINE = 200 };
static void copy_line(const char *bytes, size_t size, size_t number, char line[LINE])
{
  const char *at = bytes, *end = bytes + size;
  size_t length = 0;
  for (; number > 0 && at < end; at++)
    number -= *at == '\n';
  while (at + length < end && at[length] != '\n' && at[length] != '\r' && length < LINE - 1)
    length++;
  memcpy(line, at, length);
  line[length] = 0;
}

static size_t indentation(const char *line)
{
  return strspn(line, " ");
}

static int is_blank(const char *line)
{
  line += indentation(line);
  return !*line || *line == '#';
}

/* The number of the line before `number` that is not blank; `number` itself if there is none. */
static size_t line_before(const char *bytes, size_t size, size_t number, char line[LINE])
{
  for (size_t before = number; before > 0; before--) {
    copy_line(bytes, size, before - 1, line);
    if (!is_blank(line))
      return before - 1;
  }
  copy_line(bytes, size, number, line);
  return number;
}

/* A line of the form name:value or name = value, of which the parser made a text that goes on; its
 * fault, and the column of it. */
static int hint_glued(const char *line, size_t *column, char hint[DUN_HINT])
{
  size_t begin = indentation(line);
  if (!strncmp(line + begin, "- ", 2))
    begin += 2;
  const char *name = line + begin, *rest = name + name_length(name);
  const char *odd = find_mark(line, MARKS);
  if (odd) {
    snprintf(hint, DUN_HINT, "%s", odd);
  } else if (rest > name &&
             ((*rest == ':' && rest[1] && rest[1] != ' ') || rest[strspn(rest, " ")] == '=')) {
    char bracketed[DUN_HINT];
    dun_hint_name(name, bracketed);
    snprintf(hint, DUN_HINT, "%.*s", (int)strlen(bracketed) - 3, bracketed + 2);
  } else {
    return 0;
  }
  *column = begin;
  return 1;
}

static const char *hint_mapping(const char *bytes, size_t size, struct dun_stumble *s,
                                char hint[DUN_HINT])
{
  char here[LINE], above[LINE];
  size_t line = line_before(bytes, size, s->line, above), column;
  copy_line(bytes, size, s->line, here);
  if (hint_glued(here, &column, hint)) {
    s->column = column;
    return hint;
  }
  /* a text that goes on over lines: its fault is where it began */
  for (size_t up = s->line; up > 0 && up + 20 > s->line; up = line) {
    line = line_before(bytes, size, up, above);
    if (line == up)
      break;
    if (hint_glued(above, &column, hint)) {
      s->line = line;
      s->column = column;
      return hint;
    }
    if (strstr(above, ": ") || above[strlen(above) - 1] == ':')
      break;
  }
  if (strchr(here, '('))
    return "mappings are written {name: value, ...}";
  line_before(bytes, size, s->line, above);
  if (indentation(here) > indentation(above) && above[strlen(above) - 1] != ':')
    return "the line is indented further than the one before it, which has a value already";
  return "a value with ': ' in it stands in quotes";
}

const char *dun_hint_lines(const char *bytes, size_t size, size_t last, struct dun_stumble *s,
                           char hint[DUN_HINT])
{
  for (size_t line = s->line; line <= last; line++) {
    char text[LINE];
    size_t column;
    copy_line(bytes, size, line, text);
    if (!hint_glued(text, &column, hint))
      continue;
    s->line = line;
    s->column = column;
    return hint;
  }
  return "a text of several lines stands in quotes";
}

static const char *hint_scalar(const char *bytes, size_t size, struct dun_stumble *s,
                               char hint[DUN_HINT])
{
  size_t column;
  char line[LINE];
  copy_line(bytes, size, s->context_line, line);
  s->line = s->context_line;
  s->column = indentation(line);
  if (hint_glued(line, &column, hint))
    return hint;
  return "the line has no 'name: value'";
}

static const char *hint_flow(const char *bytes, size_t size, struct dun_stumble *s,
                             char hint[DUN_HINT])
{
  char line[LINE];
  copy_line(bytes, size, s->line, line);
  if (s->context_line != s->line) {
    snprintf(hint, DUN_HINT, "a bracket that is opened in line %zu is not closed",
             s->context_line + 1);
    return hint;
  }
  if (strchr(line, ';'))
    return "commas, not semicolons, stand between options";
  return "a comma is missing before this, or a bracket is not closed";
}

static const char *hint_indent(const char *bytes, size_t size, const struct dun_stumble *s)
{
  char line[LINE];
  copy_line(bytes, size, s->line, line);
  if (s->column < strlen(line) && strchr("]})", line[s->column]))
    return "a bracket is closed that was not opened";
  return "the line is indented otherwise than its neighbours";
}

/* A letter that begins something else than a value. */
static const char *hint_letter(const char *bytes, size_t size, const struct dun_stumble *s)
{
  char line[LINE];
  copy_line(bytes, size, s->line, line);
  if (s->column < strlen(line) && line[s->column] == '\t')
    return "found a tab: indent by spaces";
  return "a value that begins with such a letter stands in quotes";
}

const char *dun_hint_syntax(const char *bytes, size_t size, struct dun_stumble *s,
                            char hint[DUN_HINT])
{
  if (strstr(s->problem, "mapping values are not allowed"))
    return hint_mapping(bytes, size, s, hint);
  if (strstr(s->problem, "could not find expected ':'"))
    return hint_scalar(bytes, size, s, hint);
  if (strstr(s->problem, "expected ',' or"))
    return hint_flow(bytes, size, s, hint);
  if (strstr(s->problem, "expected key"))
    return hint_indent(bytes, size, s);
  if (strstr(s->problem, "expected '-'"))
    return "what belongs to an entry of a list is indented as the word behind its '- '";
  if (strstr(s->problem, "tab character"))
    return "found a tab: indent by spaces";
  if (strstr(s->problem, "cannot start any token"))
    return hint_letter(bytes, size, s);
  if (strstr(s->problem, "unknown escape") || strstr(s->problem, "hexdecimal"))
    return "in double quotes a backslash begins an escape: take single ones";
  if (strstr(s->problem, "unexpected ':'"))
    return "a value is missing, or a blank behind the colon";
  if (strstr(s->context, "quoted scalar")) {
    s->line = s->context_line;
    return "a quote that is opened in this line is not closed";
  }
  if (strstr(s->context, "anchor") || strstr(s->context, "alias"))
    return "a value that begins with & or * stands in quotes";
  return "expected 'option: value' with even indentation, closed quotes and brackets";
}
