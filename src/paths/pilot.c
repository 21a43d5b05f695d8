#include "paths/pilot.h"
#include "base/error.h"
#include "base/memory.h"
#include "population/covariance.h"

int dun_path_fit(struct dun_context *context, const struct dun_path *path, void *path_self,
                 const struct dun_population *population, const struct dun_column *x)
{
  const struct dun_pilot pilot = path->pilot(path_self);
  int64_t d = x->width, tile = population->tiles.tile, entries = pilot.dense ? d * d : d;
  double *mean = dun_allocate(d + entries, sizeof *mean);
  int status = dun_agree(context, mean ? 0 : DUN_ERROR_MEMORY);

  if (status >= 0)
    status = dun_plain_covariance(context, population, x, (pilot.chains + tile - 1) / tile,
                                  pilot.dense, mean, mean + d);
  if (status >= 0)
    status = dun_agree(context, path->fit(path_self, mean, mean + d));
  dun_free(mean);
  return status;
}
