/* ranks: 1 3 */
/* The dense metric: its operations against plain sums, its learning from a covariance;
 * covariances of a population, weighted and plain, against sums in long double and over ranks. */
#include "kernels/adaptation.h"
#include "numerics/linear.h"
#include "particles.h"
#include "population/covariance.h"

enum { D = 13, WIDE = 130 };

static double entry(int i, int j)
{
  return j > i ? 0 : particle_uniform((int64_t)i * D + j, 3) - (i == j ? -1 : .5);
}

/* x += by S w, w = S^-1 (S w) and <S w, g> = <w, S^T g>. */
static void the_operations(void)
{
  double *block = dun_allocate(4 * D * DUN_LANES + D * D, sizeof *block);
  double *w = block, *g = w + D * DUN_LANES, *x = g + D * DUN_LANES, *back = x + D * DUN_LANES;
  double *factor = back + D * DUN_LANES, by[DUN_LANES] __attribute__((aligned(64)));
  struct dun_metric metric = dun_metric_dense(D, factor);

  for (int i = 0; i < D; i++)
    for (int j = 0; j < D; j++)
      factor[i * D + j] = entry(i, j);
  for (int64_t i = 0; i < D * DUN_LANES; i++) {
    w[i] = particle_uniform(i, 4) - .5;
    g[i] = particle_uniform(i, 5) - .5;
  }
  for (int l = 0; l < DUN_LANES; l++)
    by[l] = l % 2 ? .5 : 2;
  for (int64_t i = 0; i < D * DUN_LANES; i++)
    x[i] = by[i % DUN_LANES];
  metric.apply(&metric, by, w, x);
  for (int64_t i = 0; i < D * DUN_LANES; i++)
    x[i] = (x[i] - by[i % DUN_LANES]) / by[i % DUN_LANES];
  metric.solve(&metric, x, back);
  for (int64_t i = 0; i < D * DUN_LANES; i++) {
    CHECK_NEAR(back[i], w[i], 1e-12);
    x[i] = by[i % DUN_LANES] * (1 + x[i]);
    back[i] = 0;
  }
  metric.transposed(&metric, by, g, back);
  for (int l = 0; l < DUN_LANES; l++) {
    long double one = 0, other = 0;
    for (int i = 0; i < D; i++) {
      long double sum = 0;
      for (int j = 0; j <= i; j++)
        sum += (long double)entry(i, j) * w[j * DUN_LANES + l];
      CHECK_NEAR(x[i * DUN_LANES + l], by[l] * (double)(1 + sum), 1e-13);
      one += (long double)(x[i * DUN_LANES + l] - by[l]) * g[i * DUN_LANES + l];
      other += (long double)back[i * DUN_LANES + l] * w[i * DUN_LANES + l];
    }
    CHECK_NEAR((double)one, (double)other, 1e-13);
  }
  dun_free(block);
}

/* Lanes with factors of their own, multiples of one: as that one does. */
static void the_operations_of_lanes(void)
{
  enum { ENTRIES = D * (D + 1) / 2 };
  double *block = dun_allocate((4 * D + ENTRIES) * DUN_LANES + D * D, sizeof *block);
  double *w = block, *x = w + D * DUN_LANES, *one = x + D * DUN_LANES, *none = one + D * DUN_LANES;
  double *own = none + D * DUN_LANES, *factor = own + ENTRIES * DUN_LANES, *next = own;
  double by[DUN_LANES] __attribute__((aligned(64)));
  struct dun_metric lanes = dun_metric_dense_lanes(D, own), metric = dun_metric_dense(D, factor);

  for (int i = 0; i < D; i++)
    for (int j = 0; j < D; j++) {
      factor[i * D + j] = entry(i, j);
      for (int l = 0; l < DUN_LANES && j <= i; l++)
        *next++ = entry(i, j) * (1 + l);
    }
  for (int64_t i = 0; i < D * DUN_LANES; i++)
    w[i] = particle_uniform(i, 4) - .5;
  for (int l = 0; l < DUN_LANES; l++)
    by[l] = l % 2 ? .5 : 2;
  for (int turn = 0; turn < 2; turn++) {
    memset(x, 0, 2 * D * DUN_LANES * sizeof *x);
    (turn ? lanes.transposed : lanes.apply)(&lanes, by, w, x);
    (turn ? metric.transposed : metric.apply)(&metric, by, w, one);
    for (int64_t i = 0; i < D * DUN_LANES; i++)
      CHECK_NEAR(x[i], one[i] * (double)(1 + i % DUN_LANES), 1e-10);
  }
  dun_free(block);
}

/* Many points: the factor of the covariance itself.  None: of its diagonal.  Not a covariance: what
 * was learned before stays. */
static void learning(void)
{
  double covariance[] = {4, 1, 1, 9}, deviation[] = {2, 3}, wrong[] = {1, 2, 2, 1};
  struct dun_kernel kernel = {.initial_step = 1};
  struct dun_kernel_options options = {.step_size = 1, .metric = DUN_METRIC_DENSE};
  struct dun_adaptation a = {0};

  CHECK(dun_adaptation_init(&a, &kernel, &options, 2) == 0);
  CHECK(a.factor.count == 0);
  CHECK(dun_adaptation_correlations(&a, deviation, covariance, 1e18) == 0);
  CHECK(a.factor.count == 4 && a.scale.value[1] == 3);
  CHECK_NEAR(a.factor.value[0], 2, 1e-15);
  CHECK_NEAR(a.factor.value[2], .5, 1e-15);
  CHECK_NEAR(a.factor.value[3], sqrt(9 - .25), 1e-15);
  CHECK(dun_adaptation_correlations(&a, deviation, wrong, 1e18) == 0);
  CHECK_NEAR(a.factor.value[2], .5, 1e-15);
  CHECK(dun_adaptation_correlations(&a, deviation, covariance, 0) == 0);
  CHECK(a.factor.value[2] == 0 && a.factor.value[3] == 3);
  dun_adaptation_free(&a);
}

static double coordinate(int64_t i, int j)
{
  double u = particle_uniform(i, 11 + (uint64_t)j);
  return j > 0 ? u + 3 * particle_uniform(i, 11) : u; /* they hang together */
}

static struct dun_column *fill(struct dun_context *context, struct dun_population *p, int d,
                               enum pattern pattern)
{
  struct dun_column column = {.name = "x", .type = DUN_F64, .width = d, .doc = "Points."};
  dun_population_init(p, dun_tiles_of(300, 7, context->rank, context->size));
  CHECK(dun_population_declare(p, column) != NULL);
  particles_fill(p, pattern);
  struct dun_column *x = dun_population_find(p, "x");
  for (int64_t i = 0; i < p->tiles.local; i++)
    for (int j = 0; j < d; j++)
      dun_f64(x)[i * d + j] = coordinate(p->tiles.first + i, j);
  return x;
}

static void covariance_of(int d, enum pattern pattern)
{
  struct dun_population p;
  struct dun_weights w = {0};
  struct dun_column *x = fill(&test_context, &p, d, pattern);
  double *mean = dun_allocate(d + (int64_t)d * d, sizeof *mean), *covariance = mean + d;
  struct dun_column *logw = dun_population_find(&p, "logw");

  CHECK(dun_weights_compute(&test_context, &p, logw, &w) == 0);
  CHECK(dun_weighted_covariance(&test_context, &p, x, logw, &w, mean, covariance) == 0);
  for (int i = 0; i < d; i += 1 + d / 10)
    for (int j = 0; j < d; j += 1 + d / 7) {
      long double sum = 0, a = 0, b = 0, product = 0;
      for (int64_t k = 0; k < 300; k++) {
        long double weight = expl(particle_logw(pattern, k, 300, 7));
        sum += weight;
        a += weight * coordinate(k, i);
        b += weight * coordinate(k, j);
        product += weight * coordinate(k, i) * coordinate(k, j);
      }
      CHECK_NEAR(covariance[i * d + j], (double)(product / sum - a / sum * (b / sum)), 1e-9);
      CHECK(covariance[i * d + j] == covariance[j * d + i]);
      CHECK_NEAR(mean[i], (double)(a / sum), 1e-9);
    }
  dun_free(mean);
  dun_weights_free(&w);
  dun_population_free(&p);
}

/* Of 130 coordinates the sums come in several pieces. */
static void covariances(void)
{
  covariance_of(3, EQUAL);
  covariance_of(3, HOLES);
  covariance_of(WIDE, EQUAL);
}

/* Of the first particles alike, where a last tile is short and where it is left out. */
static void plain_covariances(void)
{
  static const int64_t tiles[] = {1, 42, 43, INT64_MAX}, count[] = {7, 294, 300, 300};
  struct dun_population p;
  struct dun_column *x = fill(&test_context, &p, 2, EQUAL);
  double mean[2], covariance[4], variance[2];

  for (int c = 0; c < 4; c++) {
    long double sum[2] = {0}, product = 0;
    CHECK(dun_plain_covariance(&test_context, &p, x, tiles[c], 0, mean, variance) == 0);
    CHECK(dun_plain_covariance(&test_context, &p, x, tiles[c], 1, mean, covariance) == 0);
    CHECK(variance[0] == covariance[0] && variance[1] == covariance[3]);
    for (int64_t k = 0; k < count[c]; k++) {
      sum[0] += coordinate(k, 0);
      sum[1] += coordinate(k, 1);
      product += (long double)coordinate(k, 0) * coordinate(k, 1);
    }
    product -= sum[0] * sum[1] / count[c];
    CHECK_NEAR(mean[1], (double)(sum[1] / count[c]), 1e-14);
    CHECK_NEAR(covariance[1], (double)(product / (count[c] - 1)), 1e-14);
    CHECK(covariance[1] == covariance[2]);
  }
  dun_population_free(&p);
}

TEST_MAIN({"the_operations", the_operations}, {"the_operations_of_lanes", the_operations_of_lanes},
          {"learning", learning}, {"covariances", covariances},
          {"plain_covariances", plain_covariances})
