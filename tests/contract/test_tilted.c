/* Contract of `tilted`, of every registered target that has it: the log mass against quadrature in
 * one dimension, everything else against differences of the log mass, draws against the mean, 5
 * standard errors, 1 comparison a coordinate; and all that once more under the tilt of a matrix,
 * where the target takes one, 2 comparisons a lane. */
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

/* ---- matrices -------------------------------------------------------------------------------- */

enum { ENTRIES = MOST * (MOST + 1) / 2 };
static double matrix[ENTRIES * DUN_LANES] __attribute__((aligned(64)));
static double covariance[ENTRIES * DUN_LANES] __attribute__((aligned(64)));

static void ask_matrix(const struct subject *s, const double *normal, const double *uniform)
{
  static double spare[ENTRIES * DUN_LANES] __attribute__((aligned(64)));
  unsigned tilts = s->target->tilts;
  struct dun_tilted request = {.n = DUN_LANES,
                               .h = t.h,
                               .lambda = t.lambda,
                               .mean = t.mean,
                               .log_mass = tilts & DUN_TILTED_MASS ? t.mass : NULL,
                               .spread = tilts & DUN_TILTED_SPREAD ? t.spread : NULL,
                               .draw = normal && tilts & DUN_TILTED_DRAW ? t.draw : NULL,
                               .uniform = uniform,
                               .normal = normal,
                               .precision = matrix,
                               .covariance = covariance,
                               .spare = spare};
  CHECK(s->target->tilted(s->self, &request, s->evaluator.work) == 0);
}

/* lambda on the diagonal, and `off` of a square of numbers about 0. */
static void fill_matrix(const struct subject *s, double off)
{
  for (int i = 0, e = 0; i < s->d; i++)
    for (int j = 0; j <= i; j++, e++)
      for (int l = 0; l < DUN_LANES; l++)
        matrix[e * DUN_LANES + l] = (i == j ? t.lambda[l] : 0) + off * cos(2 + 3 * i + l) *
                                                                     cos(2 + 3 * j + l) *
                                                                     (1 + t.lambda[l]);
}

/* Of a multiple of 1 it is the law of lambda. */
static void multiples_are_lambda(const struct subject *s)
{
  static struct tilt here;
  unsigned tilts = s->target->tilts;
  fill(s);
  for (int j = 0; j < s->d; j++)
    t.scale[j] = 1;
  ask(s, NULL, NULL);
  here = t;
  memset(t.mean, 0, sizeof t.mean);
  fill_matrix(s, 0);
  ask_matrix(s, NULL, NULL);
  for (int i = 0; i < s->d * DUN_LANES; i++)
    CHECK_NEAR(t.mean[i], here.mean[i], 1e-11 * (1 + fabs(here.mean[i])));
  for (int l = 0; l < DUN_LANES; l++) {
    double size = 1 + fabs(here.mass[l]) + fabs(here.mean[l] * t.h[l]);
    CHECK(!(tilts & DUN_TILTED_MASS) || fabs(t.mass[l] - here.mass[l]) < 1e-11 * size);
    CHECK(!(tilts & DUN_TILTED_SPREAD) || fabs(t.spread[l] / here.spread[l] - 1) < 1e-10);
  }
}

/* How means and log mass change with h, and the log mass with the matrix. */
static void matrices_have_their_moments(const struct subject *s)
{
  static struct tilt here, up;
  static double open[ENTRIES * DUN_LANES];
  const double by = 1e-3;
  fill(s);
  fill_matrix(s, .7);
  ask_matrix(s, NULL, NULL);
  here = t;
  memcpy(open, covariance, sizeof open);
  for (int i = 0; i < s->d; i++)
    for (int k = 1; k >= -1; k -= 2) {
      for (int l = 0; l < DUN_LANES; l++)
        t.h[i * DUN_LANES + l] += k * (k > 0 ? by : 2 * by);
      ask_matrix(s, NULL, NULL);
      if (k > 0)
        up = t;
      for (int l = 0; l < DUN_LANES && k < 0; l++) {
        double third = here.spread[l] * sqrt(here.spread[l]), fourth = third * sqrt(third);
        double mean = here.mean[i * DUN_LANES + l];
        t.h[i * DUN_LANES + l] += by;
        CHECK_NEAR((up.mass[l] - t.mass[l]) / (2 * by), mean, 1e-6 * (1 + fabs(mean) + third));
        for (int j = 0; j <= i; j++) {
          double slope = (up.mean[j * DUN_LANES + l] - t.mean[j * DUN_LANES + l]) / (2 * by);
          CHECK_NEAR(open[(i * (i + 1) / 2 + j) * DUN_LANES + l], slope,
                     1e-6 * (1 + fabs(mean) + fourth));
        }
      }
    }
  for (int i = 0, e = 0; i < s->d; i++)
    for (int j = 0; j <= i; j++, e++) {
      double *entry = matrix + e * DUN_LANES;
      for (int l = 0; l < DUN_LANES; l++)
        entry[l] += 1e-6;
      ask_matrix(s, NULL, NULL);
      for (int l = 0; l < DUN_LANES; l++) {
        double square =
            open[e * DUN_LANES + l] + here.mean[i * DUN_LANES + l] * here.mean[j * DUN_LANES + l];
        entry[l] -= 1e-6;
        CHECK_NEAR((t.mass[l] - here.mass[l]) / 1e-6, (i == j ? -.5 : -1) * square,
                   1e-3 * (1 + fabs(square) + here.spread[l] * here.spread[l]));
      }
    }
}

/* Along a direction that no entry has to itself. */
static double along(const struct subject *s, int lane, const double *x)
{
  double sum = 0;
  for (int j = 0; j < s->d; j++)
    sum += cos(1 + 2 * j) * x[j * DUN_LANES + lane];
  return sum;
}

static void draws_have_the_covariance(const struct subject *s)
{
  enum { DRAWS = 2000 };
  static double uniform[MOST * DUN_LANES] __attribute__((aligned(64)));
  static double normal[MOST * DUN_LANES] __attribute__((aligned(64)));
  double sum[DUN_LANES] = {0}, square[DUN_LANES] = {0}, fourth[DUN_LANES] = {0};
  fill(s);
  fill_matrix(s, .7);
  for (int k = 0; k < DRAWS; k++) {
    struct dun_address address = {.seed = 4, .purpose = DUN_PURPOSE_TEST, .step = (uint32_t)k};
    dun_normals(address, MOST, normal);
    address.tile = 1;
    dun_uniforms(address, MOST, uniform);
    ask_matrix(s, normal, uniform);
    for (int l = 0; l < DUN_LANES; l++) {
      double away = along(s, l, t.draw) - along(s, l, t.mean);
      sum[l] += away / DRAWS;
      square[l] += away * away / DRAWS;
      fourth[l] += away * away * away * away / DRAWS;
    }
  }
  for (int l = 0; l < DUN_LANES; l++) {
    double due = 0;
    for (int i = 0; i < s->d; i++)
      for (int j = 0; j < s->d; j++)
        due += cos(1 + 2 * i) * cos(1 + 2 * j) *
               covariance[(i > j ? i * (i + 1) / 2 + j : j * (j + 1) / 2 + i) * DUN_LANES + l];
    CHECK_NEAR(sum[l], 0, 5 * sqrt(due / DRAWS));
    CHECK_NEAR(square[l], due, 5 * sqrt((fourth[l] - square[l] * square[l]) / DRAWS));
  }
}

static void matrices_are_right(void)
{
  int found = 0;
  for (size_t i = 0; i < SETTINGS; i++) {
    struct subject s;
    CHECK(subject_open(&test_context, &s, settings[i].options, why) == 0);
    if (s.target->tilts & DUN_TILTED_MATRIX) {
      multiples_are_lambda(&s);
      matrices_have_their_moments(&s);
      draws_have_the_covariance(&s);
      found++;
    }
    subject_close(&s);
  }
  CHECK(found >= 8);
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
          {"tilted_laws_are_right", tilted_laws_are_right},
          {"matrices_are_right", matrices_are_right})
