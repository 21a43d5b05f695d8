/* What stochastic localization is made of, for its four files. */
#ifndef DUNLIN_METHODS_LOCALIZATION_H
#define DUNLIN_METHODS_LOCALIZATION_H

#include "methods/beginning.h"
#include "methods/certificate.h"
#include "methods/clearing.h"
#include "methods/corrected.h"
#include "methods/kept_means.h"

enum dun_localization_how { BY_AUTO, BY_DRAWS, BY_MEANS, BY_COVARIANCE };
enum dun_localization_end { END_DRAW, END_MEAN };
enum dun_localization_phase { START, STEPS, OVER };

struct localization {
  /* options */
  struct dun_part observation_part, field_part;
  long long steps;    /* -1: auto */
  double first, last; /* of the schedule; first 0: the observation's; last -1: its own */
  struct dun_clearing schedule;
  struct dun_beginning begin;
  double first_step; /* -1: times are the observation's own */
  int how, end, classes;
  long long stride; /* -1: auto */
  struct dun_kept_means kept;

  /* state */
  int64_t phase, k;
  int64_t broken;         /* particles at the end that are no numbers */
  double apart, accepted; /* of chains: the largest share that lay apart after a tick, and the mean
                           * acceptance after the last one */
  struct dun_certificate certificate;

  /* made by init */
  struct dun_posterior posterior;
  int by_draws, exact;
  int letter_by_letter; /* single letters' laws are as good as draws, to the end */
  double *time;         /* [steps + 1]; owned */
  struct dun_mix *mix;  /* [steps] of schedules other than the observation's own; or NULL; owned */
  struct dun_corrected corrected;
  struct dun_column *y, *memory;
  double *rows; /* [2][local][d] of a field that is spread over the ranks; owned */
};

/* What a pass sums: particles at the end that are no numbers, chains that lie apart, acceptance,
 * how far means moved. */
enum {
  DUN_LOCALIZATION_BROKEN,
  DUN_LOCALIZATION_APART,
  DUN_LOCALIZATION_ACCEPTED,
  DUN_LOCALIZATION_MOVED,
  DUN_LOCALIZATION_SUMS
};

/* A tile in the workspace: how many points it has, and the address of its random numbers. */
struct dun_localization_tile {
  int n;
  struct dun_address address;
};

struct dun_localization_tile dun_localization_load(const struct localization *s,
                                                   const struct dun_run *run, int64_t i);
void dun_localization_store(const struct localization *s, const struct dun_run *run, int64_t i);
/* Steps first <= k < behind of a tile, or its end. */
void dun_localization_go(const struct localization *s, int64_t first, int64_t behind,
                         struct dun_localization_tile *tile);
/* What a tile's n particles, their chains and how far means moved in it tell. */
void dun_localization_add(const struct localization *s, int n, struct dun_exact *sum);
/* What came of a tile at its end: into the point, and the sums. */
void dun_localization_bury(const struct localization *s, struct dun_run *run, int64_t i, int n,
                           struct dun_exact *sum);

/* Collective.  Steps s->k <= k < behind of all tiles, or their end, by a field that is spread over
 * the ranks, which are asked together; total[DUN_LOCALIZATION_SUMS].  It is not interrupted. */
int dun_localization_together(struct dun_context *context, const struct localization *s,
                              struct dun_run *run, int64_t behind, double *total);

/* Collective, in init: times and steps, of which fields are told that make tables of them.
 * DUN_ERROR_INPUT, DUN_ERROR_MEMORY. */
int dun_localization_times(struct dun_context *context, struct localization *s);
/* As struct dun_method has it. */
void dun_localization_diagnose(void *self, const struct dun_run *run, struct dun_diagnosis *out);

#endif
