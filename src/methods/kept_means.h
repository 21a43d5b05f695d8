/* How the posteriors of a few particles narrow: their means at each look, for figures.  A table of
 * a row for each coordinate of each of the first particles, of the first replicate. */
#ifndef DUNLIN_METHODS_KEPT_MEANS_H
#define DUNLIN_METHODS_KEPT_MEANS_H

#include "base/table.h"
#include "methods/posterior.h"

struct dun_kept_means {
  long long particles; /* how many; 0: none */

  struct dun_table table; /* its cells are state */
  double *mean;           /* [particles][d], scratch; owned */
};

/* For so many looks.  Local; DUN_ERROR_INPUT where that is too much to keep, DUN_ERROR_MEMORY;
 * dun_kept_means_free is safe afterwards, and twice. */
int dun_kept_means_init(struct dun_kept_means *kept, const struct dun_run *run, int64_t looks);
void dun_kept_means_free(struct dun_kept_means *kept);
/* NULL: nothing is kept. */
struct dun_table *dun_kept_means_table(struct dun_kept_means *kept);

/* Collective.  Adds what is known at time t, that of step `step`, by the observations in the column
 * y; the posterior's columns are scratch. */
int dun_kept_means_look(struct dun_context *context, struct dun_kept_means *kept,
                        const struct dun_posterior *posterior, const struct dun_run *run,
                        const struct dun_column *y, int64_t step, double t);

#endif
