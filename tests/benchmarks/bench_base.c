#include "base/exact.h"
#include "base/random.h"
#include "base/vmath.h"
#include "bench.h"
#include "dunlin/target.h"

enum { N = 2048 }; /* in the first-level cache */

static _Alignas(64) double x[N], y[N];

static const struct dun_address address = {.seed = 7, .purpose = DUN_PURPOSE_TEST};

static void ten_normals(struct bench_result *result)
{
  struct bench_timer timer = {0};
  while (bench_again(&timer))
    dun_normals(address, 10, x);
  result->ns = bench_ns(&timer, DUN_LANES);
}

static void ten_uniforms(struct bench_result *result)
{
  struct bench_timer timer = {0};
  while (bench_again(&timer))
    dun_uniforms(address, 10, x);
  result->ns = bench_ns(&timer, DUN_LANES);
}

/* ---- elementary functions ---------------------------------------------------------------- */

typedef void loop(const double *restrict, double *restrict);

static void time_loop(loop *function, double from, double to, struct bench_result *result)
{
  struct bench_timer timer = {0};
  for (int i = 0; i < N; i++)
    x[i] = from + (to - from) * i / N;
  while (bench_again(&timer))
    function(x, y);
  result->ns = bench_ns(&timer, N);
}

#define FUNCTION(name, expression, from, to)                                                       \
  DUN_CLONES static void name##_loop(const double *restrict a, double *restrict b)                 \
  {                                                                                                \
    a = DUN_ALIGNED(a);                                                                            \
    b = DUN_ALIGNED(b);                                                                            \
    for (int i = 0; i < N; i++)                                                                    \
      b[i] = expression(a[i]);                                                                     \
  }                                                                                                \
  static void name(struct bench_result *result)                                                    \
  {                                                                                                \
    time_loop(name##_loop, from, to, result);                                                      \
  }

FUNCTION(exponential, dun_exp, -20, 1)
FUNCTION(weight, dun_exp_weight, -20, 0)
FUNCTION(logarithm, dun_log, .01, 4)
FUNCTION(log_1_plus, dun_log1p, -.9, 2)
FUNCTION(exp_minus_1, dun_expm1, -2, 2)
FUNCTION(sigmoid, dun_sigmoid, -9, 9)
FUNCTION(softplus, dun_softplus, -9, 9)
FUNCTION(hyperbolic_tangent, dun_tanh, -4, 4)

/* ---- exact sums -------------------------------------------------------------------------- */

static double plain_sum(const double *a)
{
  double lane[DUN_LANES] = {0}, sum = 0;
  for (int i = 0; i < N; i += DUN_LANES)
    for (int l = 0; l < DUN_LANES; l++)
      lane[l] += a[i + l];
  for (int l = 0; l < DUN_LANES; l++)
    sum += lane[l];
  return sum;
}

static void exact_add(struct bench_result *result)
{
  struct bench_timer exact = {0}, bare = {0};
  struct dun_exact sum = {0};
  dun_normals(address, N / DUN_LANES, x);
  while (bench_again(&exact))
    for (int i = 0; i < N; i++)
      dun_exact_add(&sum, x[i]);
  bench_keep(dun_exact_value(&sum));
  while (bench_again(&bare))
    bench_keep(plain_sum(x));
  result->ns = bench_ns(&exact, N);
  result->bare = bench_ns(&bare, N);
}

const struct bench_row bench_base[] = {
    {.work = "10 normals", .slots = 1250, .measure = ten_normals},
    {.work = "10 uniforms", .slots = 625, .measure = ten_uniforms},
    {.work = "exp", .slots = 75, .measure = exponential},
    {.work = "exp of a weight", .slots = 60, .measure = weight},
    {.work = "log", .slots = 75, .measure = logarithm},
    {.work = "log1p", .slots = 90, .measure = log_1_plus},
    {.work = "expm1", .slots = 75, .measure = exp_minus_1},
    {.work = "sigmoid", .slots = 90, .measure = sigmoid},
    {.work = "softplus", .slots = 150, .measure = softplus},
    {.work = "tanh", .slots = 90, .measure = hyperbolic_tangent},
    {.work = "exact add of one number", .slots = 180, .measure = exact_add},
    {0},
};
