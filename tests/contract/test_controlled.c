/* ranks: 1 2 */
/* The path `controlled`: its weights against the densities of the two ways, written out; a control
 * under which all weights are equal in the limit of short steps; and a wrong control, which changes
 * no expectation.  9 comparisons in standard errors, limit 5; fixed seeds. */
#include "fixture.h"
#include "parallel/sum.h"
#include "paths/controlled.h"

enum { D = 2, BLOCK = D * DUN_LANES };

#define TOY                                                                                        \
  "{type: gaussian, dimension: 2, mean: 1, log_evidence: 0.45158270528945486, covariance: "        \
  "{scale: 0.5}}"

static struct dun_run *make(struct fixture *fixture, int particles, const char *target,
                            const char *path)
{
  char text[1024];
  snprintf(text, sizeof text,
           "run: {seed: 5, particles: %d}\ntarget: %s\npath: {type: controlled, %s}\n"
           "method: {type: smc, moves_per_step: 0, ess_threshold: 0}\n",
           particles, target, path);
  return fixture_make(fixture, text);
}

static void advance(struct dun_run *run)
{
  int status;
  CHECK(run->method->start(&test_context, run->method_self, run) == 0);
  do {
    status = run->method->advance(&test_context, run->method_self, run);
    run->tick++;
  } while (status > 0);
  CHECK(status == DUN_TICK_DONE);
}

/* u = 3 / sigma^2 in each coordinate: N(0, 1) is carried to N(3, 1) at a constant speed. */
static void to_three(const void *data, int64_t k, const double *x, const double *score, double *u)
{
  (void)k, (void)x, (void)score;
  for (int i = 0; i < BLOCK; i++)
    u[i] = *(const double *)data;
}

/* The variance of log w over the particles; its mean is log Z but for half of that. */
static double variance_of_weights(const struct dun_run *run, double *mean)
{
  struct dun_exact sum[2] = {0};
  double total[2], N = (double)run->options.particles;
  for (int64_t i = 0; i < run->population.tiles.local; i++) {
    double w = dun_f64(run->logw)[i];
    dun_exact_add(&sum[0], w);
    dun_exact_add(&sum[1], w * w);
  }
  CHECK(dun_sum(&test_context, 0, 2, sum, total) == 0);
  *mean = total[0] / N;
  return total[1] / N - *mean * *mean;
}

/* The published variances at 32, 128 and 512 steps fall with the square of their number. */
static void a_perfect_control(void)
{
  static const struct {
    int steps;
    double sigma, variance;
  } known[] = {{32, .5, 2.2e-3}, {128, .5, 1.35e-4}, {512, .5, 9e-6},
               {32, 1, 9.1e-3},  {128, 1, 5.6e-4},   {512, 1, 3.5e-5}};
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
    struct fixture fixture;
    char path[256];
    double speed = 3 / (known[i].sigma * known[i].sigma), mean;
    snprintf(path, sizeof path,
             "base: {scale: 1}, steps: %d, pieces: 1, diffusion: {type: constant, largest: %g}",
             known[i].steps, known[i].sigma);
    struct dun_run *run = make(&fixture, 4000, "{type: gaussian, dimension: 2, mean: 3}", path);
    struct dun_controlled *s = run->path_self;
    s->control = to_three;
    s->control_data = &speed;
    advance(run);
    double variance = variance_of_weights(run, &mean);
    CHECK_NEAR(variance, known[i].variance, .2 * known[i].variance);
    CHECK_NEAR(mean, 0, 5 * sqrt(variance / 4000) + variance);
    fixture_free(&fixture);
  }
}

static void wrong(const void *data, int64_t k, const double *x, const double *score, double *u)
{
  (void)data, (void)score;
  for (int j = 0; j < D; j++)
    for (int l = 0; l < DUN_LANES; l++)
      u[j * DUN_LANES + l] = .7 * sin(1.3 * x[(D - 1 - j) * DUN_LANES + l] + .05 * (double)k) + .2;
}

/* Coarse steps, where every term counts: E w is Z all the same. */
static void a_wrong_control(void)
{
  static const char *const path[] = {
      "base: {scale: 1}, steps: 16, pieces: 4, diffusion: {largest: 1.5}",
      "reference: stationary, base: {mean: .2, scale: [1, 1.3]}, steps: 16, pieces: 4, diffusion: "
      "{largest: 1.5}",
      "reference: brownian, base: {mean: .2, scale: 0}, steps: 16, pieces: 4, diffusion: {type: "
      "constant, largest: 0.7}"};
  for (size_t i = 0; i < sizeof path / sizeof *path; i++) {
    struct fixture fixture;
    struct dun_run *run = make(&fixture, 200000, TOY, path[i]);
    ((struct dun_controlled *)run->path_self)->control = wrong;
    advance(run);
    double error = run->now.log_evidence_error;
    printf("%s: log Z %.4f +- %.4f\n", path[i], run->now.log_evidence, error);
    CHECK(error > 0 && error < .02);
    CHECK_NEAR(run->now.log_evidence, .45158270528945486, 5 * error);
    fixture_free(&fixture);
  }
}

/* ---- written out ----------------------------------------------------------------------------- */

static double log_normal(double x, double mean, double variance)
{
  return -.5 * (x - mean) * (x - mean) / variance - .5 * log(2 * acos(-1) * variance);
}

/* The score of the tempered toy between N(0, 1) and N(1, 1/4), in one coordinate. */
static double tempered(double t, double x)
{
  return -(1 - t) * x - 4 * t * (x - 1);
}

/* log B - log F of the annealed steps from x, whose control is `wrong`: no clip is near. */
static double ways(const struct dun_controlled *s, int l, double *at, const double *xi, int64_t k)
{
  double dt = 1 / (double)s->steps, a = s->sigma[k] * s->sigma[k] * dt, t = (double)k * dt;
  double to[D], ratio = 0;
  static double x[BLOCK], u[BLOCK], v[BLOCK];
  for (int j = 0; j < D; j++)
    x[j * DUN_LANES] = at[j];
  wrong(NULL, k, x, NULL, u);
  for (int j = 0; j < D; j++)
    x[j * DUN_LANES] = to[j] =
        at[j] + a * (tempered(t, at[j]) + u[j * DUN_LANES]) + sqrt(2 * a) * xi[j * DUN_LANES + l];
  wrong(NULL, k + 1, x, NULL, v);
  for (int j = 0; j < D; j++) {
    double f = at[j] + a * (tempered(t, at[j]) + u[j * DUN_LANES]);
    double b = to[j] + a * (tempered(t, to[j]) - v[j * DUN_LANES]);
    ratio += log_normal(at[j], b, 2 * a) - log_normal(to[j], f, 2 * a);
    at[j] = to[j];
  }
  return ratio;
}

static void weights_are_the_ways(void)
{
  struct fixture fixture;
  static double x[BLOCK] __attribute__((aligned(64))), xi[BLOCK] __attribute__((aligned(64)));
  double ratio[DUN_LANES] __attribute__((aligned(64))), expected[DUN_LANES] = {0};
  struct dun_run *run = make(&fixture, 64, TOY, "base: {scale: 1}, steps: 12, pieces: 3");
  struct dun_controlled *s = run->path_self;
  s->control = wrong;
  dun_normals(dun_run_address(run, DUN_PURPOSE_TEST), D, x);
  struct dun_address address = dun_run_address(run, DUN_PURPOSE_CARRY);
  static double at[DUN_LANES][D];
  for (int l = 0; l < DUN_LANES; l++)
    for (int j = 0; j < D; j++)
      at[l][j] = x[j * DUN_LANES + l];
  dun_controlled_carry(s, 1 / 3., 2 / 3., DUN_LANES, address, x, NULL, ratio);
  for (int64_t k = 4; k < 8; k++) {
    dun_normals_from(address, (k - 4) * D, D, xi);
    for (int l = 0; l < DUN_LANES; l++)
      expected[l] += ways(s, l, at[l], xi, k);
  }
  for (int l = 0; l < DUN_LANES; l++) {
    CHECK_NEAR(ratio[l], expected[l], 1e-9);
    CHECK_NEAR(x[l], at[l][0], 1e-9);
  }
  fixture_free(&fixture);
}

static void diffusions(void)
{
  struct fixture fixture;
  struct dun_run *run = make(&fixture, 64, TOY, "base: {scale: 1}");
  const struct dun_controlled *s = run->path_self;
  CHECK_NEAR(s->sigma[0], .49992, 1e-5);
  CHECK_NEAR(s->sigma[127], .00507, 1e-4);
  fixture_free(&fixture);
}

/* Without noise nothing moves: the weight of a path is the ratio of the densities at its end. */
static void without_noise(void)
{
  static const double least[] = {1, .1, .01, .001};
  double before = INFINITY;
  for (int i = 0; i < 4; i++) {
    struct fixture fixture;
    char path[256];
    double worst = 0;
    snprintf(path, sizeof path,
             "base: {scale: 1}, pieces: 1, diffusion: {largest: %g, smallest: %g}", least[i],
             .01 * least[i]);
    struct dun_run *run = make(&fixture, 640, TOY, path);
    advance(run);
    for (int64_t n = 0; n < run->population.tiles.local; n++) {
      double lp = dun_f64(run->logw)[n];
      for (int j = 0; j < D; j++) {
        double x = dun_f64(run->x)[n * D + j];
        lp -= log_normal(x, 1, .25) - log_normal(x, 0, 1);
      }
      worst = fmax(worst, fabs(lp - .45158270528945486));
    }
    printf("%g: %.3g\n", least[i], worst);
    CHECK(worst < .25 * before && worst < 8 * least[i]);
    before = worst;
    fixture_free(&fixture);
  }
}

TEST_MAIN({"weights_are_the_ways", weights_are_the_ways}, {"diffusions", diffusions},
          {"without_noise", without_noise}, {"a_perfect_control", a_perfect_control},
          {"a_wrong_control", a_wrong_control})
