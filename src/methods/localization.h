/* What stochastic localization is made of, for its two files. */
#ifndef DUNLIN_METHODS_LOCALIZATION_H
#define DUNLIN_METHODS_LOCALIZATION_H

#include "methods/beginning.h"
#include "methods/clearing.h"
#include "methods/kept_means.h"

enum dun_localization_how { BY_AUTO, BY_DRAWS, BY_MEANS };
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
  int how, end;
  long long stride; /* -1: auto */
  struct dun_kept_means kept;

  /* state */
  int64_t phase, k;
  int64_t broken;         /* particles at the end that are no numbers */
  double apart, accepted; /* of chains: the largest share that lay apart after a tick, and the mean
                           * acceptance after the last one */

  /* made by init */
  struct dun_posterior posterior;
  int by_draws, exact;
  int letter_by_letter; /* single letters' laws are as good as draws, to the end */
  double *time;         /* [steps + 1]; owned */
  struct dun_mix *mix;  /* [steps] of schedules other than the observation's own; or NULL; owned */
  struct dun_column *y, *memory;
};

/* As struct dun_method has it. */
void dun_localization_diagnose(void *self, const struct dun_run *run, struct dun_diagnosis *out);

#endif
