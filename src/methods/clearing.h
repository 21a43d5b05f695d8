/* How fast points become clear: schedules of stochastic localization by a function of the time, and
 * the steps of the observation that they come to (Grenioux, Noble, Gabrie & Durmus 2024, arXiv
 * 2402.10758).
 *
 * What is seen at a time u of a schedule is Y = alpha(u) x + sigma W_u, with g = alpha / sqrt(u).
 * That is the observation y = t x + W_t at t = g^2 / sigma^2, by another scale: y = alpha Y /
 * (sigma^2 u).  So a schedule is a discretisation, Y += (alpha' - alpha) m + sigma sqrt(u' - u) xi,
 * which in y is
 *
 *   y' = sqrt(t' u / (t u')) y + sqrt(t' / u') (sqrt(t' u') - sqrt(t u)) m
 *        + sqrt(t' (1 - u / u')) xi
 *
 * sigma^2 = radius^2 / d + width^2 is for points in a ball, smeared by N(0, width^2). */
#ifndef DUNLIN_METHODS_CLEARING_H
#define DUNLIN_METHODS_CLEARING_H

#include "base/type.h"
#include "observations/observation.h"

enum dun_clearing_type {
  DUN_CLEARING_STANDARD,      /* g = u^(1/2): u = sigma^2 t */
  DUN_CLEARING_GEOM_INFINITY, /* g = u^(a/2), 0 < u */
  DUN_CLEARING_GEOM,          /* g = u^(a/2) (1 - u)^(-b/2), 0 < u < 1 */
  DUN_CLEARING_TANGENT        /* g = tan(pi u / 2)^(a/2), 0 < u < 1 */
};

/* The section `schedule`. */
struct dun_clearing {
  int type; /* enum dun_clearing_type */
  double a, b;
  double sigma, radius, width; /* -1: not given */
};
extern const struct dun_option dun_clearing_rows[];

/* Of points in d dimensions; 1 where nothing was given.  DUN_ERROR_INPUT where too much was. */
int dun_clearing_sigma(const struct dun_clearing *clearing, int d, double *sigma);
/* t at u > 0, and u at t > 0; NAN: u is no time of the schedule. */
double dun_clearing_seen(const struct dun_clearing *clearing, double sigma, double u);
double dun_clearing_time(const struct dun_clearing *clearing, double sigma, double t);

/* From where to where an observation goes. */
struct dun_clearing_ends {
  double sigma, first, last; /* times t */
  int later;                 /* it begins where something is known */
  double step;               /* length of the first step, behind which they are even in the log of
                              * what has passed; -1: as the observation wants them */
};
/* From u = `first`, 0: where nothing is known, to `last`, -1: where the observation ends, in steps
 * as the observation wants them.  DUN_ERROR_INPUT. */
int dun_clearing_find_ends(const struct dun_clearing *clearing,
                           const struct dun_observation *observation, const void *self, int d,
                           double first, double last, struct dun_clearing_ends *ends);
/* time[steps + 1], even in log t where it begins later; and of
 * schedules other than standard mix[steps], what the steps are then.  DUN_ERROR_INPUT where times
 * cannot be told apart in u. */
int dun_clearing_make(const struct dun_clearing *clearing,
                      const struct dun_observation *observation, const void *self,
                      const struct dun_clearing_ends *ends, int64_t steps, double *time,
                      struct dun_mix *mix);

#endif
