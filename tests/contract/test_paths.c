/* ranks: 1 2 */
/* Contract of every registered path: its ends, its gradient, and its parts. */
#include "fixture.h"
#include "io/bind.h"
#include "population/tile.h"

#define FIELD "{type: phi4, side: [1, 3], mass2: -1, coupling: 0.5, field: 0.2}"
#define MIXTURE                                                                                    \
  "{type: gaussian_mixture, dimension: 3, layout: two_modes, separation: 1, weights: [.3, .7], "   \
  "log_evidence: 1.7}"

static const struct {
  const char *name, *text; /* options behind `type:` */
} settings[] = {
    {"geometric", "base: {type: gaussian, mean: 0.5, scale: 2}"},
    {"geometric", "base: {type: gaussian, mean: [0, 1, 2], scale: [1, 2, 3]}, schedule: {type: "
                  "fixed, steps: 7}"},
    {"geometric", "base: {type: fitted, scale: 2}"},
    {"controlled", "base: {mean: .5, scale: [1, 2, 3]}, pieces: 8"},
    {"controlled", "reference: stationary, base: {scale: 2}"},
    {"controlled", "reference: brownian, base: {mean: [0, 1, 2], scale: 0}"},
    {"localized", "steps: 20"},
    {"localized", "steps: 20, pieces: 4, horizon: 3, first: .2, width: .5"},
    {"localized", "field: {type: monte_carlo, samples: 20, crossover: .7, begin: {scale: 2}}, "
                  "spread: 2, steps: 10"},
    {"data", "order: file"},
    {"data", "first: 3, growth: 2, base: {type: gaussian, mean: .1, scale: 2}, schedule: {type: "
             "fixed, steps: 7}"},
    {"constant", "start: {mean: [1, 0, -1], scale: 2}"},
    {"dilation", "center: [1, 0, -1], begin: {type: gaussian, scale: 3}"},
    {"convolution", "scale: 0.7, half_width: 6, cells: 24, schedule: {highest: 1}"},
    {"dilation", "schedule: {type: log_linear, levels: 10}, map: true, begin: {type: gaussian}"},
    {"spectral_dilation", "strength: 3"},
    {"spectral_dilation", "schedule: {levels: 8}, form: x, strength: 2, mass: 0.3, center: 0.3"},
    {"spectral_dilation",
     "schedule: {levels: 20}, strength: -1, form: x, map: true, begin: {type: gaussian}"},
};
enum { SETTINGS = sizeof settings / sizeof *settings };

static struct dun_input path_input;
static struct dun_binder path_binder;
static const struct dun_type *path_type;
static void *path_self;

/* A run along a geometric path, whose path is then exchanged for the one wanted: methods need not
 * agree with it. */
static struct dun_run *path_run(struct fixture *fixture, size_t i)
{
  char text[1024];
  char seen[512];
  snprintf(seen, sizeof seen,
           "{type: logistic_regression, data: %s/inputs/data/seeds.csv, label: x2, features: 'x1, "
           "n'}",
           getenv("DUNLIN_SOURCE") ? getenv("DUNLIN_SOURCE") : ".");
  snprintf(text, sizeof text,
           "run: {seed: 5, particles: 500}\ntarget: %s\n"
           "path: {type: geometric, base: {type: gaussian, scale: 1}}\n"
           "kernel: {type: hmc}\nmethod: {type: smc}\n",
           !strcmp(settings[i].name, "data")          ? seen
           : strncmp(settings[i].name, "spectral", 8) ? MIXTURE
                                                      : FIELD);
  struct dun_run *run = fixture_make(fixture, text);
  snprintf(text, sizeof text, "path: {type: %s, %s}\n", settings[i].name, settings[i].text);
  dun_binder_init(&path_binder, &test_context, &path_input);
  if (dun_input_parse(&path_input, "test", text, (int64_t)strlen(text), &path_binder.complaints) <
          0 ||
      !(path_type = dun_bind_type(&path_binder, dun_node_find(&path_input.root, "path"), "path",
                                  DUN_KIND_PATH, &path_self))) {
    fprintf(stderr, "%s\n", path_binder.complaints.text.text);
    MPI_Abort(test_context.comm, 1);
  }
  run->path = (const struct dun_path *)(const void *)path_type;
  run->path_self = path_self;
  CHECK(run->path->init(&test_context, path_self, run->evaluator) == 0);
  return run;
}

static void path_close(struct fixture *fixture)
{
  dun_object_free(path_type, &path_self);
  dun_binder_free(&path_binder);
  dun_input_free(&path_input);
  fixture_free(fixture);
}

static void every_path_has_settings(void)
{
  for (const struct dun_type *const *t = dun_registry(DUN_KIND_PATH); *t; t++) {
    int found = 0;
    for (size_t i = 0; i < SETTINGS; i++)
      found |= !strcmp(settings[i].name, (*t)->name);
    CHECK(found);
  }
}

enum { D = 3, BLOCK = D * DUN_LANES };

struct points {
  double x[BLOCK], time[DUN_LANES], part[DUN_MAX_PARTS * DUN_LANES], lp[DUN_LANES], gradient[BLOCK];
} __attribute__((aligned(64)));

static void evaluate(const struct dun_run *run, struct points *p)
{
  struct dun_request request = {.n = DUN_LANES,
                                .x = p->x,
                                .time = p->time,
                                .part_lp = p->part,
                                .lp = p->lp,
                                .gradient = p->gradient};
  memset(p->gradient, 0xff, sizeof p->gradient); /* NaN: all of it must be written */
  run->path->evaluate(run->path_self, &request);
}

/* Every lane at a time of its own; where a path needs tables, all at the one that they are for. */
static void random_points(const struct dun_run *run, struct points *p)
{
  struct dun_address address = dun_run_address(run, DUN_PURPOSE_TEST);
  const struct dun_path *path = run->path;
  dun_normals(address, D, p->x);
  address.step = 1;
  dun_uniforms(address, 1, p->time);
  for (int l = 0; l < DUN_LANES && path->prepare; l++)
    p->time[l] = .5;
  CHECK(dun_path_prepare(&test_context, path, run->path_self, p->time[0]) == 0);
}

/* Tables are interpolated, gradients and log densities each by itself. */
static double tolerance(const struct dun_run *run, const struct points *p)
{
  return run->path->prepare && p->time[0] < 1 ? .02 : 1e-7;
}

static void shift(struct points *p, int j, double h)
{
  for (int l = 0; l < DUN_LANES; l++)
    p->x[j * DUN_LANES + l] += h;
}

/* Each lane at its own time: central differences of log pi_t. */
static void gradient_is_the_derivative(void)
{
  for (size_t i = 0; i < SETTINGS; i++) {
    struct fixture fixture;
    struct dun_run *run = path_run(&fixture, i);
    static struct points p, up, down;
    const double h = 1e-5;
    random_points(run, &p);
    evaluate(run, &p);
    for (int j = 0; j < D; j++) {
      up = down = p;
      shift(&up, j, h);
      shift(&down, j, -h);
      evaluate(run, &up);
      evaluate(run, &down);
      for (int l = 0; l < DUN_LANES; l++) {
        double g = p.gradient[j * DUN_LANES + l];
        CHECK_NEAR((up.lp[l] - down.lp[l]) / (2 * h), g, tolerance(run, &p) * (1 + fabs(g)));
      }
    }
    path_close(&fixture);
  }
}

/* At t = 1 the path is the target; combined parts are the log density at every time. */
static void ends_match(void)
{
  for (size_t i = 0; i < SETTINGS; i++) {
    struct fixture fixture;
    struct dun_run *run = path_run(&fixture, i);
    static struct points p;
    double lp[DUN_LANES] __attribute__((aligned(64)));
    random_points(run, &p);
    evaluate(run, &p);
    dun_path_combine(run->path, run->path_self, p.time, p.part, lp);
    CHECK(!memcmp(lp, p.lp, sizeof lp));
    for (int l = 0; l < DUN_LANES; l++)
      p.time[l] = 1;
    evaluate(run, &p);
    dun_evaluate(run->evaluator, DUN_LANES, p.x, lp, NULL, NULL);
    for (int l = 0; l < DUN_LANES; l++)
      CHECK_NEAR(p.lp[l], lp[l], 1e-13 * fabs(lp[l]));
    path_close(&fixture);
  }
}

/* -inf times 0 counts as 0; NaN and +inf count as outside. */
static void silent_parts(void)
{
  struct fixture fixture;
  struct dun_run *run = path_run(&fixture, 0);
  static struct points p;
  for (int l = 0; l < DUN_LANES; l++) {
    p.part[l] = -1;
    p.part[DUN_LANES + l] = l % 3 == 0 ? -INFINITY : l % 3 == 1 ? NAN : INFINITY;
    p.time[l] = 0;
  }
  dun_path_combine(run->path, run->path_self, p.time, p.part, p.lp);
  for (int l = 0; l < DUN_LANES; l++) {
    CHECK(p.lp[l] == -1);
    p.time[l] = .5;
  }
  dun_path_combine(run->path, run->path_self, p.time, p.part, p.lp);
  for (int l = 0; l < DUN_LANES; l++)
    CHECK(p.lp[l] == -INFINITY);
  path_close(&fixture);
}

TEST_MAIN({"every_path_has_settings", every_path_has_settings},
          {"gradient_is_the_derivative", gradient_is_the_derivative}, {"ends_match", ends_match},
          {"silent_parts", silent_parts})
