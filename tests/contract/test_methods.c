/* ranks: 1 2 */
/* Contract of every registered method, fixed seeds, limit 5 standard errors.  Those that estimate
 * log Z: a Gaussian with a known one, against the reported error, 1 comparison a setting.  Those
 * that keep draws of chains: the moments of that Gaussian, against the spread between the chains,
 * 5 comparisons a setting; those that leave independent particles: the same, each a chain of one
 * draw. */
#include "fixture.h"
#include "parallel/sum.h"

/* The method's section, and the others that it needs, whole. */
struct setting {
  const char *name, *method, *sections;
};

#define WIDE "path: {type: geometric, base: {type: gaussian, scale: 3}}\n"
static const struct setting settings[] = {
    {"smc", "ess_threshold: .8", WIDE "kernel: {type: hmc}"},
    {"smc", "resampling: multinomial, moves_per_step: 3",
     "path: {type: geometric, base: {type: gaussian, scale: 3}, schedule: {type: fixed, steps: "
     "20}}\nkernel: {type: rwm}"},
    {"smc", "resampling: residual",
     "path: {type: geometric, base: {type: fitted, scale: 5, pilot_moves: 20, pilot_chains: "
     "300}}\nkernel: {type: hmc}"},
    {"smc", "resampling: stratified",
     "path: {type: geometric, base: {type: fitted, scale: 5, pilot_moves: 20, covariance: "
     "diagonal}}\nkernel: {type: hmc}"},
    {"smc", "moves_per_step: 2", WIDE "kernel: {type: underdamped}"},
    {"smc", "chain_length: 16", WIDE "kernel: {type: hmc}"},
    {"smc", "chain_length: 50, resampling: multinomial", WIDE "kernel: {type: rwm}"},
    {"smc", "chain_length: 4", WIDE "kernel: {type: underdamped}"},
    {"smc", "chain_length: 10",
     "path: {type: localized, steps: 30, pieces: 10}\nkernel: {type: hmc}"},
    {"smc", "chain_length: 20",
     "path: {type: geometric, base: {type: fitted, scale: 5, pilot_moves: 20, pilot_chains: "
     "300}}\nkernel: {type: hmc}"},
    {"smc", "moves_per_step: 3", WIDE "kernel: {type: independence}"},
    {"smc", "moves_per_step: 2", WIDE "kernel: {type: underdamped, metropolised: false}"},
    {"smc", "moves_per_step: 2",
     WIDE "kernel: {type: underdamped, metropolised: false, scheme: baoab}"},
    {"smc", "moves_per_step: 2",
     WIDE "kernel: {type: underdamped, metropolised: false, scheme: O A/2 B A/2}"},
    {"smc", "moves_per_step: 0",
     "path: {type: geometric, base: {type: gaussian, mean: .5, scale: 1.3}}\n"},
    {"smc", "moves_per_step: 3, moves_at: end",
     "path: {type: geometric, base: {type: gaussian, mean: .5, scale: 1.3}}\nkernel: {type: hmc}"},
    {"smc", "moves_per_step: 0",
     "path: {type: controlled, base: {scale: 2}, diffusion: {largest: 3}}"},
    {"smc", "moves_per_step: 2, moves_at: end",
     "path: {type: controlled, reference: stationary, base: {scale: 2}, pieces: 16, diffusion: "
     "{largest: 6}}\nkernel: {type: hmc}"},
    {"smc", "moves_per_step: 0",
     "path: {type: controlled, reference: brownian, base: {scale: 0}, pieces: 16, diffusion: "
     "{largest: 6}}"},
    {"smc", "moves_per_step: 0", "path: {type: localized, steps: 60}"},
    {"smc", "moves_per_step: 1",
     "path: {type: localized, steps: 30, pieces: 10}\nkernel: {type: hmc}"},
    {"smc", "moves_per_step: 2, moves_at: end",
     "path: {type: localized, steps: 40, pieces: 10, width: .8, horizon: 4}\nkernel: {type: hmc}"},
    {"scld", "steps: 20, width: 8",
     "path: {type: controlled, base: {scale: 2}, steps: 16, pieces: 4, diffusion: {largest: "
     "3}}\nkernel: {type: hmc, leapfrog_steps: 4}"},
    {"scld", "steps: 10, width: 8, moves_every: 0, batches: 1, ess_threshold: 0, rates: {base: 0}",
     "path: {type: controlled, base: {mean: 1, scale: 1.3}, steps: 16, pieces: 2, diffusion: "
     "{largest: 2}}"},
    {"tempering", "temperatures: 8, warmup: 200, draws: 300", WIDE "kernel: {type: hmc}"},
    {"tempering", "temperatures: 20, warmup: 300, draws: 150, thin: 2", WIDE "kernel: {type: rwm}"},
    {"tempering", "temperatures: 8, warmup: 200, draws: 300", WIDE "kernel: {type: underdamped}"},
    {"tempering", "warmup: 200, draws: 300",
     "path: {type: geometric, base: {type: fitted, scale: 5}}\nkernel: {type: hmc}"},
};
enum { SETTINGS = sizeof settings / sizeof *settings };

static const struct setting chains[] = {
    {"langevin", "warmup: 60, draws: 20",
     "path: {type: constant, start: {scale: 2}}\nkernel: {type: hmc}"},
    {"langevin", "warmup: 100, draws: 20, thin: 5", "path: {type: constant}\nkernel: {type: rwm}"},
    {"langevin", "warmup: 100, draws: 20, thin: 5",
     "path: {type: constant, start: {mean: 1}}\nkernel: {type: mala}"},
    {"langevin", "warmup: 100, draws: 20, thin: 3",
     "path: {type: constant, start: {scale: 2}}\nkernel: {type: independence, metric: diagonal, "
     "step_size: 1.3}"},
    {"langevin", "warmup: 60, draws: 20, thin: 3",
     "path: {type: constant}\nkernel: {type: underdamped}"},
    {"langevin", "warmup: 60, draws: 20",
     "path: {type: geometric, base: {type: gaussian, scale: 3}, schedule: {type: fixed, steps: "
     "10}}\nkernel: {type: hmc}"},
    {"langevin", "warmup: 60, draws: 10, final_moves: 5",
     "path: {type: dilation, schedule: {levels: 20}}\nkernel: {type: hmc}"},
    {"tempering", "temperatures: 5, warmup: 200, draws: 50, thin: 2", WIDE "kernel: {type: hmc}"},
    {"tempering", "temperatures: 8, warmup: 200, draws: 50",
     WIDE "kernel: {type: rwm, metric: identity}"},
    {"tempering", "temperatures: 4, warmup: 200, draws: 50", WIDE "kernel: {type: mala}"},
    {"tempering", "temperatures: 4, warmup: 100, draws: 50",
     WIDE "kernel: {type: hmc, metric: dense}"},
    {"tempering", "temperatures: 5, warmup: 200, draws: 50",
     WIDE "kernel: {type: rwm, metric: dense}"},
    {"tempering", "warmup: 200, draws: 50", WIDE "kernel: {type: hmc}"},
};
enum { CHAINS = sizeof chains / sizeof *chains };

static const struct setting particles[] = {
    {"exact", "", ""},
    {"train",
     "network: {type: mlp, widths: [4]}, lessons: {steps: 20, examples: {count: 20000, held_back: "
     "100}}",
     ""},
    {"flow", "grid: {steps: 300}, noise: {type: deterministic}", ""},
    {"flow", "grid: {steps: 300}, noise: {type: singular, alpha: 1.4142135623730951}", ""},
    {"flow", "grid: {steps: 300}, noise: {type: non_singular, alpha: 2}, stride: 7", ""},
    {"flow", "grid: {evaluations: 60}, scheme: heun, noise: {type: zero_ends}", ""},
    {"flow",
     "process: {type: interpolant, schedule: trigonometric, scale: 2, mean: -1}, grid: "
     "{type: cosine, steps: 300}",
     ""},
    {"flow",
     "process: {type: interpolant}, grid: {steps: 200}, noise: {matrix: [[1, 0], [.5, 1], "
     "[0, -1], [.3, .3], [0, 0]]}",
     ""},
    {"flow", "process: {type: vp}, grid: {type: quadratic, steps: 300}, scheme: ddim", ""},
    {"flow", "process: {type: vp}, grid: {type: quadratic, steps: 300}, noise: {type: reverse}",
     ""},
    {"flow",
     "process: {type: ve, scale: 50}, grid: {type: geometric, last: .01, steps: 300}, "
     "scheme: ddpm",
     ""},
    {"flow",
     "process: {type: isotropic, horizon: 30}, grid: {type: arctan, steps: 300}, noise: "
     "{type: reverse}, final: draw",
     ""},
    {"localization", "observation: {type: gaussian}, steps: 5", ""},
    {"localization", "observation: {type: gaussian, rate: [1, 2, .5, 1, 3], horizon: 10}", ""},
    {"localization", "observation: {type: gaussian}, by: means, steps: 400", ""},
    {"localization",
     "observation: {type: gaussian, rate: [1, 2, .5, 1, 3]}, by: covariance, steps: 7", ""},
    {"localization",
     "observation: {type: gaussian}, field: {type: mcmc, moves: 8, warm_up: 100}, first: .1, "
     "steps: 100",
     ""},
    {"psld", "program: em, grid: {type: quadratic, steps: 200}", ""},
    {"psld", "program: O S B A, grid: {type: quadratic, steps: 500}, stride: 7", ""},
    {"psld", "program: robab, process: {type: psld, gamma: 0}, grid: {steps: 300}", ""},
    {"psld", "program: heun, grid: {evaluations: 201, type: quadratic}, final: state", ""},
    {"psld",
     "program: sscs, process: {type: psld, beta: [6, 12]}, grid: {type: quadratic, steps: 300}, "
     "final: draw",
     ""},
    {"psld", "program: O S B A, eta: 2, grid: {type: quadratic, steps: 500}", ""},
    {"psld", "grid: {type: tuned, evaluations: 200}", ""},
    {"psld", "spectrum: [.5, 1, 3], grid: {type: tuned, evaluations: 200}, program: rvv", ""},
};
enum { PARTICLES = sizeof particles / sizeof *particles };

/* Never goes back, and is 1 at the end, where it is known. */
static double check_progress(const struct dun_run *run, double before, int status)
{
  double now = run->method->progress ? run->method->progress(run->method_self, run) : NAN;
  CHECK(isnan(now) || (now >= before && now <= 1 + 1e-12));
  if (status == DUN_TICK_DONE)
    CHECK(isnan(now) || fabs(now - 1) < 1e-12);
  return isnan(now) ? before : now;
}

static void every_method_has_settings(void)
{
  for (const struct dun_type *const *t = dun_registry(DUN_KIND_METHOD); *t; t++) {
    int found = 0;
    for (size_t i = 0; i < SETTINGS; i++)
      found |= !strcmp(settings[i].name, (*t)->name);
    for (size_t i = 0; i < CHAINS; i++)
      found |= !strcmp(chains[i].name, (*t)->name);
    for (size_t i = 0; i < PARTICLES; i++)
      found |= !strcmp(particles[i].name, (*t)->name);
    CHECK(found);
  }
}

static void log_evidence_is_right(void)
{
  for (size_t i = 0; i < SETTINGS; i++) {
    struct fixture fixture;
    char text[1024];
    int status;
    snprintf(text, sizeof text,
             "run: {seed: 11, particles: 2000}\n"
             "target: {type: gaussian, dimension: 5, mean: 1, log_evidence: 1.7, covariance: "
             "{type: toeplitz, correlation: .5}}\n"
             "%s\nmethod: {type: %s, %s}\n",
             settings[i].sections, settings[i].name, settings[i].method);
    struct dun_run *run = fixture_make(&fixture, text);
    double progress = 0;
    CHECK(run->method->start(&test_context, run->method_self, run) == 0);
    do {
      status = run->method->advance(&test_context, run->method_self, run);
      progress = check_progress(run, progress, status);
      run->tick++;
    } while (status > 0);
    CHECK(status == DUN_TICK_DONE);
    CHECK_NEAR(run->now.log_evidence, 1.7, 5 * run->now.log_evidence_error);
    CHECK(run->now.log_evidence_error > 0 && run->now.log_evidence_error < .15);
    CHECK(run->now.time == 1);
    fixture_free(&fixture);
  }
}

/* x_0, x_4, their squares and product, around what they should be, averaged over a chain. */
enum { MOMENTS = 5 };

/* chain[chains of all ranks][MOMENTS]: this rank's draws only. */
static void add_moments(const struct dun_run *run, double *chain)
{
  const double *x = dun_f64(run->x), *logw = dun_f64(run->logw);
  for (int64_t i = 0; i < run->population.tiles.local; i++) {
    double a = x[i * 5] - 1, b = x[i * 5 + 4] - 1;
    double f[MOMENTS] = {a, b, a * a - 1, b * b - 1, a * b - .0625};
    int64_t number = (run->population.tiles.first + i) / run->kept.members;
    for (int q = 0; q < MOMENTS && logw[i] > -INFINITY; q++)
      chain[number * MOMENTS + q] += f[q] / (double)run->kept.due;
  }
}

static void check_moments(const struct dun_run *run, double *chain)
{
  int64_t number = run->kept.chains.total, count = number * MOMENTS;
  double C = (double)number, total[2 * MOMENTS] = {0};
  struct dun_exact *sum = calloc((size_t)count, sizeof *sum);
  for (int64_t i = 0; i < count; i++)
    dun_exact_add(&sum[i], chain[i]);
  CHECK(dun_sum(&test_context, 0, count, sum, chain) == 0);
  for (int64_t i = 0; i < count; i++) {
    total[i % MOMENTS] += chain[i];
    total[MOMENTS + i % MOMENTS] += chain[i] * chain[i];
  }
  for (int q = 0; q < MOMENTS; q++)
    CHECK_NEAR(total[q] / C, 0, 5 * sqrt(total[MOMENTS + q]) / C);
  free(sum);
}

static void chains_have_the_moments(void)
{
  for (size_t i = 0; i < CHAINS; i++) {
    struct fixture fixture;
    char text[1024];
    int status;
    int64_t kept = 0;
    snprintf(text, sizeof text,
             "run: {seed: 12, particles: 1000}\n"
             "target: {type: gaussian, dimension: 5, mean: 1, covariance: {type: toeplitz, "
             "correlation: .5}}\n"
             "%s\nmethod: {type: %s, %s}\n",
             chains[i].sections, chains[i].name, chains[i].method);
    struct dun_run *run = fixture_make(&fixture, text);
    double progress = 0;
    double *chain = calloc((size_t)run->kept.room * MOMENTS, sizeof *chain);
    CHECK(run->method->start(&test_context, run->method_self, run) == 0);
    do {
      status = run->method->advance(&test_context, run->method_self, run);
      progress = check_progress(run, progress, status);
      run->tick++;
      if (status == DUN_TICK_DRAW) {
        add_moments(run, chain);
        CHECK(run->kept.draws == ++kept);
      }
    } while (status > 0);
    CHECK(status == DUN_TICK_DONE);
    CHECK(run->now.time == 1 && kept == run->kept.due);
    check_moments(run, chain);
    free(chain);
    fixture_free(&fixture);
  }
}

static void particles_have_the_moments(void)
{
  for (size_t i = 0; i < PARTICLES; i++) {
    struct fixture fixture;
    char text[1024];
    int status;
    snprintf(text, sizeof text,
             "run: {seed: 13, particles: 2000}\n"
             "target: {type: gaussian, dimension: 5, mean: 1, covariance: {type: toeplitz, "
             "correlation: .5}}\n"
             "%s\nmethod: {type: %s%s%s}\n",
             particles[i].sections, particles[i].name, *particles[i].method ? ", " : "",
             particles[i].method);
    struct dun_run *run = fixture_make(&fixture, text);
    double *chain = calloc((size_t)run->kept.chains.total * MOMENTS, sizeof *chain);
    CHECK(run->method->start(&test_context, run->method_self, run) == 0);
    do {
      status = run->method->advance(&test_context, run->method_self, run);
      run->tick++;
    } while (status > 0);
    CHECK(status == DUN_TICK_DONE && run->now.time == 1 && run->kept.due == 0);
    CHECK(isnan(run->now.log_evidence));
    run->kept.due = 1; /* each particle is a chain of one draw */
    add_moments(run, chain);
    check_moments(run, chain);
    free(chain);
    fixture_free(&fixture);
  }
}

TEST_MAIN({"every_method_has_settings", every_method_has_settings},
          {"log_evidence_is_right", log_evidence_is_right},
          {"chains_have_the_moments", chains_have_the_moments},
          {"particles_have_the_moments", particles_have_the_moments})
