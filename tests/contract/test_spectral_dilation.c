/* ranks: 1 2 */
/* The dilation of fields in Fourier space, against closed forms.  3 comparisons of estimates with
 * known values, within five standard errors; fixed seeds. */
#include "kernel_deviation.h"

enum { ROWS = 4, COLUMNS = 3, SITES = ROWS * COLUMNS, BLOCK = SITES * DUN_LANES };
static const double CUT = .7, MASS = .6, SCALE = 1.3, CENTER = .4;
#define FIELD "{type: gaussian_field, side: [4, 3], mass: 0.6, scale: 1.3, mean: 0.4}"

static struct dun_run *make(struct fixture *fixture, int particles, const char *target,
                            const char *path, const char *method)
{
  char text[1024];
  snprintf(text, sizeof text,
           "run: {seed: 5, particles: %d}\ntarget: %s\npath: {%s}\n"
           "kernel: {type: hmc}\nmethod: {type: smc, %s}\n",
           particles, target, path, method);
  struct dun_run *run = fixture_make(fixture, text);
  CHECK(dun_adaptation_init(run->adaptation, run->kernel, run->kernel_self, run->sweep.d) == 0);
  return run;
}

static double wave(int a, int b)
{
  return 4 * pow(sin(M_PI * a / ROWS), 2) + 4 * pow(sin(M_PI * b / COLUMNS), 2);
}

/* 0 for the coarsest wave, 1 for the finest. */
static double share(int a, int b)
{
  double most = wave(ROWS / 2, 1);
  return wave(a, b) / (wave(a, b) + CUT * CUT) * (most + CUT * CUT) / most;
}

/* The variance of the wave (a, b) of the state at time t. */
static double variance(double strength, double t, int a, int b)
{
  return SCALE * SCALE / (MASS * MASS + wave(a, b)) * pow(t, strength * share(a, b));
}

/* Log density of the Gaussian with these variances, by sums over all waves and sites. */
static double density(double strength, double t, const double *y)
{
  double lp = 0;
  for (int a = 0; a < ROWS; a++)
    for (int b = 0; b < COLUMNS; b++) {
      double re = 0, im = 0, v = variance(strength, t, a, b);
      for (int j = 0; j < SITES; j++) {
        double angle =
            2 * M_PI * ((double)a * (j / COLUMNS) / ROWS + (double)b * (j % COLUMNS) / COLUMNS);
        re += (y[j] - CENTER) * cos(angle);
        im += (y[j] - CENTER) * sin(angle);
      }
      lp -= .5 * (log(2 * M_PI * v) + (re * re + im * im) / SITES / v);
    }
  return lp;
}

/* Each lane at its own time, and all at one; the smallest are before the first level. */
static void laws_are_known(void)
{
  for (int i = 0; i < 4; i++) {
    const double strength = (const double[]){1, 3, -1, 0}[i];
    static double x[BLOCK] __attribute__((aligned(64))), g[BLOCK] __attribute__((aligned(64)));
    static double time[DUN_LANES] __attribute__((aligned(64)));
    double part[DUN_LANES] __attribute__((aligned(64))), lp[DUN_LANES] __attribute__((aligned(64)));
    struct fixture fixture;
    char path[256];
    snprintf(path, sizeof path,
             "type: spectral_dilation, form: x, mass: 0.7, center: 0.4, strength: %g, "
             "schedule: {levels: 20}, begin: {type: gaussian}",
             strength);
    struct dun_run *run = make(&fixture, 64, FIELD, path, "moves_per_step: 1");
    dun_normals(dun_run_address(run, DUN_PURPOSE_TEST), SITES, x);
    for (int alike = 0; alike < 2; alike++) {
      for (int l = 0; l < DUN_LANES; l++)
        time[l] = alike ? .3 : (l + .5) / (DUN_LANES - .5);
      struct dun_request request = {
          .n = DUN_LANES, .x = x, .time = time, .part_lp = part, .lp = lp, .gradient = g};
      run->path->evaluate(run->path_self, &request);
      for (int l = 0; l < DUN_LANES; l++) {
        double y[SITES];
        for (int j = 0; j < SITES; j++)
          y[j] = x[j * DUN_LANES + l];
        double expected = density(strength, fmax(time[l], .05), y);
        CHECK_NEAR(lp[l], expected, 1e-12 * fabs(expected));
        CHECK(part[l] == lp[l]);
      }
    }
    fixture_free(&fixture);
  }
}

/* Without strength it is the path `dilation`, bit for bit. */
static void without_strength_it_is_dilation(void)
{
  static const char *const path[] = {
      "type: dilation, begin: {type: gaussian}, schedule: {levels: 12}",
      "type: spectral_dilation, strength: 0, begin: {type: gaussian}, schedule: {levels: 12}"};
  double evidence[2];
  for (int i = 0; i < 2; i++) {
    struct fixture fixture;
    struct dun_run *run = make(&fixture, 100, FIELD, path[i], "moves_per_step: 1");
    CHECK(run->method->start(&test_context, run->method_self, run) == 0);
    while (run->method->advance(&test_context, run->method_self, run) > 0)
      run->tick++;
    evidence[i] = run->now.log_evidence;
    fixture_free(&fixture);
  }
  CHECK(evidence[0] == evidence[1]);
}

/* The weight of a step from .3 to .4: the law's density at the same x. */
static double increment(int of_u, const double *before, const double *after)
{
  double strength = of_u ? 0 : 2,
         sum = density(strength, .4, after) - density(strength, .3, before);
  for (int a = 0; a < ROWS; a++)
    for (int b = 0; b < COLUMNS; b++)
      sum -= .5 * (1 + (of_u ? 2 * share(a, b) : 0)) * log(.4 / .3);
  return sum;
}

/* With the map nothing is reweighted; what is not kept of u and y moves. */
static void increments(void)
{
  for (int kind = 0; kind < 4; kind++) {
    int map = kind % 2, of_u = kind / 2;
    struct fixture fixture;
    char path[256];
    snprintf(path, sizeof path,
             "type: spectral_dilation, form: %s, center: 0.4, mass: 0.7, strength: 2, schedule: "
             "{levels: 20}, begin: {type: gaussian}, map: %s",
             of_u ? "u" : "x", map ? "true" : "false");
    struct dun_run *run = make(&fixture, 100, FIELD, path, "moves_per_step: 1");
    int64_t n = run->population.tiles.local;
    double *old = calloc((size_t)(n * SITES) + 1, sizeof *old), *x = dun_f64(run->x);
    draw_exactly(run, 1);
    CHECK(dun_sweep_evaluate(&test_context, &run->sweep, .3, INT64_MAX) == 0);
    memcpy(old, x, (size_t)(n * SITES) * sizeof *old);
    for (int64_t i = 0; i < n; i++)
      dun_f64(run->logw)[i] = 0;
    CHECK(dun_sweep_carry(&test_context, &run->sweep, dun_run_address(run, 0), .3, .4, run->logw) ==
          0);
    for (int64_t i = 0; i < n; i++) {
      double expected = map ? 0 : increment(of_u, old + i * SITES, x + i * SITES);
      CHECK_NEAR(dun_f64(run->logw)[i], expected, 1e-10);
      CHECK(map || fabs(expected) > 1e-3);
      CHECK((x[i * SITES] == old[i * SITES]) == (map && of_u));
    }
    free(old);
    fixture_free(&fixture);
  }
}

/* SMC from a Gaussian start, without the map in both forms, and with it; log Z is 0. */
static void smc_finds_the_evidence(void)
{
  for (int kind = 0; kind < 3; kind++) {
    struct fixture fixture;
    int map = kind == 2;
    char path[256];
    snprintf(path, sizeof path,
             "type: spectral_dilation, form: %s, begin: {type: gaussian, scale: 1}, "
             "schedule: {type: log_linear, start: 0.05, levels: %d}, map: %s",
             kind ? "x" : "u", map ? 10 : 60, map ? "true" : "false");
    struct dun_run *run = make(&fixture, 4000, FIELD, path, "moves_per_step: 2");
    int status;
    CHECK(run->method->start(&test_context, run->method_self, run) == 0);
    while ((status = run->method->advance(&test_context, run->method_self, run)) > 0)
      run->tick++;
    CHECK(status == DUN_TICK_DONE);
    CHECK_NEAR(run->now.log_evidence, 0, 5 * run->now.log_evidence_error);
    CHECK(run->now.log_evidence_error > 0 && run->now.log_evidence_error < .5);
    fixture_free(&fixture);
  }
}

TEST_MAIN({"laws_are_known", laws_are_known},
          {"without_strength_it_is_dilation", without_strength_it_is_dilation},
          {"increments", increments}, {"smc_finds_the_evidence", smc_finds_the_evidence})
