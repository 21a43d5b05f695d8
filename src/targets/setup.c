#include "targets/setup.h"
#include "base/error.h"
#include <stdarg.h>
#include <stdio.h>

int dun_refuse(struct dun_message why, const char *format, ...)
{
  va_list arguments;
  va_start(arguments, format);
  if (why.text && why.size > 0)
    vsnprintf(why.text, why.size, format, arguments);
  va_end(arguments);
  return DUN_ERROR_INPUT;
}

int dun_refuse_failed(struct dun_message why)
{
  return dun_refuse(why, "%s", dun_error_text());
}

int dun_spread(struct dun_message why, const char *option, const struct dun_numbers *given,
               double otherwise, long long count, double *out)
{
  if (given->count > 1 && given->count != count)
    return dun_refuse(why, "%s: found %lld numbers, expected 1 or %lld", option, given->count,
                      count);
  for (long long i = 0; i < count; i++)
    out[i] = given->count == 0 ? otherwise : given->value[given->count == 1 ? 0 : i];
  return 0;
}

int dun_setup_csv(struct dun_message why, struct dun_csv *csv, const struct dun_data *data)
{
  return dun_csv_parse(csv, data) < 0 ? dun_refuse_failed(why) : 0;
}
