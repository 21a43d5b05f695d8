/* ranks: 1 3 */
/* The shape of a tail from weights of known shape; Student mixtures against their density, their
 * draws against their distribution; the fit of mixtures that are known. */
#include "base/memory.h"
#include "base/random.h"
#include "check.h"
#include "numerics/heavy_mixture.h"
#include "numerics/pareto.h"
#include <math.h>

enum { L = DUN_LANES };

/* ---- shapes ------------------------------------------------------------------------------ */

/* Weights u^-k at equally spaced u. */
static double shape_of(double k, int64_t n)
{
  double *logw = dun_allocate(n, sizeof *logw), shape;
  for (int64_t i = 0; i < n; i++)
    logw[(i * 7919) % n] = 700 - k * log(((double)i + .5) / (double)n);
  CHECK(dun_pareto_shape(n, logw, &shape) == 0);
  dun_free(logw);
  return shape;
}

static void shapes(void)
{
  const double known[] = {.1, .3, .5, .7, 1, 1.5};
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    CHECK_NEAR(shape_of(known[i], 20000), known[i], .05);
  /* bounded weights: those of 1 + u have shape -1 */
  double bounded[5000], shape;
  for (int i = 0; i < 5000; i++)
    bounded[i] = log(1 + i / 5000.);
  CHECK(dun_pareto_shape(5000, bounded, &shape) == 0);
  CHECK(shape > -1.3 && shape < -.7);
}

static void shapes_of_edges(void)
{
  double logw[1000] = {0}, shape;
  CHECK(dun_pareto_shape(1000, logw, &shape) == 0 && shape == -INFINITY);
  CHECK(dun_pareto_shape(20, logw, &shape) == 0 && isnan(shape));
  for (int i = 0; i < 1000; i++)
    logw[i] = -INFINITY;
  CHECK(dun_pareto_shape(1000, logw, &shape) == 0 && isnan(shape));
  for (int i = 0; i < 500; i++) /* weights of 0 are none */
    logw[2 * i] = -.5 * log((i + .5) / 500);
  CHECK(dun_pareto_shape(1000, logw, &shape) == 0);
  CHECK_NEAR(shape, .5, .15);
  logw[3] = NAN;
  CHECK(dun_pareto_shape(1000, logw, &shape) == 0 && isnan(shape));
}

/* Squares of a few normal draws about 100 and of many about 0: a mode of its own, and no tail; what
 * has the shape 0.7 keeps it, and so do 8 far ones. */
static void far_modes(void)
{
  enum { N = 16384, FAR = 160, FEW = 8 };
  double *logw = dun_allocate(N, sizeof *logw), shape;
  int64_t first = N * test_context.rank / test_context.size;
  int64_t next = N * (test_context.rank + 1) / test_context.size;
  struct dun_pareto_sample sample = dun_pareto_sample(N, first, next - first, N);
  struct dun_address address = {.seed = 3};
  double *normal = dun_allocate(N, sizeof *normal);
  dun_normals(address, N / DUN_LANES, normal);
  for (int kind = 0; kind < 4; kind++) {
    for (int64_t i = first; i < next; i++) {
      double away = normal[i] + (i < (kind == 3 ? FEW : FAR) ? 100 : 0);
      logw[i] = kind == 2 ? -.7 * log(((double)i + .5) / N) : log(away * away);
    }
    CHECK(dun_pareto_shapes(&test_context, 0, &sample, kind != 1, 1, logw, &shape) == 0);
    CHECK(kind == 0 ? shape < 0 : kind == 2 ? shape > .6 && shape < .8 : shape > .8);
  }
  dun_free(logw);
  dun_free(normal);
}

static void samples(void)
{
  struct dun_pareto_sample all = dun_pareto_sample(1000, 0, 1000, 4096);
  CHECK(all.points == 1000 && all.stride == 1 && all.from == 0 && all.to == 1000);
  int64_t next = 0, first = 0, local[] = {0, 301, 5, 0, 694};
  for (int rank = 0; rank < 5; first += local[rank++]) {
    struct dun_pareto_sample s = dun_pareto_sample(1000, first, local[rank], 300);
    CHECK(s.points == 250 && s.stride == 4 && s.from == next);
    for (int64_t k = s.from; k < s.to; k++)
      CHECK(dun_pareto_local(&s, k) >= 0 && dun_pareto_local(&s, k) < local[rank]);
    next = s.to;
  }
  CHECK(next == 250);
}

/* ---- densities and draws ----------------------------------------------------------------- */

/* In one to four dimensions, from the C library's gamma function. */
static double log_student(int d, int freedom, double square, double log_root)
{
  return lgamma(.5 * (freedom + d)) - lgamma(.5 * freedom) - .5 * d * log(freedom * M_PI) -
         log_root - .5 * (freedom + d) * log1p(square / freedom);
}

static void density_of(int d, int freedom)
{
  struct dun_heavy_shape shape = {d, 0, 1, freedom};
  struct dun_heavy_mixture m;
  double parameter[9] = {1}, x[4 * L] __attribute__((aligned(64))),
         density[L] __attribute__((aligned(64)));
  for (int j = 0; j < d; j++)
    parameter[1 + d + j] = 4;
  CHECK(dun_heavy_init(&m, &shape, parameter) == 0);
  for (int i = 0; i < d * L; i++)
    x[i] = .1 * (i % L);
  dun_heavy_evaluate(&m, x, density);
  for (int l = 0; l < L; l++)
    CHECK_NEAR(density[l], log_student(d, freedom, d * .01 * l * l / 4, d * log(2)), 1e-12);
  dun_heavy_free(&m);
}

static void densities(void)
{
  for (int d = 1; d <= 4; d++)
    for (int freedom = 2; freedom <= 16; freedom += 2)
      density_of(d, freedom);
}

/* Two components in two dimensions, one with a correlation. */
static const double two[2][7] = {{.3, -4, 0, 1, .5, .5, 1}, {.7, 4, 2, .25, 0, 0, 4}};

static void draw(struct dun_heavy_mixture *m, uint32_t tile, double *x)
{
  double normal[2 * L] __attribute__((aligned(64))), one[2 * L] __attribute__((aligned(64)));
  double uniform[9 * L] __attribute__((aligned(64)));
  struct dun_address address = {.seed = 5, .purpose = DUN_PURPOSE_TEST, .tile = tile};
  dun_normals(address, 2, normal);
  address.step = 1;
  dun_uniforms(address, dun_heavy_uniforms(m), uniform);
  dun_heavy_draw(m, uniform, normal, one, x);
}

/* Under a law q the mean of q'/q is 1 for any q' that it covers: here with other means, shares and
 * matrices and lighter tails. */
static void draws_and_density_agree(void)
{
  const double other[2][7] = {{.5, -3.5, 0, 1, 0, 0, 1}, {.5, 4, 1.5, .3, .1, .1, 2}};
  struct dun_heavy_shape shape = {2, 1, 2, 4}, lighter = {2, 1, 2, 8};
  struct dun_heavy_mixture q, p;
  double x[2 * L] __attribute__((aligned(64))), a[L] __attribute__((aligned(64)));
  double b[L] __attribute__((aligned(64))), sum = 0, square = 0, left = 0;
  const int tiles = 2000, n = tiles * L;
  CHECK(dun_heavy_init(&q, &shape, two[0]) == 0 && dun_heavy_init(&p, &lighter, other[0]) == 0);
  for (int t = 0; t < tiles; t++) {
    draw(&q, (uint32_t)t, x);
    dun_heavy_evaluate(&q, x, a);
    dun_heavy_evaluate(&p, x, b);
    for (int l = 0; l < L; l++) {
      double w = exp(b[l] - a[l]);
      sum += w / n;
      square += w * w / n;
      left += x[l] < 0;
    }
  }
  CHECK_NEAR(sum, 1, 5 * sqrt((square - 1) / n));
  CHECK_NEAR(left / n, .3 * .99 + .7 * 0, .01);
  dun_heavy_free(&q);
  dun_heavy_free(&p);
}

/* ---- the fit ----------------------------------------------------------------------------- */

static void fit_finds_a_mixture(void)
{
  enum { TILES = 32 };
  struct dun_heavy_shape shape = {2, 1, 2, 8}, found;
  struct dun_heavy_mixture q, fitted;
  double *x = dun_allocate(TILES * L * 2, sizeof *x), *parameter = NULL;
  double one[2 * L] __attribute__((aligned(64))), a[L] __attribute__((aligned(64)));
  double b[L] __attribute__((aligned(64))), distance = 0;
  CHECK(dun_heavy_init(&q, &shape, two[0]) == 0);
  for (int t = 0; t < TILES; t++) {
    draw(&q, (uint32_t)t, one);
    for (int l = 0; l < L; l++)
      for (int j = 0; j < 2; j++)
        x[(t * L + l) * 2 + j] = 1e3 + 1e-3 * one[j * L + l]; /* in units of its own */
  }
  struct dun_heavy_points points = {TILES * L, 2, x};
  CHECK(dun_heavy_fit(&points, (struct dun_heavy_limits){64, 8}, &found, &parameter) == 0);
  CHECK(found.components >= 2 && found.components <= 4 && found.dense);
  CHECK(dun_heavy_init(&fitted, &found, parameter) == 0);
  for (int t = 0; t < 200; t++) { /* the divergence of the fit from the truth */
    draw(&q, 1000 + (uint32_t)t, one);
    dun_heavy_evaluate(&q, one, a);
    for (int i = 0; i < 2 * L; i++)
      one[i] = 1e3 + 1e-3 * one[i];
    dun_heavy_evaluate(&fitted, one, b);
    for (int l = 0; l < L; l++)
      distance += (a[l] - b[l] - 2 * log(1e-3)) / (200 * L); /* densities in other units */
  }
  CHECK_NEAR(distance, 0, .05);
  dun_heavy_free(&q);
  dun_heavy_free(&fitted);
  dun_free(parameter);
  dun_free(x);
}

/* Points on a line in the plane, and one point over and over, have no volume. */
static void fit_of_flat_points(void)
{
  double x[256 * 2], *parameter = NULL;
  struct dun_heavy_points points = {256, 2, x};
  struct dun_heavy_shape shape;
  for (int i = 0; i < 256; i++)
    x[2 * i] = x[2 * i + 1] = i % 16;
  int status = dun_heavy_fit(&points, (struct dun_heavy_limits){8, 8}, &shape, &parameter);
  CHECK(status <= 0);
  dun_free(parameter);
  points.n = 64;
  CHECK(dun_heavy_fit(&points, (struct dun_heavy_limits){8, 8}, &shape, &parameter) < 0);
}

/* Half of the points are a law's, the others a few places far out, again and again, as of chains
 * that stand still: a fit is a mixture, or none. */
static void fit_of_points_that_ran_away(void)
{
  enum { POINTS = 2048, D = 6 };
  double x[POINTS * D], normal[D * L] __attribute__((aligned(64))),
      place[D * L] __attribute__((aligned(64)));
  int none = 0;
  for (uint32_t try = 0; try < 500; try++) {
    double far = pow(10, 3.5 + .1 * (try % 20)), *parameter = NULL;
    dun_normals((struct dun_address){.seed = 4, .step = try}, D, place);
    for (int i = 0; i < POINTS; i++) {
      if (i % L == 0)
        dun_normals((struct dun_address){.seed = 3, .step = try, .tile = (uint32_t)(i / L)}, D,
                    normal);
      for (int j = 0; j < D; j++) {
        double own = normal[j * L + i % L];
        int at = i / 2 % 4;
        x[i * D + j] = i % 2 ? .01 * own : j < D - 1 ? far * place[j * L + at] : 25 + own;
      }
    }
    struct dun_heavy_points points = {POINTS, D, x};
    struct dun_heavy_shape shape;
    struct dun_heavy_mixture made;
    int status = dun_heavy_fit(&points, (struct dun_heavy_limits){64, 5}, &shape, &parameter);
    none += status < 0;
    if (status >= 0) {
      CHECK(dun_heavy_init(&made, &shape, parameter) == 0);
      dun_heavy_free(&made);
    }
    dun_free(parameter);
  }
  printf("# %d of 500 have no fit\n", none);
}

TEST_MAIN({"shapes", shapes}, {"shapes_of_edges", shapes_of_edges}, {"far_modes", far_modes},
          {"samples", samples}, {"densities", densities},
          {"draws_and_density_agree", draws_and_density_agree},
          {"fit_finds_a_mixture", fit_finds_a_mixture}, {"fit_of_flat_points", fit_of_flat_points},
          {"fit_of_points_that_ran_away", fit_of_points_that_ran_away})
