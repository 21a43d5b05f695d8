/* Gaussians under a tilt.
 *
 * Independent and autoregressive coordinates are filtered forwards and smoothed backwards, each
 * lane with a lambda of its own: standardised, the law given what lies before is N(a, v), the
 * tilt of a coordinate multiplies it, and nothing cancels however narrow the tilt is.  A dense
 * covariance takes the Cholesky factor of precision + lambda scale, once for all lanes that have
 * the same lambda. */
#include "base/vmath.h"
#include "numerics/gaussian.h"
#include "numerics/linear.h"
#include <math.h>

enum { L = DUN_LANES };

int dun_gaussian_tilted_columns(const struct dun_gaussian *gaussian)
{
  int64_t d = gaussian->dimension;
  return gaussian->form == DUN_GAUSSIAN_DENSE ? (int)(2 * d + (d * d + L - 1) / L) : (int)d;
}

/* mass = <h, m> - lambda <m, S m> / 2: the tilt at the mean, to which the rest is relative. */
DUN_CLONES static void begin_mass(const struct dun_gaussian *g, const struct dun_tilted *t,
                                  double *restrict mass)
{
  memset(mass, 0, L * sizeof *mass);
  for (int64_t j = 0; j < g->dimension; j++) {
    double m = g->mean[j], half = .5 * m * (t->scale ? t->scale[j] : 1);
    for (int l = 0; l < L; l++)
      mass[l] = DUN_FMA(m, DUN_FMA(-t->lambda[l], half, t->h[j * L + l]), mass[l]);
  }
}

/* ---- chains ------------------------------------------------------------------------------- */

struct chain {
  double rho, remaining; /* 1 - rho^2 */
  double mean[L] __attribute__((aligned(64)));
  double variance[L] __attribute__((aligned(64)));
  double draw[L] __attribute__((aligned(64)));
};

/* The law of coordinate j given what lies before becomes that of the next one; means and variances
 * given all up to j are kept. */
DUN_INLINE void filter(const struct dun_gaussian *g, int64_t j, const struct dun_tilted *t,
                       struct chain *restrict c, double *restrict mass, double *restrict kept)
{
  const double *restrict h = t->h + j * L;
  double s = g->deviation[j], m = g->mean[j], scale = t->scale ? t->scale[j] : 1;
  double *restrict mean = t->mean + j * L;
  for (int l = 0; l < L; l++) {
    double a = c->mean[l], v = c->variance[l], lambda = t->lambda[l] * scale;
    double b = s * DUN_FMA(-lambda, m, h[l]), more = lambda * s * s, q = 1 / DUN_FMA(more, v, 1);
    double square = DUN_FMA(v * b, b, a * DUN_FMA(-more, a, 2 * b));
    mass[l] += .5 * (square * q - dun_log1p(more * v));
    mean[l] = DUN_FMA(v, b, a) * q;
    kept[l] = v * q;
    c->mean[l] = c->rho * mean[l];
    c->variance[l] = DUN_FMA(c->rho * c->rho, kept[l], c->remaining);
  }
}

/* Backwards: from the law of the next coordinate to that of j. */
DUN_INLINE void smooth(const struct dun_gaussian *g, int64_t j, const struct dun_tilted *t,
                       struct chain *restrict c, const double *restrict kept,
                       double *restrict spread)
{
  double s = g->deviation[j], m = g->mean[j];
  double *restrict mean = t->mean + j * L;
  int last = j == g->dimension - 1;
  double rho = last ? 0 : c->rho, remaining = last ? 1 : c->remaining;
  for (int l = 0; l < L; l++) {
    double inverse = 1 / DUN_FMA(rho * rho, kept[l], remaining);
    double gain = rho * kept[l] * inverse, own = kept[l] * remaining * inverse;
    double rest = DUN_FMA(-gain * rho, mean[l], mean[l]);
    c->mean[l] = DUN_FMA(gain, c->mean[l], rest);
    c->variance[l] = DUN_FMA(gain * gain, c->variance[l], own);
    spread[l] = DUN_FMA(s * s, c->variance[l], spread[l]);
    mean[l] = DUN_FMA(s, c->mean[l], m);
    if (t->draw) {
      c->draw[l] = DUN_FMA(gain, c->draw[l], DUN_FMA(sqrt(own), t->normal[j * L + l], rest));
      t->draw[j * L + l] = DUN_FMA(s, c->draw[l], m);
    }
  }
}

DUN_CLONES static void tilt_chain(const struct dun_gaussian *g, const struct dun_tilted *t,
                                  double *restrict mass, double *restrict spread,
                                  double *restrict kept)
{
  struct chain c = {.remaining = 1};
  if (g->form == DUN_GAUSSIAN_TOEPLITZ) {
    c.rho = g->correlation;
    c.remaining = g->innovation * g->innovation;
  }
  for (int l = 0; l < L; l++)
    c.variance[l] = 1;
  for (int64_t j = 0; j < g->dimension; j++)
    filter(g, j, t, &c, mass, kept + j * L);
  for (int l = 0; l < L; l++)
    c.mean[l] = c.variance[l] = c.draw[l] = spread[l] = 0;
  for (int64_t j = g->dimension - 1; j >= 0; j--)
    smooth(g, j, t, &c, kept + j * L, spread);
}

/* ---- dense -------------------------------------------------------------------------------- */

/* out -= sum of factor[j stride] y_j over j < count. */
DUN_INLINE void subtract(int64_t count, const double *restrict factor, int64_t stride,
                         const double *restrict y, double *restrict out)
{
  int64_t j = 0;
  for (; j < count % 4; j++)
    for (int l = 0; l < L; l++)
      out[l] = DUN_FMA(-factor[j * stride], y[j * L + l], out[l]);
  for (; j < count; j += 4) {
    const double *restrict b = y + j * L, *restrict f = factor + j * stride;
    double f0 = f[0], f1 = f[stride], f2 = f[2 * stride], f3 = f[3 * stride];
    for (int l = 0; l < L; l++) {
      double sum = DUN_FMA(-f1, b[L + l], DUN_FMA(-f0, b[l], out[l]));
      out[l] = DUN_FMA(-f3, b[3 * L + l], DUN_FMA(-f2, b[2 * L + l], sum));
    }
  }
}

/* y <- F^-1 y and y <- F^-T y. */
DUN_CLONES static void solve(int64_t d, const double *factor, double *y)
{
  for (int64_t i = 0; i < d; i++) {
    double *out = y + i * L, inverse = 1 / factor[i * d + i];
    subtract(i, factor + i * d, 1, y, out);
    for (int l = 0; l < L; l++)
      out[l] *= inverse;
  }
}

DUN_CLONES static void solve_transposed(int64_t d, const double *factor, double *y)
{
  for (int64_t i = d - 1; i >= 0; i--) {
    double *out = y + i * L, inverse = 1 / factor[i * d + i];
    subtract(d - 1 - i, factor + (i + 1) * d + i, d, y + (i + 1) * L, out);
    for (int l = 0; l < L; l++)
      out[l] *= inverse;
  }
}

/* |F^-1|^2, by 64 columns at a time. */
static double trace_of_inverse(int64_t d, const double *factor, double *column)
{
  double sum = 0;
  for (int64_t first = 0; first < d; first += L) {
    memset(column, 0, (size_t)(d * L) * sizeof *column);
    for (int64_t i = first; i < d && i < first + L; i++)
      column[i * L + i - first] = 1;
    solve(d, factor, column);
    for (int64_t i = 0; i < d * L; i++)
      sum += column[i] * column[i];
  }
  return sum;
}

/* The factor of precision + lambda scale; its log determinant less that of the precision. */
DUN_CLONES static int factor_at(const struct dun_gaussian *g, double lambda, const double *scale,
                                double *factor, double *change)
{
  int64_t d = g->dimension;
  double sum = 0;
  for (int64_t i = 0; i < d; i++) {
    memcpy(factor + i * d, g->precision + i * g->stride, (size_t)d * sizeof *factor);
    factor[i * d + i] += lambda * (scale ? scale[i] : 1);
  }
  int status = dun_cholesky((int)d, factor);
  for (int64_t i = 0; i < d && status == 0; i++) /* both factors at once, not their logarithms */
    sum += dun_log(factor[i * d + i] * g->factor[i * g->factor_stride + i]);
  *change = 2 * sum;
  return status;
}

/* to = m + F^-T (y + normal) in the lanes of this lambda; normal NULL: 0. */
static void finish(const struct dun_gaussian *g, const struct dun_tilted *t, double lambda,
                   const double *factor, const double *y, const double *normal, double *x,
                   double *to)
{
  int64_t d = g->dimension;
  for (int64_t i = 0; i < d * L; i++)
    x[i] = y[i] + (normal ? normal[i] : 0);
  solve_transposed(d, factor, x);
  for (int64_t i = 0; i < d * L; i++)
    if (t->lambda[i % L] == lambda)
      to[i] = g->mean[i / L] + x[i];
}

/* All lanes that have the lambda of lane `first`. */
DUN_CLONES static int tilt_dense(const struct dun_gaussian *g, const struct dun_tilted *t,
                                 int first, double *restrict mass, double *restrict spread,
                                 double *restrict work)
{
  int64_t d = g->dimension;
  double *y = work, *x = y + d * L, *factor = x + d * L;
  double lambda = t->lambda[first], change, square[L] = {0};
  if (factor_at(g, lambda, t->scale, factor, &change) < 0)
    return -1;
  for (int64_t i = 0; i < d; i++) {
    double more = lambda * (t->scale ? t->scale[i] : 1) * g->mean[i];
    for (int l = 0; l < L; l++)
      y[i * L + l] = t->h[i * L + l] - more;
  }
  solve(d, factor, y);
  for (int64_t i = 0; i < d * L; i++)
    square[i % L] = DUN_FMA(y[i], y[i], square[i % L]);
  double trace = t->spread ? trace_of_inverse(d, factor, x) : 0;
  for (int l = 0; l < L; l++)
    if (t->lambda[l] == lambda) {
      mass[l] += .5 * (square[l] - change);
      spread[l] = trace;
    }
  finish(g, t, lambda, factor, y, NULL, x, t->mean);
  if (t->draw)
    finish(g, t, lambda, factor, y, t->normal, x, t->draw);
  return 0;
}

/* ---- all ---------------------------------------------------------------------------------- */

static int seen_before(const double *lambda, int lane)
{
  for (int l = 0; l < lane; l++)
    if (lambda[l] == lambda[lane])
      return 1;
  return 0;
}

int dun_gaussian_tilted(const struct dun_gaussian *gaussian, const struct dun_tilted *tilted,
                        double *work)
{
  double mass[L] __attribute__((aligned(64))), spread[L] __attribute__((aligned(64)));
  int status = 0;
  if (tilted->precision) {
    dun_gaussian_tilted_matrix(gaussian, tilted);
    return 0;
  }
  begin_mass(gaussian, tilted, mass);
  if (gaussian->form != DUN_GAUSSIAN_DENSE)
    tilt_chain(gaussian, tilted, mass, spread, work);
  else
    for (int l = 0; l < L && status == 0; l++)
      if (!seen_before(tilted->lambda, l))
        status = tilt_dense(gaussian, tilted, l, mass, spread, work);
  if (tilted->log_mass)
    memcpy(tilted->log_mass, mass, sizeof mass);
  if (tilted->spread)
    memcpy(tilted->spread, spread, sizeof spread);
  return status;
}
