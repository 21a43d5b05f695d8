#include "population/selection.h"
#include "population/exchange.h"
#include "population/offspring.h"
#include <string.h>

int dun_select(struct dun_context *context, struct dun_population *population,
               struct dun_column *logw, const struct dun_weights *weights,
               enum dun_resampling resampling, struct dun_address address)
{
  const size_t bytes = (size_t)population->tiles.local * sizeof(double);
  int64_t begin;
  int status;
  if (address.purpose == DUN_PURPOSE_START)
    address.purpose = DUN_PURPOSE_SELECT;
  address.tile = 0;
  status = dun_offspring(context, population, logw, weights, resampling, address, &begin);
  if (status < 0)
    return status;
  status = dun_exchange(context, population, logw, begin, dun_f64(logw));
  memset(logw->data, 0, bytes);
  return status;
}
