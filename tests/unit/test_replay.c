/* ranks: 1 2 */
/* What method scld learns from again: pieces that are kept weigh what they weighed when they were
 * carried; once something was learned, what it was learned by; steps go down the loss that is told;
 * pieces are chosen by their weights, and simulations to learn from have the right Z, 2 comparisons
 * in standard errors, limit 5. */
#include "fixture.h"
#include "methods/scld.h"
#include "parallel/sum.h"

#define INPUT                                                                                      \
  "run: {seed: 4, particles: 300}\n"                                                               \
  "target: {type: gaussian_mixture, dimension: 2, layout: two_modes, separation: 1}\n"             \
  "path: {type: controlled, base: {scale: 1.5}, steps: 12, pieces: 3, diffusion: {largest: 2}}\n"  \
  "kernel: {type: hmc, leapfrog_steps: 2}\n"                                                       \
  "method: {type: scld, steps: 5, every: 5, width: 6, batches: 4, rates: {control: %g, "           \
  "exponents: %g, base: %g}}\n"

enum { SLOTS = 4, PIECES = 3, COLUMNS = SLOTS * PIECES };

struct trial {
  struct fixture fixture;
  struct dun_run *run;
  struct dun_scld *s;
  int64_t local;
};

static void open_trial(struct trial *t, double rate)
{
  char text[1024];
  snprintf(text, sizeof text, INPUT, rate, rate, rate);
  t->run = fixture_make(&t->fixture, text);
  t->s = t->run->method_self;
  t->local = t->run->population.tiles.local;
  CHECK(t->run->method->start(&test_context, t->s, t->run) == 0);
}

/* Until so many steps were learned and the next is to be. */
static void go_to(struct trial *t, int64_t done)
{
  int status = 1;
  while (status > 0 && !(t->s->done == done && t->s->now.phase == DUN_SCLD_LEARN)) {
    status = t->run->method->advance(&test_context, t->s, t->run);
    t->run->tick++;
  }
  CHECK(status > 0);
}

static double *keep(const struct trial *t)
{
  size_t bytes = (size_t)(t->local * COLUMNS) * sizeof(double);
  double *kept = malloc(bytes + 1);
  memcpy(kept, dun_f64(t->s->replay.log_weight), bytes);
  return kept;
}

static void nothing_learned_weighs_the_same(void)
{
  struct trial t;
  open_trial(&t, 0);
  go_to(&t, 4);
  double *before = keep(&t);
  CHECK(t.run->method->advance(&test_context, t.s, t.run) > 0);
  const double *after = dun_f64(t.s->replay.log_weight);
  int64_t same = 0, count = t.local * COLUMNS;
  for (int64_t i = 0; i < count; i++) {
    CHECK(isfinite(before[i]));
    CHECK_NEAR(after[i], before[i], 1e-4 * (1 + fabs(before[i])));
    same += after[i] == before[i];
  }
  /* Of 1200 kept pieces of each number 150 were weighed once more, in single precision. */
  CHECK(same > .8 * (double)count && same < .95 * (double)count);
  free(before);
  fixture_free(&t.fixture);
}

/* The log weight of what slot `slot` holds of particle i, by the present numbers. */
static double weigh(const struct trial *t, int64_t slot, int64_t piece, int64_t i)
{
  const struct dun_replay *r = &t->s->replay;
  double found[DUN_LANES] __attribute__((aligned(64)));
  int64_t block = (slot * PIECES + piece) * t->local;
  struct dun_piece one = {
      .n = 1, .start = {r->end[2 * block + i]}, .end = {r->end[2 * block + t->local + i]}};
  one.x[0] = r->x + (block + i) * r->points * r->d;
  one.gradient[0] = r->gradient + (block + i) * r->points * r->d;
  dun_lessons_weigh(&t->s->lessons, piece, &one, found);
  return found[0];
}

static void what_was_learned_weighs(void)
{
  struct trial t;
  open_trial(&t, 3e-2);
  go_to(&t, 4);
  double *before = keep(&t), *numbers = malloc(sizeof(double) * 4096);
  CHECK(dun_lessons_numbers(t.s->path) < 4096);
  dun_scld_gather(&t.s->steering, numbers);
  CHECK(t.run->method->advance(&test_context, t.s, t.run) > 0);
  dun_scld_scatter(numbers, &t.s->steering);
  dun_controlled_refresh(t.s->path);
  int64_t changed = 0;
  for (int64_t i = 0; i < t.local; i++)
    for (int64_t slot = 0; slot < SLOTS; slot++)
      for (int64_t piece = 0; piece < PIECES; piece++) {
        int64_t at = (i * SLOTS + slot) * PIECES + piece;
        double after = dun_f64(t.s->replay.log_weight)[at];
        if (after == before[at])
          continue;
        double now = weigh(&t, slot, piece, i);
        CHECK_NEAR(after, now, 1e-5 * (1 + fabs(now)));
        changed += fabs(after - before[at]) > 1e-3;
      }
  CHECK(changed > .05 * (double)(t.local * COLUMNS));
  free(before);
  free(numbers);
  fixture_free(&t.fixture);
}

/* The loss of what is chosen where nothing but the numbers has changed. */
static double loss_at(struct trial *t, const double *numbers, const double *weights)
{
  memcpy(dun_f64(t->s->replay.log_weight), weights, (size_t)(t->local * COLUMNS) * sizeof(double));
  dun_scld_scatter(numbers, &t->s->steering);
  dun_controlled_refresh(t->s->path);
  t->s->done = 3;
  CHECK(dun_scld_learn(&test_context, t->s, t->run) == 0);
  return t->s->loss;
}

/* With rates of 0 a step leaves the numbers as they are. */
static void steps_go_down_the_loss(void)
{
  struct trial t;
  open_trial(&t, 0);
  go_to(&t, 3);
  t.s->clip = 0;
  t.s->lessons.precise = 1;
  CHECK(dun_lessons_init(&t.s->lessons) == 0);
  int64_t count = dun_lessons_numbers(t.s->path);
  double *weights = keep(&t), *numbers = malloc((size_t)count * sizeof(double));
  double *gradient = malloc((size_t)count * sizeof(double));
  dun_scld_gather(&t.s->steering, numbers);
  for (int64_t i = 0; i < count; i++) /* the same on all ranks */
    numbers[i] += .2 * sin(3 * (double)i);
  CHECK(loss_at(&t, numbers, weights) > 0);
  memcpy(gradient, t.s->gradient, (size_t)count * sizeof(double));
  for (int64_t i = count % 7; i < count; i += i < count - 20 ? 7 : 1) {
    const double h = 1e-5;
    double held = numbers[i];
    numbers[i] = held + h;
    double up = loss_at(&t, numbers, weights);
    numbers[i] = held - h;
    double down = loss_at(&t, numbers, weights);
    numbers[i] = held;
    CHECK_NEAR(gradient[i], (up - down) / (2 * h), 1e-6 * (1 + fabs(gradient[i])));
  }
  free(weights);
  free(numbers);
  free(gradient);
  fixture_free(&t.fixture);
}

/* Of 1200 kept pieces, half with three times the weight of the others, 150 are taken without
 * replacement: 1 - exp(-w tau) of those with weight w, where tau makes them 150. */
static void choice_follows_the_weights(void)
{
  enum { ROUNDS = 200 };
  struct trial t;
  int64_t count[2] = {0, 0};
  open_trial(&t, 0);
  go_to(&t, 4);
  struct dun_replay *r = &t.s->replay;
  int64_t first = t.run->population.tiles.first;
  for (int64_t i = 0; i < t.local; i++)
    for (int k = 0; k < COLUMNS; k++)
      dun_f64(r->log_weight)[i * COLUMNS + k] = (first + i) % 2 ? 700 + log(3) : 700;
  for (uint32_t round = 0; round < ROUNDS; round++) {
    struct dun_address address = {.seed = 2, .step = round};
    dun_replay_deal(r, address);
    CHECK(dun_replay_choose(&test_context, r, 4, 1, address) == 0);
    int64_t all[2] = {r->begin[r->tiles.count], 0};
    for (int64_t i = 0; i < all[0]; i++) {
      double *place = dun_replay_place(r, 1, i);
      int64_t particle = place ? (place - dun_f64(r->log_weight)) / COLUMNS : 0;
      all[1] += place != NULL;
      count[0] += place != NULL;
      count[1] += place && (first + particle) % 2;
    }
    CHECK(dun_sum_integers(&test_context, 0, 2, all) == 0);
    CHECK(all[0] == 300 && all[1] == 150);
  }
  CHECK(dun_sum_integers(&test_context, 0, 2, count) == 0);
  double low = 0, high = 1;
  for (int i = 0; i < 60; i++) {
    double tau = .5 * (low + high), taken = 600 * (2 - exp(-3 * tau) - exp(-tau));
    *(taken < 150 ? &low : &high) = tau;
  }
  double expected = 4 * (1 - exp(-3 * low)), share = (double)count[1] / (double)count[0];
  CHECK_NEAR(share, expected, 5 * sqrt(expected * (1 - expected) / (double)count[0]));
  fixture_free(&t.fixture);
}

/* Of trainings whose selections leave most of the weights: Z is 1 in the mean, limit 5 errors. */
static void selections_by_a_part_are_exact(void)
{
  enum { ROUNDS = 200 };
  struct fixture fixture;
  struct dun_run *run = fixture_make(
      &fixture,
      "run: {seed: 4, particles: 256}\n"
      "target: {type: gaussian_mixture, dimension: 2, layout: two_modes, separation: 2}\n"
      "path: {type: controlled, base: {scale: 20}, steps: 32, pieces: 8, diffusion: {largest: 3}}\n"
      "kernel: {type: hmc, leapfrog_steps: 4}\n"
      "method: {type: scld, steps: 1000, width: 6, batches: 2, training_ess: .5}\n");
  struct dun_scld *s = run->method_self;
  double sum = 0, squares = 0, selections = 0;
  CHECK(run->method->start(&test_context, s, run) == 0);
  for (int i = 0; i < ROUNDS; i++) {
    int status = 0;
    s->done = i;
    s->now = (struct dun_scld_simulation){.mode = DUN_SCLD_TRAIN};
    while (status == 0)
      status = dun_scld_simulate(&test_context, s, run);
    CHECK(status == 1);
    double z = exp(run->now.log_evidence);
    sum += z / ROUNDS;
    squares += z * z / ROUNDS;
    selections += (double)s->now.selections / ROUNDS;
  }
  double error = sqrt((squares - sum * sum) / ROUNDS);
  printf("Z %.4f +- %.4f, %.2f selections\n", sum, error, selections);
  CHECK(selections > 2 && error < .05);
  CHECK_NEAR(sum, 1, 5 * error);
  fixture_free(&fixture);
}

TEST_MAIN({"nothing_learned_weighs_the_same", nothing_learned_weighs_the_same},
          {"what_was_learned_weighs", what_was_learned_weighs},
          {"steps_go_down_the_loss", steps_go_down_the_loss},
          {"choice_follows_the_weights", choice_follows_the_weights},
          {"selections_by_a_part_are_exact", selections_by_a_part_are_exact})
