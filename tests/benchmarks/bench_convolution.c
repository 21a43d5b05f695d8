/* A convolution's level (its tables for one tau), whose bare figure is the time in FFTW: the last
 * ratio is one over its share.  And the posterior mean at points. */
#include "base/memory.h"
#include "base/random.h"
#include "base/vmath.h"
#include "bench.h"
#include "numerics/convolution.h"
#include <stdio.h>

enum { L = DUN_LANES, TILES = 4096 };

DUN_CLONES static void normal(void *data, int n, const double *x, double *lp)
{
  int d = *(const int *)data;
  (void)n;
  for (int l = 0; l < L; l++)
    lp[l] = 0;
  for (int i = 0; i < d * L; i++)
    lp[i % L] -= .5 * x[i] * x[i];
}

static void open_grid(struct dun_convolution *c, int d, int64_t cells)
{
  const double center[3] = {0, 0, 0}, half_width[3] = {6, 6, 6};
  struct dun_grid grid;
  int status = dun_grid_init(&grid, d, center, half_width, cells, 2);
  if (status >= 0)
    status = dun_convolution_init(&bench_context, c, &grid, (struct dun_convolution_options){0},
                                  (struct dun_density){normal, &d});
  if (status < 0 || dun_convolution_level(&bench_context, c, 1) < 0)
    MPI_Abort(bench_context.comm, 1);
}

/* Each rank's share of the time is told; the first rank's is printed. */
static void time_level(struct bench_result *result, int d, int64_t cells)
{
  struct bench_timer timer = {0};
  struct dun_convolution c;
  int odd = 0;
  open_grid(&c, d, cells);
  double before = c.in_transforms, began = dun_clock();
  while (bench_again(&timer))
    dun_convolution_level(&bench_context, &c, (odd = !odd) ? .9 : 1);
  double share = (c.in_transforms - before) / (dun_clock() - began);
  result->ns = bench_ns(&timer, c.fft.points / bench_context.size);
  result->bare = result->ns * share;
  dun_convolution_free(&c);
}

static void level_2(struct bench_result *result)
{
  time_level(result, 2, 256);
}

static void level_3(struct bench_result *result)
{
  time_level(result, 3, 64);
}

static void time_points(struct bench_result *result, int d, int64_t cells)
{
  struct bench_timer timer = {0};
  struct dun_convolution c;
  _Alignas(64) double mean[3 * L];
  double *y = dun_allocate((int64_t)TILES * d, L * sizeof *y);
  open_grid(&c, d, cells);
  for (int t = 0; y && t < TILES; t++)
    dun_normals((struct dun_address){1, DUN_PURPOSE_TEST, 0, 0, (uint32_t)t}, d, y + t * d * L);
  while (y && bench_again(&timer))
    for (int t = 0; t < TILES; t++)
      dun_convolution_evaluate(&c, y + t * d * L, mean, NULL);
  bench_keep(mean[0]);
  result->ns = bench_ns(&timer, (int64_t)TILES * L);
  DUN_FREE(y);
  dun_convolution_free(&c);
}

static void points_2(struct bench_result *result)
{
  time_points(result, 2, 256);
}

static void points_3(struct bench_result *result)
{
  time_points(result, 3, 64);
}

const struct bench_row bench_convolution[] = {
    {.work = "level of a grid of 512^2; bare: in FFTW", .times = 2, .measure = level_2},
    {.work = "level of a grid of 128^3; bare: in FFTW", .times = 2, .measure = level_3},
    {.work = "posterior mean at points, 512^2", .measure = points_2},
    {.work = "posterior mean at points, 128^3", .measure = points_3},
    {0},
};
