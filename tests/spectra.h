/* A window field made for a test, and what follows from its answers alone: spectra of the images of
 * a Gaussian field by Euler steps, with and without a global average, beside known ones, which are
 * printed. */
#ifndef DUNLIN_TESTS_SPECTRA_H
#define DUNLIN_TESTS_SPECTRA_H

#include "check.h"
#include "fields/field.h"
#include "made_part.h"
#include "subject.h"
#include <math.h>

static char why[1024];

struct case_of {
  struct subject target;
  struct made_part made;
  const struct dun_field *field;
  void *self;
  struct dun_features features;
};

static inline void open(struct case_of *c, const char *target, const char *field)
{
  CHECK(subject_open(&test_context, &c->target, target, why) == 0);
  CHECK(made_part_open(&test_context, &c->made, DUN_KIND_FIELD, field, why) == 0);
  c->field = (const struct dun_field *)c->made.part.type;
  c->self = c->made.part.self;
}

static inline void start(struct case_of *c)
{
  CHECK(c->field->show(c->self, &c->features) == 0);
  CHECK(c->field->init(&test_context, c->self, &c->target.evaluator, 1) == 0);
}

static inline void finish(struct case_of *c)
{
  made_part_close(&c->made);
  subject_close(&c->target);
}

static inline void ask(const struct case_of *c, double t, const double *seen, double *mean)
{
  c->field->value(c->self, &(struct dun_field_call){
                               .n = L, .label = -1, .seen = seen, .time = t, .mean = mean});
}

/* ---- spectra ------------------------------------------------------------------------------------
 * */

enum { SIDE = 64, PIXELS = SIDE * SIDE, TIMES = 400, FIGURES = 6 };

static const struct sampler {
  const char *name;
  int radius;            /* -1: the whole posterior */
  double gain;           /* of the average, in roots of n; 0: none */
  double known[FIGURES]; /* variance, correlations at 1, 4, 8, 32, power of the wave 0 */
} samplers[] = {
    {"all of the image", -1, 0, {.975, .855, .803, .802, .802, .977}},
    {"window of 1", 1, 0, {.522, .644, .066, .000, .000, .002}},
    {"window of 2", 2, 0, {.478, .676, .271, .039, .000, .006}},
    {"window of 4", 4, 0, {.426, .661, .449, .240, .000, .020}},
    {"average, window of 1", 1, 1, {.965, .853, .801, .801, .801, .966}},
    {"average, window of 2", 2, 1, {.962, .853, .800, .799, .799, .961}},
    {"average at 4, window of 2", 2, 4, {.882, .840, .782, .781, .781, .862}},
};
enum { SAMPLERS = sizeof samplers / sizeof *samplers, WINDOW_OF_1 = 1, AVERAGE_AND_2 = 5 };

static double cosine[SIDE][SIDE];

static inline void make_cosines(void)
{
  for (int k = 0; k < SIDE; k++)
    for (int i = 0; i < SIDE; i++)
      cosine[k][i] = cos(2 * M_PI * (k * i % SIDE) / SIDE);
}

/* out[k] = sum of in[i] cos(k i) along both axes. */
static inline void transform(const double *in, double *out)
{
  static double half[PIXELS];
  for (int i = 0; i < SIDE; i++)
    for (int k = 0; k < SIDE; k++) {
      half[i * SIDE + k] = 0;
      for (int j = 0; j < SIDE; j++)
        half[i * SIDE + k] += cosine[k][j] * in[i * SIDE + j];
    }
  for (int k = 0; k < SIDE; k++)
    for (int j = 0; j < SIDE; j++) {
      out[k * SIDE + j] = 0;
      for (int i = 0; i < SIDE; i++)
        out[k * SIDE + j] += cosine[k][i] * half[i * SIDE + j];
    }
}

/* What the means answer to one pixel at time t, wave by wave, and at each pixel to the average. */
static inline double answer(const struct case_of *c, const struct sampler *s, double t,
                            double *wave)
{
  static double seen[(PIXELS + 1) * L] __attribute__((aligned(64)));
  static double mean[PIXELS * L] __attribute__((aligned(64))), one[PIXELS];
  double lambda[L] __attribute__((aligned(64)));
  for (int l = 0; l < L; l++)
    lambda[l] = t;
  seen[0] = seen[PIXELS * L + 1] = 1;
  if (s->radius < 0)
    CHECK(dun_evaluator_tilted(
              &c->target.evaluator,
              &(struct dun_tilted){.n = L, .h = seen, .lambda = lambda, .mean = mean}) == 0);
  else
    ask(c, t, seen, mean);
  for (int i = 0; i < PIXELS; i++)
    one[i] = mean[i * L];
  transform(one, wave);
  return s->gain > 0 ? mean[1] : 0;
}

/* The covariance of the mean pixel and what is seen of the average, a step on. */
static inline void step_global(double v[3], double length, double sum, double w, double gain)
{
  double a = 1 + length * sum, b = length * w, c = length * gain * sum, d = 1 + length * gain * w;
  double mean = a * a * v[0] + 2 * a * b * v[1] + b * b * v[2];
  double both = a * c * v[0] + (a * d + b * c) * v[1] + b * d * v[2];
  double own = c * c * v[0] + 2 * c * d * v[1] + d * d * v[2];
  v[0] = mean + length / PIXELS;
  v[1] = both;
  v[2] = own + length;
}

static inline double time_of(int k)
{
  return k == 0 ? 0 : 1e-5 * exp(log(400 / 1e-5) * (k - 1) / (TIMES - 1));
}

/* Variances of the waves of the images at the end. */
static inline void end_of(const struct case_of *c, const struct sampler *s, double *variance)
{
  static double wave[PIXELS];
  double gain = s->gain * SIDE, global[3] = {0}, w = 0;
  memset(variance, 0, PIXELS * sizeof *variance);
  for (int k = 0; k <= TIMES; k++) {
    double length = time_of(k + 1) - time_of(k);
    w = answer(c, s, time_of(k), wave);
    if (k == TIMES)
      break;
    for (int i = 0; i < PIXELS; i++)
      variance[i] = (1 + length * wave[i]) * (1 + length * wave[i]) * variance[i] + length;
    step_global(global, length, wave[0], w, gain);
  }
  for (int i = 0; i < PIXELS; i++)
    variance[i] *= wave[i] * wave[i];
  if (s->gain > 0)
    variance[0] =
        PIXELS * (wave[0] * wave[0] * global[0] + 2 * wave[0] * w * global[1] + w * w * global[2]);
}

static inline void figures_of(const double *variance, double figure[FIGURES])
{
  static double covariance[PIXELS];
  static const int apart[] = {1, 4, 8, 32};
  double sum = 0;
  transform(variance, covariance);
  figure[0] = covariance[0] / PIXELS;
  for (int i = 0; i < 4; i++)
    figure[1 + i] = covariance[apart[i]] / covariance[0];
  for (int k = 0; k < PIXELS; k++) /* the target's own */
    sum += 1 / (5 - 2 * cosine[1][k / SIDE] - 2 * cosine[1][k % SIDE]) / PIXELS;
  figure[5] = variance[0] / (.2 / sum + .8 * PIXELS);
}

static inline void spectra(int first, int behind)
{
  static double variance[PIXELS];
  make_cosines();
  printf("%-26s variance  d=1   d=4   d=8   d=32  k=0, beside what is known\n", "");
  for (int i = first; i < behind; i++) {
    const struct sampler *s = &samplers[i];
    struct case_of c;
    char field[64];
    double figure[FIGURES];
    snprintf(field, sizeof field, "type: window, radius: %d", s->radius < 0 ? 1 : s->radius);
    open(&c, "type: coloured_texture, side: 64, colours: [[0]], variance: .2, shift: .8", field);
    dun_features_init(&c.features, 1, (int[]){SIDE, SIDE});
    CHECK(dun_features_add(&c.features, 1, 1, 1) == 0);
    if (s->gain > 0)
      CHECK(dun_features_add(&c.features, SIDE, SIDE, s->gain * SIDE) == 0);
    start(&c);
    end_of(&c, s, variance);
    figures_of(variance, figure);
    printf("%-26s", s->name);
    for (int k = 0; k < FIGURES; k++)
      printf(" %.4f", figure[k]);
    printf("\n%-26s", "");
    for (int k = 0; k < FIGURES; k++) {
      printf("  %.3f", s->known[k]);
      CHECK_NEAR(figure[k], s->known[k], .002);
    }
    printf("\n");
    finish(&c);
  }
}

#endif
