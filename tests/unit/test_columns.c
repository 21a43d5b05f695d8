/* Linear operations on columns, against plain loops to the last bit, and spacings. */
#include "base/vmath.h"
#include "check.h"
#include "dunlin/target.h"
#include "numerics/columns.h"
#include "numerics/spacing.h"
#include <math.h>
#include <string.h>

enum { D = 3, N = D * DUN_LANES };
static double x[N] __attribute__((aligned(64))), y[N] __attribute__((aligned(64)));
static double out[N] __attribute__((aligned(64))), sum[DUN_LANES] __attribute__((aligned(64)));

static void fill(void)
{
  for (int i = 0; i < N; i++) {
    x[i] = sin(1 + i);
    y[i] = out[i] = cos(3 * i);
  }
  for (int l = 0; l < DUN_LANES; l++)
    sum[l] = l;
}

static void columns_add_up(void)
{
  double h[DUN_LANES] __attribute__((aligned(64))), scale[D] = {.5, 3, 1. / 3};
  fill();
  dun_columns_add(D, .7, x, out);
  for (int i = 0; i < N; i++)
    CHECK(out[i] == fma(.7, x[i], y[i]));
  dun_columns_sum(D, y, -.3, x, out);
  for (int i = 0; i < N; i++)
    CHECK(out[i] == fma(-.3, x[i], y[i]));
  fill();
  for (int l = 0; l < DUN_LANES; l++)
    h[l] = 1. / (1 + l);
  dun_columns_add_scaled(D, .9, h, scale, x, out);
  for (int i = 0; i < N; i++)
    CHECK(out[i] == fma(.9 * (h[i % DUN_LANES] * scale[i / DUN_LANES]), x[i], y[i]));
  dun_columns_add_square(D, x, sum);
  for (int l = 0; l < DUN_LANES; l++) {
    double expected = l;
    for (int j = 0; j < D; j++)
      expected = fma(x[j * DUN_LANES + l], x[j * DUN_LANES + l], expected);
    CHECK(sum[l] == expected);
  }
}

/* Every entry is summed in the order of the columns, whatever rows and lanes are beside it. */
static void products_keep_their_order(void)
{
  enum { MOST = 9, WIDE = 13 };
  static double A[MOST * WIDE], v[WIDE * DUN_LANES] __attribute__((aligned(64)));
  static double product[MOST * DUN_LANES] __attribute__((aligned(64)));
  for (int i = 0; i < MOST * WIDE; i++)
    A[i] = sin(i * i + 1.);
  for (int i = 0; i < WIDE * DUN_LANES; i++)
    v[i] = cos(3. * i);
  for (int rows = 0; rows <= MOST; rows++)
    for (int lanes = 1; lanes <= DUN_LANES; lanes += 9)
      for (int columns = 0; columns <= WIDE; columns += WIDE) {
        memset(product, 0xff, sizeof product);
        dun_columns_multiply(rows, columns, A, lanes, v, product);
        for (int i = 0; i < rows * DUN_LANES; i++) {
          double expected = 0;
          for (int j = 0; j < columns; j++)
            expected =
                fma(A[i / DUN_LANES * columns + j], v[j * DUN_LANES + i % DUN_LANES], expected);
          CHECK(i % DUN_LANES >= lanes || product[i] == expected);
        }
        CHECK(rows == MOST || isnan(product[rows * DUN_LANES]));
      }
}

static void spacings_meet_their_ends(void)
{
  static const double middle[] = {
      [DUN_SPACING_LINEAR] = 5, [DUN_SPACING_POWER] = 3.5, [DUN_SPACING_GEOMETRIC] = 4};
  for (int type = DUN_SPACING_LINEAR; type <= DUN_SPACING_GEOMETRIC; type++) {
    struct dun_spacing s = {.type = type, .first = 2, .last = 8, .power = 2};
    CHECK_NEAR(dun_spacing_at(&s, 0, 10), 2, 1e-15);
    CHECK_NEAR(dun_spacing_at(&s, 10, 10), 8, 1e-14);
    CHECK_NEAR(dun_spacing_at(&s, 5, 10), middle[type], 1e-14);
    for (int k = 1; k <= 10; k++)
      CHECK(dun_spacing_at(&s, k, 10) > dun_spacing_at(&s, k - 1, 10));
  }
}

TEST_MAIN({"columns_add_up", columns_add_up},
          {"products_keep_their_order", products_keep_their_order},
          {"spacings_meet_their_ends", spacings_meet_their_ends})
