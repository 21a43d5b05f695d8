/* The times of a march: options, and the numbers that they mean for a process. */
#ifndef DUNLIN_METHODS_MARCH_GRID_H
#define DUNLIN_METHODS_MARCH_GRID_H

#include "processes/process.h"
#include <stdint.h>

enum dun_grid_type {
  DUN_GRID_UNIFORM,
  DUN_GRID_QUADRATIC,
  DUN_GRID_POWER,
  DUN_GRID_COSINE,
  DUN_GRID_SHIFT,
  DUN_GRID_GEOMETRIC,
  DUN_GRID_ARCTAN,
  DUN_GRID_LOG_SNR,
  DUN_GRID_TUNED, /* by powers, of which the method finds the best */
  DUN_GRID_GIVEN,
};

struct dun_march_grid {
  /* options */
  int type;
  long long steps, evaluations; /* evaluations 0: by steps */
  double power, shift;
  double first, last; /* -1: the process's own end */
  struct dun_numbers given;

  /* made; owned */
  int64_t count; /* K */
  double *time;  /* [K + 1] from the noise to the data */
};

extern const struct dun_option dun_march_grid_rows[];

/* Local.  DUN_ERROR_INPUT where times do not go one way from the noise to the data, within the
 * process's ends; DUN_ERROR_MEMORY. */
int dun_march_grid_make(struct dun_march_grid *grid, const struct dun_process *process,
                        const void *self);
void dun_march_grid_free(struct dun_march_grid *grid);

#endif
