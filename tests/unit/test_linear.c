/* BLAS and LAPACK behind their few names. */
#include "base/error.h"
#include "check.h"
#include "numerics/gaussian.h"
#include "numerics/linear.h"

enum { M = 7, N = 5, K = 9, LDA = 11, LDB = 12, LDC = 13 };

static void fill(double *a, int count, double seed)
{
  for (int i = 0; i < count; i++)
    a[i] = sin(seed + 1.7 * i);
}

static void test_multiply_abt(void)
{
  double a[M * LDA], b[N * LDB], c[M * LDC];
  fill(a, M * LDA, 1);
  fill(b, N * LDB, 2);
  fill(c, M * LDC, 3);
  dun_multiply_abt(M, N, K, a, LDA, b, LDB, c, LDC);
  for (int i = 0; i < M; i++)
    for (int j = 0; j < N; j++) {
      double sum = 0;
      for (int k = 0; k < K; k++)
        sum += a[i * LDA + k] * b[j * LDB + k];
      CHECK_NEAR(c[i * LDC + j], sum, 1e-14);
    }
  CHECK(c[N] == sin(3 + 1.7 * N)); /* nothing beyond the columns asked for */
}

static void test_multiply_add_atb(void)
{
  double a[K * LDA], b[K * LDB], c[M * LDC], before[M * LDC];
  fill(a, K * LDA, 1);
  fill(b, K * LDB, 2);
  fill(c, M * LDC, 3);
  memcpy(before, c, sizeof c);
  dun_multiply_add_atb(M, N, K, a, LDA, b, LDB, c, LDC);
  for (int i = 0; i < M; i++)
    for (int j = 0; j < N; j++) {
      double sum = before[i * LDC + j];
      for (int k = 0; k < K; k++)
        sum += a[k * LDA + i] * b[k * LDB + j];
      CHECK_NEAR(c[i * LDC + j], sum, 1e-14);
    }
  CHECK(c[N] == before[N]);
}

static void make_matrix(double *a)
{
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++)
      a[i * N + j] = (i == j) * (2 + i) + 1.0 / (1 + i + j) + 0.1 * (i + j);
}

static void test_cholesky(void)
{
  double a[N * N], l[N * N], inverse[N * N];
  make_matrix(a);
  memcpy(l, a, sizeof a);
  for (int i = 0; i < N; i++)
    for (int j = i + 1; j < N; j++)
      l[i * N + j] = NAN; /* the upper triangle is not read */
  CHECK(dun_cholesky(N, l) == 0);
  CHECK(dun_cholesky_inverse(N, l, inverse) == 0);
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++) {
      double product = 0, unit = 0;
      for (int k = 0; k < N; k++) {
        product += l[i * N + k] * l[j * N + k];
        unit += a[i * N + k] * inverse[k * N + j];
      }
      CHECK_NEAR(product, a[i * N + j], 1e-13);
      CHECK_NEAR(unit, i == j, 1e-13);
      CHECK(j <= i || l[i * N + j] == 0);
    }
}

static void test_not_definite(void)
{
  double a[4] = {1, 2, 2, 1}, zero = 0, inverse;
  CHECK(dun_cholesky(2, a) == DUN_ERROR_NUMERIC);
  CHECK(strstr(dun_error_text(), "not positive definite") != NULL);
  CHECK(dun_cholesky_inverse(1, &zero, &inverse) == DUN_ERROR_NUMERIC);
}

static void test_kernels(void)
{
  dun_blas_one_thread();
  CHECK(strlen(dun_blas_kernels()) > 0);
}

static void test_gaussian_refusals(void)
{
  const double mean[2] = {0, 0}, good[2] = {1, 1}, bad[2] = {1, 0}, flat[4] = {1, 1, 1, 1};
  struct dun_gaussian g;
  CHECK(dun_gaussian_diagonal(&g, 2, mean, bad) == DUN_ERROR_NUMERIC);
  dun_gaussian_free(&g);
  CHECK(dun_gaussian_toeplitz(&g, 2, mean, good, 1) == DUN_ERROR_NUMERIC);
  dun_gaussian_free(&g);
  CHECK(dun_gaussian_dense(&g, 2, mean, flat) == DUN_ERROR_NUMERIC);
  dun_gaussian_free(&g);
  dun_gaussian_free(&g);
}

TEST_MAIN({"multiply_abt", test_multiply_abt}, {"multiply_add_atb", test_multiply_add_atb},
          {"cholesky", test_cholesky}, {"not_definite", test_not_definite},
          {"kernels", test_kernels}, {"gaussian_refusals", test_gaussian_refusals})
