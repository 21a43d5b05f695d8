#include "numerics/given.h"
#include "base/error.h"
#include "base/memory.h"

int dun_given_numbers(const struct dun_numbers *given, const char *option, int d, double *out)
{
  if (given->count != 1 && given->count != d)
    return dun_fail(DUN_ERROR_INPUT,
                    "%s: found %lld numbers, expected 1 or the target's dimension %d", option,
                    given->count, d);
  for (int j = 0; j < d; j++)
    out[j] = given->value[given->count == 1 ? 0 : j];
  return 0;
}

int dun_given_gaussian(struct dun_gaussian *gaussian, int d, const struct dun_numbers *mean,
                       const char *mean_option, const struct dun_numbers *deviation,
                       const char *deviation_option)
{
  double *number = dun_allocate(2 * (int64_t)d, sizeof *number);
  int status = number ? dun_given_numbers(mean, mean_option, d, number) : DUN_ERROR_MEMORY;

  if (status >= 0)
    status = dun_given_numbers(deviation, deviation_option, d, number + d);
  if (status >= 0)
    status = dun_gaussian_diagonal(gaussian, d, number, number + d);
  dun_free(number);
  return status;
}
