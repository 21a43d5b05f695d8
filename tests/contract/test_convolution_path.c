/* ranks: 1 2 */
/* The convolutional path against mixtures whose convolutions are mixtures again: its scores from a
 * grid and by samples, its limit, the steps of its samplers.  24 comparisons of measured errors
 * with reference values, within a factor of 3; fixed seeds. */
#include "fixture.h"
#include "numerics/mixture.h"
#include "paths/inner_score.h"
#include "population/tile.h"

/* 16 modes at {-15, -5, 5, 15}^2 of unit width, weights 1 to 16. */
#define MODES                                                                                      \
  "{type: gaussian_mixture, layout: grid, separation: 10, points_per_axis: 4, "                    \
  "weights: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]}"
#define PAIR "{type: gaussian_mixture, means: [[-1.5], [1]], scales: [0.7, 0.5], weights: [1, 2]}"

enum { D = 2, BLOCK = D * DUN_LANES, TILES = 8, COLUMNS = 32 };

static struct dun_run *make(struct fixture *fixture, const char *target, const char *path)
{
  char text[1024];
  snprintf(text, sizeof text,
           "run: {seed: 5, particles: %d}\ntarget: %s\npath: {type: convolution, %s}\n"
           "kernel: {type: ula}\nmethod: {type: langevin, moves_per_level: %d}\n",
           64 * TILES, target, path, strstr(path, "sampler: langevin") != NULL);
  return fixture_make(fixture, text);
}

/* MODES and PAIR, blurred by tau. */
static void blurred_modes(struct dun_mixture *mixture, double tau)
{
  CHECK(dun_mixture_init(mixture, 2, 16) == 0);
  for (int k = 0; k < 16; k++) {
    mixture->mean[2 * k] = 10 * (k / 4) - 15;
    mixture->mean[2 * k + 1] = 10 * (k % 4) - 15;
    mixture->weight[k] = 1 + k;
    mixture->deviation[k] = sqrt(1 + tau * tau);
  }
  CHECK(dun_mixture_set(mixture) == 0);
}

static void blurred_pair(struct dun_mixture *mixture, double tau)
{
  CHECK(dun_mixture_init(mixture, 1, 2) == 0);
  for (int k = 0; k < 2; k++) {
    mixture->mean[k] = k ? 1 : -1.5;
    mixture->weight[k] = 1 + k;
    mixture->deviation[k] = hypot(k ? .5 : .7, tau);
  }
  CHECK(dun_mixture_set(mixture) == 0);
}

struct points {
  double x[BLOCK], score[BLOCK], exact[BLOCK], lp[DUN_LANES], exact_lp[DUN_LANES];
} __attribute__((aligned(64)));

/* 64 points of the blurred target, and what is known there. */
static void draw(const struct dun_mixture *mixture, struct dun_address address, struct points *p)
{
  static double uniform[DUN_LANES] __attribute__((aligned(64)));
  static double normal[BLOCK] __attribute__((aligned(64)));
  static double work[COLUMNS * DUN_LANES] __attribute__((aligned(64)));
  double one[DUN_LANES] __attribute__((aligned(64)));

  CHECK(dun_mixture_work_columns(mixture) <= COLUMNS);
  for (int l = 0; l < DUN_LANES; l++)
    one[l] = 1;
  dun_normals(address, mixture->dimension, normal);
  address.purpose = DUN_PURPOSE_PILOT;
  dun_uniforms(address, 1, uniform);
  dun_mixture_draw(mixture, uniform, normal, p->x);
  memset(p->exact, 0, sizeof p->exact);
  dun_mixture_evaluate(mixture, p->x, p->exact_lp, one, p->exact, work);
}

struct error {
  double difference, size;
};

static void add_error(struct error *error, int d, const struct points *p)
{
  for (int i = 0; i < d * DUN_LANES; i++) {
    error->difference += pow(p->score[i] - p->exact[i], 2);
    error->size += pow(p->exact[i], 2);
  }
}

static double relative(struct error error)
{
  return sqrt(error.difference / error.size);
}

/* ---- scores by samples -------------------------------------------------------------------- */

/* Relative root mean square error of the score of MODES. */
static double error_of_samples(struct dun_run *run, double tau, int samples,
                               enum dun_estimator estimator)
{
  static struct points p;
  struct dun_mixture mixture;
  struct dun_inner_score inner = {
      .target = run->evaluator, .samples = samples, .estimator = estimator, .crossover = 1};
  struct error error = {0};

  blurred_modes(&mixture, tau);
  CHECK(dun_inner_score_init(&inner) == 0);
  for (int i = 0; i < TILES; i++) {
    struct dun_address address = dun_run_address(run, DUN_PURPOSE_TEST);
    address.tile = (uint32_t)i;
    draw(&mixture, address, &p);
    address.purpose = DUN_PURPOSE_CARRY;
    dun_inner_score(&inner, address, tau, DUN_LANES, p.x, p.score);
    add_error(&error, 2, &p);
  }
  dun_inner_score_free(&inner);
  dun_mixture_free(&mixture);
  return relative(error);
}

static void errors_of_samples(void)
{
  static const struct {
    double tau, dsi[2], tsi[2]; /* with 100 and 1000 samples */
  } known[] = {{.5, {.26, .092}, {.064, .023}},
               {1, {.17, .055}, {.17, .055}},
               {3, {.48, .16}, {1.7, .48}},
               {10, {.41, .15}, {10, 3.3}}};
  struct fixture fixture;
  struct dun_run *run = make(&fixture, MODES, "score: monte_carlo");

  for (size_t k = 0; k < sizeof known / sizeof *known; k++)
    for (int m = 0; m < 2; m++) {
      double tau = known[k].tau;
      int samples = m ? 1000 : 100;
      double dsi = error_of_samples(run, tau, samples, DUN_ESTIMATOR_DSI);
      double tsi = error_of_samples(run, tau, samples, DUN_ESTIMATOR_TSI);
      double mixed = error_of_samples(run, tau, samples, DUN_ESTIMATOR_MIXED);
      if (test_context.rank == 0)
        printf("# tau %g, %d samples: dsi %.3g, tsi %.3g, mixed %.3g\n", tau, samples, dsi, tsi,
               mixed);
      CHECK_NEAR(log(dsi / known[k].dsi[m]), 0, log(3));
      CHECK_NEAR(log(tsi / known[k].tsi[m]), 0, log(3));
      CHECK(mixed < 1.02 * fmin(dsi, tsi));
    }
  fixture_free(&fixture);
}

/* On a Gaussian whose width is the crossover, two samples are as good as all. */
static void mixed_is_exact_on_a_gaussian(void)
{
  struct fixture fixture;
  struct dun_run *run = make(&fixture, "{type: gaussian_mixture, means: [[1, 1]], scales: 3}",
                             "score: monte_carlo, crossover: 3");
  struct dun_inner_score inner = {.target = run->evaluator, .samples = 2, .crossover = 3};
  static struct points p;
  struct dun_address address = dun_run_address(run, DUN_PURPOSE_TEST);

  CHECK(dun_inner_score_init(&inner) == 0);
  dun_normals(address, 2, p.x);
  for (double tau = .1; tau < 20; tau *= 3) {
    dun_inner_score(&inner, address, tau, DUN_LANES, p.x, p.score);
    for (int i = 0; i < BLOCK; i++)
      CHECK_NEAR(p.score[i], (1 - p.x[i]) / (9 + tau * tau), 1e-12);
  }
  dun_inner_score_free(&inner);
  fixture_free(&fixture);
}

/* Where no sample has a density the score is 0, and so it is for a point that is nowhere. */
static void no_sample_counts(void)
{
  struct fixture fixture;
  struct dun_run *run = make(&fixture, MODES, "score: monte_carlo");
  struct dun_inner_score inner = {.target = run->evaluator, .samples = 5, .crossover = 1};
  static struct points p;

  CHECK(dun_inner_score_init(&inner) == 0);
  for (int i = 0; i < BLOCK; i++)
    p.x[i] = i % 3 ? 1e200 : NAN;
  dun_inner_score(&inner, dun_run_address(run, DUN_PURPOSE_TEST), 1, DUN_LANES, p.x, p.score);
  for (int i = 0; i < BLOCK; i++)
    CHECK(p.score[i] == 0);
  dun_inner_score_free(&inner);
  fixture_free(&fixture);
}

/* ---- from a grid -------------------------------------------------------------------------- */

static double time_of(double scale, double tau)
{
  return scale * scale / (scale * scale + tau * tau);
}

static void evaluate(struct dun_run *run, double t, struct points *p)
{
  double time[DUN_LANES], part[DUN_LANES] __attribute__((aligned(64)));

  for (int l = 0; l < DUN_LANES; l++)
    time[l] = t;
  CHECK(dun_path_prepare(&test_context, run->path, run->path_self, t) == 0);
  struct dun_request request = {
      .n = DUN_LANES, .x = p->x, .time = time, .part_lp = part, .lp = p->lp, .gradient = p->score};
  run->path->evaluate(run->path_self, &request);
}

static void scores_of_a_grid(void)
{
  struct fixture fixture;
  struct dun_run *run = make(&fixture, MODES, "half_width: 21, scale: 2, schedule: {highest: 10}");
  static struct points p;

  for (double tau = .3; tau < 11; tau *= 3) {
    struct dun_mixture mixture;
    struct error error = {0};
    blurred_modes(&mixture, tau);
    draw(&mixture, dun_run_address(run, DUN_PURPOSE_TEST), &p);
    evaluate(run, time_of(2, tau), &p);
    add_error(&error, 2, &p);
    CHECK(relative(error) < 7e-3);
    for (int l = 0; l < DUN_LANES; l++)
      CHECK_NEAR(p.lp[l], p.exact_lp[l], .02);
    dun_mixture_free(&mixture);
  }
  CHECK(run->path->unit(run->path_self, .25) == .5);
  fixture_free(&fixture);
}

/* The largest difference from the dilation path's score, both in the path's coordinates, with a
 * base of so small a width. */
static double distance_from_dilation(double scale)
{
  const double lambda = .3;
  char text[128];
  struct fixture fixture;
  struct dun_mixture mixture;
  static struct points p;
  double worst = 0;

  snprintf(text, sizeof text, "half_width: 5, cells: 800, scale: %g, schedule: {highest: 1}",
           scale);
  struct dun_run *run = make(&fixture, PAIR, text);
  blurred_pair(&mixture, 0);
  draw(&mixture, dun_run_address(run, DUN_PURPOSE_TEST), &p);
  evaluate(run, lambda, &p);
  for (int l = 0; l < DUN_LANES; l++) {
    double off = fabs(p.score[l] - p.exact[l]) / sqrt(lambda);
    worst = off > worst || isnan(off) ? off : worst;
  }
  dun_mixture_free(&mixture);
  fixture_free(&fixture);
  return worst;
}

/* It vanishes like the square of the width. */
static void dilation_is_the_limit(void)
{
  double wide = distance_from_dilation(.2), narrow = distance_from_dilation(.05);
  if (test_context.rank == 0)
    printf("# distance from dilation: %.4g and, at a quarter of the width, %.4g\n", wide, narrow);
  CHECK(wide > .05 && wide < 5);
  CHECK(wide / narrow > 11 && wide / narrow < 20);
}

/* ---- steps --------------------------------------------------------------------------------- */

enum { BEFORE, AFTER }; /* tau of a step */

/* The point, moved by factors of the score and of the carry's normals. */
static void check_step(const char *sampler, const char *score, const double *tau, double drift,
                       double noise, double tolerance)
{
  char text[160];
  struct fixture fixture;
  struct dun_mixture mixture;
  static struct points p, q;
  static double normal[DUN_LANES] __attribute__((aligned(64)));
  double log_ratio[DUN_LANES] __attribute__((aligned(64)));

  snprintf(text, sizeof text, "sampler: %s, scale: 0.8, %s", sampler, score);
  struct dun_run *run = make(&fixture, PAIR, text);
  struct dun_address address = dun_run_address(run, DUN_PURPOSE_CARRY);
  double t = time_of(.8, tau[BEFORE]), next = time_of(.8, tau[AFTER]);
  blurred_pair(&mixture, tau[BEFORE]);
  draw(&mixture, dun_run_address(run, DUN_PURPOSE_TEST), &p);
  q = p;
  CHECK(dun_path_prepare(&test_context, run->path, run->path_self, t) == 0);
  run->path->carry(run->path_self, t, next, DUN_LANES, address, q.x, log_ratio);
  dun_normals(address, 1, normal);
  for (int l = 0; l < DUN_LANES; l++)
    CHECK_NEAR(q.x[l], p.x[l] + drift * p.exact[l] + noise * normal[l], tolerance);
  dun_mixture_free(&mixture);
  fixture_free(&fixture);
}

static void steps_of_samplers(void)
{
  static const char *const score[] = {"half_width: 5, cells: 400, schedule: {highest: 2}",
                                      "score: monte_carlo, inner: 20000, crossover: 0.6"};
  static const double middle[] = {.9, .5}, last[] = {.4, 0};

  for (int k = 0; k < 2; k++) {
    double tolerance = k ? .06 : 2e-3;
    check_step("reverse_sde", score[k], middle, .56, sqrt(.56), tolerance);
    check_step("reverse_sde", score[k], last, .16, 0, tolerance);
    check_step("ancestral", score[k], middle, .56, sqrt(.56) * .5 / .9, tolerance);
    check_step("ancestral", score[k], last, .16, 0, tolerance);
    check_step("ode", score[k], middle, .36, 0, tolerance);
    check_step("ode", score[k], last, .16, 0, tolerance);
  }
  check_step("langevin", score[0], middle, 0, 0, 0);
}

/* ---- spread over the ranks ----------------------------------------------------------------- */

static double *carried(const char *path, int64_t *count)
{
  struct fixture fixture;
  struct dun_run *run = make(&fixture, MODES, path);
  double t = run->path->schedule(run->path_self)->times.value[3];

  CHECK(dun_run_start(run) == 0);
  CHECK(dun_sweep_transport(&test_context, &run->sweep, dun_run_address(run, 0), t, 1.1 * t) == 0);
  *count = 2 * run->population.tiles.local;
  double *x = malloc((size_t)(*count + 1) * sizeof *x);
  memcpy(x, dun_f64(run->x), (size_t)*count * sizeof *x);
  CHECK(!run->path->deterministic(run->path_self) == !!strstr(path, "yes"));
  fixture_free(&fixture);
  return x;
}

static void distributed_tables_carry_alike(void)
{
  int64_t count, other;
  double *local = carried("half_width: 21, cells: 64", &count);
  double *distributed = carried("half_width: 21, cells: 64, distributed: yes", &other);

  CHECK(count == other);
  for (int64_t i = 0; i < count; i++)
    CHECK_NEAR(local[i], distributed[i], 1e-9);
  free(local);
  free(distributed);
}

TEST_MAIN({"errors_of_samples", errors_of_samples},
          {"mixed_is_exact_on_a_gaussian", mixed_is_exact_on_a_gaussian},
          {"no_sample_counts", no_sample_counts}, {"scores_of_a_grid", scores_of_a_grid},
          {"dilation_is_the_limit", dilation_is_the_limit},
          {"steps_of_samplers", steps_of_samplers},
          {"distributed_tables_carry_alike", distributed_tables_carry_alike})
