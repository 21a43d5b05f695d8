/* The elementary steps that integrators with momenta are composed of, in columns [d][64]; momenta
 * are N(0, I) in the coordinates of the move's metric S.  Aligned arrays; the same bits at any
 * vector width. */
#ifndef DUNLIN_KERNELS_SPLITTING_H
#define DUNLIN_KERNELS_SPLITTING_H

#include "kernels/kernel.h"

/* B: p += factor h S^T g. */
void dun_kick(const struct dun_move *move, double factor, const double *g, double *p);
/* A: x += factor h S p. */
void dun_drift(const struct dun_move *move, double factor, const double *p, double *x);
/* B with a factor, then A in full: in one pass where the metric is diagonal. */
void dun_kick_and_drift(const struct dun_move *move, double factor, const double *g, double *p,
                        double *x);
/* So many leapfrogs from x in `proposal` [d + K + 1][64], with its gradient g and momentum p
 * [d][64], which become those of its end: the densities there are evaluated.  Adds to energy[64]
 * what the kinetic energy lost. */
void dun_leapfrog_trajectory(const struct dun_move *move, int leapfrogs, double *p, double *g,
                             double *proposal, double *energy);
/* Momenta N(0, I), so many leapfrogs, and the decision by the energy: the whole of hmc and, with
 * one of them, of mala.  `forced`: rejections that the forces do not show are told apart
 * (`unseen`). */
void dun_leapfrog_move(struct dun_move *move, int leapfrogs, int forced);
/* Its columns of scratch. */
int dun_leapfrog_scratch(int d, int K);
/* O: p = keep p + sqrt(1 - keep^2) z, an exact Ornstein-Uhlenbeck step with keep[64] =
 * exp(-friction time). */
void dun_refresh(int d, const double *keep, const double *z, double *p);
/* Adds sign |p|^2 / 2 to energy[64]. */
void dun_add_kinetic(int d, double sign, const double *p, double *energy);

#endif
