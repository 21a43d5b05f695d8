#include "methods/tails.h"
#include "base/error.h"
#include "base/memory.h"
#include "numerics/pareto.h"
#include <math.h>

static struct dun_pareto_sample sample_of(const struct dun_run *run)
{
  enum { MOST = 4096 };
  const struct dun_tiles *tiles = &run->population.tiles;
  return dun_pareto_sample(tiles->total, tiles->first, tiles->local, MOST);
}

double *dun_tails_none(const struct dun_run *run)
{
  return dun_allocate(sample_of(run).points, sizeof(double));
}

double *dun_tails_before(const struct dun_run *run)
{
  struct dun_pareto_sample sample = sample_of(run);
  double *before = dun_tails_none(run);
  for (int64_t k = sample.from; before && k < sample.to; k++)
    before[k] = dun_f64(run->logw)[dun_pareto_local(&sample, k)];
  return before;
}

int dun_tails_shape(struct dun_context *context, struct dun_run *run, int status, double *before)
{
  struct dun_pareto_sample sample = sample_of(run);
  for (int64_t k = sample.from; before && k < sample.to; k++) {
    double ratio = dun_f64(run->logw)[dun_pareto_local(&sample, k)] - before[k];
    before[k] = isnan(ratio) ? -INFINITY : ratio;
  }
  if (status >= 0)
    status = dun_pareto_shapes(context, before ? 0 : DUN_ERROR_MEMORY, &sample, 0, 1, before,
                               &run->now.pareto_k);
  dun_free(before);
  return status;
}

void dun_tails_diagnose(const struct dun_table *steps, struct dun_diagnosis *diagnosis)
{
  long long row = dun_table_rows(steps) - 1;
  double replicate = dun_table_cell(steps, row, "replicate"), worst = NAN, time = NAN;
  for (; row >= 0 && dun_table_cell(steps, row, "replicate") == replicate; row--) {
    double shape = dun_table_cell(steps, row, "pareto_k");
    if (!isnan(shape) && !(shape <= worst)) {
      worst = shape;
      time = dun_table_cell(steps, row, "time");
    }
  }
  if (!isnan(worst))
    dun_diagnose(diagnosis, "tails", dun_verdict_above(worst, .7, 1),
                 "the weights of the step to time %.3g have the heaviest tail, of Pareto shape "
                 "%.2f%s",
                 time, worst,
                 worst < .7 ? ""
                            : ": a few particles decide; does the base reach all of the target?");
}
