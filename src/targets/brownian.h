/* A random walk with noise that was observed at some of its times, for the target and for its
 * evidence. */
#ifndef DUNLIN_TARGETS_BROWNIAN_H
#define DUNLIN_TARGETS_BROWNIAN_H

enum { DUN_BROWNIAN_SCALES = 2 }; /* of the innovations and of the observations */

struct dun_brownian {
  int times;              /* T */
  int seen;               /* of them with an observation */
  const double *observed; /* [T]; NAN: none */

  /* Of each scale: its log, or that it is log-normal. */
  int unknown[DUN_BROWNIAN_SCALES];
  double log_scale[DUN_BROWNIAN_SCALES];
  double location, deviation; /* of the logs of unknown scales */
};

/* Log of the integral of density × likelihood over the path and the unknown scales: the path by
 * Kalman's recursion, the scales by the trapezoidal rule in their logs, which is halved until it
 * stands to 1e-9.  NAN where that would take more than some 1e8 steps.  Local. */
double dun_brownian_evidence(const struct dun_brownian *walk);

#endif
