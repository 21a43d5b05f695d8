/* ranks: 1 3 */
/* Contract of every registered kernel: exact draws stay exact.  6 comparisons for each kernel and
 * each of 2 targets, 24 for other schemes, 48 for dense metrics; limit 5 standard errors; fixed
 * seeds. */
#include "base/scalar.h"
#include "kernel_deviation.h"

static void exact_draws_stay_exact(void)
{
  for (const struct dun_type *const *t = dun_registry(DUN_KIND_KERNEL); *t; t++) {
    const struct dun_kernel *kernel = (const struct dun_kernel *)(const void *)*t;
    for (int modes = 0; modes < 2 && !kernel->biased; modes++) {
      struct fixture fixture;
      double worst = kernel_deviation(kernel_run(&fixture, (*t)->name, modes));
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
  static const char *const kernel[] = {"underdamped, scheme: baoab", "underdamped, friction: 0.01"};
  for (int i = 0; i < 4; i++) {
    struct fixture fixture;
    struct dun_run *run = kernel_run(&fixture, kernel[i / 2], i % 2);
    run->adaptation.log_step = dun_scalar_log(i % 2 ? 1.9 : .7); /* so long that some are refused */
    double worst = kernel_deviation(run);
    CHECK(worst <= 5);
    fixture_free(&fixture);
  }
}

/* With correlations that are not the target's, and some of another sign. */
static void dense_metrics_stay_exact(void)
{
  static const char *const kernel[] = {"hmc", "mala", "underdamped", "rwm"};
  const double deviation[] = {1.5, .7, 1}, covariance[] = {1, .8, 0, .8, 1, -.3, 0, -.3, 1};
  const double of_two[] = {1, .8, .8, 1};
  for (int i = 0; i < 8; i++) {
    struct fixture fixture;
    char text[64];
    snprintf(text, sizeof text, "%s, metric: dense", kernel[i / 2]);
    struct dun_run *run = kernel_run(&fixture, text, i % 2);
    CHECK(dun_adaptation_correlations(&run->adaptation, deviation, i % 2 ? of_two : covariance,
                                      1e6) == 0);
    CHECK(run->adaptation.factor.count > 0);
    double worst = kernel_deviation(run);
    if (!(worst <= 5))
      fprintf(stderr, "%s, target %d: %.1f standard errors\n", text, i % 2, worst);
    CHECK(worst <= 5);
    fixture_free(&fixture);
  }
}

/* A kernel keeps the parts and the log density of the state in step with its point. */
static void parts_follow_the_point(void)
{
  for (const struct dun_type *const *t = dun_registry(DUN_KIND_KERNEL); *t; t++) {
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

TEST_MAIN({"exact_draws_stay_exact", exact_draws_stay_exact},
          {"other_schemes_stay_exact", other_schemes_stay_exact},
          {"dense_metrics_stay_exact", dense_metrics_stay_exact},
          {"parts_follow_the_point", parts_follow_the_point})
