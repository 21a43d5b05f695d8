/* The parts of the finish fit_and_reweight: modes, a mixture fitted to them, and what its ticks
 * leave to each other. */
#ifndef DUNLIN_FINISHES_FIT_H
#define DUNLIN_FINISHES_FIT_H

#include "finishes/finish.h"
#include "numerics/gaussian.h"
#include "population/weights.h"

enum dun_fit_covariance { DUN_FIT_DIAGONAL, DUN_FIT_DENSE };

struct dun_fit {
  struct dun_finish_head head;

  /* options */
  double share, step, width, inflate;
  long long steps, most_modes;
  int covariance;

  /* state */
  int64_t phase, done;       /* slices, or modes, of this phase */
  double before, shape;      /* effective particles that the method left, of unbiased ones, or 0;
                              * Pareto shape of the weights */
  int64_t drawn_at;          /* the tick whose addresses the draws have */
  int64_t modes;             /* found so far, or in the last replicate */
  struct dun_numbers scale;  /* [d], deviations of all particles */
  struct dun_numbers centre; /* [most][d] */
  struct dun_numbers height; /* [most]: log densities there */
  struct dun_numbers mass;   /* [modes] */
  struct dun_numbers mean;   /* [modes][d] */
  struct dun_numbers spread; /* [modes][d or d * d] */
  struct dun_numbers within; /* [d], mean variance in the basins */
  struct dun_column *ascent; /* [d + 1]: end and its log density; -DBL_MAX: claimed or none */

  /* what the ticks need; made where it is missing, owned */
  struct dun_run *run;
  const struct dun_tiles *tiles;
  int d;
  struct dun_weights weights;
  double *lanes;                 /* [7 d + 12][64] */
  int *basin;                    /* [local]; NULL: not known */
  struct dun_exact *sum;         /* [moments] */
  double *total;                 /* [moments] */
  struct dun_gaussian *gaussian; /* [modes]; NULL: not made */
  double *log_share;             /* [modes] */
  double *log_q;                 /* [modes][64] */
  double *scratch;               /* of the Gaussians */
  int64_t moments;
};

/* Sizes of variances or covariances. */
int64_t dun_fit_entries(const struct dun_fit *fit);
int dun_fit_tile_size(const struct dun_fit *fit, int64_t tile);

/* Between points in units of scale. */
double dun_fit_distance(const struct dun_fit *fit, const double *a, const double *b);

/* Collective.  Ascents from those tiles whose number is `done` modulo `slices`: a pass. */
int dun_fit_ascend(struct dun_context *context, struct dun_fit *fit, int64_t slices);
/* Collective.  The highest of the ends that are left becomes a mode and claims those around it;
 * 0: there is none, or the list is full. */
int dun_fit_next_mode(struct dun_context *context, struct dun_fit *fit);

/* Collective.  Moments of the particles nearest to mode `done`. */
int dun_fit_moments(struct dun_context *context, struct dun_fit *fit);
/* Local.  After all modes' moments: those of few particles lean on the mean variance in all basins,
 * and on the mode itself. */
void dun_fit_lean(struct dun_fit *fit);
/* Local.  The Gaussians from the state. */
int dun_fit_gaussians(struct dun_fit *fit);
/* Weight of a component in the mixture. */
double dun_fit_share(const struct dun_fit *fit, int k);
void dun_fit_forget(struct dun_fit *fit); /* frees what is made where it is missing */

#endif
