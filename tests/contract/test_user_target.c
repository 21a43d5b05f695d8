/* ranks: 1 2 */
/* A user's target that repeats the built-in funnel gives its log densities and gradients. */
#include "fixture.h"

enum { D = 10, TILES = 20 };

static struct dun_run *funnel_run(struct fixture *fixture, const char *target)
{
  char text[1024];
  snprintf(text, sizeof text,
           "run: {seed: 5, particles: 500}\ntarget: %s\n"
           "path: {type: geometric, base: {type: gaussian, scale: 3}}\n"
           "kernel: {type: hmc}\nmethod: {type: smc}\n",
           target);
  return fixture_make(fixture, text);
}

static void same_as_built_in(void)
{
  const char *build = getenv("DUNLIN_BUILD");
  char text[512];
  struct fixture own, ours;
  static double x[D * DUN_LANES] __attribute__((aligned(64))), one[DUN_LANES];
  static double gradient[2][D * DUN_LANES] __attribute__((aligned(64)));
  static double lp[2][DUN_LANES] __attribute__((aligned(64)));

  snprintf(text, sizeof text,
           "{type: library, file: %s/tests/user_target/funnel_point.so, dimension: %d}",
           build ? build : "build/release", D);
  struct dun_run *a = funnel_run(&own, text);
  struct dun_run *b = funnel_run(&ours, "{type: funnel, dimension: 10}");
  for (int l = 0; l < DUN_LANES; l++)
    one[l] = 1;
  for (uint32_t tile = 0; tile < TILES; tile++) {
    struct dun_address address = {.seed = 3, .purpose = DUN_PURPOSE_TEST, .tile = tile};
    dun_normals(address, D, x);
    memset(gradient, 0, sizeof gradient);
    dun_evaluate(a->evaluator, DUN_LANES, x, lp[0], one, gradient[0]);
    dun_evaluate(b->evaluator, DUN_LANES, x, lp[1], one, gradient[1]);
    for (int l = 0; l < DUN_LANES; l++)
      CHECK_NEAR(lp[0][l], lp[1][l], 1e-10 * fabs(lp[1][l]));
    for (int i = 0; i < D * DUN_LANES; i++)
      CHECK_NEAR(gradient[0][i], gradient[1][i], 1e-10 * (1 + fabs(gradient[1][i])));
  }
  fixture_free(&own);
  fixture_free(&ours);
}

/* Through the built-in normal's closed forms and through the user's: the same points. */
static void check_normal(const char *name, const char *method)
{
  const char *build = getenv("DUNLIN_BUILD");
  const char *text = "run: {seed: 5, particles: 300}\ntarget: %s\nmethod: {%s}\n";
  char target[512], input[1024];
  struct fixture fixture[2];
  struct dun_run *run[2];

  snprintf(target, sizeof target, "{type: library, file: %s/tests/user_target/%s.so}",
           build ? build : "build/release", name);
  for (int i = 0; i < 2; i++) {
    snprintf(input, sizeof input, text, i ? "{type: gaussian, dimension: 3}" : target, method);
    run[i] = fixture_make(&fixture[i], input);
    CHECK(run[i]->method->start(&test_context, run[i]->method_self, run[i]) >= 0);
    while (run[i]->method->advance(&test_context, run[i]->method_self, run[i]) != DUN_TICK_DONE)
      run[i]->tick++;
  }
  for (int64_t i = 0; i < 3 * run[0]->population.tiles.local; i++)
    CHECK_NEAR(dun_f64(run[0]->x)[i], dun_f64(run[1]->x)[i], 1e-12);
  fixture_free(&fixture[0]);
  fixture_free(&fixture[1]);
}

static void closed_forms_of_a_user(void)
{
  check_normal("tilted_normal", "type: flow, grid: {steps: 5}, final: draw");
  check_normal("matrix_normal", "type: flow, grid: {steps: 5}, final: draw");
  check_normal("matrix_normal", "type: localization, observation: {type: adapted}, steps: 5");
}

TEST_MAIN({"same_as_built_in", same_as_built_in},
          {"closed_forms_of_a_user", closed_forms_of_a_user})
