#include "paths/pilot.h"
#include "base/error.h"
#include "base/memory.h"
#include "population/covariance.h"

static int find_variances(struct dun_context *context, const struct dun_population *population,
                          const struct dun_column *x, const struct dun_column *logw,
                          const struct dun_weights *weights, double *mean, double *variance)
{
  int status = dun_column_moments(context, population, x, logw, weights, mean, variance);
  for (int j = 0; j < x->width && status >= 0; j++)
    variance[j] *= variance[j];
  return status;
}

int dun_path_fit(struct dun_context *context, const struct dun_path *path, void *path_self,
                 const struct dun_population *population, const struct dun_column *x,
                 const struct dun_column *logw, const struct dun_weights *weights)
{
  int dense = path->pilot(path_self).dense;
  int64_t d = x->width, entries = dense ? d * d : d;
  double *mean = dun_allocate(d + entries, sizeof *mean);
  int status = dun_agree(context, mean ? 0 : DUN_ERROR_MEMORY);

  if (status >= 0)
    status = (dense ? dun_weighted_covariance : find_variances)(context, population, x, logw,
                                                                weights, mean, mean + d);
  if (status >= 0)
    status = dun_agree(context, path->fit(path_self, mean, mean + d));
  dun_free(mean);
  return status;
}
