/* A density on a grid, convolved with N(0, tau^2 I) by fast Fourier transforms: for
 * Y = U + tau Z, U from the density and Z standard normal, the law of Y and the posterior mean
 * E(y) = E[U | Y = y], of which (E(y) - y) / tau^2 is the score of Y (Tweedie's formula).
 *
 * Masses M at the cells of a box, zero in the padding around it; F_0 and F_j are the transforms of
 * M and of y_j M (y_j counted from the box's centre).  A level multiplies them by
 * exp(-tau^2 |k|^2 / 2) and transforms back to p and m_j; then E_j = centre + m_j / p, clamped to
 * the box.  Where p < 1e-13 max p the quotient is round-off, and E is y itself, clamped to the box.
 *
 * Local tables stand once per node, in memory that its ranks share, and each field is transformed
 * by one rank of the node: the bits are the same at any number of ranks.  Distributed ones lie in
 * slabs over all ranks; their bits depend on the ranks.  Which of the two it is, is the caller's
 * choice, by size or by option and never by the number of ranks. */
#ifndef DUNLIN_NUMERICS_CONVOLUTION_H
#define DUNLIN_NUMERICS_CONVOLUTION_H

#include "numerics/fft.h"
#include "numerics/grid.h"
#include "parallel/host.h"

enum { DUN_CONVOLUTION_FIELDS = 1 + DUN_GRID_AXES };

struct dun_convolution_options {
  int distributed;
  int share; /* > 0: at most so many ranks share local tables, however many a node has */
};

struct dun_density {
  /* The log density, up to a constant, at points x[d][64], of which n count (the others repeat one
   * of them); writes lp[64].  A NaN counts as -inf.  The same bits for the same point. */
  void (*evaluate)(void *data, int n, const double *x, double *lp);
  void *data;
};

struct dun_convolution {
  struct dun_grid grid;
  int distributed;

  /* Of the masses, made by init. */
  double log_evidence; /* of the density: log of the sum over cells × cell volume */
  double mean[DUN_GRID_AXES];
  double covariance[DUN_GRID_AXES * DUN_GRID_AXES]; /* [d][d] */
  double edge; /* share of the mass in the box's outermost cells */
  /* Squared differences of neighbours' masses over squared masses, along the axis where this is
   * largest: 2 - 2 exp(-(width / 2 sigma)^2) for a normal mode, 2 where all mass is in one cell.
   * Distributed masses are not compared along axis 0. */
  double roughness;
  int rough_axis;

  double tau;           /* of the level whose tables stand; 0: none */
  double in_transforms; /* seconds this rank spent in Fourier transforms so far */

  /* ---- private: see convolution_parts.h ---- */
  struct dun_fft fft;
  struct dun_host node;
  struct dun_shared shared;                  /* local: all fields */
  double *block[2 * DUN_CONVOLUTION_FIELDS]; /* distributed: one for each field; owned */
  double *spectrum[DUN_CONVOLUTION_FIELDS];  /* F_0, F_1, ... */
  double *table[DUN_CONVOLUTION_FIELDS];     /* log density, E_1, ... */
  double *factor[DUN_GRID_AXES];             /* [P] each, in one block; owned */
  double *excess;                            /* [row] of scratch; owned */
  /* N(mean, covariance + tau^2 I): C (C + tau^2)^-1, (C + tau^2)^-1, log density at the mean */
  double gain[DUN_GRID_AXES * DUN_GRID_AXES], precision[DUN_GRID_AXES * DUN_GRID_AXES], log_peak;
  struct dun_travel *travel; /* of points between slabs; owned */
};

/* Collective.  Evaluates the density at the centres of all cells of the box (shared out over the
 * ranks; distributed: each rank in its own slab), and keeps the transforms of the masses.  Ranks
 * fail together: DUN_ERROR_MEMORY, naming the bytes needed, those available and the largest number
 * of cells that fits; DUN_ERROR_NUMERIC where no cell has a mass or one an infinite one.  Free with
 * dun_convolution_free in any case. */
int dun_convolution_init(struct dun_context *context, struct dun_convolution *convolution,
                         const struct dun_grid *grid, struct dun_convolution_options options,
                         struct dun_density density);
/* Collective.  Safe twice and for a zeroed struct. */
void dun_convolution_free(struct dun_convolution *convolution);

/* Bytes before anything is allocated: of a local one, all that stands once per node; of a
 * distributed one, on the rank of `ranks` that holds most.  INT64_MAX if they cannot be counted. */
int64_t dun_convolution_bytes(const struct dun_grid *grid, int distributed, int ranks);

/* Collective, with the same tau > 0 on all ranks.  Makes the tables of the level; does nothing if
 * they stand already.  The padding rule (dun_grid_largest_tau) is the caller's to keep. */
int dun_convolution_level(struct dun_context *context, struct dun_convolution *convolution,
                          double tau);

/* The level's posterior mean E, mean[d][64], and normalised log density, log_density[64] (either
 * may be NULL), at points y[d][64]: E by multilinear interpolation, the log density by one that is
 * exact for Gaussians, from its values and the scores at the corners.  Beyond the padded domain
 * both are those of N(mean, covariance + tau^2), E clamped to the box.  Of distributed tables only
 * for points there, or whose lower plane along axis 0 this rank holds.  Never communicates; same
 * bits at any vector width. */
void dun_convolution_evaluate(const struct dun_convolution *convolution, const double *y,
                              double *mean, double *log_density);

/* Collective.  The same for this rank's n points y[n][d] (n may be 0, and differ between ranks):
 * mean[n][d] and log_density[n], either may be NULL.  Distributed, a point travels to the rank that
 * holds its slab, in bounded pieces, and its values come back; local, nothing is sent. */
void dun_convolution_evaluate_rows(struct dun_context *context, struct dun_convolution *convolution,
                                   int64_t n, const double *y, double *mean, double *log_density);

#endif
