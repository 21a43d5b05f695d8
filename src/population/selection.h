/* Selection: offspring counts from the exact cumulative weights, then the exchange of rows.
 *
 * Children stand in the order of their parents, so that `root` never decreases along the global
 * order.  Nothing depends on the number of ranks.  The schemes' exact formulas: offspring.h. */
#ifndef DUNLIN_POPULATION_SELECTION_H
#define DUNLIN_POPULATION_SELECTION_H

#include "base/random.h"
#include "population/weights.h"

enum dun_resampling { DUN_SYSTEMATIC, DUN_STRATIFIED, DUN_RESIDUAL, DUN_MULTINOMIAL };
#define DUN_RESAMPLING_WORDS "systematic|stratified|residual|multinomial"

/* Collective.  Replaces every particle's moving columns by its parent's; logw becomes 0 for all, in
 * place of the weights.  `weights` are those of `logw`.  Memory: the spare generation and buffers
 * below 16 MiB.  `address` gives the offsets; its purpose, if it has none (DUN_PURPOSE_START), is
 * taken to be DUN_PURPOSE_SELECT, its tile is ours. */
int dun_select(struct dun_context *context, struct dun_population *population,
               struct dun_column *logw, const struct dun_weights *weights,
               enum dun_resampling resampling, struct dun_address address);

/* The same of fewer parents: N / length are selected, and each fills so many slots, the first of
 * which is a multiple of `length`, a divisor of N. */
int dun_select_chains(struct dun_context *context, struct dun_population *population,
                      struct dun_column *logw, const struct dun_weights *weights, int64_t length,
                      enum dun_resampling resampling, struct dun_address address);

#endif
