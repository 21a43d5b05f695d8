/* Quantiles of equally weighted draws, with errors that know which draws have a common ancestor. */
#ifndef DUNLIN_APP_QUANTILES_H
#define DUNLIN_APP_QUANTILES_H

#include <stdint.h>

struct dun_quantile {
  double probability;
  double value;
  double error; /* standard error; NAN where the density cannot be told */
};

/* `value` holds chains × draws numbers, `root` their ancestors (NULL: every draw is its own);
 * draws of one ancestor follow each other.  `sorted` is scratch of the same length, left sorted.
 *
 * The error is that of the share of draws below the quantile, summed by ancestor, over the
 * density there from neighbouring quantiles (Woodruff 1952, J. Am. Stat. Assoc. 47). */
void dun_quantiles(int64_t chains, int64_t draws, const double *value, const double *root,
                   double *sorted, int count, struct dun_quantile *quantile);

#endif
