#include "numerics/linear.h"
#include "base/error.h"
#include <cblas.h>
#include <string.h>

/* LAPACK by its Fortran names; a matrix by rows is its transpose by columns, so that our lower
 * triangle is LAPACK's upper one. */
void dpotrf_(const char *triangle, const int *n, double *a, const int *lda, int *info, size_t);
void dpotri_(const char *triangle, const int *n, double *a, const int *lda, int *info, size_t);

void dun_blas_one_thread(void)
{
  openblas_set_num_threads(1);
}

const char *dun_blas_kernels(void)
{
  const char *name = openblas_get_corename();
  return name ? name : "unknown";
}

void dun_multiply_abt(int m, int n, int k, const double *a, int lda, const double *b, int ldb,
                      double *c, int ldc)
{
  cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, m, n, k, 1.0, a, lda, b, ldb, 0.0, c, ldc);
}

void dun_multiply_add_atb(int m, int n, int k, const double *a, int lda, const double *b, int ldb,
                          double *c, int ldc)
{
  cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, m, n, k, 1.0, a, lda, b, ldb, 1.0, c, ldc);
}

int dun_cholesky(int d, double *a)
{
  int info = 0;
  dpotrf_("U", &d, a, &d, &info, 1);
  if (info > 0)
    return dun_fail(
        DUN_ERROR_NUMERIC,
        "the %d x %d matrix is not positive definite (its leading %d x %d block is not)", d, d,
        info, info);
  if (info < 0)
    return dun_fail(DUN_ERROR_NUMERIC, "LAPACK refused argument %d of dpotrf", -info);
  for (int i = 0; i < d; i++)
    memset(a + (size_t)i * d + i + 1, 0, (size_t)(d - i - 1) * sizeof *a);
  return 0;
}

void dun_cholesky_solve(int d, const double *l, double *x)
{
  for (int64_t i = 0; i < d; i++) {
    for (int64_t j = 0; j < i; j++)
      x[i] -= l[i * d + j] * x[j];
    x[i] /= l[i * d + i];
  }
  for (int64_t i = d - 1; i >= 0; i--) {
    x[i] /= l[i * d + i];
    for (int64_t j = 0; j < i; j++)
      x[j] -= l[i * d + j] * x[i];
  }
}

int dun_cholesky_inverse(int d, const double *l, double *inverse)
{
  int info = 0;
  memcpy(inverse, l, (size_t)d * (size_t)d * sizeof *l);
  dpotri_("U", &d, inverse, &d, &info, 1);
  if (info != 0)
    return dun_fail(DUN_ERROR_NUMERIC, "a Cholesky factor with a zero on its diagonal");
  for (int i = 0; i < d; i++)
    for (int j = 0; j < i; j++)
      inverse[(size_t)j * d + i] = inverse[(size_t)i * d + j];
  return 0;
}
