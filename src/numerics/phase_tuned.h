/* The splitting program, the spacing of its times and the noise of its positions that come nearest
 * to a Gaussian law of given directions within a budget of score evaluations: by exact moments,
 * before anything is drawn. */
#ifndef DUNLIN_NUMERICS_PHASE_TUNED_H
#define DUNLIN_NUMERICS_PHASE_TUNED_H

#include "numerics/phase_moments.h"

/* What is given of the march. */
struct dun_phase_budget {
  int64_t evaluations; /* of the score, all together */
  int last;            /* the last step, of the drift alone, is one of them */
  double begin, end;   /* first and last time of the grid */
  double eta[2];       /* as struct dun_phase_noise */
};

struct dun_phase_choice {
  struct dun_program program;
  struct dun_phase_noise noise;
  double power;    /* time end + (begin - end) (1 - k / steps)^power */
  int64_t steps;   /* 0: the budget is too small */
  double distance; /* squared, as dun_phase_distance */
};

/* The times of a march by powers, time[steps + 1]. */
void dun_phase_times(double begin, double end, double power, int64_t steps, double *time);

/* Chooses among reduced programs, or only spacing and noise of a given one.  Spacing powers lie in
 * [1, 6].  DUN_ERROR_INPUT: the budget has no step; DUN_ERROR_MEMORY. */
int dun_phase_tune(const struct dun_phase_space *space, const struct dun_phase_budget *budget,
                   const struct dun_program *given, int count,
                   const struct dun_phase_direction *direction, struct dun_phase_choice *choice);

#endif
