#include "numerics/columns.h"
#include "base/vmath.h"
#include "dunlin/target.h"

DUN_CLONES void dun_columns_add(int d, double a, const double *restrict x, double *restrict y)
{
  for (int64_t i = 0; i < (int64_t)d * DUN_LANES; i++)
    y[i] = DUN_FMA(a, x[i], y[i]);
}

DUN_CLONES void dun_columns_sum(int d, const double *restrict y, double a, const double *restrict x,
                                double *restrict out)
{
  for (int64_t i = 0; i < (int64_t)d * DUN_LANES; i++)
    out[i] = DUN_FMA(a, x[i], y[i]);
}

DUN_CLONES void dun_columns_add_scaled(int d, double a, const double *restrict h,
                                       const double *restrict scale, const double *restrict x,
                                       double *restrict y)
{
  for (int64_t j = 0; j < d; j++)
    for (int l = 0; l < DUN_LANES; l++)
      y[j * DUN_LANES + l] =
          DUN_FMA(a * (h[l] * scale[j]), x[j * DUN_LANES + l], y[j * DUN_LANES + l]);
}

DUN_CLONES void dun_columns_add_square(int d, const double *restrict x, double *restrict sum)
{
  for (int64_t j = 0; j < d; j++)
    for (int l = 0; l < DUN_LANES; l++)
      sum[l] = DUN_FMA(x[j * DUN_LANES + l], x[j * DUN_LANES + l], sum[l]);
}

/* ---- products -------------------------------------------------------------------------------- */

/* Sums that stay in registers, of so many lanes, and of four rows that share what is read of x. */
enum { TOGETHER = 4, GROUP = 8 };

DUN_CLONES static void multiply_rows(int64_t d, const double *restrict A, const double *restrict x,
                                     double *restrict out)
{
  double sum0[GROUP] = {0}, sum1[GROUP] = {0}, sum2[GROUP] = {0}, sum3[GROUP] = {0};
  const double *row1 = A + d, *row2 = row1 + d, *row3 = row2 + d;
  for (int64_t j = 0; j < d; j++)
    for (int l = 0; l < GROUP; l++) {
      double other = x[j * DUN_LANES + l];
      sum0[l] = DUN_FMA(A[j], other, sum0[l]);
      sum1[l] = DUN_FMA(row1[j], other, sum1[l]);
      sum2[l] = DUN_FMA(row2[j], other, sum2[l]);
      sum3[l] = DUN_FMA(row3[j], other, sum3[l]);
    }
  for (int l = 0; l < GROUP; l++) {
    out[l] = sum0[l];
    out[DUN_LANES + l] = sum1[l];
    out[2 * DUN_LANES + l] = sum2[l];
    out[3 * DUN_LANES + l] = sum3[l];
  }
}

/* One row, of which more lanes are worth it. */
DUN_CLONES static void multiply_row(int64_t d, const double *restrict A, const double *restrict x,
                                    double *restrict out)
{
  double sum[4 * GROUP] = {0};
  for (int64_t j = 0; j < d; j++)
    for (int l = 0; l < 4 * GROUP; l++)
      sum[l] = DUN_FMA(A[j], x[j * DUN_LANES + l], sum[l]);
  for (int l = 0; l < 4 * GROUP; l++)
    out[l] = sum[l];
}

void dun_columns_multiply(int64_t rows, int64_t d, const double *A, int lanes, const double *x,
                          double *out)
{
  int64_t whole = rows / TOGETHER * TOGETHER;
  for (int64_t i = 0; i < whole; i += TOGETHER)
    for (int from = 0; from < lanes; from += GROUP)
      multiply_rows(d, A + i * d, x + from, out + i * DUN_LANES + from);
  for (int64_t i = whole; i < rows; i++)
    for (int from = 0; from < lanes; from += 4 * GROUP)
      multiply_row(d, A + i * d, x + from, out + i * DUN_LANES + from);
}
