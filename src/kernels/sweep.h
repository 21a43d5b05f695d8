/* A sweep: load, move, store and look at every tile of the rank; one Allreduce. */
#ifndef DUNLIN_KERNELS_SWEEP_H
#define DUNLIN_KERNELS_SWEEP_H

#include "kernels/adaptation.h"
#include "population/population.h"

/* Columns that a sweep reads and writes.  `time` and `step_size` are NULL when all particles share one
 * time and a pooled step size; then the sweep's `t` and the adaptation give them. */
struct dun_sweep {
  struct dun_population *population;
  const struct dun_path *path;
  void *path_self;
  const struct dun_kernel *kernel;
  void *kernel_self;
  struct dun_adaptation *adaptation;
  struct dun_column *x, *part_lp;
  struct dun_column *start; /* x and log density at the last selection; NULL: no jump is measured */
  struct dun_column *time, *step_size;
  double *workspace; /* one per rank, owned */
};

/* Finds the columns x, part_lp, start, time, step_size in the population, allocates the workspace. */
int dun_sweep_init(struct dun_sweep *sweep);
void dun_sweep_free(struct dun_sweep *sweep);

/* Collective.  Moves every particle once at time t.  `tiles` limits the sweep to tiles with a global
 * index below it (pilot chains); pass INT64_MAX for all. */
int dun_sweep_move(struct dun_context *context, struct dun_sweep *sweep, struct dun_address address,
                   double t, int64_t tiles, struct dun_look *look);

/* Evaluates all parts afresh at time t (after first draws, or a change of a path that is not affine). */
void dun_sweep_evaluate(struct dun_sweep *sweep, double t, int64_t tiles);

/* Remembers x and the log density at t in `start`. */
void dun_sweep_remember(struct dun_sweep *sweep, double t);

#endif
