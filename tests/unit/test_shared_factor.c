/* Cholesky factors and inverses by all ranks, in tables that the ranks of a machine share. */
/* ranks: 1 2 3 */
#include "base/error.h"
#include "base/memory.h"
#include "check.h"
#include "numerics/linear.h"
#include "numerics/shared_factor.h"

/* Sizes below, at and beyond the blocks that are dealt, and one that leaves ranks without any. */
static const int sizes[] = {1, 6, 64, 65, 131, 200};
enum { SIZES = sizeof sizes / sizeof *sizes };

/* A covariance in one dimension; its condition number is some hundreds. */
static double covariance(const void *self, int64_t i, int64_t j)
{
  CHECK(i >= j);
  return *(const double *)self * exp(-.1 * (double)(i - j));
}

static double *make_all(int n, double variance)
{
  double *a = dun_allocate((int64_t)n * n, sizeof *a);
  for (int i = 0; i < n; i++)
    for (int j = 0; j <= i; j++)
      a[(size_t)i * n + j] = covariance(&variance, i, j);
  return a;
}

static void check_triangles(const struct dun_shared_factor *f, const double *l)
{
  int64_t n = f->n;
  for (int64_t i = 0; i < n; i++) {
    for (int64_t j = 0; j <= i; j++) {
      CHECK_NEAR(f->lower[i * f->stride + j], l[i * n + j], 1e-13);
      CHECK(f->upper[j * f->stride + i] == f->lower[i * f->stride + j]);
    }
    for (int64_t j = i + 1; j < i / 4 * 4 + 4; j++)
      CHECK(f->lower[i * f->stride + j] == 0);
    for (int64_t j = i / 4 * 4; j < i; j++)
      CHECK(f->upper[i * f->stride + j] == 0);
    for (int64_t j = n; j < f->stride - 4; j++)
      CHECK(f->upper[i * f->stride + j] == 0);
  }
}

static void check_inverse(const struct dun_shared_factor *f, const double *inverse)
{
  int64_t n = f->n;
  for (int64_t i = 0; i < n; i++) {
    for (int64_t j = 0; j < n; j++)
      CHECK_NEAR(f->inverse[i * f->inverse_stride + j], inverse[i * n + j], 1e-11);
    for (int64_t j = n; j < f->inverse_stride; j++)
      CHECK(f->inverse[i * f->inverse_stride + j] == 0);
  }
}

static void test_as_lapack(void)
{
  double variance = 1.91;
  for (int k = 0; k < SIZES; k++) {
    int n = sizes[k];
    struct dun_shared_factor f;
    double *l = make_all(n, variance), *inverse = make_all(n, variance);
    CHECK(dun_cholesky(n, l) == 0 && dun_cholesky_inverse(n, l, inverse) == 0);
    CHECK(dun_shared_factor_init(&test_context, &f, n, k % 2, covariance, &variance) == 0);
    check_triangles(&f, l);
    CHECK(!f.inverse == !(k % 2));
    if (f.inverse)
      check_inverse(&f, inverse);
    dun_shared_factor_free(&f);
    dun_shared_factor_free(&f);
    DUN_FREE(l);
    DUN_FREE(inverse);
  }
}

/* The same number of ranks gives the same bits. */
static void test_same_bits_again(void)
{
  double variance = 1.91;
  struct dun_shared_factor first, again;
  CHECK(dun_shared_factor_init(&test_context, &first, 200, 1, covariance, &variance) == 0);
  for (int k = 0; k < 3; k++) {
    CHECK(dun_shared_factor_init(&test_context, &again, 200, 1, covariance, &variance) == 0);
    CHECK(!memcmp(first.lower, again.lower, (size_t)(200 * first.stride) * sizeof(double)));
    CHECK(!memcmp(first.inverse, again.inverse,
                  (size_t)(200 * first.inverse_stride) * sizeof(double)));
    dun_shared_factor_free(&again);
  }
  dun_shared_factor_free(&first);
}

/* As if every rank, or every two, were a machine: all get all of it. */
static void test_over_nodes(void)
{
  enum { N = 150 };
  double variance = 2;
  double *l = make_all(N, variance);
  CHECK(dun_cholesky(N, l) == 0);
  for (int most = 1; most <= 2; most++) {
    struct dun_host node;
    struct dun_shared table;
    struct dun_distributed_matrix matrix;
    CHECK(dun_host_init(&test_context, &node, most) == 0);
    CHECK(dun_shared_init(&test_context, &node, &table, N * N) == 0);
    CHECK(dun_distributed_init(&test_context, &matrix, N, covariance, &variance) == 0);
    CHECK(dun_distributed_cholesky(&test_context, &matrix) == 0);
    struct dun_triangles out = {
        .table = table.data, .count = N * N, .stride = N, .lower = 0, .upper = -1};
    for (int64_t i = 0; i < out.count && node.rank == 0; i++)
      out.table[i] = 7;
    dun_host_meet(&node);
    CHECK(dun_distributed_deliver(&test_context, &node, &matrix, &out) == 0);
    for (int64_t i = 0; i < out.count; i++)
      CHECK_NEAR(out.table[i], l[i], 1e-13);
    dun_distributed_free(&matrix);
    dun_shared_free(&table);
    dun_host_free(&node);
  }
  DUN_FREE(l);
}

/* ---- what cannot be ---------------------------------------------------------------------- */

/* The identity but for one number on the diagonal, which only one rank has. */
struct flaw {
  int64_t place;
  double value;
};

static double flawed(const void *self, int64_t i, int64_t j)
{
  const struct flaw *flaw = self;
  return i == j && i == flaw->place ? flaw->value : i == j;
}

static void check_refused(int64_t place, double value, const char *why)
{
  struct dun_shared_factor f;
  struct flaw flaw = {place, value};
  CHECK(dun_shared_factor_init(&test_context, &f, 200, 1, flawed, &flaw) == DUN_ERROR_NUMERIC);
  CHECK(strstr(dun_error_text(), why));
  dun_shared_factor_free(&f);
}

static void test_not_positive(void)
{
  const int64_t places[] = {0, 63, 64, 130, 199};
  for (int k = 0; k < 5; k++) {
    char why[64];
    snprintf(why, sizeof why, "its leading %d x %d block is not", (int)places[k] + 1,
             (int)places[k] + 1);
    check_refused(places[k], -1, why);
    check_refused(places[k], 0, why);
    check_refused(places[k], NAN, "200 x 200 matrix");
    check_refused(places[k], INFINITY, "200 x 200 matrix");
  }
}

static void test_no_size(void)
{
  struct dun_shared_factor f;
  double variance = 1;
  CHECK(dun_shared_factor_init(&test_context, &f, 0, 0, covariance, &variance) == DUN_ERROR_INPUT);
  dun_shared_factor_free(&f);
  CHECK(dun_shared_factor_init(&test_context, &f, DUN_MOST_DISTRIBUTED + 1, 0, covariance,
                               &variance) < 0);
  dun_shared_factor_free(&f);
}

/* A folder for shared memory that has no room: nobody waits for a rank that has failed. */
static void test_no_shared_memory(void)
{
  struct dun_shared_factor f;
  double variance = 1;
  if (test_context.size == 1)
    return;
  setenv("OMPI_MCA_osc_sm_backing_directory", "/proc", 1);
  CHECK(dun_shared_factor_init(&test_context, &f, 200, 0, covariance, &variance) ==
        DUN_ERROR_MEMORY);
  CHECK(strstr(dun_error_text(), "shared memory"));
  dun_shared_factor_free(&f);
  unsetenv("OMPI_MCA_osc_sm_backing_directory");
}

/* Tables stand once on a machine, the matrix in blocks once over all ranks. */
static void test_memory(void)
{
  double most, held = dun_shared_factor_memory(16384, 1, 2, 2, &most), whole = 16384. * 16384 * 8;
  CHECK(held > whole && held < 1.001 * whole);
  CHECK(most > 1.5 * whole && most < 1.6 * whole);
  held = dun_shared_factor_memory(16384, 0, 4, 64, &most);
  CHECK(held > whole / 4 && most > held + whole / 64 && most < held + whole / 32);
}

int main(int argc, char **argv)
{
  static const struct test tests[] = {
      {"as_lapack", test_as_lapack},   {"same_bits_again", test_same_bits_again},
      {"over_nodes", test_over_nodes}, {"not_positive", test_not_positive},
      {"no_size", test_no_size},       {"no_shared_memory", test_no_shared_memory},
      {"memory", test_memory}};
  return run_tests(tests, sizeof tests / sizeof *tests, argc, argv);
}
