#include "numerics/mixture.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/vmath.h"
#include "dunlin/target.h"
#include <math.h>

enum { L = DUN_LANES };

/* Log densities below are treated as this one: the difference of two infinities is no number. */
#define LOWEST (-1e300)

/* ---- set-up ------------------------------------------------------------------------------ */

int dun_mixture_init(struct dun_mixture *mixture, int dimension, int components)
{
  int64_t k = components;
  *mixture = (struct dun_mixture){.dimension = dimension, .components = components};
  mixture->mean = dun_allocate(k * dimension, sizeof(double));
  mixture->weight = dun_allocate(k, sizeof(double));
  mixture->deviation = dun_allocate(k, sizeof(double));
  mixture->precision = dun_allocate(k, sizeof(double));
  mixture->log_peak = dun_allocate(k, sizeof(double));
  mixture->cumulative = dun_allocate(k, sizeof(double));
  mixture->log_weight = dun_allocate(k, sizeof(double));
  mixture->centre = dun_allocate(dimension, sizeof(double));
  mixture->square = dun_allocate(k, sizeof(double));
  if (!mixture->mean || !mixture->weight || !mixture->deviation || !mixture->precision ||
      !mixture->log_peak || !mixture->cumulative || !mixture->log_weight || !mixture->centre ||
      !mixture->square)
    return DUN_ERROR_MEMORY;
  return 0;
}

static int check_positive(const char *what, int k, double value)
{
  if (value > 0 && isfinite(value) && isfinite(1 / value))
    return 0;
  return dun_fail(DUN_ERROR_NUMERIC, "the %s of component %d is %g, expected a positive number",
                  what, k, value);
}

static void set_centre(struct dun_mixture *m)
{
  double widest = 0, sum = 0;
  for (int j = 0; j < m->dimension; j++)
    m->centre[j] = 0;
  for (int k = 0; k < m->components; k++)
    for (int j = 0; j < m->dimension; j++)
      m->centre[j] += m->weight[k] * m->mean[(int64_t)k * m->dimension + j];
  for (int k = 0; k < m->components; k++) {
    m->square[k] = 0;
    for (int j = 0; j < m->dimension; j++) {
      double away = m->mean[(int64_t)k * m->dimension + j] - m->centre[j];
      m->square[k] += away * away;
    }
    sum += m->weight[k] * m->square[k];
    widest = m->deviation[k] > widest ? m->deviation[k] : widest;
  }
  m->wide = 1 / (widest * widest + sum / m->dimension);
}

DUN_CLONES int dun_mixture_set(struct dun_mixture *mixture)
{
  double total = 0, sum = 0;
  int last = mixture->components - 1;
  for (int k = 0; k <= last; k++) {
    if (check_positive("weight", k, mixture->weight[k]) < 0 ||
        check_positive("scale", k, mixture->deviation[k]) < 0)
      return DUN_ERROR_NUMERIC;
    total += mixture->weight[k];
  }
  for (int k = 0; k <= last; k++) {
    double s = mixture->deviation[k];
    mixture->weight[k] /= total;
    sum += mixture->weight[k];
    mixture->cumulative[k] = k < last ? sum : 1;
    mixture->precision[k] = 1 / (s * s);
    mixture->log_weight[k] = dun_log(mixture->weight[k]);
    mixture->log_peak[k] =
        mixture->log_weight[k] - mixture->dimension * (dun_log(s) + 0.5 * DUN_LOG_2PI);
  }
  set_centre(mixture);
  return 0;
}

void dun_mixture_free(struct dun_mixture *mixture)
{
  DUN_FREE(mixture->mean);
  DUN_FREE(mixture->weight);
  DUN_FREE(mixture->deviation);
  DUN_FREE(mixture->precision);
  DUN_FREE(mixture->log_peak);
  DUN_FREE(mixture->cumulative);
  DUN_FREE(mixture->log_weight);
  DUN_FREE(mixture->centre);
  DUN_FREE(mixture->square);
}

/* ---- two components ---------------------------------------------------------------------- */

/* Squared distances to both means, two coordinates at a time. */
DUN_INLINE void pair_distances(int d, const double *restrict x, const double *restrict m0,
                               const double *restrict m1, double *restrict q0, double *restrict q1)
{
  int j = d & 1;
  for (int l = 0; l < L; l++) {
    double a = j ? x[l] - m0[0] : 0, b = j ? x[l] - m1[0] : 0;
    q0[l] = a * a;
    q1[l] = b * b;
  }
  for (; j < d; j += 2) {
    const double *restrict y = DUN_ALIGNED(x + (int64_t)j * L);
    double a0 = m0[j], a1 = m0[j + 1], b0 = m1[j], b1 = m1[j + 1];
    for (int l = 0; l < L; l++) {
      double s = y[l] - a0, t = y[L + l] - a1, u = y[l] - b0, v = y[L + l] - b1;
      q0[l] = DUN_FMA(t, t, DUN_FMA(s, s, q0[l]));
      q1[l] = DUN_FMA(v, v, DUN_FMA(u, u, q1[l]));
    }
  }
}

/* One sigmoid gives both shares; they become factors of (mean - x) in the gradient. */
DUN_CLONES
static void evaluate_pair(const struct dun_mixture *m, const double *restrict x,
                          double *restrict lp, const double *restrict scale,
                          double *restrict gradient)
{
  double q0[L] __attribute__((aligned(64))), q1[L] __attribute__((aligned(64)));
  double e[L] __attribute__((aligned(64)));
  const double *restrict m0 = m->mean, *restrict m1 = m->mean + m->dimension;
  double p0 = m->precision[0], p1 = m->precision[1], c0 = m->log_peak[0], c1 = m->log_peak[1];
  x = DUN_ALIGNED(x);
  pair_distances(m->dimension, x, m0, m1, q0, q1);
  for (int l = 0; l < L; l++) {
    double a = c0 - 0.5 * p0 * q0[l], b = c1 - 0.5 * p1 * q1[l];
    a = a > LOWEST ? a : LOWEST;
    b = b > LOWEST ? b : LOWEST;
    q0[l] = a > b ? a : b;
    q1[l] = b - a;
    e[l] = dun_exp_weight(-fabs(b - a));
  }
  if (lp) {
    lp = DUN_ALIGNED(lp);
    for (int l = 0; l < L; l++) {
      double value = q0[l] + dun_log_normal(1 + e[l]);
      lp[l] = q0[l] > LOWEST ? value : -INFINITY;
    }
  }
  if (gradient) {
    gradient = DUN_ALIGNED(gradient);
    scale = DUN_ALIGNED(scale);
    for (int l = 0; l < L; l++) {
      double larger = scale[l] / (1 + e[l]), smaller = e[l] * larger;
      q0[l] = p0 * (q1[l] > 0 ? smaller : larger);
      q1[l] = p1 * (q1[l] > 0 ? larger : smaller);
    }
    for (int j = 0; j < m->dimension; j++) {
      const double *restrict y = x + (int64_t)j * L;
      double *restrict out = gradient + (int64_t)j * L;
      double a = m0[j], b = m1[j];
      for (int l = 0; l < L; l++)
        out[l] = DUN_FMA(q0[l], a - y[l], DUN_FMA(q1[l], b - y[l], out[l]));
    }
  }
}

/* ---- any number of components ------------------------------------------------------------ */

DUN_INLINE void squared_distance(int d, const double *restrict x, const double *restrict m,
                                 double *restrict q)
{
  int j = 0;
  for (int l = 0; l < L; l++)
    q[l] = 0;
  for (; j < d % 4; j++)
    for (int l = 0; l < L; l++) {
      double s = x[(int64_t)j * L + l] - m[j];
      q[l] = DUN_FMA(s, s, q[l]);
    }
  for (; j < d; j += 4) {
    const double *restrict y = DUN_ALIGNED(x + (int64_t)j * L);
    double m0 = m[j], m1 = m[j + 1], m2 = m[j + 2], m3 = m[j + 3];
    for (int l = 0; l < L; l++) {
      double s = y[l] - m0, t = y[L + l] - m1, u = y[2 * L + l] - m2, v = y[3 * L + l] - m3;
      q[l] = DUN_FMA(v, v, DUN_FMA(u, u, DUN_FMA(t, t, DUN_FMA(s, s, q[l]))));
    }
  }
}

/* share[K][64] = exp(log of each component - top[64]); sum[64] of them. */
DUN_INLINE void component_shares(const struct dun_mixture *m, const double *restrict x,
                                 double *restrict share, double *restrict top, double *restrict sum)
{
  for (int l = 0; l < L; l++) {
    top[l] = LOWEST;
    sum[l] = 0;
  }
  for (int k = 0; k < m->components; k++) {
    double *restrict s = DUN_ALIGNED(share + (int64_t)k * L);
    double peak = m->log_peak[k], half = 0.5 * m->precision[k];
    squared_distance(m->dimension, x, m->mean + (int64_t)k * m->dimension, s);
    for (int l = 0; l < L; l++) {
      s[l] = peak - half * s[l];
      top[l] = s[l] > top[l] ? s[l] : top[l];
    }
  }
  for (int k = 0; k < m->components; k++) {
    double *restrict s = DUN_ALIGNED(share + (int64_t)k * L);
    for (int l = 0; l < L; l++) {
      s[l] = dun_exp_weight(s[l] - top[l]);
      sum[l] += s[l];
    }
  }
}

/* Whether a component matters in any lane: beyond a log ratio of -700 it is exactly zero. */
DUN_INLINE int any_share(const double *restrict share)
{
  double most = 0;
  for (int l = 0; l < L; l++)
    most = share[l] > most ? share[l] : most;
  return most > 0;
}

DUN_CLONES
static void evaluate_many(const struct dun_mixture *m, const double *restrict x,
                          double *restrict lp, const double *restrict scale,
                          double *restrict gradient, double *restrict share)
{
  double top[L] __attribute__((aligned(64))), sum[L] __attribute__((aligned(64)));
  x = DUN_ALIGNED(x);
  component_shares(m, x, share, top, sum);
  if (lp)
    for (int l = 0; l < L; l++) {
      double value = top[l] + dun_log(sum[l]);
      lp[l] = sum[l] > 0 ? value : -INFINITY;
    }
  if (!gradient)
    return;
  for (int l = 0; l < L; l++)
    sum[l] = sum[l] > 0 ? scale[l] / sum[l] : 0;
  for (int k = 0; k < m->components; k++) {
    double *restrict s = DUN_ALIGNED(share + (int64_t)k * L);
    const double *restrict mean = m->mean + (int64_t)k * m->dimension;
    if (!any_share(s))
      continue;
    for (int l = 0; l < L; l++)
      s[l] *= m->precision[k] * sum[l];
    for (int j = 0; j < m->dimension; j++) {
      const double *restrict y = DUN_ALIGNED(x + (int64_t)j * L);
      double *restrict out = DUN_ALIGNED(gradient + (int64_t)j * L);
      double a = mean[j];
      for (int l = 0; l < L; l++)
        out[l] = DUN_FMA(s[l], a - y[l], out[l]);
    }
  }
}

void dun_mixture_evaluate(const struct dun_mixture *mixture, const double *x, double *lp,
                          const double *scale, double *gradient, double *work)
{
  if (mixture->components == 2)
    evaluate_pair(mixture, x, lp, scale, gradient);
  else
    evaluate_many(mixture, x, lp, scale, gradient, work);
}

/* ---- draws ------------------------------------------------------------------------------- */

DUN_CLONES
void dun_mixture_draw(const struct dun_mixture *mixture, const double *uniform,
                      const double *normal, double *x)
{
  int64_t component[L] = {0}, d = mixture->dimension;
  for (int k = 0; k < mixture->components - 1; k++)
    for (int l = 0; l < L; l++)
      component[l] += uniform[l] > mixture->cumulative[k];
  for (int64_t j = 0; j < d; j++)
    for (int l = 0; l < L; l++)
      x[j * L + l] = DUN_FMA(mixture->deviation[component[l]], normal[j * L + l],
                             mixture->mean[component[l] * d + j]);
}
