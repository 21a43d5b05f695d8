/* Mixtures on grids: their convolutions are mixtures again. */
#ifndef DUNLIN_TESTS_CONVOLUTION_CASE_H
#define DUNLIN_TESTS_CONVOLUTION_CASE_H

#include "base/memory.h"
#include "base/random.h"
#include "check.h"
#include "numerics/convolution.h"
#include "numerics/mixture.h"

enum { L = DUN_LANES, CASE_WORK = 128 };

/* A density for the cells: the mixture times exp(1.7). */
static inline void case_density(void *data, int n, const double *x, double *lp)
{
  static _Alignas(64) double work[CASE_WORK * L];
  (void)n;
  dun_mixture_evaluate(data, x, lp, NULL, NULL, work);
  for (int l = 0; l < L; l++)
    lp[l] += 1.7;
}

/* The grid {-1, -1/3, 1/3, 1}^2 × width, weights 1 to 16, in two dimensions. */
static inline void case_grid_of_modes(struct dun_mixture *mixture, double width, double deviation)
{
  CHECK(dun_mixture_init(mixture, 2, 16) == 0);
  for (int k = 0; k < 16; k++) {
    mixture->mean[2 * k] = width * (2. / 3 * (k / 4) - 1);
    mixture->mean[2 * k + 1] = width * (2. / 3 * (k % 4) - 1);
    mixture->weight[k] = 1 + k;
    mixture->deviation[k] = deviation;
  }
  CHECK(dun_mixture_set(mixture) == 0);
}

/* Components without symmetry, around `center`, within about 3 of it. */
static inline void case_scattered(struct dun_mixture *mixture, int d, const double *center)
{
  static const double mean[4][3] = {{-1.5, .7, .2}, {1.2, -.9, 1}, {.3, 1.4, -1.2}, {0, -.2, .4}};
  static const double deviation[4] = {.5, .6, .45, .8};
  CHECK(dun_mixture_init(mixture, d, 4) == 0);
  for (int k = 0; k < 4; k++) {
    for (int a = 0; a < d; a++)
      mixture->mean[k * d + a] = center[a] + mean[k][a];
    mixture->weight[k] = 1 + k;
    mixture->deviation[k] = deviation[k];
  }
  CHECK(dun_mixture_set(mixture) == 0);
}

static inline int case_open(struct dun_convolution *c, struct dun_mixture *mixture,
                            const double *center, double half_width, int64_t cells, double pad,
                            int distributed, int share)
{
  double width[3] = {half_width, half_width, half_width};
  struct dun_grid grid;
  struct dun_density density = {case_density, mixture};
  CHECK(dun_grid_init(&grid, mixture->dimension, center, width, cells, pad) == 0);
  return dun_convolution_init(
      &test_context, c, &grid,
      (struct dun_convolution_options){.distributed = distributed, .share = share}, density);
}

/* The mixture convolved with N(0, tau^2). */
static inline void case_convolved(struct dun_mixture *out, const struct dun_mixture *in, double tau)
{
  int d = in->dimension;
  CHECK(dun_mixture_init(out, d, in->components) == 0);
  for (int k = 0; k < in->components; k++) {
    memcpy(out->mean + k * d, in->mean + k * d, (size_t)d * sizeof *out->mean);
    out->weight[k] = in->weight[k];
    out->deviation[k] = sqrt(in->deviation[k] * in->deviation[k] + tau * tau);
  }
  CHECK(dun_mixture_set(out) == 0);
}

/* Draws y[d][64] of tile `tile`. */
static inline void case_points(const struct dun_mixture *mixture, uint32_t tile, double *y)
{
  _Alignas(64) double uniform[L], normal[3 * L];
  dun_uniforms((struct dun_address){5, DUN_PURPOSE_TEST, 0, 0, tile}, 1, uniform);
  dun_normals((struct dun_address){5, DUN_PURPOSE_TEST, 0, 1, tile}, mixture->dimension, normal);
  dun_mixture_draw(mixture, uniform, normal, y);
}

struct case_errors {
  double score, log_density; /* relative rms; rms */
};

/* Over draws of the convolved law. */
static inline struct case_errors case_errors_of(const struct dun_convolution *c,
                                                const struct dun_mixture *mixture, int tiles)
{
  static _Alignas(64) double work[CASE_WORK * L];
  _Alignas(64) double y[3 * L], mean[3 * L], lp[L], exact[L], score[3 * L], one[L];
  double wrong = 0, size = 0, off = 0, precision = 1 / (c->tau * c->tau);
  struct dun_mixture law;
  case_convolved(&law, mixture, c->tau);
  for (int l = 0; l < L; l++)
    one[l] = 1;
  for (int t = 0; t < tiles; t++) {
    case_points(&law, (uint32_t)t, y);
    memset(score, 0, sizeof score);
    dun_mixture_evaluate(&law, y, exact, one, score, work);
    dun_convolution_evaluate(c, y, mean, lp);
    for (int l = 0; l < L; l++)
      off += (lp[l] - exact[l]) * (lp[l] - exact[l]);
    for (int i = 0; i < law.dimension * L; i++) {
      double error = (mean[i] - y[i]) * precision - score[i];
      wrong += error * error;
      size += score[i] * score[i];
    }
  }
  dun_mixture_free(&law);
  return (struct case_errors){sqrt(wrong / size), sqrt(off / (tiles * L))};
}

/* ---- slabs ------------------------------------------------------------------------------- */

/* Two values of E, or of the log density, at a place where the density is exp(lp): round-off of the
 * transforms is relative to the largest density. */
static inline int case_close(double a, double b, double lp, double top, double scale)
{
  double share = lp < top ? exp(lp - top) : 1;
  return fabs(a - b) * share <= 1e-12 * scale;
}

static inline double case_top(const struct dun_convolution *local)
{
  double top = -INFINITY;
  for (int64_t i = 0; i < local->fft.block; i++)
    if (i % local->fft.row < local->grid.points && local->table[0][i] > top)
      top = local->table[0][i];
  return top;
}

/* This rank's slab of a distributed convolution, and the halo behind it, against local tables. */
static inline void case_compare_tables(const struct dun_convolution *local,
                                       const struct dun_convolution *slabs)
{
  int64_t plane = local->fft.block / local->fft.size[0], shift = slabs->fft.first * plane;
  int64_t planes = slabs->fft.count, wrong = 0;
  double top = case_top(local);
  if (planes > 0 && slabs->fft.first + planes < slabs->grid.points)
    planes++;
  for (int f = 0; f <= local->grid.dimension; f++)
    for (int64_t i = 0; i < planes * plane; i++) {
      double scale = f > 0 ? local->grid.half_width[f - 1] : 1;
      if (i % local->fft.row < local->grid.points)
        wrong += !case_close(local->table[f][shift + i], slabs->table[f][i],
                             local->table[0][shift + i], top, scale);
    }
  CHECK(wrong == 0);
}

/* Columns [d][64] to rows [64][d]. */
static inline void case_rows(int d, const double *columns, double *rows)
{
  for (int l = 0; l < L; l++)
    for (int a = 0; a < d; a++)
      rows[l * d + a] = columns[a * L + l];
}

/* Points of this rank: draws of the mixture around the box's centre, stretched by up to 4, so that
 * some lie outside of the padded domain. */
static inline void case_stretched(const struct dun_convolution *c,
                                  const struct dun_mixture *mixture, int64_t tile, double *y)
{
  case_points(mixture, (uint32_t)(tile + 1000 * test_context.rank), y);
  for (int a = 0; a < mixture->dimension; a++)
    for (int l = 0; l < L; l++)
      y[a * L + l] = c->grid.center[a] + (y[a * L + l] - c->grid.center[a]) * (1 + l % 4);
}

/* n points of this rank, by slabs and by local tables. */
static inline void case_compare_rows(const struct dun_convolution *local,
                                     struct dun_convolution *slabs,
                                     const struct dun_mixture *mixture, int64_t n)
{
  int d = local->grid.dimension;
  int64_t full = (n + L - 1) / L * L, wrong = 0;
  double *y = dun_allocate(full * d, sizeof *y), *mean = dun_allocate(full * d, sizeof *mean);
  double *lp = dun_allocate(full, sizeof *lp), top = case_top(local);
  _Alignas(64) double column[3 * L], mean_here[3 * L], lp_here[L];
  for (int64_t i = 0; i < full; i += L) {
    case_stretched(local, mixture, i / L, column);
    case_rows(d, column, y + i * d);
  }
  dun_convolution_evaluate_rows(&test_context, slabs, n, y, mean, lp);
  for (int64_t i = 0; i < full; i += L) {
    case_stretched(local, mixture, i / L, column);
    dun_convolution_evaluate(local, column, mean_here, lp_here);
    for (int l = 0; l < L && i + l < n; l++) {
      wrong += !case_close(lp[i + l], lp_here[l], lp_here[l], top, 4);
      for (int a = 0; a < d; a++)
        wrong += !case_close(mean[(i + l) * d + a], mean_here[a * L + l], lp_here[l], top,
                             local->grid.half_width[a]);
    }
  }
  CHECK(wrong == 0);
  DUN_FREE(y);
  DUN_FREE(mean);
  DUN_FREE(lp);
}

#endif
