/* Fourier transforms: against their definition, back and forth, and distributed ones against
 * local ones. */
/* ranks: 1 2 3 */
#include "base/error.h"
#include "base/memory.h"
#include "base/random.h"
#include "check.h"
#include "numerics/fft.h"

static const int64_t shapes[][3] = {{1, 1, 1},  {2, 1, 1}, {7, 1, 1}, {12, 1, 1}, {4, 6, 1},
                                    {5, 3, 1},  {1, 8, 1}, {4, 4, 4}, {3, 5, 2},  {2, 3, 7},
                                    {16, 1, 1}, {8, 9, 1}, {6, 1, 5}};
enum { SHAPES = sizeof shapes / sizeof *shapes };

/* A number of its own at each place, the same on every rank. */
static double value_at(const int64_t *size, int64_t i, int64_t j, int64_t k)
{
  struct dun_address address = {11, DUN_PURPOSE_TEST, 0, 0, 0};
  return dun_uniform_one(address, (i * size[1] + j) * size[2] + k) - 0.5;
}

static int dimension_of(const int64_t *size)
{
  return size[2] > 1 ? 3 : size[1] > 1 ? 2 : 1;
}

/* Fills this rank's block. */
static void fill(const struct dun_fft *f, double *block)
{
  int d = f->dimension;
  for (int64_t i = 0; i < f->count; i++)
    for (int64_t j = 0; j < f->size[1]; j++)
      for (int64_t k = 0; k < f->size[2]; k++) {
        int64_t at = d == 1 ? i : d == 2 ? i * f->row + j : (i * f->size[1] + j) * f->row + k;
        block[at] = value_at(f->size, f->first + i, j, k);
      }
}

/* The definition, for one mode. */
static void slow_mode(const int64_t *n, const int64_t *k, double *re, double *im)
{
  *re = *im = 0;
  for (int64_t i = 0; i < n[0]; i++)
    for (int64_t j = 0; j < n[1]; j++)
      for (int64_t l = 0; l < n[2]; l++) {
        double turn = (double)(i * k[0]) / (double)n[0] + (double)(j * k[1]) / (double)n[1] +
                      (double)(l * k[2]) / (double)n[2];
        *re += value_at(n, i, j, l) * cos(2 * M_PI * turn);
        *im -= value_at(n, i, j, l) * sin(2 * M_PI * turn);
      }
}

/* Half of the last axis of several. */
static void half_shape(const struct dun_fft *f, int64_t half[3])
{
  for (int a = 0; a < 3; a++)
    half[a] = a == f->dimension - 1 ? f->size[a] / 2 + 1 : f->size[a];
}

static void check_modes(const struct dun_fft *f, const double *spectrum, int64_t step,
                        int64_t imaginary)
{
  int64_t half[3], k[3], at = 0;
  half_shape(f, half);
  for (k[0] = 0; k[0] < half[0]; k[0]++)
    for (k[1] = 0; k[1] < half[1]; k[1]++)
      for (k[2] = 0; k[2] < half[2]; k[2]++, at += step) {
        double re, im;
        slow_mode(f->size, k, &re, &im);
        CHECK_NEAR(spectrum[at], re, 1e-13 * (double)f->points);
        CHECK_NEAR(spectrum[at + imaginary], im, 1e-13 * (double)f->points);
      }
  CHECK(at == step * f->modes);
}

static void test_definition(void)
{
  for (int s = 0; s < SHAPES; s++) {
    struct dun_fft f;
    double *block, *original;
    CHECK(dun_fft_init(&f, dimension_of(shapes[s]), shapes[s]) == 0);
    CHECK(dun_fft_bytes(f.dimension, f.size, 1) == f.block * 8);
    block = dun_allocate(f.block, sizeof *block);
    original = dun_allocate(f.block, sizeof *block);
    fill(&f, block);
    fill(&f, original);
    dun_fft_forward(&f, block);
    check_modes(&f, block, 2, 1);
    dun_fft_inverse(&f, block);
    for (int64_t i = 0; i < f.block; i++)
      if (i % f.row < f.size[f.dimension - 1])
        CHECK_NEAR(block[i], (double)f.points * original[i], 1e-13 * (double)f.points);
    DUN_FREE(block);
    DUN_FREE(original);
    dun_fft_free(&f);
    dun_fft_free(&f);
  }
}

static void test_frequencies(void)
{
  static const int64_t even[] = {0, 1, 2, -1}, odd[] = {0, 1, 2, -2, -1};
  for (int i = 0; i < 4; i++)
    CHECK(dun_fft_frequency(4, i) == even[i]);
  for (int i = 0; i < 5; i++)
    CHECK(dun_fft_frequency(5, i) == odd[i]);
}

/* Factors that tell the axes and the places apart. */
static void make_factors(const struct dun_fft *f, double *store, const double *factor[3])
{
  for (int a = 0; a < 3; a++) {
    factor[a] = store;
    for (int64_t i = 0; i < f->size[a]; i++)
      *store++ = 1 + 0.01 * (a + 1) * (double)llabs(dun_fft_frequency(f->size[a], i));
  }
}

/* A filter in Fourier space, by a local and by a distributed transform: the same fields. */
static void check_distributed(const int64_t *size)
{
  struct dun_fft one, all;
  const double *factor[3];
  double *store = dun_allocate(size[0] + size[1] + size[2], sizeof *store);
  int d = dimension_of(size);
  CHECK(dun_fft_init(&one, d, size) == 0);
  CHECK(dun_fft_init_distributed(&test_context, &all, d, size) == 0);
  CHECK(all.block * 8 <= dun_fft_bytes(d, size, test_context.size) || all.block == 1);
  double *a = dun_allocate(one.block, sizeof *a), *b = dun_allocate(all.block, sizeof *b);
  fill(&one, a);
  fill(&all, b);
  dun_fft_forward(&one, a);
  dun_fft_forward(&all, b);
  make_factors(&one, store, factor);
  dun_fft_multiply(&one, a, factor, a);
  dun_fft_multiply(&all, b, factor, b);
  dun_fft_inverse(&one, a);
  dun_fft_inverse(&all, b);
  int64_t plane = one.block / one.size[0], shift = all.first * plane, wrong = 0;
  for (int64_t i = 0; i < all.count * plane; i++)
    if (i % one.row < one.size[d - 1])
      wrong += !(fabs(a[shift + i] - b[i]) <= 1e-12 * (double)one.points);
  CHECK(wrong == 0);
  DUN_FREE(a);
  DUN_FREE(b);
  DUN_FREE(store);
  dun_fft_free(&one);
  dun_fft_free(&all);
}

static void test_distributed(void)
{
  static const int64_t several[][3] = {{64, 64, 64}, {32, 18, 1}, {2, 30, 1}, {5, 7, 1},
                                       {9, 4, 6},    {2, 2, 8},   {1, 6, 3},  {16, 16, 15}};
  for (int i = 0; i < 8; i++)
    check_distributed(several[i]);
}

static void test_refused(void)
{
  static const int64_t good[] = {4, 4, 4}, bad[] = {4, 0, 4}, large[] = {1 << 28, 1 << 28, 1 << 28};
  struct dun_fft f;
  CHECK(dun_fft_init(&f, 0, good) == DUN_ERROR_NUMERIC);
  CHECK(dun_fft_init(&f, 4, good) == DUN_ERROR_NUMERIC);
  CHECK(dun_fft_init(&f, 3, bad) == DUN_ERROR_NUMERIC);
  dun_fft_free(&f);
  CHECK(dun_fft_init(&f, 3, large) < 0);
  CHECK(dun_fft_bytes(3, large, 1) == INT64_MAX);
  CHECK(dun_fft_init_distributed(&test_context, &f, 1, good) == DUN_ERROR_NUMERIC);
  dun_fft_free(&f);
  if (test_context.size > 1) { /* one rank's fault is everybody's */
    CHECK(dun_fft_init_distributed(&test_context, &f, 3, test_context.rank ? good : bad) ==
          DUN_ERROR_NUMERIC);
    CHECK(strstr(dun_error_text(), "0 points"));
    dun_fft_free(&f);
  }
}

TEST_MAIN({"definition", test_definition}, {"frequencies", test_frequencies},
          {"distributed", test_distributed}, {"refused", test_refused})
