#include "methods/run.h"
#include <stdarg.h>
#include <stdio.h>

struct dun_address dun_run_address(const struct dun_run *run, enum dun_purpose purpose)
{
  return (struct dun_address){.seed = (uint64_t)run->options.seed,
                              .purpose = (uint16_t)purpose,
                              .replicate = (uint16_t)run->replicate,
                              .step = (uint32_t)run->tick};
}

void dun_diagnose(struct dun_diagnosis *diagnosis, const char *name, enum dun_verdict_level level,
                  const char *format, ...)
{
  const int capacity = (int)(sizeof diagnosis->verdict / sizeof *diagnosis->verdict);
  va_list arguments;

  if (diagnosis->count == capacity)
    return;
  struct dun_verdict *verdict = &diagnosis->verdict[diagnosis->count++];
  snprintf(verdict->name, sizeof verdict->name, "%s", name);
  verdict->level = level;
  va_start(arguments, format);
  vsnprintf(verdict->text, sizeof verdict->text, format, arguments);
  va_end(arguments);
}
