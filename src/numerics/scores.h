/* Normal scores of ranks (Vehtari et al. 2021, Bayesian Analysis 16, 667, eq. 14). */
#ifndef DUNLIN_NUMERICS_SCORES_H
#define DUNLIN_NUMERICS_SCORES_H

#include <stdint.h>

/* The standard normal quantile, relative error about 1e-15 (Wichura 1988, algorithm AS 241). */
double dun_normal_quantile(double p);

/* score[n] = normal quantiles of (rank - 3/8) / (total + 1/4), rank[n] from 1 to total. */
void dun_normal_scores(int64_t n, double total, const double *rank, double *score);

#endif
