/* Linear operations on columns [d][64] of one tile.  Aligned arrays that do not overlap; every term
 * by a fused multiply-add, so that the bits are the same at any vector width. */
#ifndef DUNLIN_NUMERICS_COLUMNS_H
#define DUNLIN_NUMERICS_COLUMNS_H

#include <stdint.h>

/* y += a x. */
void dun_columns_add(int d, double a, const double *x, double *y);
/* out = y + a x. */
void dun_columns_sum(int d, const double *y, double a, const double *x, double *out);
/* y += a h S x with h[64] of the lanes and S = diag(scale[d]). */
void dun_columns_add_scaled(int d, double a, const double *h, const double *scale, const double *x,
                            double *y);
/* sum[64] += |x|^2. */
void dun_columns_add_square(int d, const double *x, double *sum);
/* out[rows][64] = A x, with A[rows][d] and x[d][64], every entry summed in the order of A's
 * columns, whatever the rows beside it.  Of the first `lanes` lanes; others may be written, too. */
void dun_columns_multiply(int64_t rows, int64_t d, const double *A, int lanes, const double *x,
                          double *out);

#endif
