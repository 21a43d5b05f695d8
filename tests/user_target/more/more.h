/* What the posteriors of this folder share: data from a fixed generator, and log densities up to a
 * constant, which add their slopes to where they are told. */
#ifndef DUNLIN_TESTS_USER_TARGET_MORE_H
#define DUNLIN_TESTS_USER_TARGET_MORE_H

#include <dunlin/target.h>
#include <math.h>
#include <string.h>

/* ---- data ----------------------------------------------------------------------------------- */

/* In (0, 1): splitmix64, the same numbers everywhere. */
static inline double uniform(unsigned long long *state)
{
  unsigned long long z = *state += 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return ((double)((z ^ (z >> 31)) >> 11) + .5) / 9007199254740992.;
}

/* Standard normal. */
static inline double normal(unsigned long long *state)
{
  double radius = sqrt(-2 * log(uniform(state)));
  return radius * cos(6.2831853071795865 * uniform(state));
}

/* ---- parameters ----------------------------------------------------------------------------- */

static inline int copy_parameters(int count, const struct dun_parameter *row, int capacity,
                                  struct dun_parameter *parameter)
{
  for (int i = 0; i < count && i < capacity; i++)
    parameter[i] = row[i];
  return count;
}

/* Where slopes go: zeroed; `spare` if the caller wants none. */
static inline double *begin_slopes(double *gradient, double *spare, int count)
{
  double *slope = gradient ? gradient : spare;
  memset(slope, 0, (size_t)count * sizeof *slope);
  return slope;
}

/* ---- densities ------------------------------------------------------------------------------ */

/* N(mean, scale); of a positive x half of it. */
static inline double normal_prior(double x, double mean, double scale, double *slope)
{
  double z = (x - mean) / scale;
  *slope -= z / scale;
  return -.5 * z * z;
}

/* All of x[n]. */
static inline double normal_priors(int n, const double *x, double scale, double *slope)
{
  double lp = 0;
  for (int i = 0; i < n; i++)
    lp += normal_prior(x[i], 0, scale, slope + i);
  return lp;
}

static inline double lognormal_prior(double x, double mean, double scale, double *slope)
{
  double z = (log(x) - mean) / scale;
  *slope -= (z / scale + 1) / x;
  return -.5 * z * z - log(x);
}

/* Half of a Cauchy law. */
static inline double cauchy_prior(double x, double scale, double *slope)
{
  double z = x / scale, below = 1 + z * z;
  *slope -= 2 * z / (scale * below);
  return -log(below);
}

/* A datum from N(mean, scale), with the slopes in mean and scale. */
static inline double normal_datum(double y, double mean, double scale, double *slope_mean,
                                  double *slope_scale)
{
  double z = (y - mean) / scale;
  *slope_mean += z / scale;
  *slope_scale += (z * z - 1) / scale;
  return -.5 * z * z - log(scale);
}

#endif
