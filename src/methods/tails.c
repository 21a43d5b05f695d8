#include "methods/tails.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/vmath.h"
#include "numerics/pareto.h"
#include "parallel/sum.h"
#include <math.h>

enum { MOST = 4096 };

/* Every so many particles one is looked at: the first, ... */
static int64_t stride_of(const struct dun_tiles *tiles)
{
  return (tiles->total + MOST - 1) / MOST;
}

static int64_t points_of(const struct dun_tiles *tiles)
{
  return (tiles->total + stride_of(tiles) - 1) / stride_of(tiles);
}

/* The first of this rank, and where a point lies here. */
static int64_t first_of(const struct dun_tiles *tiles)
{
  return (tiles->first + stride_of(tiles) - 1) / stride_of(tiles);
}

static int64_t local_of(const struct dun_tiles *tiles, int64_t point)
{
  return point * stride_of(tiles) - tiles->first;
}

double *dun_tails_none(const struct dun_run *run)
{
  return dun_allocate(points_of(&run->population.tiles), sizeof(double));
}

double *dun_tails_before(const struct dun_run *run)
{
  const struct dun_tiles *tiles = &run->population.tiles;
  double *before = dun_tails_none(run);
  for (int64_t i = first_of(tiles); before && local_of(tiles, i) < tiles->local; i++)
    before[i] = dun_f64(run->logw)[local_of(tiles, i)];
  return before;
}

/* Every place is filled by one rank: integer sums bring the bits to all unchanged. */
int dun_tails_shape(struct dun_context *context, struct dun_run *run, int status, double *before)
{
  const struct dun_tiles *tiles = &run->population.tiles;
  int64_t points = points_of(tiles), *bits = dun_allocate(points, sizeof *bits);
  if (status >= 0)
    status = dun_agree(context, before && bits ? 0 : DUN_ERROR_MEMORY);
  for (int64_t i = first_of(tiles); status >= 0 && local_of(tiles, i) < tiles->local; i++) {
    double ratio = dun_f64(run->logw)[local_of(tiles, i)] - before[i];
    bits[i] = (int64_t)dun_bits(isnan(ratio) ? -INFINITY : ratio);
  }
  if (status >= 0)
    status = dun_sum_integers(context, 0, points, bits);
  for (int64_t i = 0; i < points && status >= 0; i++)
    before[i] = dun_from_bits((uint64_t)bits[i]);
  if (status >= 0)
    status = dun_agree(context, dun_pareto_shape(points, before, &run->now.pareto_k));
  dun_free(before);
  dun_free(bits);
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
