#include "population/selection.h"
#include "population/exchange.h"
#include "population/offspring.h"
#include <string.h>

int dun_select_chains(struct dun_context *context, struct dun_population *population,
                      struct dun_column *logw, const struct dun_weights *weights, int64_t length,
                      enum dun_resampling resampling, struct dun_address address)
{
  const int64_t local = population->tiles.local, children = population->tiles.total / length;
  double *end = dun_f64(logw);
  int64_t begin;
  int status;
  if (address.purpose == DUN_PURPOSE_START)
    address.purpose = DUN_PURPOSE_SELECT;
  address.tile = 0;
  status = dun_offspring(context, population, logw, weights, children, resampling, address, &begin);
  if (status < 0)
    return status;
  for (int64_t i = 0; i < local && length > 1; i++)
    end[i] *= (double)length;
  status = dun_exchange(context, population, logw, begin * length, end);
  memset(logw->data, 0, (size_t)local * sizeof(double));
  return status;
}

int dun_select(struct dun_context *context, struct dun_population *population,
               struct dun_column *logw, const struct dun_weights *weights,
               enum dun_resampling resampling, struct dun_address address)
{
  return dun_select_chains(context, population, logw, weights, 1, resampling, address);
}
