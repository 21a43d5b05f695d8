/* Laws of phase space diffusions with random numbers, fixed seeds: weights of ways have the mean 1,
 * the noise that a point was seen with is learned from the state as its optimal predictor says. */
#include "base/random.h"
#include "base/vmath.h"
#include "numerics/phase_path.h"
#include "phase.h"

enum { TILES = 64, MOST = 2 * DUN_LANES };

static struct dun_address address_of(uint32_t step, int tile)
{
  return (struct dun_address){
      .seed = 5, .purpose = DUN_PURPOSE_TEST, .step = step, .tile = (uint32_t)tile};
}

struct noise {
  uint32_t step;
  int tile;
};

static void draw(void *data, int block, double *xi)
{
  const struct noise *n = data;
  dun_normals_from(address_of(n->step, n->tile), 2 * block, 2, xi);
}

static void score_of(const struct dun_phase_space *space, double t, const double *z, double *s)
{
  for (int l = 0; l < DUN_LANES; l++) {
    double out[2];
    phase_density(space, &phase_g1, t, &z[l], &z[DUN_LANES + l], out);
    s[l] = out[0];
    s[DUN_LANES + l] = out[1];
  }
}

/* Log weights of a tile's ways. */
static void march(const struct dun_phase_space *space, const struct dun_phase_table *table,
                  const struct dun_phase_ratio *ratio, const double *time, int tile,
                  double *log_weight)
{
  static double z[MOST] __attribute__((aligned(64))), before[MOST] __attribute__((aligned(64)));
  static double s[MOST] __attribute__((aligned(64))), xi[MOST] __attribute__((aligned(64)));
  struct noise noise = {0, tile};
  struct dun_phase_normals normals = {&noise, draw};
  dun_normals(address_of(UINT32_MAX, tile), 2, z);
  for (int l = 0; l < DUN_LANES; l++) {
    z[DUN_LANES + l] *= sqrt(space->mass);
    log_weight[l] = 0;
  }
  dun_phase_path_begin(space, 1, z, log_weight);
  for (int64_t k = 0; k < table->steps; k++) {
    noise.step = (uint32_t)k;
    memcpy(before, z, sizeof z);
    score_of(space, time[k], z, s);
    dun_phase_after(table, k, 0, 1, s, before, &normals, xi, z);
    dun_phase_path_step(&ratio[k], 1, before, z, xi, log_weight);
  }
  for (int l = 0; l < DUN_LANES; l++)
    log_weight[l] +=
        phase_density(space, &phase_g1, time[table->steps], &z[l], &z[DUN_LANES + l], NULL);
}

struct verdict {
  double mean, error, divergence, share; /* of w; -E log w; effective sample size / N */
};

static struct verdict weigh(const char *name, double gamma, int steps)
{
  static double time[500], log_weight[DUN_LANES] __attribute__((aligned(64)));
  static struct dun_phase_ratio ratio[500];
  const struct dun_phase_noise plain = {1, DUN_PHASE_CONSISTENT, {1, 1}};
  struct dun_phase_space space = phase_space(gamma, gamma + 4, 8, 8);
  struct dun_phase_table table = {0};
  struct dun_program p;
  double sum[3] = {0}, N = (double)TILES * DUN_LANES;
  phase_grid(steps, 2, .05, time);
  CHECK(dun_phase_program_parse("program", name, gamma, &p) == 0);
  CHECK(dun_phase_table_make(&table, &space, &plain, &p, steps, time) == 0);
  CHECK(dun_phase_path_has_density(&table));
  dun_phase_path_ratios(&table, &space, ratio);
  for (int tile = 0; tile < TILES; tile++) {
    march(&space, &table, ratio, time, tile, log_weight);
    for (int l = 0; l < DUN_LANES; l++) {
      double w = exp(log_weight[l]);
      sum[0] += log_weight[l] / N;
      sum[1] += w / N;
      sum[2] += w * w / N;
    }
  }
  dun_phase_table_free(&table);
  return (struct verdict){sum[1], sqrt((sum[2] - sum[1] * sum[1]) / N), -sum[0],
                          sum[1] * sum[1] / sum[2]};
}

/* Published: -E log w .078, share .865 (rbao) and .404, .470 (em) of gamma 1; .348, .497 and .607,
 * .330 of gamma .25. */
static void weights_of_ways_have_the_mean_one(void)
{
  static const struct {
    double gamma, rbao[2], em[2];
  } rows[] = {{1, {.078, .865}, {.404, .470}}, {.25, {.348, .497}, {.607, .330}}};
  for (int i = 0; i < 2; i++) {
    struct verdict r = weigh("rbao", rows[i].gamma, 400), e = weigh("em", rows[i].gamma, 400);
    CHECK_NEAR(r.mean, 1, 3 * r.error);
    CHECK_NEAR(e.mean, 1, 3 * e.error);
    CHECK(r.share > e.share && r.divergence < e.divergence);
    CHECK_NEAR(r.divergence, rows[i].rbao[0], .05);
    CHECK_NEAR(e.divergence, rows[i].em[0], .07);
    CHECK_NEAR(r.share, rows[i].rbao[1], .06);
    CHECK_NEAR(e.share, rows[i].em[1], .08);
  }
}

static void ways_without_density_are_known(void)
{
  static const char *const none[] = {"roba", "robab", "sscs", "rse", "rbao"};
  static const double time[] = {1, .5};
  const struct dun_phase_noise plain = {1, DUN_PHASE_CONSISTENT, {1, 1}};
  for (int i = 0; i < 5; i++) {
    struct dun_phase_space space = phase_space(i == 4 ? 0 : .25, 4.25, 8, 8);
    struct dun_phase_table table = {0};
    struct dun_program p;
    CHECK(dun_phase_program_parse("program", none[i], space.gamma, &p) == 0);
    CHECK(dun_phase_table_make(&table, &space, &plain, &p, 1, time) == 0);
    CHECK(!dun_phase_path_has_density(&table));
    dun_phase_table_free(&table);
  }
}

/* Noise e of z = E x + L e with x ~ N(0, .25), regressed on z: the rows of L' S^-1 with the spread
 * S of z, by the normal equations. */
static void noise_is_learned_from_the_state(void)
{
  static const double theory[2][2] = {{1.03968, .77366}, {-.44545, 1.87377}};
  static double e[3 * DUN_LANES] __attribute__((aligned(64)));
  struct dun_phase_space space = phase_space(.01, 4.01, 8, 8);
  struct dun_phase_flow flow;
  double kernel[2][2], det, root[2][2], zz[2][2] = {{0}}, ez[2][2] = {{0}};
  dun_phase_space_flow(&space, dun_phase_space_clock(&space, .1), &flow);
  dun_phase_flow_spread(&flow, 0, space.kappa * space.mass, kernel, &det);
  dun_phase_root(kernel, det, root);
  for (int tile = 0; tile < 8192; tile++) {
    dun_normals(address_of(7, tile), 3, e);
    for (int l = 0; l < DUN_LANES; l++) {
      double a = e[l], b = e[DUN_LANES + l], x = .5 * e[2 * DUN_LANES + l];
      double z[2] = {flow.mean[0][0] * x + root[0][0] * a,
                     flow.mean[1][0] * x + root[1][0] * a + root[1][1] * b};
      for (int i = 0; i < 2; i++)
        for (int j = 0; j < 2; j++) {
          zz[i][j] += z[i] * z[j];
          ez[i][j] += (i ? b : a) * z[j];
        }
    }
  }
  double all[2][2], whole, d = zz[0][0] * zz[1][1] - zz[0][1] * zz[1][0];
  dun_phase_flow_spread(&flow, .25, space.kappa * space.mass, all, &whole);
  for (int i = 0; i < 2; i++)
    for (int j = 0; j < 2; j++) {
      double fitted = (ez[i][j] * zz[1 - j][1 - j] - ez[i][1 - j] * zz[1 - j][j]) / d;
      double expected = 0; /* (L' S^-1)_ij */
      for (int k = 0; k < 2; k++)
        expected += root[k][i] * (j == k ? all[1 - j][1 - j] : -all[0][1]) / whole;
      CHECK_NEAR(expected, theory[i][j], 6e-6);
      CHECK_NEAR(fitted, expected, .01 * fabs(expected));
    }
}

TEST_MAIN({"weights_of_ways_have_the_mean_one", weights_of_ways_have_the_mean_one},
          {"ways_without_density_are_known", ways_without_density_are_known},
          {"noise_is_learned_from_the_state", noise_is_learned_from_the_state})
