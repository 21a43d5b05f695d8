#include "base/log.h"
#include "base/tell.h"
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

void dun_log_init(struct dun_log *log, int rank, enum dun_level level)
{
  *log = (struct dun_log){.stream = stderr, .level = level, .rank = rank};
  log->terminal = isatty(fileno(stderr));
}

/* One write for the whole line, so that lines of several ranks do not mix. */
static void put(struct dun_log *log, const char *before, const char *after, const char *format,
                va_list arguments)
{
  char text[4096];
  int start = snprintf(text, sizeof text, "%s", before);
  vsnprintf(text + start, sizeof text - (size_t)start, format, arguments);
  dun_clean(text + start);
  size_t length = strnlen(text, sizeof text - 16);
  snprintf(text + length, sizeof text - length, "%s", after);
  fputs(text, log->stream);
  fflush(log->stream);
}

static void put_line(struct dun_log *log, const char *label, const char *format, va_list arguments)
{
  char before[64];
  snprintf(before, sizeof before, "%s%s", log->line_open ? "\n" : "", label);
  log->line_open = 0;
  put(log, before, "\n", format, arguments);
}

void dun_note(struct dun_log *log, const char *format, ...)
{
  va_list arguments;
  if (log->rank != 0 || log->level < DUN_NOTES)
    return;
  va_start(arguments, format);
  put_line(log, "", format, arguments);
  va_end(arguments);
}

void dun_warn(struct dun_log *log, const char *format, ...)
{
  char label[48] = "warning: ";
  va_list arguments;
  if (log->level < DUN_WARNINGS)
    return;
  if (log->rank != 0)
    snprintf(label, sizeof label, "warning (rank %d): ", log->rank);
  va_start(arguments, format);
  put_line(log, label, format, arguments);
  va_end(arguments);
}

void dun_progress(struct dun_log *log, const char *format, ...)
{
  char before[160];
  va_list arguments;
  if (log->rank != 0 || log->level < DUN_NOTES)
    return;
  before[0] = '\r';
  snprintf(before + log->terminal, sizeof before - 1, "%s", log->before);
  dun_clean(before + log->terminal);
  va_start(arguments, format);
  put(log, before, log->terminal ? "\033[K" : "\n", format, arguments);
  log->line_open = log->terminal;
  va_end(arguments);
}
