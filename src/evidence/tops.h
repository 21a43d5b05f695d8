/* Tops of a target, where climbs end: the way up to them, and the ellipsoids around them. */
#ifndef DUNLIN_EVIDENCE_TOPS_H
#define DUNLIN_EVIDENCE_TOPS_H

#include "methods/run.h"

struct dun_top {
  double *x;          /* [d]; the caller's */
  double *factor;     /* [d][d]: lower triangular L of the ellipsoid |L^T (y - x)|; the caller's */
  double log_density; /* at the top */
  double mass, error; /* about it, relative to the method's Z */
  double shape;       /* Pareto's, of the weights that tell the mass */
};

/* What the searches need. */
struct dun_tops {
  const struct dun_run *run;
  double *deviation; /* [d]: scales of the coordinates, set by the caller */
  int64_t rows;      /* of x[rows][d] and found[rows][1 + d]: log densities and gradients */
  double *x, *found, *lanes;
};

/* DUN_ERROR_MEMORY. */
int dun_tops_init(struct dun_tops *tops, const struct dun_run *run);
/* Safe twice, and on zeroes. */
void dun_tops_free(struct dun_tops *tops);

/* lp[64] and gradient[d][64] at the first n of x[d][64]. */
void dun_tops_slope(const struct dun_run *run, int n, const double *x, double *lp,
                    double *gradient);

/* Collective.  Newton's method from top->x; returns whether it ended at a top, whose minus second
 * derivatives are L L^T then. */
int dun_top_ascend(struct dun_context *context, struct dun_tops *tops, struct dun_top *top);
/* Collective.  For a cusp, an edge or a top without curvature, where Newton's method fails: along
 * each coordinate x moves to the middle between the places where the log density has fallen by
 * d / 2, and L has half of their distance for sqrt(d) deviations, as those of a normal law would
 * be.  Returns whether there are such places. */
int dun_top_measure(struct dun_context *context, struct dun_tops *tops, struct dun_top *top);

/* |L^T (x - top)|^2 */
double dun_top_distance(int d, const struct dun_top *top, const double *x);
/* v[d] = L^-T v. */
void dun_top_solve(int d, const double *factor, double *v);

#endif
