/* Fits of few factors where the answer is known, and the grouping of points. */
#include "base/memory.h"
#include "base/random.h"
#include "check.h"
#include "dunlin/target.h"
#include "numerics/clusters.h"
#include "numerics/factors.h"

enum { D = 11, L = DUN_LANES };

/* Points at mean ± a_i u_i for the directions u_i = (e_2i + e_2i+1) / sqrt 2, of which each has the
 * variance a_i^2 / 3. */
static void make_points(double *x, const double *mean, const double a[3])
{
  for (int i = 0; i < 6; i++)
    for (int j = 0; j < D; j++) {
      double along = j / 2 == i / 2 ? a[i / 2] * sqrt(0.5) : 0;
      x[i * D + j] = mean[j] + (i % 2 ? -along : along);
    }
}

static void check_direction(const double *row, int i)
{
  double sign = row[2 * i] > 0 ? 1 : -1;
  for (int j = 0; j < D; j++)
    CHECK_NEAR(sign * row[j], j / 2 == i ? sqrt(0.5) : 0, 1e-9);
}

/* Two of three directions are kept: the third is shared out as noise. */
static void test_fit(void)
{
  static const double a[3] = {1, 3, 2};
  struct dun_factors f;
  double x[6 * D], mean[D], lp[1], logs;
  double *work;
  for (int j = 0; j < D; j++)
    mean[j] = 0.3 * j - 1;
  make_points(x, mean, a);
  CHECK(dun_factors_init(&f, D, 1, 2) == 0);
  CHECK(dun_factors_fit(&f, 0, 6, x, 1e-3, 4) == 0);
  for (int j = 0; j < D; j++)
    CHECK_NEAR(f.rows[j], mean[j], 1e-14);
  CHECK_NEAR(f.variance[0], 9. / 3, 1e-12);
  CHECK_NEAR(f.variance[1], 4. / 3, 1e-12);
  CHECK_NEAR(f.noise[0] * f.noise[0], 1. / 3 / (D - 2), 1e-12);
  check_direction(f.rows + D, 1);
  check_direction(f.rows + 2 * D, 2);
  dun_factors_set(&f);
  work = dun_allocate(dun_factors_work_columns(&f), L * sizeof *work);
  dun_factors_evaluate(&f, 1, mean, lp, NULL, work);
  logs = log(3) + log(4. / 3) + (D - 2) * log(1. / 3 / (D - 2));
  CHECK_NEAR(lp[0], -0.5 * (logs + D * log(2 * acos(-1))), 1e-11);
  DUN_FREE(work);
  dun_factors_free(&f);
  dun_factors_free(&f);
}

/* One image has no direction; two have one. */
static void test_few_points(void)
{
  static const double a[3] = {1, 1, 1};
  struct dun_factors f;
  double x[6 * D], mean[D] = {0};
  make_points(x, mean, a);
  CHECK(dun_factors_init(&f, D, 2, 4) == 0);
  CHECK(dun_factors_fit(&f, 0, 1, x + D, 0.5, 0) == 0);
  CHECK(dun_factors_fit(&f, 1, 2, x + 2 * D, 0.5, 0) == 0);
  dun_factors_set(&f);
  CHECK_NEAR(f.noise[0], 0.5, 1e-15);
  CHECK_NEAR(f.variance[0], 0.25, 1e-15);
  CHECK_NEAR(f.variance[4], 1, 1e-12);
  CHECK_NEAR(f.variance[5], 0.25, 1e-15);
  CHECK_NEAR(f.weight[1], 2. / 3, 1e-15);
  dun_factors_free(&f);
}

static void test_clusters(void)
{
  enum { N = 3 * L };
  double *normal = dun_allocate(2, L * 3 * sizeof *normal), x[2 * N];
  int member[N], at[3];
  dun_normals((struct dun_address){3, DUN_PURPOSE_TEST, 0, 0, 0}, 6, normal);
  for (int i = 0; i < N; i++) {
    x[2 * i] = 10 * (i % 3 == 1) + normal[2 * i];
    x[2 * i + 1] = 10 * (i % 3 == 2) + normal[2 * i + 1];
  }
  CHECK(dun_clusters_find(N, 2, x, 3, 20, member) == 0);
  for (int k = 0; k < 3; k++)
    at[k] = member[k];
  CHECK(at[0] != at[1] && at[1] != at[2] && at[0] != at[2]);
  for (int i = 0; i < N; i++)
    CHECK(member[i] == at[i % 3]);
  for (int i = 0; i < 2 * N; i++)
    x[i] = 7; /* all the same: one group, the others empty */
  CHECK(dun_clusters_find(N, 2, x, 3, 20, member) == 0);
  for (int i = 0; i < N; i++)
    CHECK(member[i] == member[0]);
  DUN_FREE(normal);
}

TEST_MAIN({"fit", test_fit}, {"few_points", test_few_points}, {"clusters", test_clusters})
