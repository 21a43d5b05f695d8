/* How far a kernel drives exact draws away from the law that it should leave invariant. */
#ifndef DUNLIN_TESTS_KERNEL_DEVIATION_H
#define DUNLIN_TESTS_KERNEL_DEVIATION_H

#include "fixture.h"
#include "parallel/sum.h"
#include "population/tile.h"

enum { STATISTICS = 6, SWEEPS = 4 };

/* x_0, x_1, x_0^2, x_0 x_1, the log density and its square, of the particles as they stand. */
static inline void statistics(struct dun_run *run, double *mean, double *variance)
{
  struct dun_population *p = &run->population;
  const double *x = dun_f64(run->x), *part = dun_f64(run->sweep.part_lp);
  int d = run->sweep.d, K = run->sweep.K;
  struct dun_exact *sum = calloc(2 * STATISTICS, sizeof *sum);
  double total[2 * STATISTICS];

  for (int64_t i = 0; i < p->tiles.local; i++) {
    double a = x[i * d], b = x[i * d + 1], lp = part[i * K + K - 1];
    double f[STATISTICS] = {a, b, a * a, a * b, lp, lp * lp};
    for (int q = 0; q < STATISTICS; q++) {
      dun_exact_add(&sum[q], f[q]);
      dun_exact_add(&sum[STATISTICS + q], f[q] * f[q]);
    }
  }
  dun_sum(&test_context, 0, 2 * STATISTICS, sum, total);
  for (int q = 0; q < STATISTICS; q++) {
    mean[q] = total[q] / (double)p->tiles.total;
    variance[q] = total[STATISTICS + q] / (double)p->tiles.total - mean[q] * mean[q];
  }
  free(sum);
}

/* Exact draws of the target, and their parts, at time 1. */
static inline void draw_exactly(struct dun_run *run, uint32_t step)
{
  const struct dun_target *target = run->target;
  int d = run->sweep.d, U = target->draw_uniforms,
      G = target->draw_normals < 0 ? d : target->draw_normals;
  double *block = aligned_alloc(64, (size_t)(U + G + d) * DUN_LANES * sizeof *block);
  double *normal = block + (int64_t)U * DUN_LANES, *x = normal + (int64_t)G * DUN_LANES;

  for (int64_t i = 0; i < run->population.tiles.count; i++) {
    struct dun_address address = dun_run_address(run, DUN_PURPOSE_TEST);
    address.step = step;
    address.tile = (uint32_t)(run->population.tiles.first_tile + i);
    dun_normals(address, G, normal);
    address.step = step + 1;
    dun_uniforms(address, U, block);
    target->draw(run->evaluator->self, block, normal, x);
    dun_tile_store(&run->population, run->x, i, x);
  }
  dun_sweep_evaluate(&test_context, &run->sweep, 1, INT64_MAX);
  free(block);
}

/* The largest deviation, in standard errors, of the statistics after some sweeps from exact
 * draws, against exact draws of their own: STATISTICS comparisons. */
static inline double kernel_deviation(struct dun_run *run)
{
  double mean[2][STATISTICS], variance[2][STATISTICS], worst = 0;
  double N = (double)run->options.particles;
  struct dun_look look;

  draw_exactly(run, 1000);
  statistics(run, mean[0], variance[0]);
  draw_exactly(run, 2000);
  for (run->tick = 0; run->tick < SWEEPS; run->tick++)
    CHECK(dun_sweep_move(&test_context, &run->sweep, dun_run_address(run, 0), 1, INT64_MAX,
                         &look) == 0);
  statistics(run, mean[1], variance[1]);
  CHECK(look.acceptance > (run->kernel->uses_centre ? .15 : .3));
  for (int q = 0; q < STATISTICS; q++) {
    double z = fabs(mean[1][q] - mean[0][q]) / sqrt((variance[0][q] + variance[1][q]) / N);
    worst = z > worst || isnan(z) ? z : worst;
  }
  return worst;
}

/* What proposes around a centre gets one that is not the target's, and steps of 1. */
static inline void set_centre(struct dun_run *run)
{
  double centre[64];

  for (int j = 0; j < run->sweep.d; j++)
    centre[j] = .8 - .1 * j;
  CHECK(dun_adaptation_centre(run->adaptation, centre) == 0);
  if (run->kernel->uses_centre)
    run->adaptation->log_step = 0;
}

/* An input whose kernel moves with a fixed step. */
static inline struct dun_run *target_run(struct fixture *fixture, const char *kernel,
                                         const char *target)
{
  char text[1024];
  snprintf(text, sizeof text,
           "run: {seed: 5, particles: 20000}\n"
           "target: {%s}\n"
           "path: {type: geometric, base: {type: gaussian, scale: 2}}\n"
           "kernel: {type: %s, step_size: 0.5}\n"
           "method: {type: smc}\n",
           target, kernel);
  struct dun_run *run = fixture_make(fixture, text);
  CHECK(dun_adaptation_init(run->adaptation, run->kernel, run->kernel_self, run->sweep.d) == 0);
  run->adaptation->length = 5;
  set_centre(run);
  return run;
}

/* Both targets have two dimensions or more. */
static inline struct dun_run *kernel_run(struct fixture *fixture, const char *kernel, int modes)
{
  return target_run(fixture, kernel,
                    modes ? "type: gaussian_mixture, dimension: 2, layout: two_modes, "
                            "separation: 1.5, weights: [.2, .8]"
                          : "type: gaussian, dimension: 3, mean: 1, covariance: {type: toeplitz, "
                            "correlation: .8}");
}

/* A Gaussian field, moved in the Fourier metric. */
static inline struct dun_run *field_run(struct fixture *fixture, const char *kernel,
                                        const char *options)
{
  char with[256], target[256];
  snprintf(with, sizeof with, "%s, metric: fourier, mass: 0.3", kernel);
  snprintf(target, sizeof target, "type: gaussian_field, %s", options);
  return target_run(fixture, with, target);
}

#endif
