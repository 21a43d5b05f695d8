/* Sums over points and forces of the chains, from which a metric is learned: of two halves of them,
 * so that one can judge what the other says.  Halves are the chains with even and odd numbers, or,
 * of few chains, such chains in even and odd stretches of a window.
 *
 * Sums of a sweep are exact and join those before as doubles: the same bits at any number of
 * ranks. */
#ifndef DUNLIN_KERNELS_CLOUD_H
#define DUNLIN_KERNELS_CLOUD_H

#include "kernels/sweep.h"
#include "numerics/fisher.h"

struct dun_cloud {
  /* given */
  int d, dense, gradients; /* dense: all products; gradients: the sweep has a column of forces */
  int of_rung;             /* particles at this rung alone, of a sweep that has some */
  int64_t rung;

  /* state */
  struct dun_numbers sums; /* of each half: how many, then row by row of the points, and then of the
                              * forces, the sum and the products with this row's and earlier ones,
                              * or with itself alone; owned */
  struct dun_numbers centre; /* [2 d] subtracted from points and forces; owned */
};

/* The means and covariances of the halves, for dun_fisher_learn. */
struct dun_cloud_moments {
  struct dun_fisher_half half[2];
  double *mean;  /* [d] of all points; in the block */
  double *block; /* owned */
};

/* Sums of no points.  Local; DUN_ERROR_MEMORY. */
int dun_cloud_start(struct dun_cloud *cloud);
void dun_cloud_free(struct dun_cloud *cloud);
/* Whether lists that a checkpoint gave have the right lengths. */
int dun_cloud_fits(const struct dun_cloud *cloud);
/* Forgets all points. */
void dun_cloud_clear(struct dun_cloud *cloud);
double dun_cloud_count(const struct dun_cloud *cloud);

/* Collective.  Adds the particles as they stand at time t, in tiles with a global index below
 * `tiles`, of which the log density is finite and not below the sweep's floor; `turn` is added to
 * their numbers where these are even or odd.  DUN_ERROR_MEMORY. */
int dun_cloud_add(struct dun_context *context, struct dun_cloud *cloud,
                  const struct dun_sweep *sweep, double t, int64_t tiles, int64_t turn);

/* Local; DUN_ERROR_MEMORY.  The block is to be freed. */
int dun_cloud_moments(const struct dun_cloud *cloud, struct dun_cloud_moments *moments);

#endif
