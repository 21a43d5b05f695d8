/* ranks: 1 2 3 5 */
/* Distances between sets of points: plain double loops, laws that they keep, and the same bits on
 * one process as on all ranks.  tests/app/test_compare.py holds them against numpy. */
#include "base/memory.h"
#include "base/random.h"
#include "check.h"
#include "numerics/discrepancy.h"
#include "numerics/transport.h"

enum { D = 3, N = 150, M = 201 };

/* Normal points, moved by `away` in each coordinate, of weights from 1 to 2 or of 1. */
static struct dun_points make(int64_t n, int set, double away, int weighted)
{
  struct dun_points points;
  struct dun_address address = {9, DUN_PURPOSE_TEST, 0, (uint32_t)set, 0};
  double *normal = dun_allocate((n * D + 63) / 64 * 64, sizeof *normal);
  CHECK(dun_points_init(&points, n, D) == 0 && normal);
  dun_normals(address, (int)((n * D + 63) / 64), normal);
  for (int64_t i = 0; i < n * D; i++)
    points.x[i] = normal[i] + away;
  for (int64_t i = 0; i < n && weighted; i++)
    points.weight[i] = 1 + dun_uniform_one(address, n * D + i);
  dun_free(normal);
  return points;
}

/* Everything that is computed of two sets. */
enum { NUMBERS = 5 * DUN_DEALS + 4 };

static void measure(struct dun_context *context, const struct dun_points *x,
                    const struct dun_points *y, int deals, double *out)
{
  struct dun_pool pool;
  struct dun_sinkhorn sinkhorn;
  memset(out, 0, NUMBERS * sizeof *out);
  CHECK(dun_pool_init(&pool, x, y, deals, 4) == 0);
  CHECK(dun_energy_distance(context, &pool, out, out + 4 * DUN_DEALS) == 0);
  CHECK(dun_mean_discrepancy(context, &pool, out + DUN_DEALS, out + 4 * DUN_DEALS + 1) == 0);
  CHECK(dun_sliced_distances(context, &pool, 7, 3, out + 2 * DUN_DEALS, out + 3 * DUN_DEALS) == 0);
  CHECK(dun_sinkhorn(context, x, y, &sinkhorn) == 0);
  CHECK(sinkhorn.converged);
  out[4 * DUN_DEALS + 2] = sinkhorn.divergence;
  out[4 * DUN_DEALS + 3] = sinkhorn.epsilon;
  dun_pool_free(&pool);
}

static void same_bits_alone(void)
{
  struct dun_context alone;
  static double together[NUMBERS], apart[NUMBERS];
  struct dun_points x = make(N, 0, 0, 1), y = make(M, 1, .3, 0);
  CHECK(dun_context_init(&alone, MPI_COMM_SELF, DUN_WARNINGS) == 0);
  measure(&test_context, &x, &y, DUN_DEALS, together);
  measure(&alone, &x, &y, DUN_DEALS, apart);
  CHECK(!memcmp(together, apart, sizeof together));
  CHECK(together[0] > 0 && together[0] != together[1]);
  dun_context_free(&alone);
  dun_points_free(&x);
  dun_points_free(&y);
}

static double distance_of(const struct dun_points *a, int64_t i, const struct dun_points *b,
                          int64_t j)
{
  double square = 0;
  for (int k = 0; k < D; k++)
    square += (a->x[i * D + k] - b->x[j * D + k]) * (a->x[i * D + k] - b->x[j * D + k]);
  return sqrt(square);
}

/* Weighted mean over pairs; of a set with itself those of a point with itself count nothing, or
 * with the kernel of width h in the sum only. */
static double mean_of(const struct dun_points *a, const struct dun_points *b, double h)
{
  double sum = 0, weights = 0;
  for (int64_t i = 0; i < a->n; i++)
    for (int64_t j = 0; j < b->n; j++) {
      double r = distance_of(a, i, b, j), w = a->weight[i] * b->weight[j];
      sum += w * (h > 0 ? exp(-r * r / (2 * h * h)) : r);
      weights += a == b && i == j ? 0 : w;
    }
  return sum / weights;
}

static void plain_loops_agree(void)
{
  static double found[NUMBERS];
  struct dun_points x = make(N, 0, 0, 1), y = make(M, 1, .3, 1);
  measure(&test_context, &x, &y, 1, found);
  double h = found[4 * DUN_DEALS + 1], below = 0, all = 0;
  CHECK_NEAR(found[0], 2 * mean_of(&x, &y, 0) - mean_of(&x, &x, 0) - mean_of(&y, &y, 0), 1e-12);
  CHECK_NEAR(found[DUN_DEALS], mean_of(&x, &x, h) + mean_of(&y, &y, h) - 2 * mean_of(&x, &y, h),
             1e-12);
  for (int64_t i = 0; i < N + M; i++)
    for (int64_t j = i; j < N + M; j++) {
      const struct dun_points *a = i < N ? &x : &y, *b = j < N ? &x : &y;
      below += distance_of(a, i < N ? i : i - N, b, j < N ? j : j - N) < h * (1 - 1e-12);
      all++;
    }
  CHECK_NEAR(below, all / 2, 1);
  dun_points_free(&x);
  dun_points_free(&y);
}

/* A weight of 2 is two points; one of 0 is none. */
static void weights_count(void)
{
  struct dun_points x = make(N, 0, 0, 0), y = make(M, 1, .3, 0), more = make(M + 2, 1, .3, 0);
  struct dun_sinkhorn one, other;
  memcpy(more.x, y.x, sizeof(double) * M * D);
  memcpy(more.x + M * D, y.x,
         sizeof(double) * D); /* the first again, and one that counts nothing */
  more.weight[M + 1] = 0;
  y.weight[0] = 2;
  CHECK(dun_sinkhorn(&test_context, &x, &y, &one) == 0);
  CHECK(dun_sinkhorn(&test_context, &x, &more, &other) == 0);
  CHECK_NEAR(one.epsilon, other.epsilon, 1e-12 * one.epsilon);
  CHECK_NEAR(one.divergence, other.divergence, 1e-5);
  struct dun_pool first, second;
  double a[3], b[3], unused;
  CHECK(dun_pool_init(&first, &x, &y, 1, 0) == 0 && dun_pool_init(&second, &x, &more, 1, 0) == 0);
  CHECK(dun_sliced_distances(&test_context, &first, 5, 1, a, a + 1) == 0);
  CHECK(dun_sliced_distances(&test_context, &second, 5, 1, b, b + 1) == 0);
  CHECK_NEAR(a[0], b[0], 1e-12);
  CHECK_NEAR(a[1], b[1], 1e-12);
  CHECK(dun_energy_distance(&test_context, &first, a, &unused) == 0 && a[0] > 0);
  dun_pool_free(&first);
  dun_pool_free(&second);
  dun_points_free(&x);
  dun_points_free(&y);
  dun_points_free(&more);
}

/* A set that is moved as a whole: every transport moves each point by as much. */
static void moved_sets(void)
{
  struct dun_points x = make(N, 0, 0, 0), y = make(N, 0, 2, 0);
  struct dun_sinkhorn sinkhorn;
  struct dun_pool pool;
  double first, second;
  CHECK(dun_sinkhorn(&test_context, &x, &x, &sinkhorn) == 0);
  CHECK_NEAR(sinkhorn.divergence, 0, 1e-4 * sinkhorn.epsilon);
  CHECK(dun_sinkhorn(&test_context, &x, &y, &sinkhorn) == 0);
  CHECK_NEAR(sinkhorn.divergence, 4 * D, 1e-3);
  CHECK(dun_pool_init(&pool, &x, &y, 1, 0) == 0);
  CHECK(dun_sliced_distances(&test_context, &pool, 2000, 1, &first, &second) == 0);
  CHECK_NEAR(second, 4, 5 * sqrt(12.8 / 2000)); /* 4 D times a squared component */
  CHECK(first < sqrt(second) && first > .8 * sqrt(second));
  dun_pool_free(&pool);
  dun_points_free(&x);
  dun_points_free(&y);
}

static void points_that_are_one(void)
{
  struct dun_points x = make(N, 0, 0, 0), y = make(M, 1, 0, 0);
  static double found[NUMBERS];
  for (int64_t i = 0; i < N * D; i++)
    x.x[i] = 1;
  for (int64_t i = 0; i < M * D; i++)
    y.x[i] = 1;
  measure(&test_context, &x, &y, DUN_DEALS, found);
  for (int r = 0; r < 4 * DUN_DEALS; r++)
    CHECK(fabs(found[r] - (r / DUN_DEALS == 1 ? 1. / (N - 1) + 1. / (M - 1) : 0)) < 1e-12);
  CHECK(fabs(found[4 * DUN_DEALS + 2]) < 1e-25);
  x.x[0] = 1e200;
  struct dun_sinkhorn sinkhorn;
  CHECK(dun_sinkhorn(&test_context, &x, &y, &sinkhorn) == -2); /* squares overflow */
  dun_points_free(&x);
  dun_points_free(&y);
}

static void deals_are_permutations(void)
{
  struct dun_points x = make(N, 0, 0, 1), y = make(M, 1, 0, 0), first, second;
  struct dun_pool pool;
  double total = 0, parts = 0;
  int64_t kept = 0;
  CHECK(dun_pool_init(&pool, &x, &y, DUN_DEALS, 8) == 0);
  for (int r = 0; r < DUN_DEALS; r++) {
    int64_t count = 0;
    for (int64_t i = 0; i < N + M; i++)
      count += (int64_t)(pool.side[i] >> r & 1);
    CHECK(count == N);
    for (int64_t i = 0; i < N && r > 0; i++)
      kept += (int64_t)(pool.side[i] >> r & 1);
  }
  double due = (DUN_DEALS - 1.) * N * N / (N + M);
  CHECK_NEAR((double)kept, due, 5 * sqrt(due * M / (N + M) * M / (N + M)));
  CHECK(dun_pool_deal(&pool, 5, &first, &second) == 0 && first.n == N && second.n == M);
  for (int64_t i = 0; i < N + M; i++) {
    total += pool.points.weight[i] * pool.points.x[i * D];
    parts +=
        i < N ? first.weight[i] * first.x[i * D] : second.weight[i - N] * second.x[(i - N) * D];
  }
  CHECK_NEAR(parts, total, 1e-11);
  dun_points_free(&first);
  dun_points_free(&second);
  dun_pool_free(&pool);
  dun_points_free(&x);
  dun_points_free(&y);
}

static void entropy_of_modes(void)
{
  CHECK_NEAR(dun_mode_coverage(4, (double[]){.25, .25, .25, .25}), 1, 1e-15);
  CHECK_NEAR(dun_mode_coverage(4, (double[]){.5, 0, .5, 0}), .5, 1e-15);
  CHECK(dun_mode_coverage(3, (double[]){0, 1, 0}) == 0);
  CHECK(dun_mode_coverage(1, (double[]){1}) == 1);
}

/* Of values of a gamma law with shape 2 those with a thousandth beyond are at 3.09. */
static void errors_of_chance(void)
{
  double value[DUN_DEALS], uniform[2 * DUN_DEALS] __attribute__((aligned(64))), sum = 0;
  for (int set = 0; set < 400; set++) {
    dun_uniforms((struct dun_address){3, DUN_PURPOSE_TEST, 0, (uint32_t)set, 0}, 2, uniform);
    for (int r = 0; r < DUN_DEALS; r++)
      value[r] = -log(uniform[r] * uniform[r + DUN_DEALS]) - 2;
    value[0] = 9.2334 - 2;
    sum += dun_chance_of(DUN_DEALS, value, 2).errors / 400;
  }
  CHECK_NEAR(sum, 3.09, .15);
  value[0] = value[1];
  CHECK(isnan(dun_chance_of(2, value, 0).errors));
  for (int r = 0; r < DUN_DEALS; r++)
    value[r] = r;
  CHECK(dun_chance_of(DUN_DEALS, value, 0).mean == 32 &&
        dun_chance_of(DUN_DEALS, value, 0).bound == 60);
}

TEST_MAIN({"same_bits_alone", same_bits_alone}, {"plain_loops_agree", plain_loops_agree},
          {"weights_count", weights_count}, {"moved_sets", moved_sets},
          {"points_that_are_one", points_that_are_one},
          {"deals_are_permutations", deals_are_permutations},
          {"entropy_of_modes", entropy_of_modes}, {"errors_of_chance", errors_of_chance})
