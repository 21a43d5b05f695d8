/* Whether chains have arrived: over a stretch of sweeps, the means of the log density, of every
 * coordinate and of its square are the same in both halves of it, and -(x - c) . grad log pi has
 * the mean d that it has at rest, whatever c (the virial).  Each chain gives one number for each,
 * and chains are independent, so that Student's t tells, however slowly they move. */
#ifndef DUNLIN_KERNELS_DRIFT_H
#define DUNLIN_KERNELS_DRIFT_H

#include "kernels/sweep.h"

enum dun_drift_kind { DUN_DRIFT_DENSITY, DUN_DRIFT_MEAN, DUN_DRIFT_SQUARE, DUN_DRIFT_VIRIAL };

struct dun_drift {
  double worst; /* the largest |t| in units of its limit; above 1: not at rest; NAN: not known */
  double deviations; /* that |t|, in standard errors */
  double kind;       /* enum dun_drift_kind of it */
  double index;      /* of the coordinate */
  double virial;     /* mean of -(x - c) . grad log pi / d; NAN: there are no forces */
};
enum { DUN_DRIFT_STATE = sizeof(struct dun_drift) / sizeof(double) };

/* Fewer chains tell nothing. */
enum { DUN_DRIFT_LEAST = 4 };

/* The width of the column "drift" in d dimensions. */
int dun_drift_width(int d);

/* Local.  Adds sweep number `done` of `length`, from 0, at time t; the first one forgets what was
 * before.  centre[d]. */
void dun_drift_add(const struct dun_sweep *sweep, struct dun_column *drift, double t,
                   const double *centre, int64_t done, int64_t length);

/* Collective.  The tests, after the last sweep, of the chains whose log density is not below the
 * sweep's floor.  The limits are passed by chance once in 1000 stretches.  DUN_ERROR_MEMORY. */
int dun_drift_test(struct dun_context *context, const struct dun_sweep *sweep,
                   const struct dun_column *drift, double t, struct dun_drift *out);

/* Collective.  After the last sweep, *sweeps: so many of the coordinate that moves slowest are
 * worth one independent draw, by the variance of the chains' means; where few chains tell, at least
 * so many.  DUN_ERROR_MEMORY. */
int dun_drift_slowness(struct dun_context *context, const struct dun_sweep *sweep,
                       const struct dun_column *drift, double t, int64_t length, double *sweeps);

/* Collective.  After the last sweep, *share: that of the chains whose log density rose, less that
 * of those where it fell, by more than it varies at rest; whatever a few do that are far out. */
int dun_drift_rise(struct dun_context *context, const struct dun_sweep *sweep,
                   const struct dun_column *drift, double *share);

#endif
