/* ranks: 1 2 */
/* Marches: evaluations of the field are counted to the last, by a field that counts them itself;
 * the numbers do not depend on the stride; a field that fails, and states that run away, are
 * told. */
#include "fixture.h"
#include "methods/march.h"
#include "parallel/sum.h"

static const struct dun_field *inner;
static int64_t counted;
static int fails; /* the field's means are no numbers in the first lane of a tile */

static void count_value(const void *self, const struct dun_field_call *call)
{
  inner->value(self, call);
  counted += call->n;
  if (fails)
    call->mean[0] = NAN;
}

/* A march to its end, through the counting field; the method's struct begins with the march. */
static struct dun_march *go(struct fixture *fixture, const char *method, struct dun_run **out)
{
  static struct dun_field counting;
  char text[1024];
  int status;
  snprintf(text, sizeof text,
           "run: {seed: 4, particles: 500}\ntarget: {type: gaussian_mixture, means: [[-2, 1], [1, "
           "3]]}\nmethod: {%s}\n",
           method);
  struct dun_run *run = fixture_make(fixture, text);
  struct dun_march *march = run->method_self;
  inner = march->field;
  counting = *inner;
  counting.value = count_value;
  march->field = &counting;
  counted = 0;
  CHECK(run->method->start(&test_context, march, run) == 0);
  do {
    status = run->method->advance(&test_context, march, run);
    dun_pass_forget(&run->sweep.pass);
    run->tick++;
  } while (status > 0);
  CHECK(status == DUN_TICK_DONE);
  *out = run;
  return march;
}

static void scores_are_counted(void)
{
  static const struct {
    const char *method;
    int64_t scores; /* of a particle */
  } settings[] = {
      {"type: flow, grid: {steps: 30}", 30},
      {"type: flow, grid: {steps: 30}, stride: 7, scheme: ddpm", 30},
      {"type: flow, grid: {steps: 30}, scheme: heun", 59},
      {"type: flow, grid: {steps: 30, last: .1}, scheme: heun", 60},
      {"type: flow, grid: {evaluations: 41}, scheme: heun", 41},
      {"type: flow, grid: {evaluations: 40}, scheme: heun", 39},
      {"type: flow, grid: {evaluations: 40}, guidance: {label: 1, scale: 2}", 40},
      {"type: flow, grid: {evaluations: 40}, guidance: {label: 1}", 40},
      {"type: flow, grid: {steps: 30}, final: denoise", 30},
      {"type: flow, grid: {evaluations: 30, last: .1}, final: draw", 30},
      {"type: flow, process: {type: isotropic}, grid: {evaluations: 30}, scheme: ddpm", 30},
      {"type: flow, process: {type: isotropic}, grid: {steps: 30}, final: draw", 31},
      {"type: psld, program: S B A O, grid: {evaluations: 30}", 30},
  };
  for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
    struct fixture fixture;
    struct dun_run *run;
    struct dun_march *march = go(&fixture, settings[i].method, &run);
    CHECK(dun_sum_integers(&test_context, 0, 1, &counted) == 0);
    CHECK(march->scores == (double)counted);
    CHECK(counted == 500 * settings[i].scores);
    CHECK(dun_march_sweeps(march, run) == settings[i].scores);
    CHECK(dun_march_progress(march, run) == 1);
    fixture_free(&fixture);
  }
}

static uint64_t hash_of(const char *method)
{
  struct fixture fixture;
  struct dun_run *run;
  uint64_t hash = 0;
  go(&fixture, method, &run);
  CHECK(dun_population_hash(&test_context, &run->population, &hash) == 0);
  fixture_free(&fixture);
  return hash;
}

static void numbers_do_not_depend_on_the_stride(void)
{
  static const char *const methods[] = {
      "type: flow, grid: {steps: 20}, scheme: heun", "type: flow, grid: {steps: 20}, final: draw",
      "type: flow, process: {type: vp}, grid: {steps: 20, last: .01}, scheme: ddpm, final: draw",
      "type: psld, program: S B A O, grid: {steps: 20}"};
  for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
    char one[256], seven[256], all[256];
    snprintf(one, sizeof one, "%s, stride: 1", methods[i]);
    snprintf(seven, sizeof seven, "%s, stride: 7", methods[i]);
    snprintf(all, sizeof all, "%s, stride: 1000", methods[i]);
    uint64_t first = hash_of(one);
    CHECK(first == hash_of(seven) && first == hash_of(all));
  }
}

static int level_of(const struct dun_march *march, const struct dun_run *run, const char *name)
{
  struct dun_diagnosis out = {.count = 0};
  dun_march_diagnose(march, run, &out);
  for (int i = 0; i < out.count; i++)
    if (!strcmp(out.verdict[i].name, name))
      return (int)out.verdict[i].level;
  return -1;
}

static void failures_are_told(void)
{
  struct fixture fixture;
  struct dun_run *run;
  struct dun_march *march;

  fails = 1;
  march = go(&fixture, "type: flow, grid: {steps: 10}", &run);
  CHECK(march->broken == 8); /* one in a tile of 64 */
  CHECK(level_of(march, run, "broken") == DUN_BAD && level_of(march, run, "astray") != DUN_GOOD);
  for (int64_t i = 0; i < run->population.tiles.local; i++) {
    int lost = (run->population.tiles.first + i) % 64 == 0;
    CHECK(isfinite(dun_f64(run->x)[2 * i]) && (isinf(dun_f64(run->logw)[i]) != 0) == lost);
  }
  fixture_free(&fixture);
  fails = 0;
  march = go(&fixture, "type: flow, grid: {steps: 10}, noise: {type: constant, alpha: 20}", &run);
  CHECK(level_of(march, run, "astray") == DUN_BAD && level_of(march, run, "noise") == DUN_BAD);
  fixture_free(&fixture);
  march = go(&fixture, "type: flow, grid: {steps: 100}", &run);
  CHECK(level_of(march, run, "astray") == DUN_GOOD && level_of(march, run, "noise") == DUN_GOOD);
  CHECK(level_of(march, run, "broken") == -1 && level_of(march, run, "steps") == DUN_DOUBTFUL);
  fixture_free(&fixture);
}

TEST_MAIN({"scores are counted", scores_are_counted},
          {"numbers do not depend on the stride", numbers_do_not_depend_on_the_stride},
          {"failures are told", failures_are_told})
