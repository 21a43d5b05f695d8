/* The control of annealed diffusions and what is learned of stored pieces, by hand-written
 * derivatives against central differences in double precision; single against double; pieces weigh
 * what the carry that made them told. */
#include "base/memory.h"
#include "fixture.h"
#include "paths/controlled_lessons.h"

enum { L = DUN_LANES, D = 3, WIDTH = 5, STEPS = 70 };

static void *must(int64_t count, size_t size)
{
  void *block = dun_allocate(count, size);
  if (!block)
    exit(1);
  return block;
}

static struct dun_address address_of(uint32_t step)
{
  return (struct dun_address){.seed = 8, .purpose = DUN_PURPOSE_TEST, .step = step};
}

/* Numbers about 0, none of them small by accident. */
static void shake(int64_t count, double size, uint32_t step, double *x)
{
  for (int64_t i = 0; i < count; i++)
    x[i] += size * (2 * dun_uniform_one(address_of(step), i) - 1);
}

/* ---- the control ----------------------------------------------------------------------------- */

struct trial {
  struct dun_control c;
  double *weights, *x, *o, *tape, *scratch, *bar, *gain_bar;
};

static void open_trial(struct trial *t)
{
  memset(t, 0, sizeof *t);
  CHECK(dun_control_init(&t->c, D, WIDTH, STEPS) == 0);
  t->weights = must(t->c.at.count, sizeof(double));
  t->x = must(D * L, sizeof(double));
  t->o = must(D * L, sizeof(double));
  t->bar = must(D * L, sizeof(double));
  t->tape = must(dun_control_tape(&t->c), sizeof(double));
  t->scratch = must(dun_control_scratch(&t->c), sizeof(double));
  t->gain_bar = must((STEPS + 1) * D, sizeof(double));
  dun_control_draw(&t->c, address_of(0), t->weights);
  shake(t->c.at.count, .4, 1, t->weights);
  shake(D * L, 2, 2, t->x);
  shake(D * L, 1, 3, t->bar);
  shake((STEPS + 1) * D, 1, 4, t->gain_bar);
}

static void close_trial(struct trial *t)
{
  dun_control_free(&t->c);
  dun_free(t->weights);
  dun_free(t->x);
  dun_free(t->o);
  dun_free(t->bar);
  dun_free(t->tape);
  dun_free(t->scratch);
  dun_free(t->gain_bar);
}

/* Of times in both tiles of them: <bar, o(x, k)>, and <gain_bar, gain>. */
static const int64_t times[] = {0, 1, 37, 63, 64, STEPS};
enum { TIMES = sizeof times / sizeof *times };

static double value_of(struct trial *t)
{
  double sum = 0;
  dun_control_set(&t->c, t->weights);
  for (int i = 0; i < TIMES; i++) {
    dun_control_state(&t->c, times[i], t->x, t->o, t->tape);
    for (int j = 0; j < D * L; j++)
      sum += t->bar[j] * t->o[j];
  }
  for (int j = 0; j < (STEPS + 1) * D; j++)
    sum += t->gain_bar[j] * t->c.gain[j];
  return sum;
}

static void reverse_pass(void)
{
  struct trial t;
  open_trial(&t);
  int64_t count = t.c.at.count;
  double *slopes = must(dun_control_slopes(&t.c), sizeof(double));
  double *gradient = must(count, sizeof(double));
  value_of(&t);
  for (int i = 0; i < TIMES; i++) {
    dun_control_state(&t.c, times[i], t.x, t.o, t.tape);
    dun_control_state_back(&t.c, times[i], t.tape, t.bar, slopes, t.scratch);
  }
  memcpy(slopes + dun_control_gain_slopes(&t.c), t.gain_bar, (STEPS + 1) * D * sizeof(double));
  dun_control_pull(&t.c, t.weights, slopes, gradient);
  for (int64_t i = 0; i < count; i++) {
    const double h = 1e-5;
    double held = t.weights[i];
    t.weights[i] = held + h;
    double up = value_of(&t);
    t.weights[i] = held - h;
    double down = value_of(&t), size = fabs(gradient[i]) > 1 ? fabs(gradient[i]) : 1;
    t.weights[i] = held;
    CHECK_NEAR(gradient[i], (up - down) / (2 * h), 1e-6 * size);
  }
  dun_free(slopes);
  dun_free(gradient);
  close_trial(&t);
}

static void single_precision(void)
{
  struct trial t;
  open_trial(&t);
  float *x = must(D * L, sizeof(float)), *o = must(D * L, sizeof(float));
  float *tape = must(dun_control_tape(&t.c), sizeof(float));
  dun_control_set(&t.c, t.weights);
  for (int j = 0; j < D * L; j++)
    x[j] = (float)t.x[j];
  for (int i = 0; i < TIMES; i++) {
    dun_control_state(&t.c, times[i], t.x, t.o, t.tape);
    dun_control_state_f(&t.c, times[i], x, o, tape);
    for (int j = 0; j < D * L; j++)
      CHECK_NEAR((double)o[j], t.o[j], 1e-5 * (1 + fabs(t.o[j])));
  }
  dun_free(x);
  dun_free(o);
  dun_free(tape);
  close_trial(&t);
}

/* Published: 37 376 + 194 d weights, and next to no control before anything is learned. */
static void first_weights(void)
{
  struct dun_control c = {0};
  CHECK(dun_control_weights(50, 64) == 37376 + 194 * 50);
  CHECK(dun_control_init(&c, 2, 64, 128) == 0);
  double *weights = must(c.at.count, sizeof(double)), sum = 0;
  double *x = must(2 * L, sizeof(double)), *o = must(2 * L, sizeof(double));
  double *tape = must(dun_control_tape(&c), sizeof(double));
  dun_control_draw(&c, address_of(0), weights);
  dun_control_set(&c, weights);
  shake(2 * L, 3, 5, x);
  dun_control_state(&c, 128, x, o, tape);
  for (int i = 0; i < 2 * L; i++)
    CHECK(fabs(o[i]) > 0 && fabs(o[i]) < 1e-5);
  for (int i = 0; i < 129 * 2; i++)
    CHECK(fabs(c.gain[i]) < 1e-5);
  for (int i = 0; i < 64 * 64; i++)
    sum += weights[c.at.lift[1] + i] * weights[c.at.lift[1] + i];
  CHECK_NEAR(sum, 64, 5); /* of variance 1 / 64 each */
  dun_free(weights);
  dun_free(x);
  dun_free(o);
  dun_free(tape);
  dun_control_free(&c);
}

/* ---- pieces ---------------------------------------------------------------------------------- */

enum { PARTICLES = 64, PIECES = 4, POINTS = 4 };

struct pieces {
  struct fixture fixture;
  struct dun_run *run;
  struct dun_controlled *path;
  struct dun_steering steering;
  struct dun_track track;
  struct dun_lessons lessons;
  struct dun_piece piece;
  double told[L]; /* log weights by the carry */
};

/* The target's log density. */
static void density(struct dun_run *run, const double *x, double *lp)
{
  double part[DUN_MAX_PARTS * L] __attribute__((aligned(64)));
  dun_evaluate(run->evaluator, L, x, part, NULL, NULL);
  memcpy(lp, part, L * sizeof *lp);
}

/* log pi_t, with the path's own words. */
static void at_time(struct pieces *p, double t, const double *x, double *lp)
{
  double time[L], part[DUN_MAX_PARTS * L] __attribute__((aligned(64)));
  for (int l = 0; l < L; l++)
    time[l] = t;
  struct dun_request request = {.n = L, .x = x, .time = time, .part_lp = part, .lp = lp};
  p->run->path->evaluate(p->path, &request);
}

/* Carries 64 particles through piece 2 under a control that is far from 0. */
static void open_pieces(struct pieces *p, const char *reference, double clip)
{
  static double x[2 * L] __attribute__((aligned(64)));
  double before[L] __attribute__((aligned(64))), after[L] __attribute__((aligned(64)));
  double ratio[L] __attribute__((aligned(64)));
  char text[1024];
  memset(p, 0, sizeof *p);
  snprintf(text, sizeof text,
           "run: {seed: 5, particles: 64}\n"
           "target: {type: gaussian, dimension: 2, mean: 1, covariance: {scale: .5}}\n"
           "path: {type: controlled, reference: %s, base: {mean: .2, scale: [1, 1.3]}, "
           "steps: 12, pieces: 4, diffusion: {type: constant}, clip: %g}\nmethod: {type: smc, "
           "moves_per_step: 0}\n",
           reference, clip);
  p->run = fixture_make(&p->fixture, text);
  p->path = p->run->path_self;
  p->steering.width = 6;
  struct dun_address first = address_of(6);
  CHECK(dun_controlled_steer(p->path, &p->steering, &first) == 0);
  shake(p->steering.weights.count, .4, 7, p->steering.weights.value);
  shake(12, .7, 8, p->steering.exponents.value);
  if (p->path->reference == DUN_ANNEALED) {
    shake(2, .4, 9, p->steering.mean.value);
    shake(2, .4, 10, p->steering.log_scale.value);
  }
  dun_controlled_refresh(p->path);
  p->track = (struct dun_track){.tiles = p->run->population.tiles, .points = POINTS};
  p->track.x = must(L * POINTS * 2, sizeof(float));
  p->track.gradient = must(L * POINTS * 2, sizeof(float));
  p->path->track = &p->track;
  shake(2 * L, 1.5, 11, x);
  p->piece.n = L;
  density(p->run, x, p->piece.start);
  at_time(p, .5, x, before);
  dun_controlled_carry(p->path, .5, .75, L, address_of(12), x, NULL, ratio);
  density(p->run, x, p->piece.end);
  at_time(p, .75, x, after);
  for (int l = 0; l < L; l++) {
    p->told[l] = after[l] - before[l] + ratio[l];
    p->piece.x[l] = p->track.x + l * POINTS * 2;
    p->piece.gradient[l] = p->track.gradient + l * POINTS * 2;
  }
  p->lessons = (struct dun_lessons){.path = p->path};
  CHECK(dun_lessons_init(&p->lessons) == 0);
}

static void close_pieces(struct pieces *p)
{
  dun_lessons_free(&p->lessons);
  dun_free(p->track.x);
  dun_free(p->track.gradient);
  dun_steering_free(&p->steering);
  fixture_free(&p->fixture);
}

static const char *const references[] = {"annealed", "brownian", "stationary"};

static void weigh(double clip)
{
  struct pieces p;
  double found[L] __attribute__((aligned(64)));
  for (int r = 0; r < 3; r++) {
    open_pieces(&p, references[r], clip);
    dun_lessons_weigh(&p.lessons, 2, &p.piece, found);
    for (int l = 0; l < L; l++)
      CHECK_NEAR(found[l], p.told[l], 1e-4 * (1 + fabs(p.told[l])));
    close_pieces(&p);
  }
}

static void weights_are_those_of_the_carry(void)
{
  weigh(1e6);
}

/* Number i of all that is learned. */
static double *number(struct pieces *p, int64_t i)
{
  struct dun_numbers *const lists[] = {&p->steering.weights, &p->steering.exponents,
                                       &p->steering.mean, &p->steering.log_scale};
  for (size_t k = 0; k < 4; i -= lists[k++]->count)
    if (i < lists[k]->count)
      return &lists[k]->value[i];
  return NULL;
}

static double total(struct pieces *p, const double *factor)
{
  double found[L] __attribute__((aligned(64))), sum = 0;
  dun_controlled_refresh(p->path);
  dun_lessons_weigh(&p->lessons, 2, &p->piece, found);
  for (int l = 0; l < L; l++)
    sum += factor[l] * found[l];
  return sum;
}

/* Scores that are cut to a norm count as constants in how much: derivatives are compared where none
 * is. */
static void slopes_along(const char *reference)
{
  struct pieces p;
  double factor[L] = {0};
  open_pieces(&p, reference, 1e6);
  p.lessons.precise = 1;
  CHECK(dun_lessons_init(&p.lessons) == 0);
  shake(L, 1, 13, factor);
  int64_t numbers = dun_lessons_numbers(p.path);
  double *slopes = must(dun_lessons_slopes(p.path), sizeof(double));
  double *gradient = must(numbers, sizeof(double)), largest = 0;
  dun_lessons_learn(&p.lessons, 2, &p.piece, factor, slopes);
  dun_lessons_pull(&p.lessons, slopes, gradient);
  for (int64_t i = 0; i < numbers; i++)
    largest = fabs(gradient[i]) > largest ? fabs(gradient[i]) : largest;
  CHECK(number(&p, numbers) == NULL && largest > 1);
  int64_t learned = p.path->reference == DUN_ANNEALED ? numbers : numbers - 4;
  for (int64_t i = learned; i < numbers; i++) /* the base of what is driven stays */
    CHECK(gradient[i] == 0);
  for (int64_t i = 0; i < learned; i++) {
    const double h = 1e-5;
    double held = *number(&p, i);
    *number(&p, i) = held + h;
    double up = total(&p, factor);
    *number(&p, i) = held - h;
    double down = total(&p, factor);
    *number(&p, i) = held;
    CHECK_NEAR(gradient[i], (up - down) / (2 * h), 1e-6 * (1 + fabs(gradient[i])));
  }
  dun_free(slopes);
  dun_free(gradient);
  close_pieces(&p);
}

static void slopes_of_pieces(void)
{
  for (int r = 0; r < 3; r++)
    slopes_along(references[r]);
}

/* Cut scores: the same weights as the carry's, too. */
static void cut_scores(void)
{
  weigh(.7);
}

/* log w of ways there from first draws, along the path's own times. */
static void go_there(struct pieces *p, uint32_t tile, double *log_weight)
{
  double x[2 * L] __attribute__((aligned(64))), normal[2 * L] __attribute__((aligned(64)));
  double before[L] __attribute__((aligned(64))), ratio[L] __attribute__((aligned(64)));
  struct dun_address address = address_of(40);
  address.tile = tile;
  dun_normals(address, 2, normal);
  p->run->path->draw(p->path, NULL, normal, x);
  at_time(p, 0, x, before);
  for (int l = 0; l < L; l++)
    log_weight[l] = -before[l];
  for (int piece = 0; piece < PIECES; piece++) {
    address.step = 41 + (uint32_t)piece;
    dun_controlled_carry(p->path, piece / (double)PIECES, (piece + 1) / (double)PIECES, L, address,
                         x, NULL, ratio);
    for (int l = 0; l < L; l++)
      log_weight[l] += ratio[l];
  }
  at_time(p, 1, x, before);
  for (int l = 0; l < L; l++)
    log_weight[l] += before[l];
}

/* log w of ways back from exact draws. */
static void go_back(struct pieces *p, uint32_t tile, double *log_weight)
{
  double x[2 * L] __attribute__((aligned(64))), normal[2 * L] __attribute__((aligned(64)));
  struct dun_address address = address_of(20);
  address.tile = tile;
  dun_normals(address, 2, normal);
  dun_evaluator_draw(p->run->evaluator, NULL, normal, x);
  memset(log_weight, 0, L * sizeof *log_weight);
  for (int piece = PIECES; piece-- > 0;) {
    address.step = 21 + (uint32_t)piece;
    dun_controlled_return(p->path, piece, L, address, x, log_weight);
  }
}

/* Ways back have the law of ways there times w / Z, whatever the control: the mean of 1 / (1 + w)
 * of the one is that of w / (1 + w) of the other, Z being 1; 3 comparisons, limit 5 standard
 * errors. */
static void ways_back(void)
{
  enum { TILES = 10000 };
  for (int r = 0; r < 3; r++) {
    struct pieces p;
    double log_weight[L] __attribute__((aligned(64))), sum[2] = {0}, squares[2] = {0};
    open_pieces(&p, references[r], 1e6);
    p.path->track = NULL;
    for (uint32_t tile = 0; tile < TILES; tile++)
      for (int back = 0; back < 2; back++) {
        if (back)
          go_back(&p, tile, log_weight);
        else
          go_there(&p, tile, log_weight);
        for (int l = 0; l < L; l++) {
          double f = 1 / (1 + exp(back ? log_weight[l] : -log_weight[l]));
          sum[back] += f;
          squares[back] += f * f;
        }
      }
    double n = TILES * L, mean[2] = {sum[0] / n, sum[1] / n};
    double error =
        sqrt((squares[0] / n - mean[0] * mean[0] + squares[1] / n - mean[1] * mean[1]) / n);
    printf("# %s: %g there, %g back, error %g\n", references[r], mean[0], mean[1], error);
    CHECK(error < .001 && mean[0] > .05 && fabs(mean[0] - mean[1]) < 5 * error);
    close_pieces(&p);
  }
}

TEST_MAIN({"reverse_pass", reverse_pass}, {"single_precision", single_precision},
          {"first_weights", first_weights},
          {"weights_are_those_of_the_carry", weights_are_those_of_the_carry},
          {"slopes_of_pieces", slopes_of_pieces}, {"cut_scores", cut_scores},
          {"ways_back", ways_back})
