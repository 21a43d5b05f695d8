/* Entropic optimal transport between two sets of weighted points that every rank holds. */
#ifndef DUNLIN_NUMERICS_TRANSPORT_H
#define DUNLIN_NUMERICS_TRANSPORT_H

#include "numerics/discrepancy.h"
#include "parallel/context.h"

/* Deals that are worth their time. */
enum { DUN_SINKHORN_DEALS = 20 };

struct dun_sinkhorn {
  double
      divergence; /* in squared units of the coordinates; 0 for equal sets, up to its tolerance */
  double epsilon; /* of all three terms */
  int iterations; /* the most that a term took */
  int converged;  /* of all three terms */
};

/* Collective.  The debiased Sinkhorn divergence (Feydy et al. 2019, AISTATS)
 *     OT(x, y) - OT(x, x) / 2 - OT(y, y) / 2
 * of the cost c = |x - y|^2 with epsilon = a twentieth of its mean from x to y, as the
 * experiments of Chen et al. 2025 (ICLR, arXiv 2412.07081) have it: OT is the dual value
 *     sum a (f - eps log a) + sum b (g - eps log b) + eps (1 - mass of the plan)
 * with the plan exp((f + g - c) / eps); potentials begin with 0, those of the first term are
 * renewed in turn, y's first, those of the others at once and by halves; every ten iterations the
 * plan's margins are held against the weights, and it ends with an absolute difference, summed,
 * of at most 1e-3, or after 2000.
 *
 * Rows are shared by the ranks, 64 points at a time; an iteration takes two exponentials a pair.
 * Distances are made anew each time, so that memory is (n + m) d numbers, unless a rank's own take
 * at most 64 MiB.  The same bits in any case and at any number of ranks.  DUN_ERROR_NUMERIC where
 * distances overflow. */
int dun_sinkhorn(struct dun_context *context, const struct dun_points *x,
                 const struct dun_points *y, struct dun_sinkhorn *result);

/* Collective.  value[deals] = the divergence of the sides of each deal. */
int dun_sinkhorn_deals(struct dun_context *context, const struct dun_pool *pool, double *value);

#endif
