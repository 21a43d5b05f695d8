/* ranks: 1 3 */
/* Metrics from points and gradients: eigenvalues, the geometric mean, far clouds of a Gaussian,
 * units and rotations, the choice between diagonal and dense; sums of a cloud over ranks. */
#include "base/memory.h"
#include "fixture.h"
#include "kernels/cloud.h"
#include "numerics/symmetric.h"

enum { D = 12, POINTS = 40 };

static double uniform(int64_t i, int64_t k)
{
  struct dun_address address = {.seed = 5, .purpose = DUN_PURPOSE_TEST, .step = (uint32_t)k};
  return 2 * dun_uniform_one(address, i) - 1;
}

/* A symmetric matrix with the eigenvalues value[d], whose vectors are those of a random one. */
static void rotated(int d, const double *value, double *out)
{
  double *block = dun_allocate(2 * (int64_t)d * d + 3 * d, sizeof *block), *v = block + d * d;
  double *some = v + d * d;

  for (int i = 0; i < d; i++)
    for (int j = 0; j < d; j++)
      block[i * d + j] = uniform(i > j ? i * d + j : j * d + i, 1);
  CHECK(dun_symmetric_eigen(d, block, some, v, some + d) == 0);
  for (int i = 0; i < d; i++)
    for (int j = 0; j < d; j++) {
      out[i * d + j] = 0;
      for (int k = 0; k < d; k++)
        out[i * d + j] += v[k * d + i] * value[k] * v[k * d + j];
    }
  dun_free(block);
}

/* V A V^T is diagonal and V V^T one, also for equal eigenvalues and a spread of 1e12. */
static void eigenvalues(void)
{
  double value[D], a[D * D], b[D * D], found[D], v[D * D], scratch[2 * D];

  for (int k = 0; k < D; k++)
    value[k] = k < 3 ? 1 : k == 3 ? -2 : pow(10, -k);
  rotated(D, value, a);
  memcpy(b, a, sizeof a);
  CHECK(dun_symmetric_eigen(D, b, found, v, scratch) == 0);
  for (int k = 0; k < D; k++)
    for (int l = 0; l < D; l++) {
      double one = 0, form = 0;
      for (int i = 0; i < D; i++) {
        one += v[k * D + i] * v[l * D + i];
        for (int j = 0; j < D; j++)
          form += v[k * D + i] * a[i * D + j] * v[l * D + j];
      }
      CHECK_NEAR(one, k == l, 1e-13);
      CHECK_NEAR(form, k == l ? found[k] : 0, 1e-13);
    }
  double none[] = {NAN, 0, 0, 1};
  CHECK(dun_symmetric_eigen(2, none, found, v, scratch) < 0);
}

/* diag(1, 4, 8) and diag(1, 1, .5) have the mean diag(1, 2, 4), by the diagonal and the dense
 * way. */
static void geometric_mean(void)
{
  double a[9] = {1, 0, 0, 0, 4, 0, 0, 0, 8}, b[9] = {1, 0, 0, 0, 1, 0, 0, 0, .5}, zero[3] = {0};
  double diagonal_a[3] = {1, 4, 8}, diagonal_b[3] = {1, 1, .5};
  double old[3] = {1, 1, 1}, scale[3], factor[9];
  struct dun_fisher_half half = {.count = 50, .mean_x = zero, .mean_g = zero};
  struct dun_fisher f = {.scale = scale, .factor = factor};

  for (int form = DUN_FISHER_DIAGONAL; form <= DUN_FISHER_DENSE; form++) {
    half.x = form == DUN_FISHER_DIAGONAL ? diagonal_a : a;
    half.g = form == DUN_FISHER_DIAGONAL ? diagonal_b : b;
    CHECK(dun_fisher_learn(3, (enum dun_fisher_form)form, (struct dun_fisher_half[]){half, half},
                           old, &f) == 0);
    CHECK(f.dense == (form == DUN_FISHER_DENSE));
    for (int i = 0; i < 3; i++) {
      CHECK_NEAR(scale[i] * scale[i], 1 << i, 1e-12);
      if (f.dense)
        CHECK_NEAR(factor[4 * i], scale[i], 1e-12);
    }
  }
}

/* Points far out, with heavy tails, and gradients -P (x - m) there; of those whose number is `half`
 * modulo 2.  Coordinates are in units of `unit`. */
static void far_cloud(const double *precision, int half, double unit, double *mean, double *mean_g,
                      double *x, double *g)
{
  double point[POINTS][D], force[POINTS][D];

  memset(mean, 0, D * sizeof *mean);
  memset(mean_g, 0, D * sizeof *mean_g);
  for (int p = 0; p < POINTS; p++) {
    for (int i = 0; i < D; i++)
      point[p][i] = 100 + uniform(p * D + i, 2 + half) / (.01 + fabs(uniform(p, 4 + half)));
    for (int i = 0; i < D; i++) {
      force[p][i] = 0;
      for (int j = 0; j < D; j++)
        force[p][i] -= precision[i * D + j] * (point[p][j] - 3);
      mean[i] += point[p][i] * (i == 0 ? unit : 1) / POINTS;
      mean_g[i] += force[p][i] / (i == 0 ? unit : 1) / POINTS;
    }
  }
  for (int i = 0; i < D; i++)
    for (int j = 0; j < D; j++) {
      x[i * D + j] = g[i * D + j] = 0;
      for (int p = 0; p < POINTS; p++) {
        x[i * D + j] += (point[p][i] * (i == 0 ? unit : 1) - mean[i]) *
                        (point[p][j] * (j == 0 ? unit : 1) - mean[j]) / POINTS;
        g[i * D + j] += (force[p][i] / (i == 0 ? unit : 1) - mean_g[i]) *
                        (force[p][j] / (j == 0 ? unit : 1) - mean_g[j]) / POINTS;
      }
    }
}

static void learn_far(const double *precision, double unit, struct dun_fisher *f)
{
  static double mean[2][2][D], x[2][D * D], g[2][D * D], old[D];
  struct dun_fisher_half half[2];

  for (int h = 0; h < 2; h++) {
    far_cloud(precision, h, unit, mean[h][0], mean[h][1], x[h], g[h]);
    half[h] = (struct dun_fisher_half){POINTS, mean[h][0], mean[h][1], x[h], g[h]};
  }
  CHECK(dun_fisher_learn(D, DUN_FISHER_AUTO, half, old, f) == 0);
}

/* Whatever the law of the points, the metric of a Gaussian of condition 1e5 is its covariance, but
 * for the least ridge; in other units it is the same metric. */
static void any_cloud_tells_a_gaussian(void)
{
  double value[D], inverse[D], covariance[D * D], precision[D * D], l[D * D], change;
  double scale[2][D], factor[2][D * D], zero[D] = {0};
  struct dun_fisher f[2] = {{.scale = scale[0], .factor = factor[0]},
                            {.scale = scale[1], .factor = factor[1]}};

  for (int k = 0; k < D; k++) {
    value[k] = pow(10, -5. * k / (D - 1));
    inverse[k] = 1 / value[k];
  }
  rotated(D, value, covariance);
  rotated(D, inverse, precision);
  memcpy(l, covariance, sizeof l);
  CHECK(dun_symmetric_cholesky(D, l) == 0);
  for (int u = 0; u < 2; u++) {
    learn_far(precision, u ? 1000 : 1, &f[u]);
    CHECK(f[u].dense && f[u].ridge == 1e-9);
    for (int j = 0; j < D; j++)
      factor[u][j] /= u ? 1000 : 1;
    CHECK(dun_fisher_change(D, zero, l, zero, factor[u], &change) == 0);
    CHECK(change < .3);
  }
  CHECK(dun_fisher_change(D, zero, factor[0], zero, factor[1], &change) == 0);
  CHECK(change < 1e-4);
}

/* Independent coordinates, few points: the diagonal is better.  Correlated ones of as many
 * points: the dense metric is.  No spread in one: its scale stays. */
static void what_auto_chooses(void)
{
  enum { FEW = 10 };
  double a[2][D * D] = {{0}}, b[2][D * D] = {{0}}, zero[D] = {0}, old[D], scale[D], factor[D * D];
  struct dun_fisher f = {.scale = scale, .factor = factor};
  struct dun_fisher_half half[2];

  for (int correlated = 0; correlated < 2; correlated++) {
    for (int h = 0; h < 2; h++) {
      for (int i = 0; i < D; i++)
        for (int j = 0; j < D; j++) {
          a[h][i * D + j] = b[h][i * D + j] = 0;
          for (int p = 0; p < FEW; p++) {
            double z = uniform(p * D + i, 20 + h) + correlated * 30 * uniform(p, 30 + h);
            double y = uniform(p * D + j, 20 + h) + correlated * 30 * uniform(p, 30 + h);
            double u = uniform(p * D + i, 40 + h), v = uniform(p * D + j, 40 + h);
            a[h][i * D + j] += z * y / FEW;
            b[h][i * D + j] += u * v / FEW;
          }
        }
      half[h] = (struct dun_fisher_half){FEW, zero, zero, a[h], b[h]};
    }
    for (int j = 0; j < D; j++)
      old[j] = 7;
    if (!correlated)
      for (int h = 0; h < 2; h++)
        for (int j = 0; j < D; j++)
          a[h][3 * D + j] = a[h][j * D + 3] = 0;
    CHECK(dun_fisher_learn(D, DUN_FISHER_AUTO, half, old, &f) == 0);
    CHECK(f.dense == correlated);
    if (!correlated)
      CHECK(scale[3] == 7);
  }
}

/* Two modes lie apart along one direction, in which the points are wide but no less steep than
 * elsewhere: no metric makes trajectories shorter.  Of a Gaussian that is as wide it does. */
static void correlations_of_modes(void)
{
  double a[D * D], inverse[D * D], steep[D * D] = {0}, zero[D] = {0}, old[D], scale[D];
  double factor[D * D], wide = 50. / D;
  struct dun_fisher f = {.scale = scale, .factor = factor};

  for (int i = 0; i < D; i++)
    for (int j = 0; j < D; j++) {
      a[i * D + j] = (i == j) + wide;
      inverse[i * D + j] = (i == j) - wide / (1 + wide * D);
      steep[i * D + j] = i == j;
    }
  for (int gaussian = 0; gaussian < 2; gaussian++) {
    struct dun_fisher_half half = {1000, zero, zero, a, gaussian ? inverse : steep};
    struct dun_fisher_half both[] = {half, half};
    CHECK(dun_fisher_learn(D, DUN_FISHER_AUTO, both, old, &f) == 0 && f.dense);
    CHECK(dun_fisher_learn(D, DUN_FISHER_SHORTER, both, old, &f) == 0 && f.dense == gaussian);
  }
}

/* ---- sums of a cloud ------------------------------------------------------------------------- */

/* Points [150][3] and forces of chains; two sweeps of them, the second elsewhere. */
static double number(int sweep, int64_t chain, int j)
{
  return uniform(chain * 3 + j, 60 + sweep) + 2 * sweep + 1000 * (j == 1) +
         .5 * (j == 2 ? uniform(chain * 3 + 1, 60 + sweep) : 0);
}

static void fill(struct dun_run *run, int sweep)
{
  for (int64_t i = 0; i < run->population.tiles.local; i++)
    for (int j = 0; j < 3; j++) {
      dun_f64(run->sweep.x)[3 * i + j] = number(sweep, run->population.tiles.first + i, j);
      dun_f64(run->sweep.force)[3 * i + j] = -number(sweep, run->population.tiles.first + i, 2 - j);
    }
  CHECK(dun_sweep_evaluate(&test_context, &run->sweep, 1, INT64_MAX) == 0);
}

/* Of the chains with even (0) and odd numbers, and of no others than the first `tiles` tiles of
 * 7. */
static void check_half(const struct dun_cloud_moments *m, int half, int dense, int chains)
{
  const struct dun_fisher_half *h = &m->half[half];
  long double x[3] = {0}, g[3] = {0}, xx[9] = {0}, gg[9] = {0}, n = 0;

  for (int sweep = 0; sweep < 2; sweep++)
    for (int k = half; k < chains; k += 2, n++)
      for (int i = 0; i < 3; i++) {
        long double a = number(sweep, k, i), b = -number(sweep, k, 2 - i);
        x[i] += a;
        g[i] += b;
        for (int j = 0; j < 3; j++) {
          xx[3 * i + j] += a * number(sweep, k, j);
          gg[3 * i + j] -= b * number(sweep, k, 2 - j);
        }
      }
  CHECK(h->count == n);
  for (int i = 0; i < 3; i++)
    for (int j = dense ? 0 : i; j < (dense ? 3 : i + 1); j++) {
      int at = dense ? 3 * i + j : i;
      CHECK_NEAR(h->x[at], (double)(xx[3 * i + j] / n - x[i] / n * (x[j] / n)), 1e-9);
      CHECK_NEAR(h->g[at], (double)(gg[3 * i + j] / n - g[i] / n * (g[j] / n)), 1e-9);
    }
}

static void a_cloud_against_plain_sums(void)
{
  struct fixture fixture;
  struct dun_run *run = fixture_make(&fixture, "run: {seed: 1, particles: 150, tile: 7}\n"
                                               "target: {type: gaussian, dimension: 3}\n"
                                               "path: {type: constant, start: {scale: 2}}\n"
                                               "kernel: {type: hmc}\n"
                                               "method: {type: langevin}\n");
  for (int dense = 0; dense < 2; dense++)
    for (int tiles = 9; tiles <= 22; tiles += 13) {
      struct dun_cloud cloud = {.d = 3, .dense = dense, .gradients = 1};
      struct dun_cloud_moments m;
      CHECK(dun_cloud_start(&cloud) == 0);
      for (int sweep = 0; sweep < 2; sweep++) {
        fill(run, sweep);
        CHECK(dun_cloud_add(&test_context, &cloud, &run->sweep, 1, tiles, 0) == 0);
      }
      CHECK(dun_cloud_moments(&cloud, &m) == 0);
      for (int half = 0; half < 2; half++)
        check_half(&m, half, dense, tiles * 7 < 150 ? tiles * 7 : 150);
      dun_free(m.block);
      dun_cloud_free(&cloud);
    }
  fixture_free(&fixture);
}

TEST_MAIN({"eigenvalues", eigenvalues}, {"geometric_mean", geometric_mean},
          {"any_cloud_tells_a_gaussian", any_cloud_tells_a_gaussian},
          {"what_auto_chooses", what_auto_chooses},
          {"correlations_of_modes", correlations_of_modes},
          {"a_cloud_against_plain_sums", a_cloud_against_plain_sums})
