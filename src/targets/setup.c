#include "targets/setup.h"
#include "base/error.h"
#include <math.h>
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

int dun_setup_lattice(struct dun_message why, const struct dun_numbers *side, int axes, int size[3])
{
  double given[3];
  int status = dun_spread(why, "side", side, 0, axes, given);
  double sites = 1;
  size[0] = size[1] = size[2] = 1;
  for (int a = 0; a < axes && status == 0; a++) {
    if (!(given[a] >= 1 && given[a] <= DUN_MAX_DIMENSION && given[a] == floor(given[a])))
      return dun_refuse(why, "side: found %g, expected whole numbers from 1 to %d", given[a],
                        DUN_MAX_DIMENSION);
    size[a] = (int)given[a];
    sites *= given[a];
  }
  if (status == 0 && sites > DUN_MAX_DIMENSION)
    return dun_refuse(why, "side: a lattice of %.0f sites, expected at most %d", sites,
                      DUN_MAX_DIMENSION);
  return status;
}

struct dun_parameter dun_setup_field(int axes, const int size[3])
{
  struct dun_parameter field = {
      .name = "phi", .rank = axes == 1 ? 1 : 2, .doc = "The field at the sites."};
  field.shape[0] = axes == 3 ? size[0] * size[1] : size[0];
  field.shape[1] = axes == 1 ? 0 : size[axes - 1];
  return field;
}
