/* Products of networks on a tile of 64 particles, against the peak of the core: 2 m k operations a
 * particle, of which the aim is seven in ten.  Bare: OpenBLAS at the same shape. */
#include "base/memory.h"
#include "bench.h"
#include "dunlin/target.h"
#include "numerics/activation.h"
#include "numerics/tile_product.h"
#include <cblas.h>
#include <stdlib.h>

enum { L = DUN_LANES };

/* A product, its transpose, or the gradient of its weights. */
enum way { FORWARD, BACKWARD, WEIGHTS };

struct arrays {
  void *w, *x, *y;
};

static struct arrays make(int m, int k, int n, size_t size)
{
  struct arrays a = {dun_allocate((int64_t)m * k, size), dun_allocate((int64_t)k * n, size),
                     dun_allocate((int64_t)m * n, size)};
  if (!a.w || !a.x || !a.y)
    exit(1);
  return a;
}

static void release(struct arrays *a)
{
  dun_free(a->w);
  dun_free(a->x);
  dun_free(a->y);
}

static void in_double(struct bench_result *result, int m, int k, enum way way)
{
  int n = way == WEIGHTS ? k : L, depth = way == WEIGHTS ? L : k;
  struct arrays a = make(m, depth, n, sizeof(double));
  struct bench_timer timer = {0}, bare = {0};
  while (bench_again(&timer))
    dun_tile_product(m, depth, n, a.w, way == BACKWARD ? 1 : depth, way == BACKWARD ? m : 1, a.x,
                     NULL, 0, a.y);
  while (bench_again(&bare))
    cblas_dgemm(CblasRowMajor, way == BACKWARD ? CblasTrans : CblasNoTrans, CblasNoTrans, m, n,
                depth, 1, a.w, way == BACKWARD ? m : depth, a.x, n, 0, a.y, n);
  result->ns = bench_ns(&timer, L);
  result->bare = bench_ns(&bare, L);
  release(&a);
}

static void in_single(struct bench_result *result, int m, int k, enum way way)
{
  int n = way == WEIGHTS ? k : L, depth = way == WEIGHTS ? L : k;
  struct arrays a = make(m, depth, n, sizeof(float));
  struct bench_timer timer = {0}, bare = {0};
  while (bench_again(&timer))
    dun_tile_product_f(m, depth, n, a.w, way == BACKWARD ? 1 : depth, way == BACKWARD ? m : 1, a.x,
                       NULL, 0, a.y);
  while (bench_again(&bare))
    cblas_sgemm(CblasRowMajor, way == BACKWARD ? CblasTrans : CblasNoTrans, CblasNoTrans, m, n,
                depth, 1, a.w, way == BACKWARD ? m : depth, a.x, n, 0, a.y, n);
  result->ns = bench_ns(&timer, L);
  result->bare = bench_ns(&bare, L);
  release(&a);
}

#define PRODUCT(name, precision, m, k, way)                                                        \
  static void name(struct bench_result *result)                                                    \
  {                                                                                                \
    precision(result, m, k, way);                                                                  \
  }
PRODUCT(square, in_double, 64, 64, FORWARD)
PRODUCT(square_back, in_double, 64, 64, BACKWARD)
PRODUCT(square_weights, in_double, 64, 64, WEIGHTS)
PRODUCT(wide, in_double, 256, 128, FORWARD)
PRODUCT(square_f, in_single, 64, 64, FORWARD)
PRODUCT(square_back_f, in_single, 64, 64, BACKWARD)
PRODUCT(square_weights_f, in_single, 64, 64, WEIGHTS)
PRODUCT(narrow_f, in_single, 10, 64, FORWARD)
PRODUCT(wide_f, in_single, 256, 128, FORWARD)
PRODUCT(deep_f, in_single, 128, 768, FORWARD)

static void activate(struct bench_result *result, enum dun_activation f)
{
  float *a = dun_allocate(64, L * sizeof *a), *y = dun_allocate(64, L * sizeof *y);
  struct bench_timer timer = {0};
  if (!a || !y)
    exit(1);
  while (bench_again(&timer))
    dun_activate_f(f, 64 * L, a, y);
  result->ns = bench_ns(&timer, L);
  dun_free(a);
  dun_free(y);
}

static void silu(struct bench_result *result)
{
  activate(result, DUN_SILU);
}

static void tanh_of(struct bench_result *result)
{
  activate(result, DUN_TANH);
}

/* Slots at peak: 2 m k in double, m k in single precision. */
const struct bench_row bench_learning[] = {
    {.work = "product 64 x 64", .slots = 2 * 64 * 64 / .7, .measure = square},
    {.work = "product 64 x 64, transposed", .slots = 2 * 64 * 64 / .7, .measure = square_back},
    {.work = "product 64 x 64, of weights", .slots = 2 * 64 * 64 / .7, .measure = square_weights},
    {.work = "product 256 x 128", .slots = 2 * 256 * 128 / .7, .measure = wide},
    {.work = "product 64 x 64, single", .slots = 64 * 64 / .7, .measure = square_f},
    {.work = "product 64 x 64, transposed, single",
     .slots = 64 * 64 / .7,
     .measure = square_back_f},
    {.work = "product 64 x 64, of weights, single",
     .slots = 64 * 64 / .7,
     .measure = square_weights_f},
    {.work = "product 10 x 64, single", .slots = 10 * 64 / .7, .measure = narrow_f},
    {.work = "product 256 x 128, single", .slots = 256 * 128 / .7, .measure = wide_f},
    {.work = "product 128 x 768, single", .slots = 128 * 768 / .7, .measure = deep_f},
    {.work = "64 silu, single", .measure = silu},
    {.work = "64 tanh, single", .measure = tanh_of},
    {0},
};
