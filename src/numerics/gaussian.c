#include "numerics/gaussian.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/vmath.h"
#include "numerics/linear.h"
#include <math.h>

enum { L = DUN_LANES };

/* ---- set-up ------------------------------------------------------------------------------ */

static int begin(struct dun_gaussian *g, int d, enum dun_gaussian_form form, const double *mean)
{
  *g = (struct dun_gaussian){.dimension = d, .form = form};
  g->mean = dun_allocate(d, sizeof *g->mean);
  g->deviation = dun_allocate(d, sizeof *g->deviation);
  g->inverse = dun_allocate(d, sizeof *g->inverse);
  if (!g->mean || !g->deviation || !g->inverse)
    return DUN_ERROR_MEMORY;
  for (int i = 0; i < d; i++)
    g->mean[i] = mean[i];
  g->log_peak = -0.5 * d * DUN_LOG_2PI;
  return 0;
}

DUN_CLONES static int set_deviations(struct dun_gaussian *g, const double *deviation)
{
  for (int i = 0; i < g->dimension; i++) {
    g->deviation[i] = deviation[i];
    g->inverse[i] = 1 / deviation[i];
    if (!(deviation[i] > 0 && isfinite(deviation[i]) && isfinite(g->inverse[i])))
      return dun_fail(DUN_ERROR_NUMERIC,
                      "standard deviation %d of a Gaussian is %g, expected a positive number", i,
                      deviation[i]);
    g->log_peak -= dun_log(deviation[i]);
  }
  return 0;
}

int dun_gaussian_diagonal(struct dun_gaussian *gaussian, int dimension, const double *mean,
                          const double *deviation)
{
  int status = begin(gaussian, dimension, DUN_GAUSSIAN_DIAGONAL, mean);
  return status < 0 ? status : set_deviations(gaussian, deviation);
}

DUN_CLONES int dun_gaussian_toeplitz(struct dun_gaussian *gaussian, int dimension,
                                     const double *mean, const double *deviation,
                                     double correlation)
{
  double remaining = (1 - correlation) * (1 + correlation);
  int status = begin(gaussian, dimension, DUN_GAUSSIAN_TOEPLITZ, mean);
  if (status < 0)
    return status;
  if (!(remaining > 0))
    return dun_fail(DUN_ERROR_NUMERIC, "the correlation is %g, expected a number between -1 and 1",
                    correlation);
  gaussian->correlation = correlation;
  gaussian->innovation = sqrt(remaining);
  gaussian->log_peak -= 0.5 * (dimension - 1) * dun_log(remaining);
  return set_deviations(gaussian, deviation);
}

/* The precision with rows padded to whole blocks of four. */
static int set_precision(struct dun_gaussian *g)
{
  int d = g->dimension, status;
  double *inverse = dun_allocate((int64_t)d * d, sizeof *inverse);
  double *precision = dun_allocate((int64_t)d * g->stride, sizeof *precision);
  g->precision = g->own[1] = precision;
  if (!inverse || !precision) {
    DUN_FREE(inverse);
    return DUN_ERROR_MEMORY;
  }
  status = dun_cholesky_inverse(d, g->factor, inverse);
  for (int i = 0; i < d; i++)
    for (int j = 0; j < d; j++)
      precision[(int64_t)i * g->stride + j] = inverse[(int64_t)i * d + j];
  DUN_FREE(inverse);
  return status;
}

/* From a factor that stands; deviation[d] holds variances before. */
DUN_CLONES static void set_scales(struct dun_gaussian *g)
{
  for (int64_t i = 0; i < g->dimension; i++) {
    g->deviation[i] = sqrt(g->deviation[i]);
    g->inverse[i] = 1 / g->deviation[i];
    g->log_peak -= dun_log(g->factor[i * g->factor_stride + i]);
  }
}

int dun_gaussian_dense(struct dun_gaussian *gaussian, int dimension, const double *mean,
                       const double *covariance)
{
  int64_t d = dimension;
  int status = begin(gaussian, dimension, DUN_GAUSSIAN_DENSE, mean);
  if (status < 0)
    return status;
  double *factor = dun_allocate(d * d, sizeof *factor);
  gaussian->stride = (dimension + 3) / 4 * 4;
  gaussian->factor_stride = dimension;
  gaussian->factor = gaussian->own[0] = factor;
  if (!factor)
    return DUN_ERROR_MEMORY;
  for (int64_t i = 0; i < d * d; i++)
    factor[i] = covariance[i];
  if ((status = dun_cholesky(dimension, factor)) < 0)
    return status;
  for (int64_t i = 0; i < d; i++)
    gaussian->deviation[i] = covariance[i * d + i];
  set_scales(gaussian);
  return set_precision(gaussian);
}

int dun_gaussian_of_tables(struct dun_gaussian *gaussian, int dimension, const double *mean,
                           const double *factor, int factor_stride, const double *precision)
{
  int status = begin(gaussian, dimension, DUN_GAUSSIAN_DENSE, mean);
  if (status < 0)
    return status;
  gaussian->stride = (dimension + 3) / 4 * 4;
  gaussian->factor = factor;
  gaussian->factor_stride = factor_stride;
  gaussian->precision = precision;
  for (int64_t i = 0; i < dimension; i++)
    for (int64_t j = 0; j <= i; j++)
      gaussian->deviation[i] += factor[i * factor_stride + j] * factor[i * factor_stride + j];
  set_scales(gaussian);
  return 0;
}

void dun_gaussian_free(struct dun_gaussian *gaussian)
{
  DUN_FREE(gaussian->mean);
  DUN_FREE(gaussian->deviation);
  DUN_FREE(gaussian->inverse);
  DUN_FREE(gaussian->own[0]);
  DUN_FREE(gaussian->own[1]);
}

/* ---- evaluation -------------------------------------------------------------------------- */

int dun_gaussian_work_columns(const struct dun_gaussian *gaussian)
{
  return gaussian->form == DUN_GAUSSIAN_DENSE ? gaussian->stride : 0;
}

DUN_INLINE void finish(const struct dun_gaussian *g, const double *restrict square,
                       double *restrict lp)
{
  lp = DUN_ALIGNED(lp);
  for (int l = 0; l < L; l++)
    lp[l] = g->log_peak - 0.5 * square[l];
}

DUN_CLONES
static void evaluate_diagonal(const struct dun_gaussian *g, int write, const double *restrict x,
                              double *restrict lp, const double *restrict scale,
                              double *restrict gradient)
{
  double square[L] __attribute__((aligned(64))) = {0};
  x = DUN_ALIGNED(x);
  for (int j = 0; j < g->dimension; j++, x += L) {
    double m = g->mean[j], w = g->inverse[j];
    if (lp)
      for (int l = 0; l < L; l++) {
        double y = (x[l] - m) * w;
        square[l] = DUN_FMA(y, y, square[l]);
      }
    if (gradient) {
      double *restrict out = DUN_ALIGNED(gradient + (int64_t)j * L);
      const double *restrict factor = DUN_ALIGNED(scale);
      if (write)
        for (int l = 0; l < L; l++)
          out[l] = factor[l] * w * ((m - x[l]) * w);
      else
        for (int l = 0; l < L; l++)
          out[l] = DUN_FMA(factor[l] * w, (m - x[l]) * w, out[l]);
    }
  }
  if (lp)
    finish(g, square, lp);
}

/* With y = (x - m) / deviation, the innovations are e_0 = y_0, e_i = c (y_i - rho y_{i-1}) with
 * c = 1 / sqrt(1 - rho^2); the squared norm is the sum of e_i^2, its half's derivative by y_i is
 * e_i c_i - rho c e_{i+1} (c_0 = 1).  Row i - 1 of the gradient is complete once e_i is known. */
DUN_CLONES
static void evaluate_toeplitz(const struct dun_gaussian *g, const double *restrict x,
                              double *restrict lp, const double *restrict scale,
                              double *restrict gradient)
{
  double square[L] __attribute__((aligned(64)));
  double y[L] __attribute__((aligned(64))), e[L] __attribute__((aligned(64)));
  double c = 1 / g->innovation, rho = g->correlation, before = 1;
  x = DUN_ALIGNED(x);
  for (int l = 0; l < L; l++) {
    y[l] = (x[l] - g->mean[0]) * g->inverse[0];
    e[l] = y[l];
    square[l] = y[l] * y[l];
  }
  for (int j = 1; j < g->dimension; j++) {
    double m = g->mean[j], w = g->inverse[j], v = g->inverse[j - 1];
    x += L;
    if (gradient) {
      double *restrict out = DUN_ALIGNED(gradient + (int64_t)(j - 1) * L);
      const double *restrict factor = DUN_ALIGNED(scale);
      for (int l = 0; l < L; l++) {
        double yj = (x[l] - m) * w, ej = DUN_FMA(-rho, y[l], yj) * c;
        out[l] = DUN_FMA(factor[l] * v, DUN_FMA(rho * c, ej, -before * e[l]), out[l]);
        square[l] = DUN_FMA(ej, ej, square[l]);
        y[l] = yj;
        e[l] = ej;
      }
    } else {
      for (int l = 0; l < L; l++) {
        double yj = (x[l] - m) * w, ej = DUN_FMA(-rho, y[l], yj) * c;
        square[l] = DUN_FMA(ej, ej, square[l]);
        y[l] = yj;
      }
    }
    before = c;
  }
  if (gradient) {
    double *restrict out = DUN_ALIGNED(gradient + (int64_t)(g->dimension - 1) * L);
    const double *restrict factor = DUN_ALIGNED(scale);
    double v = g->inverse[g->dimension - 1];
    for (int l = 0; l < L; l++)
      out[l] = DUN_FMA(factor[l] * v, -before * e[l], out[l]);
  }
  if (lp)
    finish(g, square, lp);
}

/* force = -(row of the precision) (x - mean), four columns of y at a time. */
DUN_INLINE void dense_row(int stride, const double *restrict row, const double *restrict y,
                          double *restrict force)
{
  for (int l = 0; l < L; l++)
    force[l] = 0;
  for (int j = 0; j < stride; j += 4) {
    const double *restrict b = DUN_ALIGNED(y + (int64_t)j * L);
    double p0 = row[j], p1 = row[j + 1], p2 = row[j + 2], p3 = row[j + 3];
    for (int l = 0; l < L; l++) {
      double sum = DUN_FMA(p0, b[l], force[l]);
      sum = DUN_FMA(p1, b[L + l], sum);
      sum = DUN_FMA(p2, b[2 * L + l], sum);
      force[l] = DUN_FMA(p3, b[3 * L + l], sum);
    }
  }
}

DUN_CLONES
static void evaluate_dense(const struct dun_gaussian *g, const double *restrict x,
                           double *restrict lp, const double *restrict scale,
                           double *restrict gradient, double *restrict y)
{
  double square[L] __attribute__((aligned(64))) = {0};
  double force[L] __attribute__((aligned(64)));
  int d = g->dimension;
  x = DUN_ALIGNED(x);
  y = DUN_ALIGNED(y);
  for (int j = 0; j < g->stride; j++)
    for (int l = 0; l < L; l++)
      y[(int64_t)j * L + l] = j < d ? g->mean[j] - x[(int64_t)j * L + l] : 0;
  for (int i = 0; i < d; i++) {
    const double *restrict yi = DUN_ALIGNED(y + (int64_t)i * L);
    dense_row(g->stride, g->precision + (int64_t)i * g->stride, y, force);
    if (lp)
      for (int l = 0; l < L; l++)
        square[l] = DUN_FMA(yi[l], force[l], square[l]);
    if (gradient) {
      double *restrict out = DUN_ALIGNED(gradient + (int64_t)i * L);
      const double *restrict factor = DUN_ALIGNED(scale);
      for (int l = 0; l < L; l++)
        out[l] = DUN_FMA(factor[l], force[l], out[l]);
    }
  }
  if (lp)
    finish(g, square, lp);
}

void dun_gaussian_evaluate(const struct dun_gaussian *gaussian, const double *x, double *lp,
                           const double *scale, double *gradient, double *work)
{
  switch (gaussian->form) {
  case DUN_GAUSSIAN_DIAGONAL: evaluate_diagonal(gaussian, 0, x, lp, scale, gradient); break;
  case DUN_GAUSSIAN_TOEPLITZ: evaluate_toeplitz(gaussian, x, lp, scale, gradient); break;
  case DUN_GAUSSIAN_DENSE: evaluate_dense(gaussian, x, lp, scale, gradient, work); break;
  }
}

void dun_gaussian_write(const struct dun_gaussian *gaussian, const double *x, double *lp,
                        const double *scale, double *gradient, double *work)
{
  if (gaussian->form == DUN_GAUSSIAN_DIAGONAL) {
    evaluate_diagonal(gaussian, 1, x, lp, scale, gradient);
    return;
  }
  if (gradient)
    memset(gradient, 0, (size_t)gaussian->dimension * L * sizeof *gradient);
  dun_gaussian_evaluate(gaussian, x, lp, scale, gradient, work);
}

/* ---- draws ------------------------------------------------------------------------------- */

DUN_CLONES
static void draw_chain(const struct dun_gaussian *g, const double *restrict normal, double *x)
{
  double y[L] __attribute__((aligned(64))) = {0};
  double rho = 0, innovation = 1;
  for (int j = 0; j < g->dimension; j++) {
    double m = g->mean[j], s = g->deviation[j];
    for (int l = 0; l < L; l++) {
      y[l] = DUN_FMA(rho, y[l], innovation * normal[(int64_t)j * L + l]);
      x[(int64_t)j * L + l] = DUN_FMA(s, y[l], m);
    }
    if (g->form == DUN_GAUSSIAN_TOEPLITZ) {
      rho = g->correlation;
      innovation = g->innovation;
    }
  }
}

DUN_CLONES
static void draw_dense(const struct dun_gaussian *g, const double *restrict normal,
                       double *restrict x)
{
  for (int64_t i = 0; i < g->dimension; i++) {
    double *restrict out = DUN_ALIGNED(x + i * L);
    const double *row = g->factor + i * g->factor_stride;
    for (int l = 0; l < L; l++)
      out[l] = g->mean[i];
    for (int64_t j = 0; j <= i; j++)
      for (int l = 0; l < L; l++)
        out[l] = DUN_FMA(row[j], normal[j * L + l], out[l]);
  }
}

void dun_gaussian_draw(const struct dun_gaussian *gaussian, const double *normal, double *x)
{
  if (gaussian->form == DUN_GAUSSIAN_DENSE)
    draw_dense(gaussian, normal, x);
  else
    draw_chain(gaussian, normal, x);
}
