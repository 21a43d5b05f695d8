/* ranks: 1 2 */
/* The dilation path and unadjusted Langevin steps along it.  14 comparisons of estimates with
 * known values, within five standard errors or wider; fixed seeds. */
#include "base/vmath.h"
#include "kernel_deviation.h"

#define MIXTURE                                                                                    \
  "{type: gaussian_mixture, means: [[0, 1, 0], [1, 0, 0], [0, 0, 1]], scales: [1, 0.5, 0.8], "     \
  "log_evidence: 1.7}"
#define NORMAL "{type: gaussian, dimension: 1}"

static struct dun_run *make(struct fixture *fixture, int particles, const char *target,
                            const char *path, const char *kernel, const char *method)
{
  char text[1024];
  snprintf(text, sizeof text,
           "run: {seed: 5, particles: %d}\ntarget: %s\npath: {type: dilation, %s}\n"
           "kernel: {type: %s}\nmethod: {type: smc, ess_threshold: 0, %s}\n",
           particles, target, path, kernel, method);
  struct dun_run *run = fixture_make(fixture, text);
  CHECK(dun_adaptation_init(run->adaptation, run->kernel, run->kernel_self, run->sweep.d) == 0);
  return run;
}

static void move(struct dun_run *run, double time)
{
  struct dun_look look;
  CHECK(dun_sweep_move(&test_context, &run->sweep, dun_run_address(run, 0), time, INT64_MAX,
                       &look) == 0);
  run->tick++;
}

/* The score of MIXTURE shrunk by sqrt(lambda): means sqrt(lambda) m_i, variances lambda s_i^2. */
static void shrunk_score(double lambda, const double *x, double *score)
{
  static const double mean[3][3] = {{0, 1, 0}, {1, 0, 0}, {0, 0, 1}}, sd[3] = {1, .5, .8};
  double sum = 0, gradient[3] = {0};
  for (int i = 0; i < 3; i++) {
    double square = 0, variance = lambda * sd[i] * sd[i];
    for (int j = 0; j < 3; j++)
      square += pow(x[j] - sqrt(lambda) * mean[i][j], 2);
    double density = exp(-.5 * square / variance) / pow(variance, 1.5);
    sum += density;
    for (int j = 0; j < 3; j++)
      gradient[j] -= density * (x[j] - sqrt(lambda) * mean[i][j]) / variance;
  }
  for (int j = 0; j < 3; j++)
    score[j] = gradient[j] / sum;
}

static void score_is_the_shrunk_mixtures(void)
{
  struct fixture fixture;
  static double u[3 * DUN_LANES] __attribute__((aligned(64)));
  static double q[3 * DUN_LANES] __attribute__((aligned(64)));
  struct dun_run *run = make(&fixture, 64, MIXTURE, "map: false", "ula", "moves_per_step: 1");
  dun_normals(dun_run_address(run, DUN_PURPOSE_TEST), 3, u);
  for (int k = 0; k < 3; k++) {
    double lambda = (const double[]){.05, .3, .8}[k], time[DUN_LANES], a;
    for (int l = 0; l < DUN_LANES; l++)
      time[l] = lambda;
    a = run->path->unit(run->path_self, lambda);
    struct dun_request request = {.n = DUN_LANES, .x = u, .time = time, .gradient = q};
    run->path->evaluate(run->path_self, &request);
    for (int l = 0; l < DUN_LANES; l++) {
      double x[3], score[3];
      for (int j = 0; j < 3; j++)
        x[j] = a * u[j * DUN_LANES + l];
      shrunk_score(lambda, x, score);
      for (int j = 0; j < 3; j++)
        CHECK_NEAR(q[j * DUN_LANES + l] / a, score[j], 1e-12 * (1 + fabs(score[j])));
    }
  }
  fixture_free(&fixture);
}

/* Annealed Langevin in x, with the very normals of the kernel, against the sweeps in u: the
 * largest difference over 300 levels; `unit` 0: the factor 1 / sqrt(lambda) forgotten. */
static double difference_of_forms(int sqrtl, int unit)
{
  enum { K = 300 };
  struct fixture fixture;
  static double x[3][DUN_LANES], z[3 * DUN_LANES] __attribute__((aligned(64)));
  struct dun_run *run = make(&fixture, 64, MIXTURE, "schedule: {levels: 300}",
                             sqrtl ? "ula, step_rule: sqrtl, step_size: .02"
                                   : "ula, step_rule: lambda, step_size: .1",
                             "moves_per_step: 1");
  struct dun_path path = *run->path;
  double worst = 0;
  path.unit = unit ? path.unit : NULL;
  run->sweep.path = &path;
  memset(x, 0, sizeof x);
  memset(dun_f64(run->x), 0, (size_t)(run->population.tiles.local * 3) * sizeof(double));
  for (int k = 1; k <= K; k++) {
    double lambda = k == K ? 1 : (double)k / K, before = (double)(k - 1) / K;
    double h = sqrtl ? .02 * sqrt(lambda) : .1 * lambda;
    struct dun_address address = dun_run_address(run, DUN_PURPOSE_PROPOSE);
    dun_normals(address, 3, z);
    dun_sweep_carry(&test_context, &run->sweep, dun_run_address(run, 0), before, lambda, NULL);
    move(run, lambda);
    for (int l = 0; l < DUN_LANES; l++) {
      double point[3] = {x[0][l], x[1][l], x[2][l]}, score[3];
      shrunk_score(lambda, point, score);
      for (int j = 0; j < 3; j++)
        x[j][l] += h * score[j] + sqrt(2 * h) * z[j * DUN_LANES + l];
    }
    for (int64_t i = 0; i < run->population.tiles.local; i++)
      for (int j = 0; j < 3; j++) {
        double off = fabs(sqrt(lambda) * dun_f64(run->x)[i * 3 + j] - x[j][i]);
        worst = off > worst || isnan(off) ? off : worst;
      }
  }
  fixture_free(&fixture);
  return worst;
}

static void both_forms_agree(void)
{
  CHECK(difference_of_forms(0, 1) <= 1e-10);
  CHECK(difference_of_forms(1, 1) <= 1e-10);
  CHECK(difference_of_forms(1, 0) > .01 || test_context.rank > 0);
}

/* Three moves of a batch rule, the last one with the final step size; writes where the first
 * particle of the rank is and returns the evaluations for each of its particles. */
static double moved_by_batch_rule(const char *rule, int keep, double x[3])
{
  struct fixture fixture;
  struct dun_run *run = make(&fixture, 500, MIXTURE, "map: false", rule, "moves_per_step: 1");
  int64_t n = run->population.tiles.local;
  for (int64_t i = 0; i < 3 * n; i++)
    dun_f64(run->x)[i] = (double)(i % 7) - 3;
  CHECK(run->sweep.gradient);
  if (!keep)
    run->sweep.gradient = NULL;
  run->sweep.blind = 1;
  run->evaluator->evaluations = 0;
  for (int k = 0; k < 3; k++) {
    run->sweep.final = k == 2;
    move(run, .3 + .2 * k);
  }
  for (int j = 0; j < 3; j++)
    x[j] = n > 0 ? dun_f64(run->x)[j] : 0;
  double each = n > 0 ? (double)run->evaluator->evaluations / (double)n : 0;
  int here = n > 0;
  fixture_free(&fixture);
  return here ? each : keep ? 3 : 5;
}

/* Rules with a mean over all particles leave its gradients to the moves. */
static void batch_rules_evaluate_once(void)
{
  static const char *const rule[] = {"ula, step_size: .3, step_rule: snr",
                                     "ula, step_size: .3, step_rule: mean, cap: .1"};
  for (int i = 0; i < 2; i++) {
    double kept[3], again[3];
    CHECK(moved_by_batch_rule(rule[i], 1, kept) == 3);
    CHECK(moved_by_batch_rule(rule[i], 0, again) == 5);
    for (int j = 0; j < 3; j++)
      CHECK(kept[j] == again[j]);
  }
}

/* With the map nothing is reweighted; without it by the density of the shrunk law. */
static void increments(void)
{
  for (int map = 0; map < 2; map++) {
    struct fixture fixture;
    struct dun_run *run =
        make(&fixture, 100, MIXTURE, map ? "map: true" : "map: false", "ula", "moves_per_step: 1");
    int64_t n = run->population.tiles.local;
    double *old = calloc((size_t)n + 1, sizeof *old);
    draw_exactly(run, 1);
    for (int64_t i = 0; i < n; i++) {
      old[i] = dun_f64(run->sweep.part_lp)[i];
      dun_f64(run->logw)[i] = 0;
    }
    dun_sweep_carry(&test_context, &run->sweep, dun_run_address(run, 0), .3, .4, run->logw);
    for (int64_t i = 0; i < n; i++) {
      double expected = dun_f64(run->sweep.part_lp)[i] - old[i] - 1.5 * log(.4 / .3);
      CHECK_NEAR(dun_f64(run->logw)[i], map ? 0 : expected, 1e-12);
      CHECK(map || dun_f64(run->logw)[i] != 0);
    }
    free(old);
    fixture_free(&fixture);
  }
}

/* The time after a level, and after one between two levels, is the next level. */
static void levels_follow(void)
{
  static const char *const spacing[] = {"type: linear", "type: power, power: 3",
                                        "type: log_linear, start: 1e-4"};
  for (int i = 0; i < 3; i++) {
    struct fixture fixture;
    char path[128];
    snprintf(path, sizeof path, "schedule: {levels: 37, %s}", spacing[i]);
    struct dun_run *run = make(&fixture, 64, MIXTURE, path, "ula", "moves_per_step: 1");
    const struct dun_schedule *schedule = run->path->schedule(run->path_self);
    CHECK(schedule->times.count == 37 && schedule->times.value[36] == 1);
    double before = 0, first[] = {1. / 37, pow(1. / 37, 3), pow(1e-4, 36. / 37)};
    CHECK_NEAR(schedule->times.value[0], first[i], 1e-12);
    for (int k = 0; k < 37; k++) {
      double level = schedule->times.value[k];
      CHECK(level > before);
      CHECK(dun_schedule_after(schedule, before) == level);
      CHECK(dun_schedule_after(schedule, .5 * (before + level)) == level);
      before = level;
    }
    CHECK(dun_schedule_after(schedule, 1) == 1);
    fixture_free(&fixture);
  }
}

/* The mean of d + x . g under the shrunk law is 0, by Stein's identity: d + u . q. */
static void stein(void)
{
  enum { TILES = 6250 };
  struct fixture fixture;
  struct dun_run *run =
      make(&fixture, 64 * TILES, MIXTURE, "map: false", "ula", "moves_per_step: 1");
  static double u[3 * DUN_LANES] __attribute__((aligned(64)));
  static double q[3 * DUN_LANES] __attribute__((aligned(64)));
  static double time[DUN_LANES];
  struct dun_exact sum = {0};
  double total;
  draw_exactly(run, 1);
  for (int64_t i = 0; i < run->population.tiles.count; i++) {
    dun_tile_load(&run->population, run->x, i, u);
    struct dun_request request = {.n = DUN_LANES, .x = u, .time = time, .gradient = q};
    run->path->evaluate(run->path_self, &request);
    for (int l = 0; l < DUN_LANES; l++)
      dun_exact_add(&sum, 3 + u[l] * q[l] + u[64 + l] * q[64 + l] + u[128 + l] * q[128 + l]);
  }
  dun_sum(&test_context, 0, 1, &sum, &total);
  CHECK_NEAR(total / (64 * TILES), 0, .01);
  fixture_free(&fixture);
}

/* The variance of N(0, 1) after so many steps at the target. */
static double variance_after(const char *kernel, int particles, int steps)
{
  struct fixture fixture;
  struct dun_run *run =
      make(&fixture, particles, NORMAL, "map: false", kernel, "moves_per_step: 1");
  struct dun_exact sum = {0};
  double total;
  draw_exactly(run, 1);
  for (int k = 0; k < steps; k++)
    move(run, 1);
  for (int64_t i = 0; i < run->population.tiles.local; i++)
    dun_exact_add(&sum, pow(dun_f64(run->x)[i], 2));
  dun_sum(&test_context, 0, 1, &sum, &total);
  fixture_free(&fixture);
  return total / particles;
}

/* 1 / (1 - h / 2); and pi / h for steps that depend on the point, where the reference's figure is
 * a measurement. */
static void known_biases(void)
{
  CHECK_NEAR(variance_after("ula, step_rule: const, step_size: .5", 100000, 40), 4. / 3, .02);
  CHECK_NEAR(variance_after("ula, step_size: .02, step_rule: cap1, cap: .01", 10000, 2000), 1.786,
             .126);
}

/* Linear growth of constant steps: two runs with the same normals from starts that differ by 1;
 * the difference in x grows to C(19, 9) times the first (h0 K = 20). */
static void constant_steps_blow_up(void)
{
  enum { K = 30 };
  double u[2][K], most = 0;
  for (int run_number = 0; run_number < 2; run_number++) {
    struct fixture fixture;
    struct dun_run *run =
        make(&fixture, 200, NORMAL, "schedule: {levels: 30}",
             "ula, step_rule: const, step_size: 0.66666666666666667", "moves_per_step: 1");
    for (int64_t i = 0; i < run->population.tiles.local; i++)
      dun_f64(run->x)[i] = run_number;
    for (int k = 1; k <= K; k++) {
      dun_sweep_carry(&test_context, &run->sweep, dun_run_address(run, 0), (k - 1.) / K,
                      (double)k / K, NULL);
      move(run, (double)k / K);
      u[run_number][k - 1] = dun_f64(run->x)[0];
    }
    fixture_free(&fixture);
  }
  for (int k = 1; k <= K; k++)
    most = fmax(most, fabs(u[1][k - 1] - u[0][k - 1]) * sqrt(k));
  CHECK_NEAR(most, 92378, 1);
}

static void evidence(int particles, const char *target, const char *path, const char *kernel,
                     const char *method, double tolerance)
{
  struct fixture fixture;
  int status;
  struct dun_run *run = make(&fixture, particles, target, path, kernel, method);
  CHECK(run->method->start(&test_context, run->method_self, run) == 0);
  while ((status = run->method->advance(&test_context, run->method_self, run)) > 0)
    run->tick++;
  CHECK(status == DUN_TICK_DONE);
  CHECK_NEAR(run->now.log_evidence, 1.7, 5 * run->now.log_evidence_error);
  CHECK(run->now.log_evidence_error > 0 && run->now.log_evidence_error < tolerance);
  fixture_free(&fixture);
}

/* Unadjusted weights from the point.  Tight caps leave weights without a variance: they are
 * not tried. */
static void unadjusted_weights(void)
{
  static const char *const rule[] = {"const",        "lambda",       "sqrtl",
                                     "cap1, cap: 2", "cap2, cap: 6", "tamed"};
  for (size_t i = 0; i < sizeof rule / sizeof *rule; i++) {
    char kernel[128];
    snprintf(kernel, sizeof kernel, "ula, step_size: .3, step_rule: %s", rule[i]);
    evidence(1000000,
             "{type: gaussian_mixture, means: [[-0.5], [0.4]], scales: [0.7, 0.5], weights: [.3, "
             ".7], log_evidence: 1.7}",
             "schedule: {levels: 2}", kernel, "moves_per_step: 1", .05);
  }
}

/* SMC along dilation from a Gaussian start, with the map and without. */
static void smc_finds_the_evidence(void)
{
  static const char target[] = "{type: gaussian_mixture, layout: grid, points_per_axis: 3, "
                               "separation: 3, log_evidence: 1.7}";
  evidence(4000, target, "map: true, schedule: {levels: 10}, begin: {type: gaussian, scale: 4}",
           "mala", "moves_per_step: 2", .2);
  evidence(4000, target, "schedule: {levels: 50}, begin: {type: gaussian, scale: 4}", "mala",
           "moves_per_step: 2", .5);
}

TEST_MAIN({"score_is_the_shrunk_mixtures", score_is_the_shrunk_mixtures},
          {"both_forms_agree", both_forms_agree},
          {"batch_rules_evaluate_once", batch_rules_evaluate_once},
          {"levels_follow", levels_follow}, {"increments", increments}, {"stein", stein},
          {"known_biases", known_biases}, {"constant_steps_blow_up", constant_steps_blow_up},
          {"unadjusted_weights", unadjusted_weights},
          {"smc_finds_the_evidence", smc_finds_the_evidence})
