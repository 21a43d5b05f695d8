/* Linear operations on columns [d][64] of one tile.  Aligned arrays that do not overlap; every term
 * by a fused multiply-add, so that the bits are the same at any vector width. */
#ifndef DUNLIN_NUMERICS_COLUMNS_H
#define DUNLIN_NUMERICS_COLUMNS_H

/* y += a x. */
void dun_columns_add(int d, double a, const double *x, double *y);
/* out = y + a x. */
void dun_columns_sum(int d, const double *y, double a, const double *x, double *out);
/* y += a h S x with h[64] of the lanes and S = diag(scale[d]). */
void dun_columns_add_scaled(int d, double a, const double *h, const double *scale, const double *x,
                            double *y);
/* sum[64] += |x|^2. */
void dun_columns_add_square(int d, const double *x, double *sum);

#endif
