#include "numerics/heavy_mixture.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/scalar.h"
#include "base/vmath.h"
#include "numerics/linear.h"
#include <math.h>
#include <string.h>

enum { L = DUN_LANES };

int64_t dun_heavy_stride(const struct dun_heavy_shape *shape)
{
  int64_t d = shape->d;
  return 1 + d + (shape->dense ? d * d : d);
}

/* log of Gamma((nu + d) / 2) / Gamma(nu / 2) (2 / nu)^(d / 2), with nu = 2 a: from Gamma(x + 1) = x
 * Gamma(x), for odd d also from Gamma(3/2) / Gamma(1) = sqrt(pi) / 2. */
static double log_constant(int d, int freedom)
{
  int a = freedom / 2;
  double value = 0, x = a;
  if (d % 2) {
    value = dun_scalar_log(.88622692545275801365); /* sqrt(pi) / 2 */
    for (int i = 1; i < a; i++)
      value += dun_scalar_log((i + .5) / i);
    x += .5;
  }
  for (int i = 0; i < d / 2; i++)
    value += dun_scalar_log(x + i);
  return value + .5 * d * dun_scalar_log(2. / freedom);
}

/* Of a lower triangle by rows: row i of the inverse is what the rows above leave. */
DUN_CLONES static void invert(int d, int stride, const double *restrict l, double *restrict inverse)
{
  for (int64_t i = 0; i < d; i++) {
    double *restrict row = inverse + i * stride, pivot = 1 / l[i * d + i];
    for (int64_t k = 0; k < i; k++) {
      double factor = l[i * d + k] * pivot;
      const double *restrict above = inverse + k * stride;
      for (int64_t j = 0; j <= k; j++)
        row[j] -= factor * above[j];
    }
    row[i] = pivot;
  }
}

/* Component k's factor and its inverse; from the logarithm of the diagonal, the peak. */
static int set_matrix(struct dun_heavy_mixture *m, int k, const double *matrix)
{
  int64_t d = m->shape.d, size = m->shape.dense ? d * d : d;
  double *factor = m->factor + k * size;
  memcpy(factor, matrix, (size_t)size * sizeof *factor);
  if (m->shape.dense) {
    int status = dun_cholesky((int)d, factor);
    if (status < 0)
      return status;
    invert((int)d, m->stride, factor, m->inverse + k * d * m->stride);
  }
  for (int64_t j = 0; j < d; j++) {
    double *deviation = factor + (m->shape.dense ? j * d + j : j);
    *deviation = m->shape.dense ? *deviation : sqrt(*deviation);
    if (!(*deviation > 0 && isfinite(1 / *deviation)))
      return dun_fail(DUN_ERROR_NUMERIC, "a component has the width %g", *deviation);
    if (!m->shape.dense)
      m->inverse[k * d + j] = 1 / *deviation;
    m->peak[k] -= dun_scalar_log(*deviation);
  }
  return 0;
}

static int allocate(struct dun_heavy_mixture *m)
{
  int64_t K = m->shape.components, d = m->shape.d, rows = m->shape.dense ? d : 1;
  m->stride = (int)(d + 3) / 4 * 4;
  m->share = dun_allocate(K * (2 + d + rows * d), sizeof *m->share);
  m->inverse = dun_allocate(K * (m->shape.dense ? d * m->stride : d), sizeof *m->inverse);
  m->square = dun_allocate((2 * K + m->stride) * L, sizeof *m->square);
  if (!m->share || !m->inverse || !m->square)
    return DUN_ERROR_MEMORY;
  m->peak = m->share + K;
  m->mean = m->peak + K;
  m->factor = m->mean + K * d;
  m->own = m->square + K * L;
  m->work = m->own + K * L;
  return 0;
}

int dun_heavy_init(struct dun_heavy_mixture *mixture, const struct dun_heavy_shape *shape,
                   const double *parameter)
{
  *mixture = (struct dun_heavy_mixture){.shape = *shape};
  int d = shape->d, status = allocate(mixture);
  double constant = status < 0 ? 0 : log_constant(d, shape->freedom) - .5 * d * DUN_LOG_2PI;
  for (int k = 0; k < shape->components && status >= 0; k++, parameter += dun_heavy_stride(shape)) {
    mixture->share[k] = parameter[0];
    mixture->peak[k] = constant + dun_scalar_log(parameter[0]);
    memcpy(mixture->mean + (int64_t)k * d, parameter + 1, (size_t)d * sizeof *parameter);
    status = set_matrix(mixture, k, parameter + 1 + d);
  }
  return status;
}

void dun_heavy_free(struct dun_heavy_mixture *mixture)
{
  DUN_FREE(mixture->share);
  DUN_FREE(mixture->inverse);
  DUN_FREE(mixture->square);
}

/* ---- densities ------------------------------------------------------------------------------- */

/* Four columns of y at a time; what is behind the diagonal is 0. */
DUN_INLINE void add_row(int columns, const double *restrict row, const double *restrict y,
                        double *restrict square)
{
  double z[L] __attribute__((aligned(64))) = {0};
  for (int j = 0; j < columns; j += 4) {
    const double *restrict b = DUN_ALIGNED(y + (int64_t)j * L);
    double p0 = row[j], p1 = row[j + 1], p2 = row[j + 2], p3 = row[j + 3];
    for (int l = 0; l < L; l++) {
      double sum = DUN_FMA(p0, b[l], z[l]);
      sum = DUN_FMA(p1, b[L + l], sum);
      sum = DUN_FMA(p2, b[2 * L + l], sum);
      z[l] = DUN_FMA(p3, b[3 * L + l], sum);
    }
  }
  for (int l = 0; l < L; l++)
    square[l] = DUN_FMA(z[l], z[l], square[l]);
}

DUN_CLONES static void distances(const struct dun_heavy_mixture *m, int k, const double *restrict x,
                                 double *restrict y, double *restrict square)
{
  int d = m->shape.d, dense = m->shape.dense;
  const double *mean = m->mean + (int64_t)k * d;
  const double *inverse = m->inverse + (int64_t)k * d * (dense ? m->stride : 1);
  x = DUN_ALIGNED(x);
  y = DUN_ALIGNED(y);
  square = DUN_ALIGNED(square);
  for (int l = 0; l < L; l++)
    square[l] = 0;
  for (int j = 0; j < d; j++) {
    double centre = mean[j], scale = dense ? 1 : inverse[j];
    for (int l = 0; l < L; l++)
      y[(int64_t)j * L + l] = (x[(int64_t)j * L + l] - centre) * scale;
  }
  for (int i = 0; i < d && dense; i++)
    add_row(i / 4 * 4 + 4, inverse + (int64_t)i * m->stride, y, square);
  for (int i = 0; i < d && !dense; i++)
    for (int l = 0; l < L; l++)
      square[l] = DUN_FMA(y[(int64_t)i * L + l], y[(int64_t)i * L + l], square[l]);
}

DUN_CLONES static void student(double peak, double inverse, double power,
                               const double *restrict square, double *restrict term)
{
  for (int l = 0; l < L; l++)
    term[l] = peak - power * dun_log(1 + square[l] * inverse);
}

/* Of the logarithms own[K][64]: their sum's, and each one's part of it. */
DUN_CLONES static void log_sum(int K, double *restrict own, double *restrict out)
{
  double top[L], sum[L];
  for (int l = 0; l < L; l++) {
    top[l] = own[l];
    sum[l] = 0;
  }
  for (int k = 1; k < K; k++)
    for (int l = 0; l < L; l++)
      top[l] = own[k * L + l] > top[l] ? own[k * L + l] : top[l];
  for (int k = 0; k < K; k++)
    for (int l = 0; l < L; l++) {
      own[k * L + l] = dun_exp_weight(own[k * L + l] - top[l]);
      sum[l] += own[k * L + l];
    }
  for (int l = 0; l < L; l++) {
    out[l] = top[l] + dun_log(sum[l]);
    sum[l] = 1 / sum[l];
  }
  for (int k = 0; k < K; k++)
    for (int l = 0; l < L; l++)
      own[k * L + l] *= sum[l];
}

void dun_heavy_evaluate(struct dun_heavy_mixture *mixture, const double *x, double *log_density)
{
  double freedom = mixture->shape.freedom, power = .5 * (freedom + mixture->shape.d);
  for (int k = 0; k < mixture->shape.components; k++) {
    double *square = mixture->square + (int64_t)k * L;
    distances(mixture, k, x, mixture->work, square);
    student(mixture->peak[k], 1 / freedom, power, square, mixture->own + (int64_t)k * L);
  }
  log_sum(mixture->shape.components, mixture->own, log_density);
}

/* ---- draws ----------------------------------------------------------------------------------- */

int dun_heavy_uniforms(const struct dun_heavy_mixture *mixture)
{
  return 1 + mixture->shape.freedom / 2;
}

/* sqrt(freedom / chi-square): of an even number of degrees -2 log of a product of uniforms. */
DUN_CLONES static void spread(int freedom, const double *restrict uniform, double *restrict factor)
{
  for (int l = 0; l < L; l++) {
    double product = 1;
    for (int i = 0; i < freedom / 2; i++)
      product *= uniform[i * L + l];
    double square = -2 * dun_log(product);
    factor[l] = sqrt(freedom / (square > 1e-12 ? square : 1e-12));
  }
}

static int component(const struct dun_heavy_mixture *mixture, double uniform)
{
  double sum = 0;
  int k = 0;
  while (k < mixture->shape.components - 1 && uniform > (sum += mixture->share[k]))
    k++;
  return k;
}

/* factor times normals, into one[d][64]. */
DUN_CLONES static void deviate(const struct dun_heavy_mixture *m, int k,
                               const double *restrict normal, double *restrict one)
{
  int64_t d = m->shape.d, dense = m->shape.dense;
  const double *factor = m->factor + k * d * (dense ? d : 1);
  for (int64_t i = 0; i < d; i++) {
    double *restrict out = one + i * L;
    for (int l = 0; l < L; l++)
      out[l] = dense ? 0 : factor[i] * normal[i * L + l];
    for (int64_t j = 0; j <= i && dense; j++)
      for (int l = 0; l < L; l++)
        out[l] = DUN_FMA(factor[i * d + j], normal[j * L + l], out[l]);
  }
}

void dun_heavy_draw(const struct dun_heavy_mixture *mixture, const double *uniform,
                    const double *normal, double *one, double *x)
{
  int own[L], d = mixture->shape.d;
  double factor[L];
  spread(mixture->shape.freedom, uniform + L, factor);
  for (int l = 0; l < L; l++)
    own[l] = component(mixture, uniform[l]);
  for (int k = 0; k < mixture->shape.components; k++) {
    const double *mean = mixture->mean + (int64_t)k * d;
    int drawn = 0;
    for (int l = 0; l < L; l++) {
      if (own[l] != k)
        continue;
      if (!drawn++)
        deviate(mixture, k, normal, one);
      for (int j = 0; j < d; j++)
        x[j * L + l] = mean[j] + factor[l] * one[j * L + l];
    }
  }
}
