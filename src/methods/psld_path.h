/* The divergence of ways that method psld reports where it is exact. */
#ifndef DUNLIN_METHODS_PSLD_PATH_H
#define DUNLIN_METHODS_PSLD_PATH_H

#include "methods/march.h"
#include "numerics/phase_path.h"

enum { DUN_PSLD_SUMS = 4 }; /* largest log w; sums of log w, of w / largest, of its square */

struct dun_psld_path {
  /* made by init */
  int wanted;                    /* the program's ways have a density, and the field masses */
  struct dun_phase_ratio *ratio; /* [steps], owned */

  /* state */
  int64_t particles; /* of finite log weight; 0: not summed yet */
  double sum[DUN_PSLD_SUMS];
};

/* DUN_ERROR_MEMORY. */
int dun_psld_path_make(struct dun_psld_path *path, const struct dun_phase_table *table,
                       const struct dun_phase_space *space, const struct dun_march *march);
void dun_psld_path_free(struct dun_psld_path *path);

/* Adds the log density of the tile's last states, noised points of the target, to the log weights
 * that it keeps behind the state. */
void dun_psld_path_end(const struct dun_psld_path *path, const struct dun_march *march,
                       struct dun_march_tile *tile);
/* Collective.  Sums the log weights of a march that is over. */
int dun_psld_path_sum(struct dun_context *context, struct dun_psld_path *path,
                      const struct dun_march *march, const struct dun_run *run);
void dun_psld_path_diagnose(const struct dun_psld_path *path, const struct dun_run *run,
                            struct dun_diagnosis *out);

#endif
