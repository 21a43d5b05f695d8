#include "numerics/packed.h"
#include "base/vmath.h"
#include "dunlin/target.h"
#include <math.h>

enum { L = DUN_LANES };

DUN_CLONES void dun_packed_cholesky(int d, double *a, double *log_root)
{
  double sum[L] __attribute__((aligned(64)));
  for (int64_t i = 0; i < d; i++)
    for (int64_t j = 0; j <= i; j++) {
      double *out = a + (DUN_PACKED(i) + j) * L;
      const double *own = a + DUN_PACKED(i) * L, *other = a + DUN_PACKED(j) * L;
      for (int l = 0; l < L; l++)
        sum[l] = out[l];
      for (int64_t k = 0; k < j; k++)
        for (int l = 0; l < L; l++)
          sum[l] = DUN_FMA(-own[k * L + l], other[k * L + l], sum[l]);
      for (int l = 0; l < L; l++)
        out[l] = i == j ? sqrt(sum[l]) : sum[l] / other[j * L + l];
    }
  for (int l = 0; l < L; l++)
    sum[l] = 0;
  for (int64_t i = 0; i < d && log_root; i++)
    for (int l = 0; l < L; l++)
      sum[l] += dun_log(a[(DUN_PACKED(i) + i) * L + l]);
  for (int l = 0; l < L && log_root; l++)
    log_root[l] = sum[l];
}

DUN_CLONES void dun_packed_solve(int d, const double *factor, double *y)
{
  double sum[L] __attribute__((aligned(64)));
  for (int64_t i = 0; i < d; i++) {
    const double *row = factor + DUN_PACKED(i) * L;
    for (int l = 0; l < L; l++)
      sum[l] = y[i * L + l];
    for (int64_t k = 0; k < i; k++)
      for (int l = 0; l < L; l++)
        sum[l] = DUN_FMA(-row[k * L + l], y[k * L + l], sum[l]);
    for (int l = 0; l < L; l++)
      y[i * L + l] = sum[l] / row[i * L + l];
  }
}

DUN_CLONES void dun_packed_solve_transposed(int d, const double *factor, double *y)
{
  double sum[L] __attribute__((aligned(64)));
  for (int64_t i = d - 1; i >= 0; i--) {
    for (int l = 0; l < L; l++)
      sum[l] = y[i * L + l];
    for (int64_t k = i + 1; k < d; k++) {
      const double *f = factor + (DUN_PACKED(k) + i) * L;
      for (int l = 0; l < L; l++)
        sum[l] = DUN_FMA(-f[l], y[k * L + l], sum[l]);
    }
    for (int l = 0; l < L; l++)
      y[i * L + l] = sum[l] / factor[(DUN_PACKED(i) + i) * L + l];
  }
}

/* F becomes F^-1: row by row, each from its own entries that are still F's, and from the rows
 * above, which are inverted. */
DUN_CLONES static void invert(int64_t d, double *f)
{
  double sum[L] __attribute__((aligned(64))), inverse[L] __attribute__((aligned(64)));
  for (int64_t i = 0; i < d; i++) {
    double *row = f + DUN_PACKED(i) * L;
    for (int l = 0; l < L; l++)
      inverse[l] = 1 / row[i * L + l];
    for (int64_t j = 0; j < i; j++) {
      for (int l = 0; l < L; l++)
        sum[l] = 0;
      for (int64_t k = j; k < i; k++) {
        const double *x = f + (DUN_PACKED(k) + j) * L;
        for (int l = 0; l < L; l++)
          sum[l] = DUN_FMA(row[k * L + l], x[l], sum[l]);
      }
      for (int l = 0; l < L; l++)
        row[j * L + l] = -sum[l] * inverse[l];
    }
    for (int l = 0; l < L; l++)
      row[i * L + l] = inverse[l];
  }
}

/* X becomes X^T X: entry (i, j) takes rows from i on alone, of row i entries from j on. */
DUN_CLONES static void square(int64_t d, double *x)
{
  double sum[L] __attribute__((aligned(64)));
  for (int64_t i = 0; i < d; i++)
    for (int64_t j = 0; j <= i; j++) {
      for (int l = 0; l < L; l++)
        sum[l] = 0;
      for (int64_t k = i; k < d; k++) {
        const double *row = x + DUN_PACKED(k) * L;
        for (int l = 0; l < L; l++)
          sum[l] = DUN_FMA(row[i * L + l], row[j * L + l], sum[l]);
      }
      for (int l = 0; l < L; l++)
        x[(DUN_PACKED(i) + j) * L + l] = sum[l];
    }
}

void dun_packed_inverse(int d, double *factor)
{
  invert(d, factor);
  square(d, factor);
}

DUN_CLONES void dun_packed_multiply(int d, const double *a, double by, const double *x, double *out)
{
  for (int64_t i = 0; i < d; i++)
    for (int64_t j = 0; j <= i; j++) {
      const double *entry = a + (DUN_PACKED(i) + j) * L;
      for (int l = 0; l < L; l++)
        out[i * L + l] = DUN_FMA(by * entry[l], x[j * L + l], out[i * L + l]);
      for (int l = 0; l < L && j < i; l++)
        out[j * L + l] = DUN_FMA(by * entry[l], x[i * L + l], out[j * L + l]);
    }
}

DUN_CLONES void dun_packed_square(int d, const double *a, double by, const double *x, double *out)
{
  double sum[L] __attribute__((aligned(64)));
  for (int64_t i = 0; i < d; i++) {
    const double *row = a + DUN_PACKED(i) * L;
    for (int l = 0; l < L; l++)
      sum[l] = .5 * row[i * L + l] * x[i * L + l];
    for (int64_t j = 0; j < i; j++)
      for (int l = 0; l < L; l++)
        sum[l] = DUN_FMA(row[j * L + l], x[j * L + l], sum[l]);
    for (int l = 0; l < L; l++)
      out[l] = DUN_FMA(2 * by * x[i * L + l], sum[l], out[l]);
  }
}

DUN_CLONES void dun_packed_add_outer(int d, const double *weight, const double *x, double *a)
{
  for (int64_t i = 0; i < d; i++)
    for (int64_t j = 0; j <= i; j++) {
      double *entry = a + (DUN_PACKED(i) + j) * L;
      for (int l = 0; l < L; l++)
        entry[l] = DUN_FMA(weight[l] * x[i * L + l], x[j * L + l], entry[l]);
    }
}
