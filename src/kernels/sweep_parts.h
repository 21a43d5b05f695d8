/* What the files that go through a sweep's tiles share. */
#ifndef DUNLIN_KERNELS_SWEEP_PARTS_H
#define DUNLIN_KERNELS_SWEEP_PARTS_H

#include "kernels/look.h"

/* The columns of the population that it goes through, but for `memory`. */
void dun_sweep_find_columns(struct dun_sweep *sweep);
/* Loads x, parts and the chains' own time and step size of a local tile; combines the log
 * density. */
void dun_sweep_load(const struct dun_sweep *sweep, const struct dun_lanes *lanes,
                    int64_t local_tile, double t, double step);
/* Evaluates all parts at the loaded tile: a piece of a pass. */
int dun_sweep_evaluate_tile(struct dun_sweep *sweep, const struct dun_lanes *lanes,
                            int64_t local_tile);
/* Adds lanes->log_weight to logw over a span; lost[64] tells which weights became 0. */
void dun_sweep_add_log_weight(const struct dun_sweep *sweep, const struct dun_lanes *lanes,
                              int64_t local_tile, struct dun_span span, struct dun_column *logw,
                              double *lost);
/* What takes the place of the scales of a half's adaptation, one of these at most; d = 0: nothing
 * does. */
struct dun_metric dun_sweep_metric(const struct dun_sweep *sweep, int half);
/* NaNs that a move's trajectories meet are counted from here on, lane by lane. */
void dun_sweep_forget_nans(struct dun_sweep *sweep);
/* And those of the first n lanes that say nothing of a draw are set aside, by the probability, the
 * rejections that forces do not show and the gain of the move (struct dun_move). */
void dun_sweep_set_nans_aside(struct dun_sweep *sweep, int n, const double *acceptance,
                              const double *unseen, const double *gain);
/* This rank's tiles below a global index. */
int64_t dun_sweep_tiles_below(const struct dun_tiles *tiles, int64_t limit);

#endif
