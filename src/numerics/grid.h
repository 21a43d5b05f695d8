/* A box of equal cells in one to three dimensions, in the middle of a larger, padded domain whose
 * lengths suit fast Fourier transforms.  Never communicates. */
#ifndef DUNLIN_NUMERICS_GRID_H
#define DUNLIN_NUMERICS_GRID_H

#include <stdint.h>

enum { DUN_GRID_AXES = 3 };

struct dun_grid {
  int dimension;                                           /* d, 1 to 3 */
  double center[DUN_GRID_AXES], half_width[DUN_GRID_AXES]; /* the box; B */
  int64_t cells;                                           /* n: of the box, along each axis */
  double pad;                  /* the padded domain is at least so many boxes wide */
  int64_t points;              /* P: cells of the padded domain, along each axis */
  int64_t offset;              /* of them before the box */
  double width[DUN_GRID_AXES]; /* of a cell: 2 B / n */
};

/* Sets everything.  DUN_ERROR_INPUT for a dimension, half-width (B > 0 and finite), number of cells
 * (at least 2) or pad (at least 1) that is not allowed, or a padded domain beyond 2^28 points an
 * axis. */
int dun_grid_init(struct dun_grid *grid, int dimension, const double *center,
                  const double *half_width, int64_t cells, double pad);

/* The smallest 2^a 3^b 5^c that is at least n. */
int64_t dun_grid_friendly(int64_t n);

/* The centre of cell `index` (0 to P - 1) of the padded domain, as a distance from the box's
 * centre. */
static inline double dun_grid_distance(const struct dun_grid *grid, int axis, int64_t index)
{
  return ((double)(index - grid->offset) - .5 * (double)(grid->cells - 1)) * grid->width[axis];
}

/* The largest tau for which the padded domain's half-width H is at least B + 5 tau on each axis:
 * beyond it a convolution with N(0, tau^2) comes in again from the other side. */
double dun_grid_largest_tau(const struct dun_grid *grid);
/* The pad for which that would be `tau`. */
double dun_grid_pad_for(const struct dun_grid *grid, double tau);

/* ---- the box in rows of at most 64 cells ------------------------------------------------- */

/* Consecutive cells along the last axis: the pieces that densities are evaluated in. */
struct dun_grid_piece {
  int64_t place[DUN_GRID_AXES]; /* of the first cell, in the padded domain */
  int count;
};

int64_t dun_grid_pieces(const struct dun_grid *grid);
/* Pieces with cells in the planes `first` to `first + count - 1` along axis 0 of the padded domain:
 * *begin to *end - 1.  In one dimension: all. */
void dun_grid_pieces_of_planes(const struct dun_grid *grid, int64_t first, int64_t count,
                               int64_t *begin, int64_t *end);
struct dun_grid_piece dun_grid_piece(const struct dun_grid *grid, int64_t index);
/* The piece's cell centres in columns x[d][64]; lanes beyond its count repeat the last one. */
void dun_grid_piece_points(const struct dun_grid *grid, const struct dun_grid_piece *piece,
                           double *x);

/* ---- places of points -------------------------------------------------------------------- */

/* For points y[d][64]: the cell with the next lower centre, corner[d][64] (0 to P - 2), and the
 * fraction of the way to the next one, fraction[d][64] in [0, 1]; inside[64] tells whether the
 * point lies between the first and the last cell centre on each axis.  Where it does not, corner
 * and fraction are 0. */
void dun_grid_locate(const struct dun_grid *grid, const double *y, int32_t *corner,
                     double *fraction, int32_t *inside);

#endif
