/* Products of small matrices with columns [..][n], of networks on tiles: n is 64 lanes, or of sums
 * over lanes the padded number of inputs.
 *
 * Every number is a sum that runs upwards in k, each term by a fused multiply-add: the same bits at
 * any vector width, with any compiler and without BLAS.  The ending _f is single precision.  None
 * of these functions communicates. */
#ifndef DUNLIN_NUMERICS_TILE_PRODUCT_H
#define DUNLIN_NUMERICS_TILE_PRODUCT_H

#include <stdint.h>

/* n is a multiple of this; x and y are aligned to 64 bytes. */
enum { DUN_TILE_PRODUCT_STEP = 16 };

/* y[m][n] = bias[m] + sum_k w(i, k) x[k][n], or with `add` y += that sum without a bias; w(i, k)
 * is w[i * row + k * step], so that a matrix by rows has step 1 and its transpose row 1.  bias
 * NULL: 0.  x and y do not overlap. */
void dun_tile_product(int m, int k, int n, const double *w, int64_t row, int64_t step,
                      const double *x, const double *bias, int add, double *y);
void dun_tile_product_f(int m, int k, int n, const float *w, int64_t row, int64_t step,
                        const float *x, const float *bias, int add, float *y);

/* turned[64][n] = x[k][64] transposed, with zeros in columns k to n: the second factor of sums over
 * lanes. */
void dun_tile_turn(int k, int n, const double *x, double *turned);
void dun_tile_turn_f(int k, int n, const float *x, float *turned);

#endif
