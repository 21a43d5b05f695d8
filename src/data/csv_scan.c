#include "data/csv_scan.h"
#include "base/error.h"
#include "base/text.h"
#include <string.h>
#include <strings.h>

/* Stated by number in struct dun_csv_format; blanks are the last. */
static const char separators[] = {0, ',', ';', '\t', '|', 0};
enum { COMMA = 1, SEMICOLON, TAB, BAR, BLANKS };

const char *dun_separator_name(char separator)
{
  switch (separator) {
  case ',': return "commas";
  case ';': return "semicolons";
  case '\t': return "tabs";
  case '|': return "bars";
  default: return "blanks";
  }
}

static int complain(const struct dun_scanner *s, const char *what)
{
  return dun_fail(DUN_ERROR_INPUT, "%s:%lld: %s", s->path, s->line, what);
}

/* ---- lines ------------------------------------------------------------------------------- */

static int is_blank(const struct dun_scanner *s, char c)
{
  return c == ' ' || (c == '\t' && s->separator != '\t');
}

static int at_end(const struct dun_scanner *s)
{
  return s->at == s->end || *s->at == '\n' || *s->at == '\r';
}

static void skip_blanks(struct dun_scanner *s)
{
  while (s->at < s->end && is_blank(s, *s->at))
    s->at++;
}

/* Over LF, CRLF or CR. */
static void step_over_end(struct dun_scanner *s)
{
  if (s->at == s->end)
    return;
  s->at += *s->at == '\r' && s->at + 1 < s->end && s->at[1] == '\n' ? 2 : 1;
  s->line++;
}

static void step_over_line(struct dun_scanner *s)
{
  while (!at_end(s))
    s->at++;
  step_over_end(s);
}

/* What spreadsheets write for values that they do not have is no comment. */
static int is_comment(const struct dun_scanner *s)
{
  static const char *const words[] = {"N/A",    "NA",   "NULL!", "DIV/0!", "REF!",
                                      "VALUE!", "NUM!", "NAME?", "SPILL!", "CALC!"};
  const char *word = s->at + 1;
  if (s->at == s->end || *s->at != '#')
    return 0;
  for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
    size_t length = strlen(words[i]);
    if (s->end - word >= (ptrdiff_t)length && !strncasecmp(word, words[i], length) &&
        (s->end - word == (ptrdiff_t)length || strchr(",;|\t \r\n", word[length])))
      return 0;
  }
  return 1;
}

int dun_scanner_line(struct dun_scanner *s)
{
  while (s->at < s->end) {
    const char *begin = s->at;
    skip_blanks(s);
    if (!at_end(s) && !is_comment(s)) {
      s->at = begin;
      return 1;
    }
    s->gaps += at_end(s);
    step_over_line(s);
  }
  return 0;
}

long long dun_scanner_count(struct dun_scanner s)
{
  long long lines = 0;
  for (; dun_scanner_line(&s); lines++)
    step_over_line(&s);
  return lines;
}

/* ---- fields ------------------------------------------------------------------------------ */

static int keep(struct dun_scanner *s, int *length, char c)
{
  if (*length == DUN_CSV_FIELD - 1)
    return complain(s, "a field is longer than 255 characters");
  s->field[(*length)++] = c;
  return 0;
}

/* After the opening quote; a doubled quote stands for one. */
static int read_quoted(struct dun_scanner *s, int *length)
{
  while (!at_end(s)) {
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

static int at_separator(const struct dun_scanner *s)
{
  return at_end(s) || (s->separator ? *s->at == s->separator : is_blank(s, *s->at));
}

static int read_bare(struct dun_scanner *s, int *length)
{
  while (!at_separator(s))
    if (keep(s, length, *s->at++) < 0)
      return DUN_ERROR_INPUT;
  while (*length > 0 && is_blank(s, s->field[*length - 1]))
    --*length;
  return 0;
}

int dun_scanner_field(struct dun_scanner *s)
{
  int length = 0, status;
  skip_blanks(s);
  if (s->at < s->end && *s->at == '"') {
    s->at++;
    status = read_quoted(s, &length);
    if (status == 0 && !at_separator(s) && !is_blank(s, *s->at))
      status = complain(s, "text follows a closing quote");
  } else {
    status = read_bare(s, &length);
  }
  if (status < 0)
    return status;
  s->field[length] = '\0';
  skip_blanks(s);
  s->last = at_end(s);
  if (s->last)
    step_over_end(s);
  else if (s->separator && *s->at == s->separator)
    s->at++;
  else if (s->separator)
    return complain(s, "text follows a closing quote");
  return 0;
}

/* ---- what a field is --------------------------------------------------------------------- */

int dun_field_number(const struct dun_scanner *s, double *value)
{
  char text[DUN_CSV_FIELD], *comma;
  if (strchr(s->field, '_')) /* digits in groups are for people who write inputs */
    return -1;
  if (s->decimal == '.')
    return dun_text_number(s->field, value);
  if (strchr(s->field, '.'))
    return -1;
  memcpy(text, s->field, sizeof text);
  comma = strchr(text, ',');
  if (comma)
    *comma = '.';
  return dun_text_number(text, value);
}

static int is_missing(const char *field)
{
  static const char *const words[] = {
      "",        "nan",       "na",      "n/a",  "#n/a",   "#na", "#null!", "#div/0!",
      "#ref!",   "#value!",   "#num!",   "null", "none",   "nil", "inf",    "infinity",
      "missing", "undefined", "unknown", ".",    "..",     "...", "-",      "--",
      "---",     "?",         "*",       "<na>", "(null)", "\\n"};
  if ((*field == '-' || *field == '+') && !strncasecmp(field + 1, "inf", 3))
    field++;
  if ((*field == '-' || *field == '+') && !strcasecmp(field + 1, "nan"))
    field++;
  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    if (!strcasecmp(field, words[i]))
      return 1;
  return 0;
}

/* A digit, and no letter but those of exponents. */
static int is_damaged(const char *field)
{
  int digits = 0;
  for (const char *c = field; *c; c++) {
    int letter = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z');
    digits += *c >= '0' && *c <= '9';
    if (letter && !(digits && strchr("eEdDxX", *c)))
      return 0;
  }
  return digits > 0;
}

enum dun_field_kind dun_field_kind(const struct dun_scanner *s)
{
  double value;
  if (dun_field_number(s, &value) == 0)
    return DUN_FIELD_NUMBER;
  if (is_missing(s->field))
    return DUN_FIELD_MISSING;
  return is_damaged(s->field) ? DUN_FIELD_DAMAGED : DUN_FIELD_TEXT;
}

int dun_field_is_gap(const struct dun_scanner *s)
{
  static const char *const words[] = {"", "nan", "na", "n/a", "#n/a", "<na>", "null", "none", "."};
  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    if (!strcasecmp(s->field, words[i]))
      return 1;
  return 0;
}

/* ---- hints ------------------------------------------------------------------------------- */

struct mark {
  const char *bytes, *hint;
};
static const struct mark marks[] = {
    {"\xe2\x88\x92", ": it has a Unicode minus sign (U+2212) in the place of -"},
    {"\xe2\x80\x93", ": it has a dash (U+2013) in the place of -"},
    {"\xe2\x80\x94", ": it has a dash (U+2014) in the place of -"},
    {"\xc2\xa0", ": it has a no-break space (U+00A0)"},
    {"\xe2\x80\xaf", ": it has a narrow no-break space (U+202F)"},
    {"\xe2\x80\x89", ": it has a thin space (U+2009)"},
    {"\xe2\x80\x8b", ": it has a space of no width (U+200B)"},
    {"\xef\xbb\xbf", ": it has a byte order mark (U+FEFF)"},
    {"\xef\xbc", ": it has letters of full width"},
    {"\xe2\x80\x9c", ": it has curly quotes"},
    {"\xe2\x80\x9d", ": it has curly quotes"},
    {"%", ": a percent sign cannot be read; write 5% as 0.05"},
    {"$", ": a sign of currency cannot be read"},
    {"\xe2\x82\xac", ": a sign of currency cannot be read"},
    {"\xc2\xa3", ": a sign of currency cannot be read"},
    {"_", ": digits cannot be grouped by underscores here"},
};

/* Of what has digits. */
static const struct mark signs[] = {
    {"'", ": only double quotes are read as such"},
    {"(", ": a number in brackets cannot be read"},
    {"/", ": a date or fraction cannot be read"},
    {":", ": a time cannot be read"},
    {"#", ": what stands behind a number is no comment"},
};

/* -12-3 and the like, but no exponents. */
static int has_inner_minus(const char *field)
{
  for (const char *c = field; *c; c++)
    if (*c == '-' && c > field && c[-1] >= '0' && c[-1] <= '9')
      return 1;
  return 0;
}

static const char *hint_of_signs(const char *field, char separator, char decimal)
{
  if (strchr(field, ',') && decimal == '.')
    return ": is it a decimal comma? Then say decimal: comma";
  if (strchr(field, '.') && decimal == ',')
    return ": the decimal sign is a comma here; is it not? Then say decimal: point";
  if (separator && strchr(field, ' '))
    return ": are the fields separated by blanks? Then say separator: blanks";
  if (strchr(field, ';'))
    return ": are the fields separated by semicolons? Then say separator: semicolon";
  if (has_inner_minus(field))
    return ": a date cannot be read";
  return "";
}

const char *dun_field_hint(const char *field, char separator, char decimal)
{
  if (!strncasecmp(field + (*field == '-' || *field == '+'), "inf", 3))
    return ": it is infinite";
  if (is_missing(field))
    return ": fill missing values in, or leave their rows out";
  for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
    if (strstr(field, marks[i].bytes))
      return marks[i].hint;
  for (size_t i = 0; i < sizeof signs / sizeof *signs && strpbrk(field, "0123456789"); i++)
    if (strstr(field, signs[i].bytes))
      return signs[i].hint;
  if (!strcasecmp(field, "true") || !strcasecmp(field, "false"))
    return ": write 1 and 0";
  if (!is_damaged(field))
    return ": give texts numbers, or leave the column out";
  if (strpbrk(field, "xX"))
    return ": it is hexadecimal";
  if (strpbrk(field, "dD"))
    return ": write exponents with e";
  return hint_of_signs(field, separator, decimal);
}

/* ---- separators and decimal signs -------------------------------------------------------- */

/* How often each separator stands outside quotes in the first line, and whether in all lines. */
struct tally {
  long long lines, first[BLANKS], total[BLANKS];
  int even[BLANKS];
};

/* A tab beside another separator only aligns. */
static int aligns(const char *at, const char *begin, const char *end)
{
  return (at > begin && strchr(",;|", at[-1])) || (at + 1 < end && strchr(",;|", at[1]));
}

static void tally_line(struct dun_scanner *s, struct tally *t)
{
  const char *begin = s->at;
  long long here[BLANKS] = {0};
  int quoted = 0;
  for (; !at_end(s); s->at++) {
    int opens = s->at == begin || strchr(",;\t| ", s->at[-1]);
    if (*s->at == '"' && (quoted || opens))
      quoted = !quoted;
    for (int i = COMMA; i < BLANKS && !quoted; i++)
      here[i] += *s->at == separators[i] && !(i == TAB && aligns(s->at, begin, s->end));
  }
  for (int i = COMMA; i < BLANKS; i++) {
    t->first[i] = t->lines == 0 ? here[i] : t->first[i];
    t->even[i] = (t->lines == 0 || t->even[i]) && here[i] == t->first[i] && here[i] > 0;
    t->total[i] += here[i];
  }
  t->lines++;
  step_over_end(s);
}

static int find_separator(struct dun_scanner s)
{
  static const int in_order[] = {SEMICOLON, TAB, BAR};
  struct tally t = {0};
  while (dun_scanner_line(&s))
    tally_line(&s, &t);
  for (size_t i = 0; i < sizeof in_order / sizeof *in_order; i++)
    if (t.even[in_order[i]])
      return in_order[i];
  if (t.total[COMMA])
    return COMMA;
  return t.first[SEMICOLON] ? SEMICOLON : t.first[BAR] ? BAR : BLANKS;
}

/* Of numbers with one comma: digits, comma, digits, perhaps an exponent. */
static int has_decimal_comma(const struct dun_scanner *s)
{
  struct dun_scanner other = *s;
  double value;
  other.decimal = ',';
  return strchr(s->field, ',') && dun_field_number(&other, &value) == 0;
}

/* 1,234 may be a thousand and more. */
static int may_be_thousands(const char *field)
{
  size_t whole;
  field += *field == '-' || *field == '+';
  whole = strspn(field, "0123456789");
  return whole >= 1 && whole <= 3 && *field != '0' && field[whole] == ',' &&
         strspn(field + whole + 1, "0123456789") == 3 && !field[whole + 4];
}

/* Whether the numbers have decimal commas; refuses what may as well be groups of thousands. */
static int find_decimal(struct dun_scanner *s)
{
  struct dun_scanner all = *s;
  long long points = 0, commas = 0, thousands = 0;
  if (s->separator == ',' || !memchr(s->at, ',', (size_t)(s->end - s->at)))
    return 0;
  while (dun_scanner_line(&all))
    do {
      if (dun_scanner_field(&all) < 0)
        return 0; /* it will be said when the rows are read */
      commas += has_decimal_comma(&all);
      thousands += may_be_thousands(all.field);
      points += strchr(all.field, '.') && dun_field_kind(&all) == DUN_FIELD_NUMBER;
    } while (!all.last);
  if (commas == 0 || points > 0)
    return 0;
  if (commas == thousands)
    return dun_fail(DUN_ERROR_INPUT,
                    "%s: numbers such as 1,234 may have a decimal comma or be thousands: say "
                    "decimal: comma, or write them without commas",
                    s->path);
  s->decimal = ',';
  return 0;
}

/* The line `sep=;` that a spreadsheet writes for others of its kind. */
static void take_directive(struct dun_scanner *s, int *separator)
{
  struct dun_scanner at = *s;
  if (s->end - s->at < 5 || strncasecmp(s->at, "sep=", 4) != 0)
    return;
  at.at += 5;
  if (!at_end(&at))
    return;
  for (int i = COMMA; i < BLANKS; i++)
    if (s->at[4] == separators[i]) {
      *separator = *separator ? *separator : i;
      step_over_end(&at);
      *s = at;
      return;
    }
}

int dun_scanner_init(struct dun_scanner *s, const struct dun_data *data,
                     const struct dun_csv_format *format)
{
  int separator = format->separator;
  *s = (struct dun_scanner){.path = data->path, .at = data->bytes, .line = 1, .decimal = '.'};
  s->end = data->bytes + data->size;
  if (data->size >= 3 && !memcmp(data->bytes, "\xef\xbb\xbf", 3))
    s->at += 3;
  while (s->end > s->at && s->end[-1] == 0x1a) /* the end of a file once upon a time */
    s->end--;
  take_directive(s, &separator);
  s->separator = separators[separator ? separator : find_separator(*s)];
  if (format->decimal == 2)
    s->decimal = ',';
  return format->decimal == 0 ? find_decimal(s) : 0;
}
