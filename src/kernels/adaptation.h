/* Adaptation pooled over all particles: the method's state, fed by what a sweep returns. */
#ifndef DUNLIN_KERNELS_ADAPTATION_H
#define DUNLIN_KERNELS_ADAPTATION_H

#include "kernels/kernel.h"

/* Groups of tiles by global index modulo 4: 0 and 2 move with the length as it is, 1 with .7 of it, 3
 * with 1.4. */
enum dun_trial { DUN_TRIAL_SAME, DUN_TRIAL_SHORT, DUN_TRIAL_LONG, DUN_TRIALS };

struct dun_adaptation {
  /* state */
  double log_step;        /* of the step size in units of the metric */
  double length;          /* leapfrogs, not whole */
  struct dun_numbers scale; /* [d] standard deviations; all 1 for the identity */
  int64_t updates;        /* of the step size since the last reset of its gain */

  /* given */
  int adapt_step, adapt_length;
  double target_acceptance, jitter;
  int metric;
};

/* What one sweep saw, over all ranks. */
struct dun_look {
  double acceptance;        /* mean over the particles */
  double trial_score[DUN_TRIALS]; /* renewal of the log density × of the coordinates, per gradient */
  double autocorrelation;   /* of the log density over this sweep */
  double jump;              /* mean squared distance from `start`, in units of the metric */
  double never_moved;       /* share of particles that are still at `start` */
};

int dun_adaptation_init(struct dun_adaptation *adaptation, const struct dun_kernel *kernel,
                        const void *kernel_self, int d);
void dun_adaptation_free(struct dun_adaptation *adaptation);
extern const struct dun_state dun_adaptation_state[];

/* Learns from a sweep: step size from the acceptance, length from the trial scores. */
void dun_adaptation_update(struct dun_adaptation *adaptation, const struct dun_look *look);

/* The number of leapfrogs and the jittered step size of a tile, by its global index. */
int dun_adaptation_leapfrogs(const struct dun_adaptation *adaptation, int64_t tile);
double dun_adaptation_step(const struct dun_adaptation *adaptation, struct dun_address address);

#endif
