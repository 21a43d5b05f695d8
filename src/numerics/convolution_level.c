/* One level of a convolution: its tables, and their values between the cells' centres. */
#include "base/clock.h"
#include "base/error.h"
#include "base/scalar.h"
#include "base/vmath.h"
#include "numerics/convolution_parts.h"
#include "parallel/sum.h"
#include <math.h>
#include <string.h>

enum { L = DUN_LANES, AXES = DUN_GRID_AXES };
static const double ROUND_OFF = 1e-13; /* of the largest p: below it m / p means nothing */

/* ---- transforms -------------------------------------------------------------------------- */

static void set_factors(struct dun_convolution *c, double tau)
{
  for (int a = 0; a < c->grid.dimension; a++)
    for (int64_t i = 0; i < c->grid.points; i++) {
      double turns = (double)dun_fft_frequency(c->grid.points, i) / (double)c->grid.points;
      double k = 2 * M_PI * turns / c->grid.width[a];
      c->factor[a][i] = dun_scalar_exp(-.5 * (tau * k) * (tau * k));
    }
}

static void transform(struct dun_convolution *c)
{
  const double *const factor[] = {c->factor[0], c->factor[1], c->factor[2]};
  dun_convolution_meet(c);
  for (int f = 0; f <= c->grid.dimension; f++) {
    if (!dun_convolution_mine(c, f))
      continue;
    dun_fft_multiply(&c->fft, c->spectrum[f], factor, c->table[f]);
    double began = dun_clock();
    dun_fft_inverse(&c->fft, c->table[f]);
    c->in_transforms += dun_clock() - began;
  }
  dun_convolution_meet(c);
}

/* ---- from p and m_j to log density and E_j ----------------------------------------------- */

/* Rows (along the last axis) of the padded domain, or of this rank's slab, that this rank works
 * on. */
static void my_rows(const struct dun_convolution *c, int64_t *begin, int64_t *end)
{
  int64_t rows = dun_convolution_plane(&c->fft) * c->fft.count / c->fft.row;
  int64_t size = c->distributed ? 1 : c->node.size, rank = c->distributed ? 0 : c->node.rank;
  if (c->grid.dimension == 1)
    rows = 1;
  *begin = rows / size * rank + (rank < rows % size ? rank : rows % size);
  *end = *begin + rows / size + (rank < rows % size);
}

DUN_CLONES static double largest_of(int n, const double *restrict p)
{
  double most[8] = {0};
  for (int i = 0; i + 8 <= n; i += 8)
    for (int k = 0; k < 8; k++)
      most[k] = p[i + k] > most[k] ? p[i + k] : most[k];
  for (int i = n / 8 * 8; i < n; i++)
    most[0] = p[i] > most[0] ? p[i] : most[0];
  for (int k = 1; k < 8; k++)
    most[0] = most[k] > most[0] ? most[k] : most[0];
  return most[0];
}

static int largest_density(struct dun_context *context, const struct dun_convolution *c,
                           double *most)
{
  int64_t begin, end;
  *most = 0;
  my_rows(c, &begin, &end);
  for (int64_t r = begin; r < end; r++) {
    double here = largest_of((int)c->grid.points, c->table[0] + r * c->fft.row);
    *most = here > *most ? here : *most;
  }
  int status = dun_max(context, 0, 1, most);
  if (status >= 0 && !(*most > 0))
    return dun_fail(DUN_ERROR_NUMERIC, "no density is left after a convolution with tau = %g",
                    c->tau);
  return status;
}

/* One axis of one row: y = base + slope × (i + shift). */
struct axis {
  double base, slope, shift, center, low, high;
};

static struct axis axis_of(const struct dun_grid *grid, int a, int64_t index)
{
  struct axis axis = {.center = grid->center[a]};
  axis.low = axis.center - grid->half_width[a];
  axis.high = axis.center + grid->half_width[a];
  axis.base = axis.center;
  if (a < grid->dimension - 1) {
    axis.base += dun_grid_distance(grid, a, index);
  } else {
    axis.slope = grid->width[a];
    axis.shift = -(double)grid->offset - .5 * (double)(grid->cells - 1);
  }
  return axis;
}

/* m becomes E; excess += (y - clamped y)^2. */
DUN_CLONES static void finish_mean(int n, struct axis axis, double least, const double *restrict p,
                                   double *restrict m, double *restrict excess)
{
#pragma omp simd
  for (int i = 0; i < n; i++) {
    double y = axis.base + ((double)i + axis.shift) * axis.slope;
    double e = p[i] < least ? y : axis.center + m[i] / p[i];
    e = e < axis.high ? e : axis.high;
    e = e > axis.low ? e : axis.low;
    m[i] = e;
    excess[i] += (y - e) * (y - e);
  }
}

/* p becomes log p + shift.  Where it is round-off, the score is (E - y) / tau^2 with E the clamped
 * y, so that the log density is that of a Gaussian around the box: flat inside. */
DUN_CLONES static void finish_log(int n, double least, double shift, double precision,
                                  const double *restrict excess, double *restrict p)
{
#pragma omp simd
  for (int i = 0; i < n; i++) {
    double below = p[i] < least ? -.5 * precision * excess[i] : 0;
    p[i] = dun_log(p[i] < least ? least : p[i]) + (shift + below);
  }
}

static void finish_rows(struct dun_convolution *c, double tau, double least)
{
  int d = c->grid.dimension, n = (int)c->grid.points;
  double shift = -dun_scalar_log((double)c->fft.points);
  int64_t begin, end;
  for (int a = 0; a < d; a++)
    shift -= dun_scalar_log(c->grid.width[a]);
  my_rows(c, &begin, &end);
  for (int64_t r = begin; r < end; r++) {
    int64_t at = r * c->fft.row;
    int64_t place[AXES] = {c->fft.first + (d == 3 ? r / n : r), r % n, 0};
    memset(c->excess, 0, (size_t)n * sizeof(double));
    for (int a = 0; a < d; a++)
      finish_mean(n, axis_of(&c->grid, a, place[a]), least, c->table[0] + at, c->table[1 + a] + at,
                  c->excess);
    finish_log(n, least, shift, 1 / (tau * tau), c->excess, c->table[0] + at);
  }
}

/* ---- the Gaussian beyond the padded domain ----------------------------------------------- */

/* inverse[d][d] of a positive definite s[d][d], which is lost; the log of its determinant.  In a
 * fixed order of operations. */
static double invert(int d, double *s, double *inverse)
{
  double log_determinant = 0;
  for (int i = 0; i < d; i++)
    for (int j = 0; j < d; j++)
      inverse[i * d + j] = i == j;
  for (int k = 0; k < d; k++) {
    double pivot = s[k * d + k];
    log_determinant += dun_scalar_log(pivot);
    for (int j = 0; j < d; j++) {
      s[k * d + j] /= pivot;
      inverse[k * d + j] /= pivot;
    }
    for (int i = 0; i < d; i++) {
      double factor = i == k ? 0 : s[i * d + k];
      for (int j = 0; j < d; j++) {
        s[i * d + j] -= factor * s[k * d + j];
        inverse[i * d + j] -= factor * inverse[k * d + j];
      }
    }
  }
  return log_determinant;
}

static void set_gaussian(struct dun_convolution *c, double tau)
{
  int d = c->grid.dimension;
  double sum[AXES * AXES];
  for (int i = 0; i < d * d; i++)
    sum[i] = c->covariance[i] + (i % (d + 1) == 0 ? tau * tau : 0);
  c->log_peak = -.5 * (d * DUN_LOG_2PI + invert(d, sum, c->precision));
  for (int i = 0; i < d; i++)
    for (int j = 0; j < d; j++) {
      double gain = 0;
      for (int k = 0; k < d; k++)
        gain += c->covariance[i * d + k] * c->precision[k * d + j];
      c->gain[i * d + j] = gain;
    }
}

DUN_CLONES static void beyond(const struct dun_convolution *c, const double *restrict y,
                              double *restrict mean, double *restrict lp)
{
  int d = c->grid.dimension;
  for (int l = 0; l < L; l++)
    lp[l] = c->log_peak;
  for (int i = 0; i < d; i++) {
    double low = c->grid.center[i] - c->grid.half_width[i];
    double high = c->grid.center[i] + c->grid.half_width[i];
    for (int l = 0; l < L; l++) {
      double e = c->mean[i], q = 0;
      for (int j = 0; j < d; j++) {
        double r = y[j * L + l] - c->mean[j];
        e += c->gain[i * d + j] * r;
        q += c->precision[i * d + j] * r;
      }
      e = e < high ? e : high;
      mean[i * L + l] = e > low ? e : low;
      lp[l] -= .5 * q * (y[i * L + l] - c->mean[i]);
    }
  }
}

/* ---- values between the centres ---------------------------------------------------------- */

struct places {
  _Alignas(64) int32_t corner[AXES * L], inside[L];
  _Alignas(64) double fraction[AXES * L];
  _Alignas(64) int64_t at[L];
};

static void locate(const struct dun_convolution *c, const double *y, struct places *places)
{
  int d = c->grid.dimension;
  dun_grid_locate(&c->grid, y, places->corner, places->fraction, places->inside);
  for (int l = 0; l < L; l++) {
    int64_t place[AXES] = {c->fft.first, 0, 0};
    for (int a = 0; a < d && places->inside[l]; a++)
      place[a] = places->corner[a * L + l];
    places->at[l] = dun_convolution_at(&c->fft, place);
  }
}

/* The part of one corner of a cell: `bit` tells on which side of each axis it lies, `step` how far
 * from the lowest one in memory. */
DUN_CLONES static void add_corner(const struct dun_convolution *c, const struct places *places,
                                  int bit, int64_t step, const double *restrict y,
                                  double *restrict mean, double *restrict lp)
{
  int d = c->grid.dimension;
  double half = .5 / (c->tau * c->tau);
  const int64_t *restrict at = places->at;
  _Alignas(64) double weight[L], climb[L];
  for (int l = 0; l < L; l++) {
    weight[l] = 1;
    climb[l] = 0;
  }
  for (int a = 0; a < d; a++)
    for (int l = 0; l < L; l++) {
      double f = places->fraction[a * L + l];
      weight[l] *= bit >> a & 1 ? f : 1 - f;
    }
  for (int a = 0; a < d; a++) {
    const double *restrict table = c->table[1 + a] + step;
    for (int l = 0; l < L; l++) {
      double delta = (places->fraction[a * L + l] - (bit >> a & 1)) * c->grid.width[a];
      double e = table[at[l]];
      mean[a * L + l] += weight[l] * e;
      climb[l] += delta * (e - (y[a * L + l] - delta));
    }
  }
  if (lp)
    for (int l = 0; l < L; l++)
      lp[l] += weight[l] * (c->table[0][step + at[l]] + half * climb[l]);
}

static void between(const struct dun_convolution *c, const struct places *places, const double *y,
                    double *mean, double *lp)
{
  int d = c->grid.dimension;
  int64_t stride[AXES] = {dun_convolution_plane(&c->fft), d == 2 ? 1 : c->fft.row, 1};
  memset(mean, 0, (size_t)d * L * sizeof *mean);
  if (lp)
    memset(lp, 0, L * sizeof *lp);
  for (int bit = 0; bit < 1 << d; bit++) {
    int64_t step = 0;
    for (int a = 0; a < d; a++)
      step += bit >> a & 1 ? stride[a] : 0;
    add_corner(c, places, bit, step, y, mean, lp);
  }
}

void dun_convolution_evaluate(const struct dun_convolution *c, const double *y, double *mean,
                              double *log_density)
{
  _Alignas(64) double far[AXES * L], far_lp[L], near[AXES * L];
  struct places places;
  int d = c->grid.dimension, all = 1;
  locate(c, y, &places);
  for (int l = 0; l < L; l++)
    all &= places.inside[l];
  mean = mean ? mean : near;
  between(c, &places, y, mean, log_density);
  if (all)
    return;
  beyond(c, y, far, far_lp);
  for (int l = 0; l < L; l++) {
    for (int a = 0; a < d && !places.inside[l]; a++)
      mean[a * L + l] = far[a * L + l];
    if (log_density && !places.inside[l])
      log_density[l] = far_lp[l];
  }
}

/* ---- a level ----------------------------------------------------------------------------- */

int dun_convolution_level(struct dun_context *context, struct dun_convolution *convolution,
                          double tau)
{
  double most;
  if (!(tau > 0) || !isfinite(tau))
    return dun_fail(DUN_ERROR_NUMERIC, "a convolution with tau = %g, expected a positive number",
                    tau);
  if (tau == convolution->tau)
    return 0;
  convolution->tau = tau;
  set_factors(convolution, tau);
  transform(convolution);
  int status = largest_density(context, convolution, &most);
  if (status < 0) {
    convolution->tau = 0;
    return status;
  }
  finish_rows(convolution, tau, ROUND_OFF * most);
  if (convolution->distributed)
    dun_travel_halo(context, convolution);
  dun_convolution_meet(convolution);
  set_gaussian(convolution, tau);
  return 0;
}
