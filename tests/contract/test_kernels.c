/* ranks: 1 3 */
/* Contract of every registered kernel: exact draws stay exact.  6 comparisons for each kernel and
 * each of 2 targets, 48 for other schemes, 60 for dense metrics, 42 for the Fourier metric; limit 5
 * standard errors; fixed seeds. */
#include "base/scalar.h"
#include "kernel_deviation.h"
#include "kernels/metropolis.h"
#include "kernels/splitting.h"

static void exact_draws_stay_exact(void)
{
  for (const struct dun_type *const *t = dun_registry(DUN_KIND_KERNEL); *t; t++) {
    const struct dun_kernel *kernel = (const struct dun_kernel *)(const void *)*t;
    if (kernel->moves_letters)
      continue; /* in test_letters.c */
    for (int modes = 0; modes < 2; modes++) {
      struct fixture fixture;
      struct dun_run *run = kernel_run(&fixture, (*t)->name, modes);
      double worst = dun_kernel_is_biased(kernel, run->kernel_self) ? 0 : kernel_deviation(run);
      if (!(worst <= 5))
        fprintf(stderr, "kernel %s, target %d: %.1f standard errors\n", (*t)->name, modes, worst);
      CHECK(worst <= 5);
      fixture_free(&fixture);
    }
  }
}

/* The other order of steps, and hardly any friction. */
static void other_schemes_stay_exact(void)
{
  static const char *const kernel[] = {"underdamped, scheme: baoab", "underdamped, friction: 0.01",
                                       "underdamped, scheme: A/2 O/2 B O/2 A/2",
                                       "underdamped, scheme: B/4 A/2 O/3 B/4 O/3 B/4 O/3 A/2 B/4"};
  for (int i = 0; i < 8; i++) {
    struct fixture fixture;
    struct dun_run *run = kernel_run(&fixture, kernel[i / 2], i % 2);
    run->adaptation->log_step =
        dun_scalar_log((i % 2 ? 1.9 : .7) * (i < 4 ? 1 : .7)); /* so long that some are refused */
    double worst = kernel_deviation(run);
    CHECK(worst <= 5);
    fixture_free(&fixture);
  }
}

/* With correlations that are not the target's, and some of another sign. */
static void dense_metrics_stay_exact(void)
{
  static const char *const kernel[] = {"hmc", "mala", "underdamped", "rwm", "independence"};
  const double deviation[] = {1.5, .7, 1}, covariance[] = {1, .8, 0, .8, 1, -.3, 0, -.3, 1};
  const double of_two[] = {1, .8, .8, 1};
  for (int i = 0; i < 10; i++) {
    struct fixture fixture;
    char text[64];
    snprintf(text, sizeof text, "%s, metric: dense", kernel[i / 2]);
    struct dun_run *run = kernel_run(&fixture, text, i % 2);
    CHECK(dun_adaptation_correlations(run->adaptation, deviation, i % 2 ? of_two : covariance,
                                      1e6) == 0);
    CHECK(run->adaptation->factor.count > 0);
    double worst = kernel_deviation(run);
    if (!(worst <= 5))
      fprintf(stderr, "%s, target %d: %.1f standard errors\n", text, i % 2, worst);
    CHECK(worst <= 5);
    fixture_free(&fixture);
  }
}

/* In Fourier space, on fields whose waves have other scales than the metric.  Some of the steps are
 * so long that moves are refused. */
static void fourier_metric_stays_exact(void)
{
  static const struct {
    const char *kernel, *target;
    double step;
  } c[] = {
      {"hmc", "side: 8, axes: 1, mean: 0.5, mass: 0.5", .7},
      {"hmc", "side: [3, 4], scale: 2, mass: 0.7, power: 1.5", .6},
      {"mala", "side: 9, axes: 1, mass: 0.3", .9},
      {"mala", "side: [2, 1, 3], axes: 3, mass: 0.5", .8},
      {"underdamped", "side: [4, 3], mass: 0.6, power: 0.5", .5},
      {"underdamped, scheme: baoab", "side: [3, 3], mass: 0.4", .9},
      {"rwm", "side: 5, axes: 1, mass: 0.6", .6},
  };
  for (size_t i = 0; i < sizeof c / sizeof *c; i++) {
    struct fixture fixture;
    struct dun_run *run = field_run(&fixture, c[i].kernel, c[i].target);
    run->adaptation->log_step = dun_scalar_log(c[i].step);
    double worst = kernel_deviation(run);
    CHECK(run->sweep.metric.lattice != NULL);
    if (!(worst <= 5))
      fprintf(stderr, "kernel %s on {%s}: %.1f standard errors\n", c[i].kernel, c[i].target, worst);
    CHECK(worst <= 5);
    fixture_free(&fixture);
  }
}

#define COLUMNS __attribute__((aligned(64)))

/* In the metric of a free field's own mass all waves have one frequency: leapfrogs of the step h
 * turn (S^-1 x, p) by the angle acos(1 - h^2 / 2) each, and after the whole circle, 12 steps of
 * h^2 = 2 - 2 cos(2 pi / 12), the field is back where it began, to rounding. */
static void fourier_metric_goes_round(void)
{
  struct fixture fixture;
  struct dun_run *run = field_run(&fixture, "hmc", "side: [4, 6], mass: 0.3, mean: 0");
  enum { SITES = 24, BLOCK = SITES * DUN_LANES, STEPS = 12 };
  static double x[BLOCK] COLUMNS, p[BLOCK] COLUMNS, g[BLOCK] COLUMNS, x0[BLOCK] COLUMNS;
  static double p0[BLOCK] COLUMNS, one[DUN_LANES] COLUMNS;
  static double step[DUN_LANES] COLUMNS;
  struct dun_metric metric =
      dun_metric_fourier(&run->sweep.propagator->lattice, run->sweep.propagator->scale);
  struct dun_move m = {.path = run->path,
                       .path_self = run->path_self,
                       .n = DUN_LANES,
                       .d = SITES,
                       .K = run->sweep.K,
                       .metric = &metric,
                       .time = one,
                       .step_size = step};
  for (int l = 0; l < DUN_LANES; l++) {
    one[l] = 1;
    step[l] = sqrt(2 - sqrt(3));
  }
  dun_normals(dun_run_address(run, DUN_PURPOSE_TEST), SITES, x0);
  dun_normals(dun_run_address(run, DUN_PURPOSE_PROPOSE), SITES, p0);
  memcpy(x, x0, sizeof x);
  memcpy(p, p0, sizeof p);
  for (int i = 0; i < STEPS; i++) {
    dun_move_gradient(&m, x, g);
    dun_kick_and_drift(&m, .5, g, p, x);
    dun_move_gradient(&m, x, g);
    dun_kick(&m, .5, g, p);
    if (i == STEPS / 2 - 1)
      for (int j = 0; j < BLOCK; j++)
        CHECK_NEAR(x[j], -x0[j], 1e-12);
  }
  for (int i = 0; i < BLOCK; i++) {
    CHECK_NEAR(x[i], x0[i], 1e-12);
    CHECK_NEAR(p[i], p0[i], 1e-12);
  }
  fixture_free(&fixture);
}

/* A kernel keeps the parts and the log density of the state in step with its point. */
static void parts_follow_the_point(void)
{
  for (const struct dun_type *const *t = dun_registry(DUN_KIND_KERNEL); *t; t++) {
    if (((const struct dun_kernel *)(const void *)*t)->moves_letters)
      continue; /* in test_letters.c */
    struct fixture fixture;
    struct dun_look look;
    struct dun_run *run = kernel_run(&fixture, (*t)->name, 1);
    int64_t n = run->population.tiles.local * run->sweep.K;
    double *kept = malloc((size_t)(n + 1) * sizeof *kept), *part = dun_f64(run->sweep.part_lp);

    draw_exactly(run, 1);
    CHECK(dun_sweep_move(&test_context, &run->sweep, dun_run_address(run, 0), .5, INT64_MAX,
                         &look) == 0);
    memcpy(kept, part, (size_t)n * sizeof *kept);
    dun_sweep_evaluate(&test_context, &run->sweep, .5, INT64_MAX);
    int64_t differing = 0;
    for (int64_t i = 0; i < n; i++)
      differing += kept[i] != part[i];
    CHECK(differing == 0);
    free(kept);
    fixture_free(&fixture);
  }
}

/* The gradient that a kernel keeps is that of the point where the particle is, also where its move
 * was refused. */
static void forces_follow_the_point(void)
{
  int kept = 0;
  for (const struct dun_type *const *t = dun_registry(DUN_KIND_KERNEL); *t; t++) {
    if (!((const struct dun_kernel *)(const void *)*t)->keeps)
      continue;
    struct fixture fixture;
    struct dun_look look;
    char text[512];
    snprintf(text, sizeof text,
             "run: {seed: 5, particles: 500}\n"
             "target: {type: funnel, dimension: 3, scale: 1}\npath: {type: constant}\n"
             "kernel: {type: %s, step_size: 0.7, metric: diagonal}\nmethod: {type: langevin}\n",
             (*t)->name);
    struct dun_run *run = fixture_make(&fixture, text);
    int64_t n = run->population.tiles.local * run->sweep.d, differing = 0;
    double *before = malloc((size_t)(n + 1) * sizeof *before), *force = dun_f64(run->sweep.force);
    CHECK(dun_adaptation_init(run->adaptation, run->kernel, run->kernel_self, run->sweep.d) == 0);
    run->adaptation->length = 3;
    draw_exactly(run, 1);
    for (run->tick = 0; run->tick < 3; run->tick++)
      CHECK(dun_sweep_move(&test_context, &run->sweep, dun_run_address(run, 0), 1, INT64_MAX,
                           &look) == 0);
    CHECK(look.acceptance > .2 && look.acceptance < .95);
    memcpy(before, force, (size_t)n * sizeof *before);
    run->sweep.forces_time = NAN;
    CHECK(dun_sweep_forces(&test_context, &run->sweep, 1) == 0);
    for (int64_t i = 0; i < n; i++)
      differing += before[i] != force[i];
    if (differing)
      fprintf(stderr, "kernel %s: %lld of %lld numbers are another point's\n", (*t)->name,
              (long long)differing, (long long)n);
    CHECK(differing == 0);
    kept++;
    free(before);
    fixture_free(&fixture);
  }
  CHECK(kept >= 3);
}

TEST_MAIN({"exact_draws_stay_exact", exact_draws_stay_exact},
          {"other_schemes_stay_exact", other_schemes_stay_exact},
          {"dense_metrics_stay_exact", dense_metrics_stay_exact},
          {"fourier_metric_stays_exact", fourier_metric_stays_exact},
          {"fourier_metric_goes_round", fourier_metric_goes_round},
          {"parts_follow_the_point", parts_follow_the_point},
          {"forces_follow_the_point", forces_follow_the_point})
