#include "numerics/gridded.h"
#include "base/error.h"
#include "base/scalar.h"
#include "numerics/given.h"
#include <math.h>
#include <string.h>

int dun_gridded_grid(const struct dun_gridded_options *o, int d, double tau, const char *source,
                     struct dun_grid *grid)
{
  double center[DUN_GRID_AXES], half_width[DUN_GRID_AXES];
  int status;

  if (d > DUN_GRID_AXES)
    return dun_fail(DUN_ERROR_INPUT,
                    "a grid has at most %d dimensions and the target has %d; field monte_carlo of "
                    "method flow goes without one",
                    DUN_GRID_AXES, d);
  if ((status = dun_given_numbers(&o->center, "center", d, center)) < 0 ||
      (status = dun_given_numbers(&o->half_width, "half_width", d, half_width)) < 0 ||
      (status = dun_grid_init(grid, d, center, half_width, o->cells,
                              o->padding > 0 ? o->padding : 1)) < 0)
    return status;
  double needed = dun_grid_pad_for(grid, tau);
  if (o->padding < 0)
    return dun_grid_init(grid, d, center, half_width, o->cells, needed);
  if (dun_grid_largest_tau(grid) < tau)
    return dun_fail(DUN_ERROR_INPUT,
                    "padding: with %.6g boxes the largest tau is %.6g, but %s is %.6g: beyond it "
                    "what leaves the domain comes in again from the other side; give at least "
                    "%.3g, or auto",
                    o->padding, dun_grid_largest_tau(grid), source, tau, needed);
  return 0;
}

int dun_gridded_is_large(const struct dun_grid *grid)
{
  double points = 1;
  for (int j = 0; j < grid->dimension; j++)
    points *= (double)grid->points;
  return points > 1 << 26;
}

/* Of a normal mode, from the differences of neighbouring cells. */
static double deviation_in_cells(double roughness)
{
  double kept = 1 - roughness / 2;
  return kept > 0 ? .5 / sqrt(-dun_scalar_log(kept)) : 0;
}

static int check(struct dun_context *context, const char *who, const struct dun_convolution *grid)
{
  const double most = 1e-3, roughest = .45; /* 0.44: cells as wide as a mode's deviation */

  if (grid->edge > most)
    return dun_fail(DUN_ERROR_INPUT,
                    "half_width: %.2g of the mass in the box lies in its outermost cells, at most "
                    "%.2g was expected: the target does not end there, or cells are few",
                    grid->edge, most);
  if (grid->roughness > roughest)
    return dun_fail(DUN_ERROR_INPUT,
                    "cells: along coordinate %d neighbouring cells differ as if modes had a "
                    "standard deviation of %.2g cells, at least 1 was expected and 3 are well: "
                    "take more than %lld cells",
                    grid->rough_axis, deviation_in_cells(grid->roughness),
                    (long long)grid->grid.cells);
  dun_note(&context->log, "%s: %lld cells an axis, padded to %lld; log Z = %.6g by quadrature%s",
           who, (long long)grid->grid.cells, (long long)grid->grid.points, grid->log_evidence,
           grid->distributed ? "; tables spread over the ranks" : "");
  return 0;
}

int dun_gridded_init(struct dun_context *context, const char *who, const struct dun_grid *grid,
                     int distributed, struct dun_density density,
                     struct dun_convolution *convolution)
{
  struct dun_convolution_options options = {.distributed = distributed};
  int status = dun_convolution_init(context, convolution, grid, options, density);
  return status < 0 ? status : check(context, who, convolution);
}

int dun_gridded_gaussian(const struct dun_convolution *convolution, double tau,
                         struct dun_gaussian *gaussian)
{
  double covariance[DUN_GRID_AXES * DUN_GRID_AXES];
  int d = convolution->grid.dimension;

  memcpy(covariance, convolution->covariance, sizeof covariance);
  for (int j = 0; j < d; j++)
    covariance[j * (d + 1)] += tau * tau;
  return dun_gaussian_dense(gaussian, d, convolution->mean, covariance);
}
