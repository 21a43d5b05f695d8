#include "base/error.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static _Thread_local char sentence[2048];

int dun_fail(int code, const char *format, ...)
{
  char text[sizeof sentence]; /* the old sentence may be among the arguments */
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  memcpy(sentence, text, strlen(text) + 1);
  return code;
}

const char *dun_error_text(void)
{
  return sentence;
}

const char *dun_error_meaning(int code)
{
  switch (code) {
  case DUN_ERROR_INPUT: return "The input, its data or a plugin was refused.";
  case DUN_ERROR_MEMORY: return "There is not enough memory.";
  case DUN_ERROR_FILE: return "A file could not be read or written.";
  case DUN_ERROR_NUMERIC: return "The computation cannot go on.";
  case DUN_INTERRUPTED: return "The computation was interrupted.";
  default: return NULL;
  }
}

int dun_exit_code(int code)
{
  if (code >= 0)
    return 0;
  return code == DUN_ERROR_INPUT ? 2 : 1;
}
