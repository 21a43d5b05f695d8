/* What a splitting program makes of Gaussian points, without a sample: every step is affine in the
 * state, so that mean and covariance go through it exactly.  Errors of a program on a target with a
 * given spectrum, and the choice of the best one. */
#ifndef DUNLIN_NUMERICS_PHASE_MOMENTS_H
#define DUNLIN_NUMERICS_PHASE_MOMENTS_H

#include "numerics/phase_program.h"

struct dun_phase_moments {
  double mean[2], covariance[2][2]; /* of (x, m) */
};

/* The law of (x, m) at a time, when x has this mean and variance at t = 0. */
void dun_phase_moments_at(const struct dun_phase_space *space, double clock, double mean,
                          double variance, struct dun_phase_moments *moments);
/* The law at rest, where the way back begins. */
void dun_phase_moments_prior(const struct dun_phase_space *space,
                             struct dun_phase_moments *moments);
/* Carries the moments through all steps, and through the last one where it is wanted, with the
 * exact score of data N(mean, variance). */
void dun_phase_moments_carry(const struct dun_phase_table *table,
                             const struct dun_phase_space *space, double mean, double variance,
                             int last, struct dun_phase_moments *moments);

/* A Gaussian law by its directions, alike ones together. */
struct dun_phase_direction {
  double variance, count; /* so many directions of this variance */
  double square;          /* sum of their squared means */
};

/* The squared Wasserstein distance of order 2 between what the program makes of the prior and such
 * a law; may overflow to infinity. */
double dun_phase_distance(const struct dun_phase_table *table, const struct dun_phase_space *space,
                          int count, const struct dun_phase_direction *direction, int last);

#endif
