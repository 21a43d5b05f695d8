/* Fitting one component: principal directions by subspace iteration on the data themselves, which
 * never makes a matrix of d × d. */
#include "base/error.h"
#include "base/memory.h"
#include "base/random.h"
#include "numerics/factors.h"
#include "numerics/linear.h"
#include <math.h>
#include <string.h>

enum { ROUNDS = 24, SWEEPS = 30, SPARE = 4 };

static void center(int64_t n, int d, double *x, double *mean)
{
  memset(mean, 0, (size_t)d * sizeof *mean);
  for (int64_t i = 0; i < n; i++)
    for (int64_t j = 0; j < d; j++)
      mean[j] += x[i * d + j];
  for (int64_t j = 0; j < d; j++)
    mean[j] /= (double)n;
  for (int64_t i = 0; i < n; i++)
    for (int64_t j = 0; j < d; j++)
      x[i * d + j] -= mean[j];
}

static double product(int d, const double *a, const double *b)
{
  double sum = 0;
  for (int64_t j = 0; j < d; j++)
    sum += a[j] * b[j];
  return sum;
}

/* Gram-Schmidt, twice, of the rows of v[p][d]; a row that is nothing but rounding becomes zero. */
static void orthonormalise(int p, int d, double *v)
{
  for (int i = 0; i < p; i++) {
    double *row = v + (int64_t)i * d, before = sqrt(product(d, row, row)), after;
    for (int k = 0; k < 2 * i; k++) {
      const double *other = v + (int64_t)(k % i) * d;
      double along = product(d, row, other);
      for (int64_t j = 0; j < d; j++)
        row[j] -= along * other[j];
    }
    after = sqrt(product(d, row, row));
    for (int64_t j = 0; j < d; j++)
      row[j] = after > 1e-10 * before ? row[j] / after : 0;
  }
}

/* Jacobi's rotations: s[p][p] becomes diagonal, and the rows of v[p][d] turn with it. */
static void rotate(int p, int d, int a, int b, double *s, double *v)
{
  double off = s[a * p + b], gap = s[b * p + b] - s[a * p + a], size = fabs(gap);
  double t = 2 * off / (size + sqrt(gap * gap + 4 * off * off)), c, sine;
  t = gap < 0 ? -t : t;
  c = 1 / sqrt(1 + t * t);
  sine = t * c;
  for (int i = 0; i < p; i++) {
    double x = s[i * p + a], y = s[i * p + b];
    s[i * p + a] = c * x - sine * y;
    s[i * p + b] = sine * x + c * y;
  }
  for (int i = 0; i < p; i++) {
    double x = s[a * p + i], y = s[b * p + i];
    s[a * p + i] = c * x - sine * y;
    s[b * p + i] = sine * x + c * y;
  }
  for (int64_t j = 0; j < d; j++) {
    double x = v[(int64_t)a * d + j], y = v[(int64_t)b * d + j];
    v[(int64_t)a * d + j] = c * x - sine * y;
    v[(int64_t)b * d + j] = sine * x + c * y;
  }
}

static void diagonalise(int p, int d, double *s, double *v)
{
  for (int sweep = 0; sweep < SWEEPS; sweep++) {
    int turned = 0;
    for (int a = 0; a < p; a++)
      for (int b = a + 1; b < p; b++)
        if (fabs(s[a * p + b]) > 1e-14 * sqrt(fabs(s[a * p + a] * s[b * p + b]))) {
          rotate(p, d, a, b, s, v);
          turned = 1;
        }
    if (!turned)
      break;
  }
}

/* The p largest directions of x[n][d], rows of v, and their variances on the diagonal of s. */
static void find_directions(int64_t n, int d, int p, const double *x, double *y, double *v,
                            double *s)
{
  size_t bytes = (size_t)p * (size_t)d * sizeof *v;
  orthonormalise(p, d, v);
  for (int round = 0; round < ROUNDS; round++) {
    dun_multiply_abt((int)n, p, d, x, d, v, d, y, p);
    memset(v, 0, bytes);
    dun_multiply_add_atb(p, d, (int)n, y, p, x, d, v, d);
    orthonormalise(p, d, v);
  }
  dun_multiply_abt((int)n, p, d, x, d, v, d, y, p);
  memset(s, 0, (size_t)p * (size_t)p * sizeof *s);
  dun_multiply_add_atb(p, p, (int)n, y, p, y, p, s, p);
  for (int i = 0; i < p * p; i++)
    s[i] /= (double)n;
  diagonalise(p, d, s, v);
}

/* Takes the `most` largest of the p directions; returns the variance that they hold. */
static double take_largest(struct dun_factors *f, int k, int p, int most, double *s,
                           const double *v)
{
  int d = f->dimension, q = f->factors;
  double held = 0;
  for (int i = 0; i < most; i++) {
    int best = 0;
    for (int a = 1; a < p; a++)
      best = s[a * p + a] > s[best * p + best] ? a : best;
    f->variance[(int64_t)k * q + i] = s[best * p + best];
    held += s[best * p + best];
    memcpy(f->rows + ((int64_t)k * (q + 1) + i + 1) * d, v + (int64_t)best * d,
           (size_t)d * sizeof *v);
    s[best * p + best] = -1;
  }
  return held;
}

static void take_noise(struct dun_factors *f, int k, int most, double rest, double floor)
{
  int across = f->dimension - most;
  double variance = across > 0 && rest > 0 ? rest / across : 0;
  variance = fmax(variance, floor * floor);
  f->noise[k] = sqrt(variance);
  for (int i = 0; i < f->factors; i++) {
    double *own = &f->variance[(int64_t)k * f->factors + i];
    *own = fmax(*own, variance);
  }
}

int dun_factors_fit(struct dun_factors *factors, int k, int64_t n, double *x, double floor,
                    uint64_t seed)
{
  int d = factors->dimension, q = factors->factors, status = DUN_ERROR_MEMORY;
  int rank = n - 1 < d ? (int)n - 1 : d, p = q + SPARE < rank ? q + SPARE : rank;
  int most = q < p ? q : p;
  struct dun_address address = {seed, DUN_PURPOSE_DATA, 0, 2, (uint32_t)k};
  int64_t columns = ((int64_t)p * d + 63) / 64;
  double *v = dun_allocate(columns, 64 * sizeof *v), *y = dun_allocate(n * p, sizeof *y);
  double *s = dun_allocate((int64_t)p * p, sizeof *s), total = 0;
  if (v && y && s) {
    center(n, d, x, factors->rows + (int64_t)k * (q + 1) * d);
    for (int64_t i = 0; i < n; i++)
      total += product(d, x + i * d, x + i * d) / (double)n;
    if (p > 0) {
      dun_normals(address, (int)columns, v);
      find_directions(n, d, p, x, y, v, s);
    }
    total -= take_largest(factors, k, p, most, s, v);
    take_noise(factors, k, most, total, floor);
    factors->weight[k] = (double)n;
    status = 0;
  }
  DUN_FREE(v);
  DUN_FREE(y);
  DUN_FREE(s);
  return status;
}
