#include "base/text.h"
#include "base/memory.h"
#include <locale.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- numbers ----------------------------------------------------------------------------- */

/* A decimal as it is written: sign, digits (with single underscores between them), exponent. */
struct decimal {
  int negative;
  const char *whole, *fraction;                    /* where their digits begin */
  int64_t whole_length, fraction_length, exponent; /* lengths with underscores */
};

/* The length of digits with single underscores between them; 0 if there are none. */
static int64_t digits(const char *text)
{
  int64_t i = 0;
  while ((text[i] >= '0' && text[i] <= '9') ||
         (text[i] == '_' && i > 0 && text[i + 1] >= '0' && text[i + 1] <= '9'))
    i++;
  return i;
}

static int read_exponent(const char **text, int64_t *exponent)
{
  const char *p = *text + 1;
  int negative = *p == '-';
  p += *p == '-' || *p == '+';
  int64_t length = digits(p), value = 0;
  for (int64_t i = 0; i < length; i++)
    if (p[i] != '_' && value < INT64_MAX / 100)
      value = 10 * value + (p[i] - '0');
  *exponent = negative ? -value : value;
  *text = p + length;
  return length > 0 ? 0 : -1;
}

static int read_decimal(const char *text, struct decimal *d)
{
  *d = (struct decimal){.negative = *text == '-'};
  text += *text == '-' || *text == '+';
  d->whole = text;
  d->whole_length = digits(text);
  text += d->whole_length;
  if (*text == '.') {
    d->fraction = ++text;
    d->fraction_length = digits(text);
    text += d->fraction_length;
  }
  if (d->whole_length + d->fraction_length == 0)
    return -1;
  if ((*text == 'e' || *text == 'E') && read_exponent(&text, &d->exponent) < 0)
    return -1;
  return *text ? -1 : 0;
}

/* Appends digits to a magnitude; trailing zeros wait in *zeros until another digit comes. */
static int append(const char *text, int64_t length, uint64_t *value, int64_t *zeros,
                  int64_t *places)
{
  for (int64_t i = 0; i < length; i++) {
    if (text[i] == '_')
      continue;
    ++*places;
    ++*zeros;
    if (text[i] == '0')
      continue;
    for (; *value && *zeros; --*zeros)
      if (__builtin_mul_overflow(*value, (uint64_t)10, value))
        return -1;
    *zeros = 0;
    if (__builtin_add_overflow(*value, (uint64_t)(text[i] - '0'), value))
      return -1;
  }
  return 0;
}

int dun_text_integer(const char *text, long long *value)
{
  struct decimal d;
  uint64_t magnitude = 0;
  int64_t zeros = 0, before = 0, after = 0;
  if (!text || read_decimal(text, &d) < 0 || (d.whole_length > 1 && d.whole[0] == '0'))
    return -1;
  if (append(d.whole, d.whole_length, &magnitude, &zeros, &before) < 0 ||
      append(d.fraction, d.fraction_length, &magnitude, &zeros, &after) < 0)
    return -1;
  /* magnitude × 10^power, its last digit not 0: whole if power >= 0 */
  int64_t power = magnitude ? d.exponent - after + zeros : 0;
  if (power < 0)
    return -1;
  for (; power > 0; power--)
    if (__builtin_mul_overflow(magnitude, (uint64_t)10, &magnitude))
      return -1;
  if (magnitude > (uint64_t)INT64_MAX + (uint64_t)d.negative)
    return -1;
  *value = (long long)(d.negative ? -magnitude : magnitude);
  return 0;
}

/* The "C" locale, whatever a program that embeds us has set. */
static locale_t plain_locale(void)
{
  static locale_t plain;
  if (!plain)
    plain = newlocale(LC_ALL_MASK, "C", 0);
  return plain;
}

int dun_text_number(const char *text, double *value)
{
  struct decimal d;
  char clean[1024]; /* an exact double has at most 767 digits */
  size_t length = 0;
  if (!text || read_decimal(text, &d) < 0)
    return -1;
  for (; *text; text++)
    if (*text != '_') {
      if (length == sizeof clean - 1)
        return -1;
      clean[length++] = *text;
    }
  clean[length] = 0;
  double number = strtod_l(clean, NULL, plain_locale());
  if (!isfinite(number))
    return -1;
  *value = number;
  return 0;
}

int dun_text_flag(const char *text, int *value)
{
  if (!text || (strcmp(text, "true") && strcmp(text, "false")))
    return -1;
  *value = text[0] == 't';
  return 0;
}

int dun_text_duration(const char *text, double *seconds)
{
  static const struct {
    const char *name;
    double seconds;
  } units[] = {{"min", 60}, {"s", 1}, {"h", 3600}, {"d", 86400}};
  char number[64];
  double value, factor = 1;
  size_t length = text ? strlen(text) : 0;
  if (length == 0 || length >= sizeof number)
    return -1;
  memcpy(number, text, length + 1);
  for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
    size_t tail = strlen(units[i].name);
    if (length > tail && !strcmp(number + length - tail, units[i].name)) {
      number[length - tail] = 0;
      factor = units[i].seconds;
      break;
    }
  }
  if (dun_text_number(number, &value) < 0 || value < 0 || !isfinite(value * factor))
    return -1;
  *seconds = value * factor;
  return 0;
}

/* ---- words ------------------------------------------------------------------------------- */

/* The word number `index` and its length; NULL if there are fewer. */
static const char *word_at(const char *words, int index, size_t *length)
{
  if (!words || !*words || index < 0)
    return NULL;
  for (; index > 0; index--) {
    words = strchr(words, '|');
    if (!words)
      return NULL;
    words++;
  }
  *length = strcspn(words, "|");
  return words;
}

int dun_words_find(const char *words, const char *word)
{
  size_t length;
  const char *at;
  for (int i = 0; (at = word_at(words, i, &length)); i++)
    if (strlen(word) == length && !memcmp(at, word, length))
      return i;
  return -1;
}

int dun_words_get(const char *words, int index, char *word, size_t size)
{
  size_t length;
  const char *at = word_at(words, index, &length);
  if (!at || length >= size)
    return -1;
  memcpy(word, at, length);
  word[length] = 0;
  return 0;
}

static int least(int a, int b)
{
  return a < b ? a : b;
}

int dun_text_distance(const char *a, const char *b)
{
  enum { LONGEST = 63 };
  int row[3][LONGEST + 1];
  size_t m = strlen(a), n = strlen(b);
  if (m > LONGEST || n > LONGEST)
    return strcmp(a, b) ? (int)(m > n ? m : n) : 0;
  for (int i = 0; i <= (int)m; i++) {
    int *now = row[i % 3], *up = row[(i + 2) % 3], *upper = row[(i + 1) % 3];
    now[0] = i;
    for (int j = 1; j <= (int)n; j++) {
      if (i == 0) {
        now[j] = j;
        continue;
      }
      now[j] = least(least(now[j - 1], up[j]) + 1, up[j - 1] + (a[i - 1] != b[j - 1]));
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        now[j] = least(now[j], upper[j - 2] + 1);
    }
  }
  return row[m % 3][n];
}

/* The word nan with its sign at `at`: its length, or 0. */
static size_t unknown_at(const char *sentence, const char *at)
{
  size_t sign = *at == '-';
  char before = ' ', after;
  if (at > sentence)
    before = at[-1];
  if (strncmp(at + sign, "nan", 3) != 0)
    return 0;
  after = at[sign + 3];
  int inside = before == '_' || before == '\'' || before == '[' || (before & 0x80) ||
               (before >= '0' && before <= '9') || ((before | 32) >= 'a' && (before | 32) <= 'z');
  int goes_on = after == '_' || after == '\'' || after == '[' || after == ']' || (after & 0x80) ||
                (after >= '0' && after <= '9') || ((after | 32) >= 'a' && (after | 32) <= 'z');
  return inside || goes_on ? 0 : sign + 3;
}

static int by_name(const void *a, const void *b)
{
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

const char *dun_names_double(int64_t count, const char **names)
{
  if (count > 1)
    qsort(names, (size_t)count, sizeof *names, by_name);
  for (int64_t i = 1; i < count; i++)
    if (!strcmp(names[i - 1], names[i]))
      return names[i];
  return NULL;
}

void dun_text_tell_nan(char *sentence, size_t size, const char *word)
{
  const size_t length = strlen(word);
  for (char *at = sentence; *at; at++) {
    size_t gone = unknown_at(sentence, at), rest = strlen(at),
           room = size - (size_t)(at - sentence);
    if (gone == 0)
      continue;
    size_t kept = rest - gone + length < room ? rest - gone : room > length ? room - length - 1 : 0;
    if (room <= length)
      return;
    memmove(at + length, at + gone, kept);
    memcpy(at, word, length);
    at[length + kept] = 0;
    at += length - 1;
  }
}

/* ---- growing text ------------------------------------------------------------------------ */

static int reserve(struct dun_text *text, int64_t more)
{
  if (text->failed)
    return -1;
  if (text->length + more < text->capacity)
    return 0;
  int64_t capacity = 2 * (text->length + more) + 64;
  char *grown = dun_allocate(capacity, 1);
  if (!grown) {
    text->failed = 1;
    return -1;
  }
  if (text->length > 0)
    memcpy(grown, text->text, (size_t)text->length);
  dun_free(text->text);
  text->text = grown;
  text->capacity = capacity;
  return 0;
}

void dun_text_add(struct dun_text *text, const char *format, ...)
{
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(NULL, 0, format, arguments);
  va_end(arguments);
  if (length < 0) {
    text->failed = 1;
    return;
  }
  if (reserve(text, length) < 0)
    return;
  va_start(arguments, format);
  vsnprintf(text->text + text->length, (size_t)length + 1, format, arguments);
  va_end(arguments);
  text->length += length;
}

void dun_text_free(struct dun_text *text)
{
  dun_free(text->text);
  *text = (struct dun_text){0};
}

int dun_text_character(const char *text)
{
  static const uint32_t least_code[5] = {0, 0, 0x80, 0x800, 0x10000};
  const unsigned char *c = (const unsigned char *)text;
  int length = c[0] < 0x80 ? 1 : c[0] >> 5 == 6 ? 2 : c[0] >> 4 == 14 ? 3 : c[0] >> 3 == 30 ? 4 : 0;
  uint32_t code = length == 1 ? c[0] : c[0] & (0x7fu >> length);
  for (int i = 1; i < length; i++) {
    if (c[i] >> 6 != 2)
      return 0;
    code = code << 6 | (c[i] & 0x3fu);
  }
  int surrogate = code >= 0xd800 && code < 0xe000;
  return length && code >= least_code[length] && code < 0x110000 && !surrogate ? length : 0;
}

void dun_text_add_json(struct dun_text *text, const char *raw)
{
  const unsigned char *c = (const unsigned char *)raw;
  while (*c) {
    int length = dun_text_character((const char *)c);
    if (*c == '"' || *c == '\\')
      dun_text_add(text, "\\%c", *c);
    else if (*c == '\n')
      dun_text_add(text, "\\n");
    else if (*c < 0x20 || *c == 0x7f)
      dun_text_add(text, "\\u%04x", *c);
    else if (length == 0)
      dun_text_add(text, "\\ufffd");
    else
      dun_text_add(text, "%.*s", length, (const char *)c);
    c += length ? length : 1;
  }
}

void dun_text_add_number(struct dun_text *text, double value)
{
  char number[32] = "null";
  if (value == floor(value) && fabs(value) < 1e15 && !(value == 0 && signbit(value))) {
    snprintf(number, sizeof number, "%.0f", value); /* 1200, not 1.2e+03 */
  } else if (isfinite(value)) {
    locale_t before = uselocale(plain_locale());
    for (int places = 1; places <= 17; places++) {
      snprintf(number, sizeof number, "%.*g", places, value);
      if (strtod(number, NULL) == value)
        break;
    }
    uselocale(before);
  }
  dun_text_add(text, "%s", number);
}
