/* What parallel tempering is made of, for its two files. */
#ifndef DUNLIN_METHODS_TEMPERING_H
#define DUNLIN_METHODS_TEMPERING_H

#include "methods/bridge.h"
#include "methods/ladder.h"
#include "methods/run.h"
#include "methods/rung_metric.h"

enum dun_tempering_phase { START, WARMUP, SAMPLE };
enum { DUN_TEMPERING_PROPOSALS = 32 }; /* moves of the replicas to draws of the base */

struct tempering {
  /* options */
  long long rungs, warmup, draws, thin;

  /* state */
  int64_t phase, done; /* sweeps done in this phase */
  int64_t round;       /* sweeps of the present step */
  int64_t trips;       /* from the last rung to the first and back, all replicas, in this phase */
  double accepted;     /* acceptance summed over the sweeps of this phase */
  double astray;       /* shares of trajectories that went astray, summed likewise */
  double drift;        /* of log Z between the halves of the draws */
  double tail;         /* Pareto shape of the weights from rung tail_rung to the next */
  int64_t tail_rung;
  int64_t flat;     /* V has no spread (methods/bridge.h) */
  int64_t proposed; /* moves of the replicas to draws of the base, before the warm-up */
  int64_t moved;    /* 1 in a tick whose sweep is over, but not the draws of the base behind it */
  struct dun_look look; /* of the present sweep */
  struct dun_starts starts;
  struct dun_ladder ladder;
  struct dun_rung_metric metric;
  struct dun_bridge bridge;
  struct dun_table table;

  /* made by init */
  struct dun_column *logw, *root, *part_lp, *chain_time, *step_size, *acceptance, *credit, *rung;
  int64_t *all;       /* [3][N] and round trips: bits of V, rung, bits of credit */
  signed char *first; /* [local]: 1 for replicas at the first rung */
  int64_t *replica;   /* [R]: of one ladder, by rung */
  double *value;      /* [R]: their V's */
  double *slope;      /* [K] dc_k / dt */
  double *intercept;  /* [K] scratch */
};

/* Whether the path, the kernel and the number of particles suit it: DUN_ERROR_INPUT. */
int dun_tempering_check(const struct tempering *tempering, const struct dun_run *run);

/* `restore` of the method: lists, phases and rungs that no run has are refused (DUN_ERROR_INPUT)
 * before they become indices. */
int dun_tempering_restore(void *self);

/* `diagnose` of the method; self is a struct tempering. */
void dun_tempering_diagnose(void *self, const struct dun_run *run, struct dun_diagnosis *out);

#endif
