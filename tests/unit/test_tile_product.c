/* Products on tiles and activations: the bits of plain loops, whatever the shape; accuracy in
 * single precision. */
#include "base/memory.h"
#include "base/random.h"
#include "base/vmath_f.h"
#include "check.h"
#include "dunlin/target.h"
#include "numerics/activation.h"
#include "numerics/tile_product.h"
#include <float.h>

enum { L = DUN_LANES };
#define FROZEN UINT64_C(0xa965a13b1e2fef89)

static const int shapes[][3] = {{1, 1, 16},   {6, 7, 64},  {5, 64, 64},  {13, 50, 64},
                                {64, 64, 64}, {9, 64, 16}, {17, 64, 48}, {4, 64, 112},
                                {11, 3, 80},  {2, 300, 32}};

static double *normals(int64_t count, uint32_t step)
{
  int columns = (int)((count + L - 1) / L);
  double *x = dun_allocate(columns, L * sizeof *x);
  if (!x)
    exit(1);
  dun_normals((struct dun_address){.seed = 5, .purpose = DUN_PURPOSE_TEST, .step = step}, columns,
              x);
  return x;
}

static float *singles(int64_t count, const double *x)
{
  float *y = dun_allocate(count, sizeof *y);
  if (!y)
    exit(1);
  for (int64_t i = 0; i < count; i++)
    y[i] = (float)x[i];
  return y;
}

struct data {
  int m, k, n;
  double *w, *x, *bias, *y, *expected;
};

static void try_double(const struct data *t, int turned, int add, const double *bias)
{
  int64_t row = turned ? 1 : t->k, step = turned ? t->m : 1, wrong = 0;
  for (int64_t i = 0; i < (int64_t)t->m * t->n; i++)
    t->y[i] = t->x[i % t->n];
  for (int64_t i = 0; i < t->m; i++)
    for (int64_t c = 0; c < t->n; c++) {
      double sum = add ? t->y[i * t->n + c] : bias ? bias[i] : 0;
      for (int64_t k = 0; k < t->k; k++)
        sum = fma(t->w[i * row + k * step], t->x[k * t->n + c], sum);
      t->expected[i * t->n + c] = sum;
    }
  dun_tile_product(t->m, t->k, t->n, t->w, row, step, t->x, bias, add, t->y);
  for (int64_t i = 0; i < (int64_t)t->m * t->n; i++)
    wrong += t->y[i] != t->expected[i];
  CHECK(wrong == 0);
}

static void try_single(const struct data *t, int turned, int add, int with_bias)
{
  int64_t row = turned ? 1 : t->k, step = turned ? t->m : 1, wrong = 0, size = (int64_t)t->m * t->n;
  float *w = singles((int64_t)t->m * t->k, t->w), *x = singles((int64_t)t->k * t->n, t->x);
  float *b = singles(t->m, t->bias), *y = singles(size, t->expected),
        *e = singles(size, t->expected);
  for (int64_t i = 0; i < t->m; i++)
    for (int64_t c = 0; c < t->n; c++) {
      float sum = add ? y[i * t->n + c] : with_bias ? b[i] : 0;
      for (int64_t k = 0; k < t->k; k++)
        sum = fmaf(w[i * row + k * step], x[k * t->n + c], sum);
      e[i * t->n + c] = sum;
    }
  dun_tile_product_f(t->m, t->k, t->n, w, row, step, x, with_bias ? b : NULL, add, y);
  for (int64_t i = 0; i < size; i++)
    wrong += y[i] != e[i];
  CHECK(wrong == 0);
  dun_free(w);
  dun_free(x);
  dun_free(b);
  dun_free(y);
  dun_free(e);
}

/* Every shape of a block is met: rows 1 to 6 that are left over, panels of 16 to 64 columns. */
static void products_have_the_bits_of_plain_loops(void)
{
  for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
    struct data t = {.m = shapes[s][0], .k = shapes[s][1], .n = shapes[s][2]};
    t.w = normals((int64_t)t.m * t.k, 1);
    t.x = normals((int64_t)t.k * t.n, 2);
    t.bias = normals(t.m, 3);
    t.y = normals((int64_t)t.m * t.n, 4);
    t.expected = normals((int64_t)t.m * t.n, 4);
    for (int turned = 0; turned < 2; turned++) {
      try_double(&t, turned, 0, NULL);
      try_double(&t, turned, 0, t.bias);
      try_double(&t, turned, 1, NULL);
      try_single(&t, turned, 0, 0);
      try_single(&t, turned, 0, 1);
      try_single(&t, turned, 1, 0);
    }
    dun_free(t.w);
    dun_free(t.x);
    dun_free(t.bias);
    dun_free(t.y);
    dun_free(t.expected);
  }
}

static void turned_columns_are_rows(void)
{
  const int sizes[] = {1, 15, 16, 50, 64};
  for (int s = 0; s < 5; s++) {
    int k = sizes[s], n = (k + 15) / 16 * 16 + 16 * (s == 2), wrong = 0;
    double *x = normals((int64_t)k * L, 7), *turned = normals((int64_t)n * L, 8);
    float *y = singles((int64_t)k * L, x), *back = singles((int64_t)n * L, turned);
    dun_tile_turn(k, n, x, turned);
    dun_tile_turn_f(k, n, y, back);
    for (int64_t l = 0; l < L; l++)
      for (int64_t i = 0; i < n; i++) {
        wrong += turned[l * n + i] != (i < k ? x[i * L + l] : 0);
        wrong += back[l * n + i] != (i < k ? y[i * L + l] : 0);
      }
    CHECK(wrong == 0);
    dun_free(x);
    dun_free(turned);
    dun_free(y);
    dun_free(back);
  }
}

/* ---- single precision ---------------------------------------------------------------------- */

static double ulps(float value, double exact)
{
  int exponent;
  frexp(exact, &exponent);
  return fabs((double)value - exact) / ldexp(1, (exponent < -125 ? -125 : exponent) - 24);
}

static double sigmoid_exact(double x)
{
  return x < 0 ? exp(x) / (1 + exp(x)) : 1 / (1 + exp(-x));
}

static void single_functions_are_accurate(void)
{
  double worst[3] = {0};
  for (int i = -200000; i <= 200000; i++) {
    float x = (float)i * 4.3e-4f, small = x * 1e-4f;
    worst[0] = fmax(worst[0], ulps(dun_exp_f(x), exp((double)x)));
    worst[1] = fmax(worst[1], ulps(dun_sigmoid_f(x), sigmoid_exact((double)x)));
    worst[2] = fmax(worst[2], ulps(dun_tanh_f(x), tanh((double)x)));
    worst[2] = fmax(worst[2], ulps(dun_tanh_f(small), tanh((double)small)));
  }
  CHECK(worst[0] < 1.1);
  CHECK(worst[1] <= 3);
  CHECK(worst[2] <= 3);
  CHECK(dun_exp_f(-INFINITY) == 0 && dun_exp_f(INFINITY) == INFINITY && isnan(dun_exp_f(NAN)));
  CHECK(dun_exp_f(-200) == 0 && dun_exp_f(0) == 1 && dun_exp_f(-100) > 0);
  CHECK(dun_sigmoid_f(-INFINITY) == 0 && dun_sigmoid_f(INFINITY) == 1 && isnan(dun_sigmoid_f(NAN)));
  CHECK(dun_tanh_f(INFINITY) == 1 && dun_tanh_f(-INFINITY) == -1 && isnan(dun_tanh_f(NAN)));
  CHECK(dun_tanh_f(-0.f) == 0 && signbit(dun_tanh_f(-0.f)));
}

static void slopes_are_those_of_the_values(void)
{
  for (int f = DUN_RELU; f <= DUN_GELU; f++)
    for (int i = -60; i <= 60; i++) {
      double a[3] = {.11 * i + .013, .11 * i + .013 + 1e-5, .11 * i + .013 - 1e-5}, y[3], bar = 2;
      float one = (float)a[0], value, back = 2;
      dun_activate((enum dun_activation)f, 3, a, y);
      dun_activate_back((enum dun_activation)f, 1, a, &bar);
      CHECK_NEAR(bar, 2 * (y[1] - y[2]) / 2e-5, 1e-8);
      dun_activate_f((enum dun_activation)f, 1, &one, &value);
      dun_activate_back_f((enum dun_activation)f, 1, &one, &back);
      CHECK_NEAR((double)value, y[0], 1e-6 * (1 + fabs(y[0])));
      CHECK_NEAR((double)back, bar, 1e-6);
    }
}

static void gelu_far_off(void)
{
  for (float size = 9.5f; size < 1e30f; size *= 1.3f) {
    float a[3] = {size, -size, NAN}, y[3], back[3] = {1, 1, 1};
    double wide[2] = {size, -size}, of[2];
    dun_activate_f(DUN_GELU, 3, a, y);
    dun_activate_back_f(DUN_GELU, 3, a, back);
    dun_activate(DUN_GELU, 2, wide, of);
    CHECK(y[0] == size && fabsf(y[1]) <= 1e-29f * size && isnan(y[2]));
    CHECK(back[0] == 1 && fabsf(back[1]) < 1e-26f && isnan(back[2]));
    CHECK(of[0] == wide[0] && fabs(of[1]) <= 1e-29 * wide[0]);
  }
}

static uint64_t hash_of(uint64_t hash, int n, const float *y)
{
  for (int i = 0; i < n; i++)
    hash = (hash ^ dun_bits_f(y[i])) * 0x100000001b3u;
  return hash ^ hash >> 29;
}

/* Every build, of any width and compiler, is held to these. */
static void frozen_bits(void)
{
  enum { N = 4096 };
  static float a[N], y[N];
  uint64_t hash = 0;
  for (int i = 0; i < N; i++)
    a[i] = (float)(i - N / 2) * 0x1.8p-6f;
  for (int f = DUN_RELU; f <= DUN_GELU; f++) {
    dun_activate_f((enum dun_activation)f, N, a, y);
    hash = hash_of(hash, N, y);
    dun_activate_back_f((enum dun_activation)f, N, a, y);
    hash = hash_of(hash, N, y);
  }
  for (int i = 0; i < N; i++)
    y[i] = dun_exp_f(a[i]);
  hash = hash_of(hash, N, y);
  if (hash != FROZEN)
    fprintf(stderr, "hash 0x%016llx\n", (unsigned long long)hash);
  CHECK(hash == FROZEN);
}

TEST_MAIN({"products have the bits of plain loops", products_have_the_bits_of_plain_loops},
          {"turned columns are rows", turned_columns_are_rows}, {"gelu far off", gelu_far_off},
          {"single functions are accurate", single_functions_are_accurate},
          {"slopes are those of the values", slopes_are_those_of_the_values},
          {"frozen bits", frozen_bits})
