#include "base/tell.h"
#include "base/text.h"
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* Of one character: C0 and C1 controls, delete; marks, embeddings, overrides and isolates of the
 * direction; separators of lines and paragraphs. */
static int is_harmless(const unsigned char *c, int length)
{
  if (length == 1)
    return (*c >= 32 && *c != 127) || *c == '\n' || *c == '\t';
  if (length == 2)
    return !(c[0] == 0xc2 && c[1] < 0xa0) && !(c[0] == 0xd8 && c[1] == 0x9c);
  if (length == 3 && c[0] == 0xe2 && c[1] == 0x80)
    return !(c[2] == 0x8e || c[2] == 0x8f || (c[2] >= 0xa8 && c[2] <= 0xae));
  return !(length == 3 && c[0] == 0xe2 && c[1] == 0x81 && c[2] >= 0xa6 && c[2] <= 0xa9);
}

void dun_clean(char *text)
{
  unsigned char *to = (unsigned char *)text;
  for (const unsigned char *c = to; *c;) {
    int length = dun_text_character((const char *)c);
    if (length > 0 && is_harmless(c, length)) {
      memmove(to, c, (size_t)length);
      to += length;
    } else
      *to++ = '?';
    c += length > 0 ? length : 1;
  }
  *to = 0;
}

static int cut_short;

/* Without memory: as much of it as there is room for here. */
static void tell_beginning(FILE *stream, const char *format, va_list arguments)
{
  char text[1024];
  if (vsnprintf(text, sizeof text, format, arguments) >= (int)sizeof text && stream == stdout)
    cut_short = 1;
  dun_clean(text);
  fputs(text, stream);
}

void dun_tell(FILE *stream, const char *format, ...)
{
  char *text = NULL;
  va_list arguments;
  va_start(arguments, format);
  int length = vasprintf(&text, format, arguments);
  va_end(arguments);
  if (length >= 0) {
    dun_clean(text);
    fputs(text, stream);
    free(text);
    return;
  }
  va_start(arguments, format);
  tell_beginning(stream, format, arguments);
  va_end(arguments);
}

int dun_tell_cut_short(void)
{
  return cut_short;
}
