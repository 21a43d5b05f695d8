#include "numerics/grid.h"
#include "base/error.h"
#include "base/vmath.h"
#include "dunlin/target.h"
#include <math.h>

enum { L = DUN_LANES };
static const double MOST_POINTS = 1 << 28;

int64_t dun_grid_friendly(int64_t n)
{
  for (;; n++) {
    int64_t rest = n;
    for (int prime = 2; prime <= 5; prime += prime == 2 ? 1 : 2)
      while (rest > 1 && rest % prime == 0)
        rest /= prime;
    if (rest <= 1)
      return n;
  }
}

static int check(int dimension, const double *center, const double *half_width, int64_t cells,
                 double pad)
{
  if (dimension < 1 || dimension > DUN_GRID_AXES)
    return dun_fail(DUN_ERROR_INPUT, "a grid in %d dimensions, expected 1 to %d", dimension,
                    DUN_GRID_AXES);
  for (int a = 0; a < dimension; a++)
    if (!isfinite(center[a]) || !isfinite(half_width[a]) || !(half_width[a] > 0) ||
        !(fabs(center[a]) < 1e12 * half_width[a]))
      return dun_fail(DUN_ERROR_INPUT,
                      "a box of half-width %g around %g along axis %d, expected a positive width "
                      "that is not lost beside the centre",
                      half_width[a], center[a], a);
  if (cells < 2)
    return dun_fail(DUN_ERROR_INPUT, "a grid of %lld cells along an axis, expected 2 or more",
                    (long long)cells);
  if (!(pad >= 1) || !(pad * (double)cells <= MOST_POINTS))
    return dun_fail(DUN_ERROR_INPUT,
                    "%lld cells padded to %g times as many along an axis, expected a pad of at "
                    "least 1 and at most 2^28 cells",
                    (long long)cells, pad);
  return 0;
}

int dun_grid_init(struct dun_grid *grid, int dimension, const double *center,
                  const double *half_width, int64_t cells, double pad)
{
  int status = check(dimension, center, half_width, cells, pad);
  *grid = (struct dun_grid){.dimension = dimension, .cells = cells, .pad = pad};
  if (status < 0)
    return status;
  grid->points = dun_grid_friendly((int64_t)ceil(pad * (double)cells));
  grid->offset = (grid->points - cells) / 2;
  for (int a = 0; a < dimension; a++) {
    grid->center[a] = center[a];
    grid->half_width[a] = half_width[a];
    grid->width[a] = 2 * half_width[a] / (double)cells;
  }
  return 0;
}

double dun_grid_largest_tau(const struct dun_grid *grid)
{
  double least = INFINITY;
  for (int a = 0; a < grid->dimension; a++) {
    double tau = (.5 * (double)grid->points * grid->width[a] - grid->half_width[a]) / 5;
    least = tau < least ? tau : least;
  }
  return least;
}

double dun_grid_pad_for(const struct dun_grid *grid, double tau)
{
  double most = 1;
  for (int a = 0; a < grid->dimension; a++) {
    double pad = 1 + 5 * tau / grid->half_width[a];
    most = pad > most ? pad : most;
  }
  return most;
}

/* ---- pieces ------------------------------------------------------------------------------ */

static int64_t pieces_of_row(const struct dun_grid *grid)
{
  return (grid->cells + L - 1) / L;
}

int64_t dun_grid_pieces(const struct dun_grid *grid)
{
  int64_t pieces = pieces_of_row(grid);
  for (int a = 1; a < grid->dimension; a++)
    pieces *= grid->cells;
  return pieces;
}

void dun_grid_pieces_of_planes(const struct dun_grid *grid, int64_t first, int64_t count,
                               int64_t *begin, int64_t *end)
{
  int64_t plane = dun_grid_pieces(grid) / grid->cells, n = grid->cells;
  int64_t low = first - grid->offset, high = low + count;
  if (grid->dimension == 1) { /* never in slabs: all of them */
    *begin = 0;
    *end = dun_grid_pieces(grid);
    return;
  }
  low = low < 0 ? 0 : low > n ? n : low;
  high = high < low ? low : high > n ? n : high;
  *begin = low * plane;
  *end = high * plane;
}

struct dun_grid_piece dun_grid_piece(const struct dun_grid *grid, int64_t index)
{
  struct dun_grid_piece piece = {.count = L};
  int64_t of_row = pieces_of_row(grid), start = index % of_row * L, row = index / of_row;
  int last = grid->dimension - 1;
  piece.place[last] = grid->offset + start;
  if (grid->cells - start < L)
    piece.count = (int)(grid->cells - start);
  for (int a = last - 1; a >= 0; a--) {
    piece.place[a] = grid->offset + row % grid->cells;
    row /= grid->cells;
  }
  return piece;
}

void dun_grid_piece_points(const struct dun_grid *grid, const struct dun_grid_piece *piece,
                           double *x)
{
  for (int a = 0; a < grid->dimension; a++)
    for (int l = 0; l < L; l++) {
      int step = l < piece->count ? l : piece->count - 1;
      int64_t index = piece->place[a] + (a == grid->dimension - 1 ? step : 0);
      x[a * L + l] = grid->center[a] + dun_grid_distance(grid, a, index);
    }
}

/* ---- places ------------------------------------------------------------------------------ */

/* One axis.  A NaN is outside. */
DUN_CLONES static void locate_axis(double center, double width, double shift, double last,
                                   const double *restrict y, int32_t *restrict corner,
                                   double *restrict fraction, int32_t *restrict inside)
{
  for (int l = 0; l < L; l++) {
    double t = (y[l] - center) / width + shift;
    int in = t >= 0 && t <= last;
    double u = in ? t : 0;
    int32_t i = (int32_t)u;
    i = i < (int32_t)last ? i : (int32_t)last - 1;
    corner[l] = i;
    fraction[l] = u - (double)i;
    inside[l] &= in;
  }
}

void dun_grid_locate(const struct dun_grid *grid, const double *y, int32_t *corner,
                     double *fraction, int32_t *inside)
{
  double shift = .5 * (double)(grid->cells - 1) + (double)grid->offset;
  for (int l = 0; l < L; l++)
    inside[l] = 1;
  for (int a = 0; a < grid->dimension; a++)
    locate_axis(grid->center[a], grid->width[a], shift, (double)(grid->points - 1), y + a * L,
                corner + a * L, fraction + a * L, inside);
  for (int a = 0; a < grid->dimension; a++)
    for (int l = 0; l < L; l++) {
      corner[a * L + l] *= inside[l];
      fraction[a * L + l] = inside[l] ? fraction[a * L + l] : 0;
    }
}
