/* How two sets of draws differ, coordinate by coordinate, in standard errors. */
#ifndef DUNLIN_APP_CONTRAST_H
#define DUNLIN_APP_CONTRAST_H

#include "app/draws.h"
#include "numerics/points.h"

enum { DUN_CONTRAST_QUANTILES = 3 };
extern const double dun_contrast_probability[DUN_CONTRAST_QUANTILES];

/* The same of both sides, and their difference over its standard error: NAN where that is not
 * known, infinite where numbers that never change differ in their first nine digits. */
struct dun_contrast {
  double value[2], error[2], errors; /* error: NAN of quantiles, see dun_contrast_quantiles */
};

struct dun_contrasts {
  struct dun_contrast mean, deviation, quantile[DUN_CONTRAST_QUANTILES];
  double worth[2]; /* independent draws; NAN: not known */
};

/* Of coordinate j.  Quantiles are told apart by the shares below the quantile of both sides
 * together, each side counting a half: their difference over sqrt(p (1 - p) (1/n + 1/m)), n and m
 * the independent draws that know the shares as well, at most as many as know the mean: a chain
 * that has hardly been beyond a quantile does not know how well it knows it.  So nothing is asked
 * of the density.  `context` is of this process alone. */
int dun_contrast_coordinate(struct dun_context *context, struct dun_draws side[2], int64_t j,
                            struct dun_contrasts *contrasts);

/* Shares of the draws nearest to each of so many centres[count][coordinates], told apart as those
 * below a quantile are, by at most `worth` draws; coverage: dun_mode_coverage of both, with the
 * standard error of each. */
int dun_contrast_modes(struct dun_context *context, struct dun_draws side[2], const double worth[2],
                       int count, const double *centre, struct dun_contrast *share,
                       struct dun_contrast *coverage);

/* So many of the draws, spread evenly, or in proportion to their weights. */
int dun_contrast_points(const struct dun_draws *draws, int64_t count, struct dun_points *points);

#endif
