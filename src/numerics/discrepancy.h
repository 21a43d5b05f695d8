/* How far two sets of points are apart, and how far points are that were dealt to the two sides by
 * chance: one pass gives both.  Every rank holds the points; pairs and directions are shared out,
 * and all sums are exact, so that nothing depends on the number of ranks. */
#ifndef DUNLIN_NUMERICS_DISCREPANCY_H
#define DUNLIN_NUMERICS_DISCREPANCY_H

#include "numerics/points.h"
#include "parallel/context.h"

/* Deal 0 is the true one; the others are random permutations of it, each point with its weight. */
enum { DUN_DEALS = 64 };

/* Two sets in one. */
struct dun_pool {
  struct dun_points points; /* the first set, then the second; owned */
  int64_t first;            /* points of the first set */
  int deals;                /* 1 to DUN_DEALS */
  uint64_t *side; /* [points.n]: bit r is set where deal r has it on the first side; owned */
};

/* Copies both sets and deals `deals` - 1 times.  DUN_ERROR_MEMORY; local. */
int dun_pool_init(struct dun_pool *pool, const struct dun_points *first,
                  const struct dun_points *second, int deals, uint64_t seed);
void dun_pool_free(struct dun_pool *pool);
/* The two sides of a deal as sets of their own, to be freed by the caller whatever comes. */
int dun_pool_deal(const struct dun_pool *pool, int deal, struct dun_points *first,
                  struct dun_points *second);

/* Collective.  value[deals] = 2 E|X - Y| - E|X - X'| - E|Y - Y'| without the pairs of a point with
 * itself: unbiased, 0 on the average for equal laws, so that it may be negative (Szekely & Rizzo
 * 2013, J. Stat. Plan. Inference 143, 1249).  With `lift` added they are all but what they would be
 * with those pairs, and positive. */
int dun_energy_distance(struct dun_context *context, const struct dun_pool *pool, double *value,
                        double *lift);

/* Collective.  value[deals] = the square of the maximum mean discrepancy with the kernel
 * exp(-r^2 / (2 h^2)) (Gretton et al. 2012, JMLR 13, 723), h the median of all distances of the
 * pool, zeros from each point to itself included.  As in the experiments of Chen et al. 2025 the
 * sums within a set hold their diagonals, though divided as if they did not: biased upward, by 1/n
 * on each side.  The discrepancy itself is its square root, of at least 1e-20. */
int dun_mean_discrepancy(struct dun_context *context, const struct dun_pool *pool, double *value,
                         double *bandwidth);
double dun_discrepancy_root(double square);

/* Collective.  Wasserstein distances of the projections on so many random directions, those of
 * `seed`: first[deals] the mean of W1, second[deals] the mean of W2^2 (Bonneel et al. 2015, J.
 * Math. Imaging Vis. 51, 22; the sliced distance is its square root). */
int dun_sliced_distances(struct dun_context *context, const struct dun_pool *pool, int directions,
                         uint64_t seed, double *first, double *second);

/* Entropy of shares over its largest value, log count: 1 where all modes have the same share, 0
 * where one has all; 1 also for a single mode.  Shares of sum 1 (Blessing et al. 2024, ICML, arXiv
 * 2406.07423). */
double dun_mode_coverage(int count, const double *share);

/* What chance does, told from values of the other deals. */
struct dun_chance {
  double mean;
  double bound;  /* below which 95 of 100 deals are */
  double errors; /* where the true one lies among them, in standard deviations of a normal law that
                  * has as much beyond: the deals' values, which are not negative, are taken for a
                  * gamma law's (Gretton et al. 2009, NeurIPS 22), whose cube root is normal
                  * (Wilson & Hilferty 1931, PNAS 17, 684) */
};
/* `lift` is added to all values for that, to make them positive.  NAN for less than 3 deals. */
struct dun_chance dun_chance_of(int deals, const double *value, double lift);

#endif
