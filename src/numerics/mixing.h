/* How well chains have mixed: split R-hat and effective sample sizes of one scalar.
 *
 * Vehtari, Gelman, Simpson, Carpenter & Buerkner 2021, Bayesian Analysis 16, 667: eq. 1 to 4 for
 * R-hat, eq. 14 and 15 for ranks and folding, eq. 10 and 13 for the effective sample size with
 * Geyer's initial monotone sequence (1992, Stat. Sci. 7), as Stan and ArviZ compute it:
 * autocovariances are divided by the number of draws at every lag, the first pair of lags always
 * counts, and a last positive even term is added.  analysis/reference_diagnostics.py is the same
 * in numpy.
 *
 * Chains are spread over the ranks, each whole on its own: value[chains][draws] of this rank, and
 * the same number of draws everywhere.  Sums are exact and ranks come from a distributed sort, so
 * that nothing depends on the partition.  Memory: 120 bytes for each of this rank's draws.
 * Scalars that are constant or not finite give NaN; so does R-hat for chains of less than 4 draws,
 * and all else too unless there are many of them (dun_mixing_by_chain). */
#ifndef DUNLIN_NUMERICS_MIXING_H
#define DUNLIN_NUMERICS_MIXING_H

#include "numerics/order.h"

struct dun_mixing {
  double rhat_bulk, rhat_folded; /* of rank-normalised split chains, and folded at the median */
  double ess_bulk, ess_folded;   /* of the normal scores, and of those of the distances from the
                                  * median */
  double ess_tail;               /* the smaller one of the 5% and 95% quantiles */
};

/* Memory that one scalar after the other uses.  Zeroed at first; dun_mixing_free behind the last
 * one, whatever came. */
struct dun_mixing_work {
  double *value, *centred;
  struct dun_order order;
};
void dun_mixing_free(struct dun_mixing_work *work);

/* Collective.  1 if all values of all ranks are finite and not all are the same. */
int dun_mixing_usable(struct dun_context *context, int64_t n, const double *value);

/* Collective. */
int dun_mixing_ranks(struct dun_context *context, struct dun_mixing_work *work, int64_t chains,
                     int64_t draws, const double *value, struct dun_mixing *mixing);

struct dun_chain_moments {
  double mean, deviation;  /* over all draws */
  double ess_mean;         /* of the mean */
  double ess_square;       /* of the mean square around the mean */
  double square_deviation; /* standard deviation of the squares */
  double error;            /* standard error of the mean */
  double square_error;     /* of the mean square around the mean */
};

/* 1: the spread of the chains' own means gives standard errors, since chains are independent, and
 * autocovariances about the mean of all chains give effective sizes.  Short chains are so judged
 * where there are many of them, however few draws they have: around the means of half a chain their
 * autocovariances are too small, so that of 4 independent draws each the effective number would be
 * twice the true one.  0: standard errors are deviation / sqrt(effective size). */
int dun_mixing_by_chain(int64_t chains, int64_t draws);

/* Collective. */
int dun_mixing_moments(struct dun_context *context, struct dun_mixing_work *work, int64_t chains,
                       int64_t draws, const double *value, struct dun_chain_moments *moments);

#endif
