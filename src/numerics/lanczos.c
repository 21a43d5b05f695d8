#include "numerics/lanczos.h"
#include "base/vmath.h"
#include "dunlin/target.h"
#include "numerics/symmetric.h"
#include <math.h>
#include <string.h>

enum { L = DUN_LANES };

/* ---- tridiagonal matrices -------------------------------------------------------------------- */

/* The first place from `from` on behind which the matrix falls apart. */
static int parted(int n, int from, const double *d, const double *e)
{
  int m = from;

  while (m < n - 1 && fabs(e[m]) > 1e-16 * (fabs(d[m]) + fabs(d[m + 1])))
    m++;
  return m;
}

/* e[n] has one place more than the matrix needs. */
static void diagonalise(int n, double *d, double *e, double *first)
{
  for (int l = 0; l < n; l++)
    for (int m, k = 0; (m = parted(n, l, d, e)) != l && k < 60; k++)
      dun_symmetric_step(l, m, d, e, 1, first);
}

void dun_tridiagonal(int n, double *diagonal, double *below, double *weight)
{
  for (int i = 0; i < n; i++)
    weight[i] = i == 0;
  below[n - 1] = 0;
  diagonalise(n, diagonal, below, weight);
  for (int i = 0; i < n; i++)
    weight[i] *= weight[i];
}

/* ---- Lanczos' method ------------------------------------------------------------------------- */

DUN_CLONES static void dot(int d, const double *restrict a, const double *restrict b,
                           double *restrict out)
{
  double sum[L] = {0};

  for (int64_t j = 0; j < d; j++)
    for (int l = 0; l < L; l++)
      sum[l] = DUN_FMA(a[j * L + l], b[j * L + l], sum[l]);
  memcpy(out, sum, sizeof sum);
}

/* y -= a x, with a[64]. */
DUN_CLONES static void subtract(int d, const double *restrict a, const double *restrict x,
                                double *restrict y)
{
  for (int64_t j = 0; j < d; j++)
    for (int l = 0; l < L; l++)
      y[j * L + l] = DUN_FMA(-a[l], x[j * L + l], y[j * L + l]);
}

/* out = x / a; 0 where a is. */
DUN_CLONES static void divide(int d, const double *restrict a, const double *restrict x,
                              double *restrict out)
{
  for (int64_t j = 0; j < d; j++)
    for (int l = 0; l < L; l++)
      out[j * L + l] = a[l] > 0 ? x[j * L + l] / a[l] : 0;
}

int dun_lanczos_scratch(int d, int steps)
{
  return 3 * d + 2 * steps;
}

/* Nodes and weights of each lane from alpha[steps][64] and beta[steps][64]. */
static void solve(int steps, double tolerance, const double *alpha, const double *beta,
                  double *node, double *weight)
{
  double d[256], e[256], w[256];

  for (int l = 0; l < L; l++) {
    double most = 0;
    int n = 0, going = 1;
    for (int k = 0; k < steps && going; k++) {
      d[k] = alpha[k * L + l];
      e[k] = beta[k * L + l];
      most = fmax(most, fmax(fabs(d[k]), fabs(e[k])));
      going = e[k] > tolerance * most;
      n++;
    }
    dun_tridiagonal(n, d, e, w);
    for (int k = 0; k < steps; k++) {
      node[k * L + l] = k < n ? d[k] : 0;
      weight[k * L + l] = k < n ? w[k] : 0;
    }
  }
}

void dun_lanczos(int d, int steps, double tolerance,
                 void (*apply)(void *, const double *, double *), void *data, const double *first,
                 double *scratch, double *node, double *weight)
{
  int64_t column = (int64_t)d * L;
  double *v = scratch, *before = v + column, *w = before + column, *alpha = w + column;
  double *beta = alpha + (int64_t)steps * L;

  memcpy(v, first, (size_t)column * sizeof *v);
  for (int k = 0; k < steps; k++) {
    double *a = alpha + k * L, *b = beta + k * L;
    apply(data, v, w);
    if (k > 0)
      subtract(d, b - L, before, w);
    dot(d, w, v, a);
    subtract(d, a, v, w);
    dot(d, w, w, b);
    for (int l = 0; l < L; l++)
      b[l] = sqrt(b[l]);
    double *next = before;
    divide(d, b, w, next);
    before = v;
    v = next;
  }
  solve(steps, tolerance, alpha, beta, node, weight);
}
