/* What parallel tempering is made of, for its files. */
#ifndef DUNLIN_METHODS_TEMPERING_H
#define DUNLIN_METHODS_TEMPERING_H

#include "methods/bridge.h"
#include "methods/ladder.h"
#include "methods/pilots.h"
#include "methods/run.h"
#include "methods/rung_metric.h"

enum dun_tempering_phase { PILOT_START, PILOT, START, WARMUP, SAMPLE };
enum { DUN_TEMPERING_PROPOSALS = 32 }; /* moves of the replicas to draws of the base */

struct tempering {
  /* options */
  long long temperatures, warmup, draws, thin; /* temperatures -1: found in the warm-up */

  /* state */
  int64_t rungs;       /* R; of the first replicate's warm-up on the same in all */
  int64_t phase, done; /* sweeps done in this phase */
  int64_t round;       /* sweeps of the present step */
  int64_t trips;       /* from the last rung to the first and back, all replicas, in this phase */
  double accepted;     /* acceptance summed over the sweeps of this phase */
  struct dun_numbers astray; /* [R]: how many trajectories went astray in this phase */
  double drift;              /* of log Z between the halves of the draws */
  double tail;               /* Pareto shape of the weights from rung tail_rung to the next */
  int64_t tail_rung;
  int64_t flat;     /* V has no spread (methods/bridge.h) */
  int64_t proposed; /* moves of the replicas to draws of the base, before the warm-up */
  int64_t moved;    /* 1 in a tick whose sweep is over, but not the draws of the base behind it */
  struct dun_look look; /* of the present sweep */
  struct dun_starts starts;
  struct dun_pilots pilots;
  struct dun_ladder ladder;
  struct dun_rung_metric metric;
  struct dun_bridge bridge;
  struct dun_table table;

  /* made by init */
  struct dun_column *logw, *root, *part_lp, *chain_time, *step_size, *acceptance, *credit, *rung;
  int64_t *all;       /* [3][N] and round trips: bits of V, rung, bits of credit */
  signed char *first; /* [local]: 1 for replicas at the first rung */
  int64_t *replica;   /* [N]: of one ladder, by rung */
  double *value;      /* [N]: their V's */
  double *slope;      /* [K] dc_k / dt */
  double *intercept;  /* [K] scratch */
};

/* Whether the path, the kernel and the number of particles suit it: DUN_ERROR_INPUT. */
int dun_tempering_check(const struct tempering *tempering, const struct dun_run *run);

/* Collective.  Fills `all`, of which every place is known to one rank. */
int dun_tempering_gather(struct dun_context *context, struct tempering *tempering,
                         const struct dun_run *run);
/* A number of `all`. */
double dun_tempering_number(int64_t word);

/* The fewest rungs that a ladder may have, and those that it begins with. */
int64_t dun_tempering_fewest_rungs(const struct tempering *tempering, const struct dun_run *run);
int64_t dun_tempering_first_rungs(const struct tempering *tempering, const struct dun_run *run);
/* Local, the same on every rank.  Behind a round of the warm-up, how many rungs the next ladder
 * has. */
int64_t dun_tempering_next_rungs(const struct tempering *tempering, const struct dun_run *run);
/* Local.  Where the ladder has another number of rungs than before, so have the replicas, and the
 * draws are of as many chains as there are ladders.  DUN_ERROR_MEMORY. */
int dun_tempering_regroup(const struct dun_context *context, struct tempering *tempering,
                          struct dun_run *run);

/* Collective.  Of a base that is fitted: a tick of its pilot chains, which know no rungs. */
int dun_tempering_pilot(struct dun_context *context, struct tempering *tempering,
                        struct dun_run *run);

/* `restore` of the method: lists, phases and rungs that no run has are refused (DUN_ERROR_INPUT)
 * before they become indices. */
int dun_tempering_restore(void *self);

/* `diagnose` of the method; self is a struct tempering. */
void dun_tempering_diagnose(void *self, const struct dun_run *run, struct dun_diagnosis *out);

#endif
