/* Adaptation pooled over all particles: the method's state, fed by what a sweep returns. */
#ifndef DUNLIN_KERNELS_ADAPTATION_H
#define DUNLIN_KERNELS_ADAPTATION_H

#include "kernels/kernel.h"
#include "numerics/fisher.h"

/* What a population learns of itself from and moves by, where its halves learn from each other. */
enum { DUN_HALVES = 2 };

/* Groups of tiles by global index plus step modulo 4: 0 and 2 move with the length as it is, 1
 * with .7 of it, 3 with 1.4.  So a single tile is in every group in turn. */
enum dun_trial { DUN_TRIAL_SAME, DUN_TRIAL_SHORT, DUN_TRIAL_LONG, DUN_TRIALS };

/* What one sweep saw, over all ranks. */
struct dun_look {
  double acceptance; /* mean probability over the particles that moved */
  double hopeless;   /* share of them whose probability was 0, that of a second try too: the energy
                        * rose by more than 700, or the proposal lies outside the support */
  double walled;     /* share of them that are hopeless because of what forces do not show */
  double unseen;     /* share of moves rejected by what forces do not show: see struct dun_move */
  double seen;       /* mean acceptance of the moves that met nothing of it; 1: all did */
  double frozen;     /* share of moves that had next to no chance, for all that forces show */
  double retried;    /* share of moves that were tried again */
  double frozen_short; /* the same among those with the shortest steps of a spread */
  struct dun_trial_look {
    double moves;     /* how many particles; 0: nothing is known of this group */
    double place;     /* mean squared distance moved, in units of the metric */
    double shape;     /* mean squared change of the log density, or, where the adaptation knows a
                       * centre, of the squared distance from it */
    double gradients; /* mean number */
  } trial[DUN_TRIALS];
  double lp_variance;           /* of the log density; 0 without `start` */
  double radius, radius_square; /* means of the squared distance from the centre and its square */
  double autocorrelation; /* of the log density between `start` and now; NAN: it has no spread */
  double jump;            /* mean squared distance from `start` per coordinate, in units of
                                   * the metric */
  double lost;            /* how many particles a move has left with a weight of 0 for good */
  double never_moved;     /* share of the particles that are still at `start` */
};

struct dun_adaptation {
  /* given */
  int adapt_step, adapt_length, metric;
  int long_moves; /* of several steps, which a step that is too long spoils altogether */
  int frozen;     /* nothing is learned any more: no trials, lengths are spread as step sizes are */
  int fixed;      /* what was loaded stays: the metric is not learned */
  int retries;    /* set by methods of one time: moves without a chance are tried again, of kernels
                   * that can */
  int adapt_centre; /* its kernel proposes around one, which is learned */
  int adapt_spread; /* set by methods: see kernels/spread.h */
  int whiten;       /* trials measure distances by the whole of a dense metric, not by its scales */
  double target_acceptance, jitter;
  double first_step; /* log of the step size at which a learned one begins */

  /* state */
  double log_step;          /* of the step size in units of the metric */
  double length;            /* leapfrogs, not whole */
  double spread;            /* steps are from exp(-spread) to 1 times the step size */
  struct dun_numbers scale; /* [d] standard deviations of the metric, owned; 1 at first */
  /* [d][d] lower triangle of the dense metric, owned; [0]: not learned. */
  struct dun_numbers factor;
  struct dun_numbers centre; /* [d] mean of the particles, owned; [0]: not learned */
  /* Since the last change of the length: few tiles do not fill all groups in one sweep. */
  struct dun_trial_look trial[DUN_TRIALS];
};

extern const struct dun_state dun_adaptation_state[];

/* Largest d of a dense metric: its learning sends d^2 / 2 exact sums, half a kilobyte each. */
enum { DUN_DENSE_MOST = 1024 };

/* `kernel_self` begins with struct dun_kernel_options; what is adapted begins at their pilot, if
 * there is one.  DUN_ERROR_INPUT for a dense metric in too
 * many dimensions; DUN_ERROR_MEMORY. */
int dun_adaptation_init(struct dun_adaptation *adaptation, const struct dun_kernel *kernel,
                        const void *kernel_self, int d);
/* Whether lists that a checkpoint gave have lengths that this dimension's can have. */
int dun_adaptation_fits(const struct dun_adaptation *adaptation, int dimension);
void dun_adaptation_free(struct dun_adaptation *adaptation);

/* Whether what was loaded from a file can begin an adaptation with such a metric (enum
 * dun_metric_form): DUN_ERROR_INPUT. */
int dun_adaptation_check(const struct dun_adaptation *pilot, int metric, const char *file);

/* The acceptance that a step size is to answer for: that of moves that met no wall, since
 * rejections there vanish with the trajectory and not with the step; where walls reject most of all
 * moves these count too. */
double dun_adaptation_acceptance(const struct dun_adaptation *adaptation,
                                 const struct dun_look *look);

/* The same of a single move, for step sizes that follow the mean of such figures towards the
 * target: a move that a wall rejected counts as one a little short of it. */
double dun_adaptation_credit(const struct dun_adaptation *adaptation, double acceptance,
                             double unseen);

/* Whether the step size is still far too long. */
int dun_adaptation_falls(const struct dun_adaptation *adaptation, const struct dun_look *look);

/* Whether longer trajectories are worth trying: the step size is not falling, and the longest of
 * all would renew a hundredth of the coordinates. */
int dun_adaptation_may_lengthen(const struct dun_adaptation *adaptation,
                                const struct dun_look *look);

/* Shortens a learned length, and returns 1, if walls reject most of all moves: no trial tells of it
 * where none is accepted. */
int dun_adaptation_shorten(struct dun_adaptation *adaptation, const struct dun_look *look);

/* Learns from a sweep: the step size by a step of the acceptance's logit towards its target, the
 * length by a factor towards the best trial. */
void dun_adaptation_update(struct dun_adaptation *adaptation, const struct dun_look *look);
/* Two adaptations exchange step size and trajectory length, with what their trials have seen. */
void dun_adaptation_exchange(struct dun_adaptation *a, struct dun_adaptation *b);
/* One takes over step size and trajectory length of the other. */
void dun_adaptation_follow(struct dun_adaptation *one, const struct dun_adaptation *other);
/* By how much the log of a step size changes in such an update. */
double dun_adaptation_change(double acceptance, double target);
/* Whether a metric is learned: the input asked for one, and none was loaded to stay. */
int dun_adaptation_learns(const struct dun_adaptation *adaptation);
/* Takes standard deviations [d] as the diagonal metric, if the input asked for one.  A coordinate
 * without spread keeps its scale. */
void dun_adaptation_metric(struct dun_adaptation *adaptation, const double *deviation);

/* The same with the correlations of a covariance [d][d] that `count` points gave, drawn a little to
 * 0, as the dense metric.  What is not positive definite is not taken.  DUN_ERROR_MEMORY. */
int dun_adaptation_correlations(struct dun_adaptation *adaptation, const double *deviation,
                                const double *covariance, double count);

/* Takes scales and factor of a metric that was learned; the factor becomes its own. */
void dun_adaptation_adopt(struct dun_adaptation *adaptation, struct dun_fisher *metric);
/* Takes the dense metric away: its scales stay. */
void dun_adaptation_forget_factor(struct dun_adaptation *adaptation);

/* Takes the particles' mean[d] as the centre.  DUN_ERROR_MEMORY. */
int dun_adaptation_centre(struct dun_adaptation *adaptation, const double *mean);

/* Takes the centre away: trajectories are scored by the log density. */
void dun_adaptation_forget_centre(struct dun_adaptation *adaptation);

/* The share of a variance that moves renew whose mean square is `square`: at most 1. */
double dun_adaptation_share(double square, double variance);

enum dun_trial dun_adaptation_trial(struct dun_address address);
/* The number of leapfrogs and the jittered step size of a tile; the address is the tile's. */
int dun_adaptation_leapfrogs(const struct dun_adaptation *adaptation, struct dun_address address);
double dun_adaptation_step(const struct dun_adaptation *adaptation, struct dun_address address);

#endif
