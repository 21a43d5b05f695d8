#include "numerics/symmetric.h"
#include <float.h>
#include <math.h>
#include <string.h>

static double dot(int64_t n, const double *a, const double *b)
{
  double sum = 0;
  for (int64_t i = 0; i < n; i++)
    sum += a[i] * b[i];
  return sum;
}

/* y += a x */
static void add(int64_t n, double a, const double *restrict x, double *restrict y)
{
  for (int64_t i = 0; i < n; i++)
    y[i] += a * x[i];
}

int dun_symmetric_cholesky(int size, double *a)
{
  int64_t d = size;

  for (int64_t i = 0; i < d; i++) {
    double *row = a + i * d;
    for (int64_t j = 0; j < i; j++)
      row[j] = (row[j] - dot(j, row, a + j * d)) / a[j * d + j];
    double pivot = row[i] - dot(i, row, row);
    if (!(pivot > 0 && pivot < INFINITY))
      return -1;
    row[i] = sqrt(pivot);
    for (int64_t j = i + 1; j < d; j++)
      row[j] = 0;
  }
  return 0;
}

void dun_symmetric_invert_lower(int size, const double *l, double *inverse)
{
  int64_t d = size;

  memset(inverse, 0, (size_t)(d * d) * sizeof *inverse);
  for (int64_t i = 0; i < d; i++) {
    double *row = inverse + i * d, pivot = l[i * d + i];
    row[i] = 1;
    for (int64_t j = 0; j < i; j++)
      add(j + 1, -l[i * d + j], inverse + j * d, row);
    for (int64_t j = 0; j <= i; j++)
      row[j] /= pivot;
  }
}

void dun_symmetric_abt(int size, const double *a, const double *b, double *c)
{
  int64_t d = size;

  for (int64_t i = 0; i < d; i++)
    for (int64_t j = 0; j < d; j++)
      c[i * d + j] = dot(d, a + i * d, b + j * d);
}

void dun_symmetric_ab(int size, const double *a, const double *b, double *c)
{
  int64_t d = size;

  memset(c, 0, (size_t)(d * d) * sizeof *c);
  for (int64_t i = 0; i < d; i++)
    for (int64_t k = 0; k < d; k++)
      if (a[i * d + k] != 0)
        add(d, a[i * d + k], b + k * d, c + i * d);
}

/* ---- eigenvalues --------------------------------------------------------------------------- */

/* The reflection I - beta v v^T that takes column k below the diagonal to a multiple of its first
 * entry, which is returned; v[d - k - 1]. */
static double reflection(int64_t d, int64_t k, const double *a, double *v, double *beta)
{
  int64_t n = d - k - 1;
  double largest = 0;

  *beta = 0;
  for (int64_t i = 0; i < n; i++) {
    v[i] = a[(k + 1 + i) * d + k];
    largest = fabs(v[i]) > largest ? fabs(v[i]) : largest;
  }
  double head = v[0], rest = 0;
  for (int64_t i = 1; i < n; i++)
    rest += v[i] / (largest > 0 ? largest : 1) * (v[i] / (largest > 0 ? largest : 1));
  if (rest == 0)
    return head;
  double norm = largest * sqrt(head / largest * (head / largest) + rest);
  double end = head > 0 ? -norm : norm;
  v[0] = head - end;
  for (int64_t i = 0; i < n; i++)
    v[i] /= largest;
  *beta = 2 / dot(n, v, v);
  return end;
}

/* H a H of the block behind row k, and vector = H vector. */
static void reflect(int64_t d, int64_t k, double beta, const double *v, double *w, double *a,
                    double *vector)
{
  int64_t n = d - k - 1;
  double *block = a + (k + 1) * (d + 1);

  memset(w, 0, (size_t)n * sizeof *w);
  for (int64_t i = 0; i < n; i++)
    add(n, beta * v[i], block + i * d, w);
  add(n, -.5 * beta * dot(n, v, w), v, w);
  for (int64_t i = 0; i < n; i++) {
    add(n, -v[i], w, block + i * d);
    add(n, -w[i], v, block + i * d);
  }
  memset(w, 0, (size_t)d * sizeof *w);
  for (int64_t i = 0; i < n; i++)
    add(d, v[i], vector + (k + 1 + i) * d, w);
  for (int64_t i = 0; i < n; i++)
    add(d, -beta * v[i], w, vector + (k + 1 + i) * d);
}

/* a becomes tridiagonal: value[d], and off[d - 1] beside it; vector the reflections' product. */
static void tridiagonal(int64_t d, double *a, double *value, double *off, double *v, double *vector)
{
  memset(vector, 0, (size_t)(d * d) * sizeof *vector);
  for (int64_t i = 0; i < d; i++)
    vector[i * d + i] = 1;
  for (int64_t k = 0; k + 1 < d; k++) {
    double beta;
    off[k] = reflection(d, k, a, v, &beta);
    if (beta != 0)
      reflect(d, k, beta, v, value, a, vector); /* value: scratch */
  }
  for (int64_t i = 0; i < d; i++)
    value[i] = a[i * d + i];
  off[d - 1] = 0;
}

static void rotate(int64_t width, double c, double s, double *restrict low, double *restrict high)
{
  for (int64_t k = 0; k < width; k++) {
    double f = high[k];
    high[k] = s * low[k] + c * f;
    low[k] = c * low[k] - s * f;
  }
}

void dun_symmetric_step(int64_t l, int64_t m, double *value, double *off, int64_t width,
                        double *row)
{
  double g = (value[l + 1] - value[l]) / (2 * off[l]), r = sqrt(g * g + 1), s = 1, c = 1, p = 0;

  g = value[m] - value[l] + off[l] / (g + (g < 0 ? -r : r));
  for (int64_t i = m - 1; i >= l; i--) {
    double f = s * off[i], b = c * off[i];
    r = sqrt(f * f + g * g);
    off[i + 1] = r;
    if (r == 0) {
      value[i + 1] -= p;
      off[m] = 0;
      return;
    }
    s = f / r;
    c = g / r;
    g = value[i + 1] - p;
    r = (value[i] - g) * s + 2 * c * b;
    p = s * r;
    value[i + 1] = g + p;
    g = c * r - b;
    rotate(width, c, s, row + i * width, row + (i + 1) * width);
  }
  value[l] -= p;
  off[l] = g;
  off[m] = 0;
}

int dun_symmetric_eigen(int size, double *a, double *value, double *vector, double *scratch)
{
  const int most = 60;
  int64_t d = size;
  double *off = scratch;

  tridiagonal(d, a, value, off, scratch + d, vector);
  for (int64_t l = 0; l < d; l++)
    for (int turn = 0;; turn++) {
      int64_t m = l;
      while (m + 1 < d && !(fabs(off[m]) <= DBL_EPSILON * (fabs(value[m]) + fabs(value[m + 1]))))
        m++;
      if (m == l)
        break;
      if (turn == most)
        return -1;
      dun_symmetric_step(l, m, value, off, d, vector);
    }
  for (int64_t i = 0; i < d; i++)
    if (!isfinite(value[i]))
      return -1;
  return 0;
}
