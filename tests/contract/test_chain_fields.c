/* Fields that remember: chains that stay with their particle.  Means and draws on targets whose
 * tilted laws are known, in standard errors; what the memory tells; the same bits wherever a
 * particle is and whatever it was with; who does not carry a memory refuses them. */
#include "base/memory.h"
#include "check.h"
#include "fields/field.h"
#include "fixture.h"
#include "made_part.h"
#include "subject.h"

enum { D = 3, CALLS = 400 };

struct chains {
  struct subject target;
  struct made_part made;
  const struct dun_field *field;
  int d, width;
  double *memory, *h, *mean, *draw; /* columns */
};

static char why[1024];
static double lambda[L] __attribute__((aligned(64)));

static void begin_chains(struct chains *c, const char *target, const char *options)
{
  memset(c, 0, sizeof *c);
  CHECK(subject_open(&test_context, &c->target, target, why) == 0);
  CHECK(made_part_open(&test_context, &c->made, DUN_KIND_FIELD, options, why) == 0);
  c->field = (const struct dun_field *)c->made.part.type;
  CHECK(c->field->init(&test_context, c->made.part.self, &c->target.evaluator, 0) == 0);
  c->d = c->target.evaluator.dimension;
  c->width = c->field->remembers(c->made.part.self);
  c->memory = dun_allocate((int64_t)c->width * L, sizeof *c->memory);
  c->h = dun_allocate((int64_t)3 * c->d * L, sizeof *c->h);
  c->mean = c->h + c->d * L;
  c->draw = c->mean + c->d * L;
}

static void end_chains(struct chains *c)
{
  DUN_FREE(c->memory);
  DUN_FREE(c->h);
  made_part_close(&c->made);
  subject_close(&c->target);
}

static void ask(struct chains *c, int n, uint32_t step, const double *scale)
{
  const struct dun_field_call call = {.n = n,
                                      .h = c->h,
                                      .lambda = lambda,
                                      .scale = scale,
                                      .address = {.seed = 5, .step = step},
                                      .label = -1,
                                      .mean = c->mean,
                                      .draw = c->draw,
                                      .memory = c->memory};
  c->field->value(c->made.part.self, &call);
}

static void set_lambda(double value)
{
  for (int l = 0; l < L; l++)
    lambda[l] = value;
}

/* N(1, 2^2) in every coordinate.  Means of many calls, and squares of many draws, against the
 * closed form, with errors from the 64 lanes, which have nothing to do with each other: 2 x 2 x 3
 * comparisons, limit 5; and means are far better than draws. */
static void check_gaussian(const double *scale)
{
  static struct chains c;
  double sum[D * L] = {0}, square[D * L] = {0}, noise[D * L] = {0};
  begin_chains(&c, "type: gaussian, dimension: 3, mean: 1, covariance: {scale: 2}", "type: mcmc");
  set_lambda(.7);
  for (int i = 0; i < D * L; i++)
    c.h[i] = i / L - 1.;
  for (uint32_t k = 0; k < CALLS; k++) {
    ask(&c, L, k, scale);
    for (int i = 0; i < D * L; i++) {
      double v = 1 / (.25 + .7 * (scale ? scale[i / L] : 1)), m = v * (.25 + i / L - 1);
      sum[i] += (c.mean[i] - m) / sqrt(v);
      noise[i] += (c.mean[i] - m) * (c.mean[i] - m) / v;
      square[i] += (c.draw[i] - m) * (c.draw[i] - m) / v - 1;
    }
  }
  for (int j = 0; j < D; j++) {
    double *const of[] = {sum + j * L, square + j * L};
    for (int q = 0; q < 2; q++) {
      double mean = 0, two = 0;
      for (int l = 0; l < L; l++) {
        mean += of[q][l] / L;
        two += of[q][l] * of[q][l] / L;
      }
      CHECK_NEAR(mean / sqrt((two - mean * mean) / L), 0, 5);
    }
    for (int l = 0; l < L; l++)
      CHECK(noise[j * L + l] / CALLS < .25);
  }
  struct dun_field_look look;
  c.field->look(c.made.part.self, c.memory, &look);
  double accepted = 0, between = 0;
  for (int l = 0; l < L; l++) {
    accepted += look.acceptance[l] / L;
    between += look.between[l] / L;
    CHECK(look.between[l] >= 0);
  }
  CHECK(accepted > .6 && accepted < .8); /* the median is .75 */
  CHECK(between > .05 && between < 1.5);
  end_chains(&c);
}

static void gaussians_have_their_means(void)
{
  static const double scale[D] = {1, .2, 5};
  check_gaussian(NULL);
  check_gaussian(scale);
}

/* From a tilt to the next the chains go along: after 40 short calls they are where the last one
 * wants them, which from a start of their own would not be found. */
static void chains_follow_their_tilt(void)
{
  static struct chains c;
  double worst = 0;
  begin_chains(&c, "type: gaussian, dimension: 3", "type: mcmc, moves: 8, chains: 2");
  for (uint32_t k = 0; k < 40; k++) {
    set_lambda(1 + k);
    for (int i = 0; i < D * L; i++)
      c.h[i] = k * (2. + k) / 8; /* the mean is k / 8 */
    ask(&c, L, k, NULL);
    if (k < 20)
      continue;
    for (int j = 0; j < D; j++) {
      double mean = 0;
      for (int l = 0; l < L; l++)
        mean += c.mean[j * L + l] / L;
      worst = fmax(worst, fabs(mean - k / 8.));
    }
  }
  CHECK(worst < .15); /* a step of the mean is .125 */
  end_chains(&c);
}

/* Two modes far apart: chains of a particle that stands between them end in both, and tell. */
static void chains_that_disagree_tell(void)
{
  static struct chains c;
  struct dun_field_look look;
  int apart = 0;
  begin_chains(&c, "type: gaussian_mixture, means: [[-9], [9]], scales: [1, 1]", "type: mcmc");
  set_lambda(.001);
  memset(c.h, 0, L * sizeof *c.h);
  ask(&c, L, 0, NULL);
  c.field->look(c.made.part.self, c.memory, &look);
  for (int l = 0; l < L; l++)
    apart += look.between[l] > 20;
  CHECK(apart > L / 2); /* of four chains all are in one mode once in eight */
  end_chains(&c);
}

/* The numbers of a lane do not depend on how many there are, on the others, or on where between
 * two calls its memory was kept; those of two lanes have nothing in common. */
static void bits_are_a_lane_s_own(void)
{
  static struct chains all, some;
  const char *target = "type: gaussian_mixture, means: [[-2, 0], [1, 1]], scales: [.5, .8]";
  begin_chains(&all, target, "type: mcmc, moves: 5");
  begin_chains(&some, target, "type: mcmc, moves: 5");
  set_lambda(.5);
  for (uint32_t k = 0; k < 3; k++) {
    for (int i = 0; i < 2 * L; i++) {
      all.h[i] = .1 * (i % L) + k;
      some.h[i] = i % L < 7 ? all.h[i] : all.h[i / L * L];
    }
    ask(&all, L, k, NULL);
    ask(&some, 7, k, NULL);
    for (int i = 0; i < 2 * L; i++)
      if (i % L < 7)
        CHECK(all.mean[i] == some.mean[i] && all.draw[i] == some.draw[i]);
    for (int64_t i = 0; i < (int64_t)some.width * L; i++)
      if (i % L >= 7)
        some.memory[i] = some.memory[i / L * L]; /* as it is loaded again */
  }
  CHECK(all.draw[1] != all.draw[2]);
  end_chains(&all);
  end_chains(&some);
}

/* What it says that a call costs is what the evaluator counts. */
static void evaluations_are_counted(void)
{
  static struct chains c;
  begin_chains(&c, "type: gaussian, dimension: 3", "type: mcmc, chains: 3, moves: 7, warm_up: 2");
  set_lambda(1);
  memset(c.h, 0, (size_t)D * L * sizeof *c.h);
  for (int call = 0; call < 2; call++) {
    int64_t before = c.target.evaluator.evaluations;
    ask(&c, 10, (uint32_t)call, NULL);
    CHECK(c.target.evaluator.evaluations - before ==
          10 * c.field->evaluations(c.made.part.self, call == 0));
  }
  end_chains(&c);
}

/* A density that is there between -1 and 1 alone: chains that begin outside find it, a tilt that
 * is no number has no mean. */
static double box(const void *self, const double *x, double *gradient)
{
  (void)self;
  if (gradient)
    gradient[0] = 0;
  return fabs(x[0]) < 1 ? 0 : -INFINITY;
}

static void what_lies_outside_counts_for_nothing(void)
{
  static const struct dun_target target = {
      .type = {DUN_TYPE(struct dun_target), .name = "box", .doc = "Uniform."},
      .dimension = 1,
      .point = box};
  static struct chains c;
  struct dun_evaluator evaluator;
  begin_chains(&c, "type: gaussian, dimension: 1", "type: mcmc, warm_up: 200");
  CHECK(dun_evaluator_init(&evaluator, &target, NULL) == 0);
  CHECK(c.field->init(&test_context, c.made.part.self, &evaluator, 0) == 0);
  set_lambda(1e-3);
  for (int l = 0; l < L; l++)
    c.h[l] = l == 3 ? NAN : l % 2 ? .004 : -.004; /* chains begin at 4 and -4 */
  ask(&c, L, 0, NULL);
  for (int l = 0; l < L; l++)
    CHECK(l == 3 ? isnan(c.mean[l]) && isnan(c.draw[l])
                 : fabs(c.mean[l]) < 1 && fabs(c.draw[l]) < 1);
  dun_evaluator_free(&evaluator);
  end_chains(&c);
}

/* In selection the memory goes with its particle, and checkpoints hold it; behind what the field
 * remembers stand the notes of the length of steps. */
static void memories_go_with_their_particle(void)
{
  static struct fixture fixture;
  struct dun_run *run = fixture_make(
      &fixture, "run: {seed: 1, particles: 64}\ntarget: {type: gaussian, dimension: 3}\n"
                "path: {type: localized, spread: 1, field: {type: mcmc, chains: 2}}\n"
                "method: {type: smc, moves_per_step: 0}\n");
  const struct dun_column *memory = dun_population_find(&run->population, "memory");
  const int remembered = 3 + 2 * (3 + 1), notes = 1 + 3;
  CHECK(memory && memory->flags == (DUN_MOVES | DUN_SAVED));
  CHECK(memory && memory->width == remembered + notes);
  CHECK(run->sweep.memory == memory);
  fixture_free(&fixture);
}

TEST_MAIN({"memories_go_with_their_particle", memories_go_with_their_particle},
          {"gaussians_have_their_means", gaussians_have_their_means},
          {"chains_follow_their_tilt", chains_follow_their_tilt},
          {"chains_that_disagree_tell", chains_that_disagree_tell},
          {"bits_are_a_lane_s_own", bits_are_a_lane_s_own},
          {"evaluations_are_counted", evaluations_are_counted},
          {"what_lies_outside_counts_for_nothing", what_lies_outside_counts_for_nothing})
