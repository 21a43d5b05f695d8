/* Method scld: what its files share.  See scld.c. */
#ifndef DUNLIN_METHODS_SCLD_H
#define DUNLIN_METHODS_SCLD_H

#include "learning/batch_sum.h"
#include "learning/optimiser.h"
#include "methods/replay.h"
#include "population/selection.h"

/* A simulation carries all particles through all pieces. */
enum dun_scld_mode {
  DUN_SCLD_TRAIN, /* selected and moved, and kept to be learned from */
  DUN_SCLD_PLAIN, /* neither selected nor moved: what the diffusion does by itself */
  DUN_SCLD_UPPER, /* backwards from exact draws of the target */
  DUN_SCLD_LOOK,  /* as the result would be by now */
  DUN_SCLD_FINAL, /* selected and moved at every boundary: the result */
  DUN_SCLD_AGAIN  /* a batch from before a restart, which checkpoints do not hold */
};

struct dun_scld {
  /* options */
  long long steps, batches, every, moves_every, width;
  double ess_threshold, training_ess;
  int resampling, schedule;
  struct dun_numbers move_steps; /* [0] or [2] */
  struct {
    double control, exponents, base;
  } rates;
  double clip, most_variance;

  /* state */
  struct dun_scld_simulation {
    int64_t phase, mode, piece, selections;
    double carried, bound;    /* log Z up to the last selection; a lower bound on it (ELBO) */
    double square_sum;        /* of the ancestors' weights */
    double acceptance, moves; /* sum over the moves, and their number */
    double missing;           /* in log Z, of a support with walls */
  } now;
  int64_t done, dropped; /* steps that were learned; pieces that were no numbers, of the last */
  int64_t lost;          /* 1: no particle had any weight left, and the training was ended */
  double loss, norm;     /* of the last step */
  struct {
    double loss, piece; /* the largest of a piece, and whose it is */
  } worst;
  double first_loss;
  struct dun_scld_found {
    double evidence, bound, selections, acceptance, ess;
  } trained, plain; /* by what the result would be, or is; by the simulation after it */
  double upper;     /* the bound that the ways back after it have found; NAN: there are none */
  struct dun_steering steering;
  struct dun_optimiser optimiser;
  struct dun_numbers log_step; /* [pieces]: of the moves behind each */
  struct dun_numbers past;     /* [batches + 1][numbers + pieces]: what each batch went by */
  struct dun_table table;

  /* made */
  struct dun_controlled *path;
  struct dun_column *part_lp, *increment;
  struct dun_column *rest; /* of the log weight, behind selections by a part of it */
  struct dun_weights weights;
  struct dun_replay replay;
  struct dun_track track;
  struct dun_lessons lessons;
  struct dun_batch_sum sum;
  double *total, *gradient, *pace; /* [slopes or numbers], [numbers], [numbers] */
  double *found;                   /* log weights of what was chosen */
  double *columns;                 /* [d][64]: scratch */
  struct dun_steering again;       /* what an earlier batch went by */
  int64_t batch_again;             /* its number */
  int ready;                       /* the replay holds what it should */
};

enum dun_scld_phase {
  DUN_SCLD_BEGIN,
  DUN_SCLD_CARRY,
  DUN_SCLD_SELECT,
  DUN_SCLD_MOVE,
  DUN_SCLD_LEARN,
  DUN_SCLD_OVER
};

/* Mean of this simulation's moves; NAN without any. */
static inline double dun_scld_acceptance(const struct dun_scld *scld)
{
  return scld->now.acceptance / scld->now.moves;
}

/* The number that random numbers of the present simulation have in the place of the tick's. */
int64_t dun_scld_tick(const struct dun_scld *scld);
/* Collective.  A tick of the present simulation, in its phases up to MOVE; 1 when it is over. */
int dun_scld_simulate(struct dun_context *context, struct dun_scld *scld, struct dun_run *run);
/* Collective.  A tick of a simulation of mode UPPER; 1 when it is over, with its bound on log Z. */
int dun_scld_return(struct dun_context *context, struct dun_scld *scld, struct dun_run *run,
                    double *bound);
/* Collective.  Fills the replay, which is in no checkpoint, by what its batches went by; all else
 * is left as it was.  It is not interrupted. */
int dun_scld_simulate_again(struct dun_context *context, struct dun_scld *scld,
                            struct dun_run *run);
/* Collective.  A step down the loss of what the replay holds. */
int dun_scld_learn(struct dun_context *context, struct dun_scld *scld, struct dun_run *run);
/* Local: the method's. */
void dun_scld_diagnose(void *scld, const struct dun_run *run, struct dun_diagnosis *out);
/* All that is learned as one list, and back. */
void dun_scld_gather(const struct dun_steering *steering, double *numbers);
void dun_scld_scatter(const double *numbers, struct dun_steering *steering);

#endif
