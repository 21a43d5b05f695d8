#include "paths/pilot.h"
#include "base/error.h"
#include "base/memory.h"
#include "population/covariance.h"

int dun_path_fit(struct dun_context *context, const struct dun_path *path, void *path_self,
                 const struct dun_population *population, const struct dun_column *x,
                 long long chains)
{
  int64_t d = x->width, tile = population->tiles.tile;
  double *mean = dun_allocate(d + d * d, sizeof *mean);
  int status = dun_agree(context, mean ? 0 : DUN_ERROR_MEMORY);

  if (status >= 0)
    status =
        dun_plain_covariance(context, population, x, (chains + tile - 1) / tile, mean, mean + d);
  if (status >= 0)
    status = path->fit(path_self, mean, mean + d);
  dun_free(mean);
  return status;
}
