/* Contract of `tilted`, of every registered target that has it: the log mass against quadrature in
 * one dimension, everything else against differences of the log mass, draws against the mean, 5
 * standard errors, 1 comparison a coordinate. */
#include "base/random.h"
#include "check.h"
#include "subject.h"
#include <math.h>

static const struct {
  const char *name, *options;
} settings[] = {
    {"gaussian", "type: gaussian, dimension: 1, mean: 0.4, covariance: {type: diagonal, variances: "
                 "2}, log_evidence: 1.7"},
    {"gaussian",
     "type: gaussian, dimension: 3, mean: [1, -2, 30], covariance: {scale: [1, 2, .5]}"},
    {"gaussian", "type: gaussian, dimension: 5, mean: [1, -2, 3, 0, 2], log_evidence: -2, "
                 "covariance: {type: toeplitz, correlation: -.8, scale: [1, 2, .5, 1, 3]}"},
    {"gaussian", "type: gaussian, dimension: 3, mean: [1, -2, 30], "
                 "covariance: {type: dense, file: covariance3.csv, scale: [1, 2, .5]}"},
    {"gaussian_mixture", "type: gaussian_mixture, means: [[-3], [1], [1.5]], weights: [.5, .2, "
                         ".3], scales: [1, .5, 2], log_evidence: 1.7"},
    {"gaussian_mixture",
     "type: gaussian_mixture, layout: two_modes, dimension: 6, separation: 1, scales: [.7, 1.1]"},
    {"gaussian_mixture", "type: gaussian_mixture, layout: grid, points_per_axis: 3, shift: [4, 0]"},
    {"gaussian_mixture", "type: gaussian_mixture, layout: forty, scales: 4"},
    {"gaussian_field", "type: gaussian_field, side: 7, axes: 1, mean: .5, mass: .3"},
    {"gaussian_field", "type: gaussian_field, side: [2, 4], scale: 2, power: 2"},
    {"coloured_texture", "type: coloured_texture, side: 1, colours: [[1], [-2]], weights: [3, 1]"},
    {"coloured_texture", "type: coloured_texture, side: [2, 4], colours: [[.5], [-1], [0]]"},
    {"coloured_texture", "type: coloured_texture, side: 2, colours: [[1, .5], [-1, 0]], weights: "
                         "[.3, .7], mass: .5, shift: .2"},
    {"image_set", "type: image_set, side: 4, images: 30, noise: .3"},
};
enum { SETTINGS = sizeof settings / sizeof *settings, MOST = 16 };

struct tilt {
  double h[MOST * DUN_LANES] __attribute__((aligned(64)));
  double mean[MOST * DUN_LANES] __attribute__((aligned(64)));
  double draw[MOST * DUN_LANES] __attribute__((aligned(64)));
  double lambda[DUN_LANES] __attribute__((aligned(64)));
  double mass[DUN_LANES] __attribute__((aligned(64)));
  double spread[DUN_LANES] __attribute__((aligned(64)));
  double scale[MOST];
};

static struct tilt t;
static char why[1024];

static void fill(const struct subject *s)
{
  for (int i = 0; i < s->d * DUN_LANES; i++)
    t.h[i] = 2 * sin(1 + 3 * i);
  for (int l = 0; l < DUN_LANES; l++)
    t.lambda[l] = l % 8 == 0 ? 0 : exp(.2 * (l - 32));
  for (int j = 0; j < s->d; j++)
    t.scale[j] = 1 + .5 * j;
}

/* With what the target gives of it. */
static void ask(const struct subject *s, const double *normal, const double *uniform)
{
  unsigned tilts = s->target->tilts;
  struct dun_tilted request = {.n = DUN_LANES,
                               .h = t.h,
                               .lambda = t.lambda,
                               .scale = tilts & DUN_TILTED_SCALE ? t.scale : NULL,
                               .mean = t.mean,
                               .log_mass = tilts & DUN_TILTED_MASS ? t.mass : NULL,
                               .spread = tilts & DUN_TILTED_SPREAD ? t.spread : NULL,
                               .draw = normal && tilts & DUN_TILTED_DRAW ? t.draw : NULL,
                               .uniform = uniform,
                               .normal = normal};
  CHECK(s->target->tilted(s->self, &request, s->evaluator.work) == 0);
}

/* Sum over a fine grid of one coordinate. */
static void mass_is_the_integral(const struct subject *s)
{
  static double x[DUN_LANES] __attribute__((aligned(64))),
      lp[DUN_LANES] __attribute__((aligned(64)));
  const double step = 1. / 64;
  double sum[DUN_LANES] = {0}, scale = s->target->tilts & DUN_TILTED_SCALE ? t.scale[0] : 1;
  fill(s);
  ask(s, NULL, NULL);
  for (int block = -64; block < 64; block++) {
    for (int l = 0; l < DUN_LANES; l++)
      x[l] = step * (block * DUN_LANES + l);
    s->target->columns(s->self, x, lp, NULL, NULL, s->evaluator.work);
    for (int k = 0; k < DUN_LANES; k++)
      for (int l = 0; l < DUN_LANES; l++)
        sum[k] +=
            step * exp(lp[l] + t.h[k] * x[l] - .5 * t.lambda[k] * scale * x[l] * x[l] - t.mass[k]);
  }
  for (int k = 0; k < DUN_LANES; k++)
    CHECK_NEAR(sum[k], 1, 1e-9);
}

/* The log mass with one number changed by `by` in every lane; its difference to `before`. */
static void change(const struct subject *s, double *number, double by, double *mass)
{
  for (int l = 0; l < DUN_LANES; l++)
    number[l] += by;
  ask(s, NULL, NULL);
  for (int l = 0; l < DUN_LANES; l++) {
    mass[l] = t.mass[l];
    number[l] -= by;
  }
}

static void moments_are_derivatives(const struct subject *s)
{
  double up[DUN_LANES], down[DUN_LANES], square[DUN_LANES] = {0}, spread[DUN_LANES] = {0};
  static struct tilt here;
  fill(s);
  ask(s, NULL, NULL);
  here = t;
  for (int j = 0; j < s->d; j++) {
    double *h = t.h + j * DUN_LANES, scale = s->target->tilts & DUN_TILTED_SCALE ? t.scale[j] : 1;
    change(s, h, 1e-3, up);
    change(s, h, -1e-3, down);
    for (int l = 0; l < DUN_LANES; l++) {
      double mean = here.mean[j * DUN_LANES + l], size = 1 + fabs(mean);
      double variance = (up[l] - 2 * here.mass[l] + down[l]) / 1e-6;
      double third = here.spread[l] * sqrt(here.spread[l]); /* differences are off by its like */
      CHECK_NEAR((up[l] - down[l]) / 2e-3, mean, 1e-7 * size + 1e-6 * third);
      spread[l] += variance;
      square[l] += scale * (variance + mean * mean);
    }
  }
  change(s, t.lambda, 1e-5, up);
  for (int l = 0; l < DUN_LANES; l++) {
    double fourth = here.spread[l] * here.spread[l];
    CHECK_NEAR(here.spread[l], spread[l], 1e-4 * (1 + fabs(here.mass[l])) + 1e-5 * fourth);
    CHECK_NEAR((up[l] - here.mass[l]) / 1e-5, -.5 * square[l], 1e-2 * (1 + square[l]));
  }
}

static void untilted_is_the_target(const struct subject *s)
{
  fill(s);
  memset(t.h, 0, sizeof t.h);
  memset(t.lambda, 0, sizeof t.lambda);
  ask(s, NULL, NULL);
  for (int l = 0; l < DUN_LANES; l++)
    CHECK_NEAR(t.mass[l], s->target->log_evidence(s->self), 1e-12);
}

/* Points seen through next to no noise have the mass of the noise about them times the density. */
static void clear_sight_shows_the_density(const struct subject *s)
{
  const double lambda = 1e6;
  double lp[DUN_LANES] __attribute__((aligned(64)));
  double *x = s->x, peak[DUN_LANES] = {0};
  s->target->draw(s->self, s->uniform, s->normal, x);
  fill(s);
  for (int i = 0; i < s->d * DUN_LANES; i++) {
    double precision = lambda * (s->target->tilts & DUN_TILTED_SCALE ? t.scale[i / DUN_LANES] : 1);
    t.h[i] = precision * x[i];
    peak[i % DUN_LANES] += .5 * (precision * x[i] * x[i] - log(precision / (2 * M_PI)));
  }
  for (int l = 0; l < DUN_LANES; l++)
    t.lambda[l] = lambda;
  ask(s, NULL, NULL);
  s->target->columns(s->self, x, lp, NULL, NULL, s->evaluator.work);
  for (int l = 0; l < DUN_LANES; l++)
    CHECK_NEAR(t.mass[l], lp[l] + peak[l], 1e-3);
}

static void draws_have_the_mean(const struct subject *s)
{
  enum { DRAWS = 2000 };
  static double uniform[MOST * DUN_LANES] __attribute__((aligned(64)));
  static double normal[MOST * DUN_LANES] __attribute__((aligned(64))), sum[MOST * DUN_LANES];
  double square[DUN_LANES] = {0};
  memset(sum, 0, sizeof sum);
  fill(s);
  for (int k = 0; k < DRAWS; k++) {
    struct dun_address address = {.seed = 3, .purpose = DUN_PURPOSE_TEST, .step = (uint32_t)k};
    dun_normals(address, MOST, normal);
    address.tile = 1;
    dun_uniforms(address, MOST, uniform);
    ask(s, normal, uniform);
    for (int i = 0; i < s->d * DUN_LANES; i++) {
      double away = t.draw[i] - t.mean[i];
      sum[i] += away / DRAWS;
      square[i % DUN_LANES] += away * away / DRAWS;
    }
  }
  for (int i = 0; i < s->d * DUN_LANES; i++)
    CHECK_NEAR(sum[i], 0, 5 * sqrt(square[i % DUN_LANES] / DRAWS));
  for (int l = 0; l < DUN_LANES; l++)
    CHECK_NEAR(square[l] / t.spread[l], 1, 5 * sqrt(2. / DRAWS));
}

static void tilted_laws_are_right(void)
{
  for (size_t i = 0; i < SETTINGS; i++) {
    struct subject s;
    CHECK(subject_open(&test_context, &s, settings[i].options, why) == 0);
    CHECK(s.d <= MOST && s.target->tilted);
    untilted_is_the_target(&s);
    if (s.target->tilts & DUN_TILTED_MASS && s.d == 1)
      mass_is_the_integral(&s);
    if (s.target->tilts & DUN_TILTED_MASS) {
      moments_are_derivatives(&s);
      subject_numbers(&s, 1);
      clear_sight_shows_the_density(&s);
    }
    if (s.target->tilts & DUN_TILTED_DRAW)
      draws_have_the_mean(&s);
    subject_close(&s);
  }
}

static void every_target_has_settings(void)
{
  for (const struct dun_type *const *type = dun_registry(DUN_KIND_TARGET); *type; type++) {
    const struct dun_target *target = (const struct dun_target *)*type;
    int found = !target->tilted || target->support != DUN_REALS; /* test_letters.c */
    for (size_t i = 0; i < SETTINGS; i++)
      found |= !strcmp(settings[i].name, (*type)->name);
    CHECK(found);
  }
}

TEST_MAIN({"every_target_has_settings", every_target_has_settings},
          {"tilted_laws_are_right", tilted_laws_are_right})
