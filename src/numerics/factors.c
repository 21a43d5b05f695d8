#include "numerics/factors.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/scalar.h"
#include "base/vmath.h"
#include "dunlin/target.h"
#include "numerics/linear.h"
#include <math.h>

enum { L = DUN_LANES, PARTS = 8 };
#define LOWEST (-1e300)

/* ---- set-up ------------------------------------------------------------------------------ */

int dun_factors_init(struct dun_factors *factors, int dimension, int components, int most_factors)
{
  int64_t k = components, q = most_factors;
  *factors = (struct dun_factors){
      .dimension = dimension, .components = components, .factors = most_factors};
  factors->rows = dun_allocate(k * (q + 1), (size_t)dimension * sizeof(double));
  factors->variance = dun_allocate(k * q, sizeof(double));
  factors->noise = dun_allocate(k, sizeof(double));
  factors->weight = dun_allocate(k, sizeof(double));
  factors->cumulative = dun_allocate(k, sizeof(double));
  factors->log_peak = dun_allocate(k, sizeof(double));
  factors->offset = dun_allocate(k * (q + 1), sizeof(double));
  return factors->rows && factors->variance && factors->noise && factors->weight &&
                 factors->cumulative && factors->log_peak && factors->offset
             ? 0
             : DUN_ERROR_MEMORY;
}

void dun_factors_free(struct dun_factors *factors)
{
  DUN_FREE(factors->rows);
  DUN_FREE(factors->variance);
  DUN_FREE(factors->noise);
  DUN_FREE(factors->weight);
  DUN_FREE(factors->cumulative);
  DUN_FREE(factors->log_peak);
  DUN_FREE(factors->offset);
}

static double *rows_of(const struct dun_factors *f, int k)
{
  return f->rows + (int64_t)k * (f->factors + 1) * f->dimension;
}

/* A dot product in parts that lie side by side in a vector. */
DUN_CLONES
static double dot(int d, const double *restrict a, const double *restrict b)
{
  double part[PARTS] = {0}, sum = 0;
  int j = 0;
  for (; j + PARTS <= d; j += PARTS)
    for (int i = 0; i < PARTS; i++)
      part[i] = DUN_FMA(a[j + i], b[j + i], part[i]);
  for (; j < d; j++)
    sum = DUN_FMA(a[j], b[j], sum);
  for (int i = 0; i < PARTS; i++)
    sum += part[i];
  return sum;
}

/* All components take the mean noise variance of the data, and no direction has less. */
static void share_noise(struct dun_factors *f)
{
  double total = 0, sum = 0;
  for (int k = 0; k < f->components; k++) {
    total += f->weight[k];
    sum += f->weight[k] * f->noise[k] * f->noise[k];
  }
  for (int k = 0; k < f->components; k++)
    f->noise[k] = sqrt(sum / total);
  for (int64_t i = 0; i < (int64_t)f->components * f->factors; i++)
    f->variance[i] = fmax(f->variance[i], sum / total);
}

void dun_factors_set(struct dun_factors *factors)
{
  int K = factors->components, q = factors->factors, d = factors->dimension;
  double total = 0, sum = 0;
  share_noise(factors);
  for (int k = 0; k < K; k++)
    total += factors->weight[k];
  for (int k = 0; k < K; k++) {
    const double *rows = rows_of(factors, k);
    double logs = 2 * (d - q) * dun_scalar_log(factors->noise[k]);
    for (int i = 0; i < q; i++)
      logs += dun_scalar_log(factors->variance[(int64_t)k * q + i]);
    for (int i = 0; i <= q; i++)
      factors->offset[(int64_t)k * (q + 1) + i] = dot(d, rows, rows + (int64_t)i * d);
    factors->weight[k] /= total;
    sum += factors->weight[k];
    factors->cumulative[k] = k < K - 1 ? sum : 1;
    factors->log_peak[k] = dun_scalar_log(factors->weight[k]) - 0.5 * (logs + d * DUN_LOG_2PI);
  }
}

/* ---- evaluation -------------------------------------------------------------------------- */

/* Of each component the products with its rows, its share, and three columns of sums. */
int dun_factors_work_columns(const struct dun_factors *factors)
{
  return factors->components * (factors->factors + 2) + 3;
}

/* Log of component k, from the products p[q + 1][64] with its rows. */
DUN_INLINE void exponent(const struct dun_factors *f, int k, int n, const double *restrict square,
                         const double *restrict p, double *restrict value)
{
  const double *offset = f->offset + (int64_t)k * (f->factors + 1);
  double across = 1 / (f->noise[k] * f->noise[k]), peak = f->log_peak[k];
  for (int l = 0; l < n; l++)
    value[l] = across * (square[l] - 2 * p[l] + offset[0]);
  for (int i = 0; i < f->factors; i++) {
    double less = across - 1 / f->variance[(int64_t)k * f->factors + i], middle = offset[i + 1];
    for (int l = 0; l < n; l++) {
      double y = p[(int64_t)(i + 1) * L + l] - middle;
      value[l] = DUN_FMA(-less * y, y, value[l]);
    }
  }
  for (int l = 0; l < n; l++) {
    double log = peak - 0.5 * value[l];
    value[l] = log > LOWEST ? log : LOWEST; /* no number counts as lowest */
  }
}

/* share[K][64] from logs to exp(log - top); sum[64] of them, 0 where no component reaches. */
DUN_INLINE void normalise(int K, int n, double *restrict share, double *restrict top,
                          double *restrict sum)
{
  for (int l = 0; l < n; l++) {
    top[l] = LOWEST;
    sum[l] = 0;
  }
  for (int k = 0; k < K; k++)
    for (int l = 0; l < n; l++)
      top[l] = share[(int64_t)k * L + l] > top[l] ? share[(int64_t)k * L + l] : top[l];
  for (int k = 0; k < K; k++)
    for (int l = 0; l < n; l++) {
      double e = dun_exp_weight(share[(int64_t)k * L + l] - top[l]);
      e = top[l] > LOWEST ? e : 0;
      share[(int64_t)k * L + l] = e;
      sum[l] += e;
    }
}

/* The products become factors of the rows in the gradient; sum becomes the factor of -x. */
DUN_INLINE void row_factors(const struct dun_factors *f, int n, const double *restrict share,
                            double *restrict p, double *restrict sum)
{
  int q = f->factors;
  double inverse[L] __attribute__((aligned(64)));
  for (int l = 0; l < n; l++) {
    inverse[l] = sum[l] > 0 ? 1 / sum[l] : 0;
    sum[l] = 0;
  }
  for (int k = 0; k < f->components; k++) {
    const double *offset = f->offset + (int64_t)k * (q + 1);
    double *restrict row = p + (int64_t)k * (q + 1) * L;
    double across = 1 / (f->noise[k] * f->noise[k]);
    for (int l = 0; l < n; l++) {
      double one = share[(int64_t)k * L + l] * inverse[l];
      row[l] = across * one;
      sum[l] += row[l];
    }
    for (int i = 1; i <= q; i++) {
      double less = across - 1 / f->variance[(int64_t)k * q + i - 1];
      for (int l = 0; l < n; l++) {
        double one = share[(int64_t)k * L + l] * inverse[l] * less;
        double value = one * (row[(int64_t)i * L + l] - offset[i]);
        row[(int64_t)i * L + l] = one > 0 ? value : 0; /* zero times no number */
      }
    }
  }
}

DUN_CLONES
static void shares(const struct dun_factors *f, int n, const double *restrict square,
                   const double *restrict p, double *restrict share, double *restrict lp,
                   double *restrict sum)
{
  double top[L] __attribute__((aligned(64)));
  for (int k = 0; k < f->components; k++)
    exponent(f, k, n, square, p + (int64_t)k * (f->factors + 1) * L, share + (int64_t)k * L);
  normalise(f->components, n, share, top, sum);
  for (int l = 0; l < n; l++) {
    double value = top[l] + dun_log(sum[l]);
    lp[l] = sum[l] > 0 ? value : -INFINITY;
  }
}

DUN_CLONES
static void weigh_rows(const struct dun_factors *f, int n, const double *restrict share,
                       double *restrict p, double *restrict sum)
{
  row_factors(f, n, share, p, sum);
}

void dun_factors_evaluate(const struct dun_factors *factors, int n, const double *x, double *lp,
                          double *gradient, double *work)
{
  int d = factors->dimension, R = factors->components * (factors->factors + 1);
  double *share = work + (int64_t)R * L, *square = share + (int64_t)factors->components * L;
  double *sum = square + L;
  for (int i = 0; i < n; i++)
    square[i] = dot(d, x + (int64_t)i * d, x + (int64_t)i * d);
  dun_multiply_abt(R, n, d, factors->rows, d, x, d, work, L);
  shares(factors, n, square, work, share, lp, sum);
  if (!gradient)
    return;
  weigh_rows(factors, n, share, work, sum);
  for (int i = 0; i < n; i++)
    for (int64_t j = 0; j < d; j++)
      gradient[(int64_t)i * d + j] = sum[i] > 0 ? -sum[i] * x[(int64_t)i * d + j] : 0;
  dun_multiply_add_atb(n, d, R, work, L, factors->rows, d, gradient, d);
}

/* ---- draws ------------------------------------------------------------------------------- */

/* With z standard normal, noise z + U (deviation - noise) U^T z has the covariance of the
 * component. */
static void draw_one(const struct dun_factors *f, int k, const double *restrict normal,
                     double *restrict x)
{
  const double *row = rows_of(f, k);
  int d = f->dimension;
  for (int64_t j = 0; j < d; j++)
    x[j * L] = row[j] + f->noise[k] * normal[j * L];
  for (int i = 0; i < f->factors; i++) {
    double along = 0, more = sqrt(f->variance[(int64_t)k * f->factors + i]) - f->noise[k];
    row += d;
    for (int64_t j = 0; j < d; j++)
      along += row[j] * normal[j * L];
    for (int64_t j = 0; j < d; j++)
      x[j * L] += more * along * row[j];
  }
}

void dun_factors_draw(const struct dun_factors *factors, const double *uniform,
                      const double *normal, double *x)
{
  for (int l = 0; l < L; l++) {
    int k = 0;
    while (k < factors->components - 1 && uniform[l] > factors->cumulative[k])
      k++;
    draw_one(factors, k, normal + l, x + l);
  }
}
