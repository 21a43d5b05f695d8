/* ranks: 1 2 */
/* Contract of every registered field: means, log masses and spreads against sums over a fine grid
 * of the target's density, draws and classes against the means, the same bits in any company. */
#include "base/memory.h"
#include "check.h"
#include "fields/field.h"
#include "made_part.h"
#include "population/tile.h"
#include "subject.h"

/* Two modes of different width and weight, within 7 of the origin. */
static const char *const two = "type: gaussian_mixture, means: [[-2, 0], [1, 1]], weights: [.3, "
                               ".7], scales: [.5, .8], log_evidence: -3";

static const struct {
  const char *name, *options;
  double tolerance; /* of means; of log masses and spreads ten times that */
  double least;     /* lambda that it is for, but for 0 */
} settings[] = {
    {"exact", "type: exact", 1e-10, 0},
    {"grid", "type: grid, half_width: 6, center: [.5, -.5], cells: 96", 4e-3, 0},
    {"grid", "type: grid, half_width: 6, center: [.5, -.5], cells: 96, distributed: yes", 4e-3, 0},
    {"monte_carlo",
     "type: monte_carlo, samples: 4000, crossover: .7, begin: {mean: [.1, .7], scale: 2}", .05, .5},
    {"monte_carlo",
     "type: monte_carlo, samples: 4000, estimator: dsi, begin: {mean: [.1, .7], scale: 2}", .1, .5},
    {"mcmc", "type: mcmc, chains: 16, moves: 1000, warm_up: 1", .2, .5},
};
enum { SETTINGS = sizeof settings / sizeof *settings, D = 2, SIDE = 321, TILTS = 5 };

static const double lambdas[TILTS] = {0, .01, .5, 4, 100};

struct case_of {
  struct subject target;
  struct made_part made;
  const struct dun_field *field;
  void *self;
  unsigned gives;
  double tolerance, least;
  double *memory; /* [remembers][64]; owned */
};

struct tile {
  double h[D * L] __attribute__((aligned(64))), mean[D * L] __attribute__((aligned(64)));
  double draw[D * L] __attribute__((aligned(64))), lambda[L] __attribute__((aligned(64)));
  double mass[L] __attribute__((aligned(64))), spread[L] __attribute__((aligned(64)));
};

static char why[1024];
static struct tile t;
static double density[SIDE * SIDE]; /* log, at the points of the grid */

static double place(int i)
{
  return 14. * i / (SIDE - 1) - 7;
}

static void open(struct case_of *c, int i)
{
  if (subject_open(&test_context, &c->target, two, why) < 0 ||
      made_part_open(&test_context, &c->made, DUN_KIND_FIELD, settings[i].options, why) < 0) {
    fprintf(stderr, "%s: %s\n", settings[i].options, why);
    MPI_Abort(test_context.comm, 1);
  }
  c->field = (const struct dun_field *)c->made.part.type;
  c->self = c->made.part.self;
  c->tolerance = settings[i].tolerance;
  c->least = settings[i].least;
  CHECK(c->field->init(&test_context, c->self, &c->target.evaluator, lambdas[1]) == 0);
  c->gives = c->field->gives ? c->field->gives(c->self) : 0;
  c->memory = dun_allocate(DUN_FIELD_REMEMBERS(c->field, c->self) * L, sizeof *c->memory);
}

static void each(void (*run)(struct case_of *c))
{
  for (int i = 0; i < SETTINGS; i++) {
    static struct case_of c;
    open(&c, i);
    run(&c);
    made_part_close(&c.made);
    subject_close(&c.target);
    DUN_FREE(c.memory);
  }
}

/* Points seen through the noise of a lambda. */
static void fill(struct case_of *c, int tilt)
{
  double lambda = lambdas[tilt];
  struct subject *s = &c->target;
  subject_numbers(s, tilt);
  s->target->draw(s->self, s->uniform, s->normal, s->x);
  subject_numbers(s, 100 + tilt);
  for (int i = 0; i < D * L; i++)
    t.h[i] = lambda * s->x[i] + sqrt(lambda) * s->normal[i];
  for (int l = 0; l < L; l++)
    t.lambda[l] = lambda;
  if (c->field->prepare)
    CHECK(c->field->prepare(&test_context, c->self, lambda) >= 0);
}

static struct dun_field_call call_of(const struct case_of *c)
{
  return (struct dun_field_call){.n = L,
                                 .h = t.h,
                                 .lambda = t.lambda,
                                 .address = {.seed = 5},
                                 .label = -1,
                                 .mean = t.mean,
                                 .memory = c->memory,
                                 .log_mass = c->gives & DUN_TILTED_MASS ? t.mass : NULL,
                                 .spread = c->gives & DUN_TILTED_SPREAD ? t.spread : NULL};
}

/* By rows where the tables are spread over the ranks; with a memory of nothing. */
static void ask(struct case_of *c, const struct dun_field_call *call)
{
  double h[D * L], mean[D * L];
  memset(c->memory, 0, (size_t)DUN_FIELD_REMEMBERS(c->field, c->self) * L * sizeof *c->memory);
  if (!c->field->spread_out || !c->field->spread_out(c->self)) {
    c->field->value(c->self, call);
    return;
  }
  dun_rows_from_columns(L, D, call->h, h);
  CHECK(c->field->rows(&test_context, c->self, L, h, mean) == 0);
  dun_columns_from_rows(L, D, mean, call->mean);
}

static void make_density(const struct subject *s)
{
  static double x[D * L] __attribute__((aligned(64))), lp[L] __attribute__((aligned(64)));
  for (int i = 0; i < SIDE; i++)
    for (int first = 0; first < SIDE; first += L) {
      for (int l = 0; l < L; l++) {
        x[l] = place(i);
        x[L + l] = place(first + l);
      }
      s->target->columns(s->self, x, lp, NULL, NULL, s->evaluator.work);
      for (int l = 0; l < L && first + l < SIDE; l++)
        density[i * SIDE + first + l] = lp[l];
    }
}

/* Mean, log mass and spread of lane l by sums. */
static void sums(int l, double mean[D], double *mass, double *spread)
{
  double total = 0, first[D] = {0}, second = 0, step = place(1) - place(0);
  for (int i = 0; i < SIDE; i++)
    for (int j = 0; j < SIDE; j++) {
      double x = place(i), y = place(j), square = x * x + y * y;
      double w =
          exp(density[i * SIDE + j] + t.h[l] * x + t.h[L + l] * y - .5 * t.lambda[l] * square);
      total += w;
      first[0] += w * x;
      first[1] += w * y;
      second += w * square;
    }
  for (int j = 0; j < D; j++)
    mean[j] = first[j] / total;
  *mass = log(total * step * step);
  *spread = second / total - mean[0] * mean[0] - mean[1] * mean[1];
}

static void values_are_sums(struct case_of *c)
{
  make_density(&c->target);
  for (int tilt = 0; tilt < TILTS; tilt++) {
    if (lambdas[tilt] > 0 && lambdas[tilt] < c->least)
      continue;
    fill(c, tilt);
    struct dun_field_call call = call_of(c);
    ask(c, &call);
    for (int l = 0; l < L; l += 5) {
      double mean[D], mass, spread;
      sums(l, mean, &mass, &spread);
      for (int j = 0; j < D; j++)
        CHECK_NEAR(t.mean[j * L + l], mean[j], c->tolerance * (1 + sqrt(spread)));
      if (call.log_mass)
        CHECK_NEAR(t.mass[l], mass, 10 * c->tolerance * (1 + fabs(mass)));
      if (call.spread)
        CHECK_NEAR(t.spread[l], spread, 10 * c->tolerance);
    }
  }
}

static void values_are_the_sums(void)
{
  each(values_are_sums);
}

/* The mean of a lane does not depend on how many there are, nor on what else is asked. */
static void bits_are_the_same(struct case_of *c)
{
  struct tile all;
  fill(c, 2);
  struct dun_field_call call = call_of(c);
  ask(c, &call);
  all = t;
  for (int i = 0; i < D * L; i++)
    t.h[i] = t.h[i / L * L + i % L % 7];
  call.n = 7;
  call.log_mass = call.spread = NULL;
  ask(c, &call);
  for (int j = 0; j < D; j++)
    for (int l = 0; l < 7; l++)
      CHECK(t.mean[j * L + l] == all.mean[j * L + l]);
}

static void bits_do_not_depend_on_company(void)
{
  each(bits_are_the_same);
}

/* 5 standard errors, 128 comparisons. */
static void draws_have_mean(struct case_of *c)
{
  enum { DRAWS = 1000 };
  double sum[D * L] = {0};
  if (!(c->gives & DUN_TILTED_DRAW) || c->field->remembers) /* test_chain_fields.c */
    return;
  fill(c, 2);
  struct dun_field_call call = call_of(c);
  call.draw = t.draw;
  for (int k = 0; k < DRAWS; k++) {
    call.address.step = (uint32_t)k;
    ask(c, &call);
    for (int i = 0; i < D * L; i++)
      sum[i] += (t.draw[i] - t.mean[i]) / DRAWS;
  }
  for (int i = 0; i < D * L; i++)
    CHECK_NEAR(sum[i], 0, 5 * sqrt(t.spread[i % L] / DRAWS));
}

static void draws_have_the_mean(void)
{
  each(draws_have_mean);
}

/* The whole is the mixture of its classes. */
static void classes_add(struct case_of *c)
{
  double mean[D * L] = {0}, mass[L] = {0};
  int labels = c->field->labels ? c->field->labels(c->self) : 0;
  if (labels == 0 || !(c->gives & DUN_TILTED_MASS))
    return;
  CHECK(labels == 2);
  fill(c, 2);
  struct dun_field_call call = call_of(c);
  for (call.label = 0; call.label < labels; call.label++) {
    ask(c, &call);
    for (int i = 0; i < D * L; i++)
      mean[i] += exp(t.mass[i % L]) * t.mean[i];
    for (int l = 0; l < L; l++)
      mass[l] += exp(t.mass[l]);
  }
  call.label = -1;
  ask(c, &call);
  for (int i = 0; i < D * L; i++) {
    CHECK_NEAR(mean[i] / mass[i % L], t.mean[i], 1e-11);
    CHECK_NEAR(mass[i % L] / exp(t.mass[i % L]), 1, 1e-11);
  }
}

static void classes_add_up(void)
{
  each(classes_add);
}

static void every_field_has_settings(void)
{
  for (const struct dun_type *const *type = dun_registry(DUN_KIND_FIELD); *type; type++) {
    /* Of points that are few, of spins, of what is seen itself, of what was learned:
     * test_observations.c, test_message_passing.c, test_window.c, app/test_training.py. */
    int found = !strcmp((*type)->name, "atoms") || !strcmp((*type)->name, "amp") ||
                !strcmp((*type)->name, "window") || !strncmp((*type)->name, "network", 7) ||
                !strcmp((*type)->name, "split");
    for (int i = 0; i < SETTINGS; i++)
      found |= !strcmp(settings[i].name, (*type)->name);
    CHECK(found);
  }
}

static void refuse(const char *target, const char *field, const char *part)
{
  struct subject s;
  struct made_part made;
  CHECK(subject_open(&test_context, &s, target, why) == 0);
  CHECK(made_part_open(&test_context, &made, DUN_KIND_FIELD, field, why) == 0);
  const struct dun_field *f = (const struct dun_field *)made.part.type;
  CHECK(f->init(&test_context, made.part.self, &s.evaluator, 1) == DUN_ERROR_INPUT);
  if (!strstr(dun_error_text(), part)) {
    fprintf(stderr, "%s: %s\n", field, dun_error_text());
    CHECK(!"told");
  }
  made_part_close(&made);
  subject_close(&s);
}

static void what_cannot_be_is_refused(void)
{
  const char *funnel = "type: funnel, dimension: 4";
  refuse(funnel, "type: exact", "no closed form");
  refuse(funnel, "type: grid, half_width: 3", "at most 3 dimensions");
  refuse(two, "type: grid, half_width: [3, 3, 3]", "half_width: found 3 numbers");
  refuse(two, "type: grid, half_width: 1", "half_width: ");
  refuse(two, "type: grid, half_width: 20, cells: 20", "cells: ");
  refuse(two, "type: grid, half_width: 6, padding: 1", "padding: ");
  refuse("type: gaussian, dimension: 1", "type: grid, half_width: 6, distributed: yes",
         "distributed: ");
  refuse(two, "type: monte_carlo, samples: 1e8", "samples: ");
  refuse(two, "type: window", "observation linear");
  refuse(two, "type: monte_carlo, begin: {mean: [1, 2, 3]}", "begin.mean");
  refuse("type: ising_chain, dimension: 4", "type: mcmc", "is of reals");
  refuse("type: gaussian, dimension: 10000", "type: mcmc, chains: 4000", "chains: ");
}

/* A normal of variance 2 whose tilted mean is that of variance 1, or its own. */
static int variance_of_means;

static double wide_normal(const void *self, const double *x, double *gradient)
{
  (void)self;
  if (gradient)
    gradient[0] = -.5 * x[0];
  return -.25 * x[0] * x[0];
}

static int wide_tilted(const void *self, const struct dun_tilted *tilted, double *work)
{
  (void)self;
  (void)work;
  for (int l = 0; l < L; l++)
    tilted->mean[l] = tilted->h[l] / (1. / variance_of_means + tilted->lambda[l]);
  return 0;
}

static void closed_forms_of_other_targets_are_refused(void)
{
  static const struct dun_target target = {
      .type = {DUN_TYPE(struct dun_target), .name = "wide", .doc = "A normal."},
      .dimension = 1,
      .point = wide_normal,
      .tilted = wide_tilted};
  struct dun_evaluator evaluator;
  struct made_part made;
  CHECK(dun_evaluator_init(&evaluator, &target, NULL) == 0);
  CHECK(made_part_open(&test_context, &made, DUN_KIND_FIELD, "type: exact", why) == 0);
  const struct dun_field *f = (const struct dun_field *)made.part.type;
  variance_of_means = 1;
  CHECK(f->init(&test_context, made.part.self, &evaluator, 1) == DUN_ERROR_INPUT);
  CHECK(strstr(dun_error_text(), "not that of its density") != NULL);
  variance_of_means = 2;
  CHECK(f->init(&test_context, made.part.self, &evaluator, 1) == 0);
  CHECK(evaluator.evaluations == 0);
  made_part_close(&made);
  dun_evaluator_free(&evaluator);
}

TEST_MAIN({"every_field_has_settings", every_field_has_settings},
          {"values_are_the_sums", values_are_the_sums},
          {"bits_do_not_depend_on_company", bits_do_not_depend_on_company},
          {"draws_have_the_mean", draws_have_the_mean}, {"classes_add_up", classes_add_up},
          {"what_cannot_be_is_refused", what_cannot_be_is_refused},
          {"closed_forms_of_other_targets_are_refused", closed_forms_of_other_targets_are_refused})
