#include "methods/metric.h"
#include "base/error.h"
#include "base/memory.h"
#include "population/covariance.h"
#include <math.h>

/* Of standard deviations alone. */
static int learn_diagonal(struct dun_context *context, const struct dun_run *run,
                          const struct dun_column *logw, const struct dun_weights *weights,
                          double *mean, double *deviation, struct dun_adaptation *adaptation)
{
  int status =
      dun_column_moments(context, &run->population, run->x, logw, weights, mean, deviation);
  if (status >= 0)
    dun_adaptation_metric(adaptation, deviation);
  return status;
}

int dun_metric_learn(struct dun_context *context, const struct dun_run *run,
                     const struct dun_column *logw, const struct dun_weights *weights, int dense,
                     double points, double *mean, double *deviation,
                     struct dun_adaptation *adaptation)
{
  int64_t d = run->evaluator->dimension;
  if (!dense)
    return learn_diagonal(context, run, logw, weights, mean, deviation, adaptation);
  double *covariance = dun_allocate(d * d, sizeof *covariance);
  int status = dun_agree(context, covariance ? 0 : DUN_ERROR_MEMORY);
  if (status >= 0)
    status =
        dun_weighted_covariance(context, &run->population, run->x, logw, weights, mean, covariance);
  for (int64_t j = 0; j < d && status >= 0; j++)
    deviation[j] = sqrt(covariance[j * d + j]);
  if (status >= 0)
    status =
        dun_agree(context, dun_adaptation_correlations(adaptation, deviation, covariance, points));
  dun_free(covariance);
  return status;
}

int dun_metric_is_open(const struct dun_run *run)
{
  const struct dun_kernel_options *options = run->kernel_self;
  const struct dun_adaptation *pilot = options->pilot;
  int d = run->evaluator->dimension;
  return options->metric == DUN_METRIC_AUTO && d > 1 && d <= DUN_FISHER_MOST &&
         !(pilot && (options->fixed || pilot->factor.count));
}

int dun_metric_choose(struct dun_context *context, const struct dun_fisher_half part[2],
                      struct dun_adaptation *adaptation, double *ridge)
{
  int d = (int)adaptation->scale.count, dense;
  struct dun_fisher found = {.scale = dun_allocate(d, sizeof(double)),
                             .factor = dun_allocate((int64_t)d * d, sizeof(double))};
  int status = found.scale && found.factor ? 0 : DUN_ERROR_MEMORY;

  if (status >= 0)
    status = dun_fisher_learn(d, DUN_FISHER_SHORTER, part, adaptation->scale.value, &found);
  status = dun_agree(context, status);
  dense = status >= 0 && found.dense;
  if (dense) {
    *ridge = found.ridge;
    dun_adaptation_adopt(adaptation, &found);
  }
  dun_free(found.scale);
  dun_free(found.factor);
  return status < 0 ? status : dense;
}
