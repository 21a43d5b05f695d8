/* What tests of ways to convolve have in common: a layer with numbers in it, the sums that it is
 * of, and how far off others are. */
#ifndef DUNLIN_TESTS_CONVOLUTION_TRIAL_H
#define DUNLIN_TESTS_CONVOLUTION_TRIAL_H

#include "base/memory.h"
#include "check.h"
#include "dunlin/target.h"
#include "learning/convolution.h"
#include <math.h>

enum { L = DUN_LANES };

struct trial {
  struct dun_convolution_network network;
  struct dun_convolution_layer layer;
  int64_t seen, told, weights; /* numbers */
  double *x, *y, *start, *kernel, *gradient, *scratch;
  float *x_f, *y_f, *start_f, *kernel_f, *scratch_f;
};

static double *numbers(uint32_t tile, int64_t count)
{
  struct dun_address address = {.seed = 5, .purpose = DUN_PURPOSE_TEST, .tile = tile};
  double *x = dun_allocate((count + L - 1) / L, L * sizeof *x);
  if (!x)
    exit(1);
  dun_normals(address, (int)((count + L - 1) / L), x);
  return x;
}

static float *singles(int64_t count, const double *x)
{
  float *to = dun_allocate(count, sizeof *to);
  if (!to)
    exit(1);
  for (int64_t i = 0; i < count; i++)
    to[i] = (float)x[i];
  return to;
}

/* Of a network, a layer and numbers of pixels and weights that are set. */
static void fill_trial(struct trial *t, int64_t scratch)
{
  int64_t starts = (int64_t)t->layer.gives * L;
  t->x = numbers(1, t->seen);
  t->y = numbers(2, t->told);
  t->kernel = numbers(3, t->weights);
  t->gradient = numbers(4, t->weights);
  t->start = numbers(5, starts);
  t->scratch = numbers(6, scratch); /* what is there before is not to matter */
  t->scratch_f = singles(scratch, t->scratch);
  t->x_f = singles(t->seen, t->x);
  t->y_f = singles(t->told, t->y);
  t->start_f = singles(starts, t->start);
  t->kernel_f = singles(t->weights, t->kernel);
}

static void close_trial(struct trial *t)
{
  void *all[] = {t->x,         t->y,   t->kernel, t->gradient, t->start,   t->scratch,
                 t->scratch_f, t->x_f, t->y_f,    t->start_f,  t->kernel_f};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++)
    dun_free(all[i]);
}

/* Of a product: of number `told` and, times weight `w`, `seen`. */
static void add_value(const struct trial *t, int64_t told, int64_t w, int64_t seen, double *out)
{
  for (int l = 0; l < L; l++)
    out[told + l] += t->kernel[w] * t->x[seen + l];
}

static void add_slope(const struct trial *t, int64_t told, int64_t w, int64_t seen, double *out)
{
  for (int l = 0; l < L; l++)
    out[w] += t->y[told + l] * t->x[seen + l];
}

/* The largest difference. */
static double off(int64_t count, const double *a, const double *b)
{
  double worst = 0;
  for (int64_t i = 0; i < count; i++)
    worst = fmax(worst, fabs(a[i] - b[i]));
  return worst;
}

/* What sums were found to be in both precisions, which may be off by so much of their size. */
static void judge(int n, double size, int64_t count, const double *truth, const double *found,
                  double most, double worst_f)
{
  double worst = off(count, found, truth);
  printf("# case %d, sums of the size %.3g: off by %.2g, in single precision %.2g\n", n, size,
         worst, worst_f);
  CHECK(worst < most * size && worst_f < 1e-5 * size);
}

#endif
