/* The metric of moves: with x = S w the coordinates w have scales near 1, momenta are N(0, I) in
 * them, forces S^T grad log pi_t.  A diagonal S is an array of scales and needs nothing of this;
 * what else there is stands behind two operations on columns [d][64], aligned, that must not
 * overlap.  The same bits at any vector width.
 *
 * Moves depend on S S^T alone, in law: S may be any root of it, and one is chosen that is cheap. */
#ifndef DUNLIN_KERNELS_METRIC_H
#define DUNLIN_KERNELS_METRIC_H

#include "numerics/lattice.h"

struct dun_metric {
  int d;
  /* x += by[64] S w, lane by lane */
  void (*apply)(const struct dun_metric *metric, const double *by, const double *w, double *x);
  /* w += by[64] S^T g */
  void (*transposed)(const struct dun_metric *metric, const double *by, const double *g, double *w);
  /* w = S^-1 y; of dense metrics only */
  void (*solve)(const struct dun_metric *metric, const double *y, double *w);
  const double *entries; /* of S; dense: lower triangular, [d][d] by rows; Fourier: s_k [d]; of
                          * lanes: the scales, [d][64]; not owned */
  const struct dun_lattice *lattice; /* Fourier; not owned */
};

/* A dense metric from the Cholesky factor of a covariance. */
struct dun_metric dun_metric_dense(int d, const double *factor);

/* Of a field on a lattice S = Q^T diag(s_k), with the scales s_k of its waves Q x: their momenta
 * stay waves, so that a kick takes one transform and a drift the other. */
struct dun_metric dun_metric_fourier(const struct dun_lattice *lattice, const double *scale);

/* Scales [d][64] of each lane's own, for particles that lie in one tile but belong to different
 * laws. */
struct dun_metric dun_metric_lanes(int d, const double *scale);

/* The same of dense metrics: lower triangles [d (d + 1) / 2][64], by rows. */
struct dun_metric dun_metric_dense_lanes(int d, const double *factor);

#endif
