/* What is learned of a Gaussian is its posterior mean, whatever the network tells and sees; what
 * cannot be learned from is refused; orders of examples are permutations. */
#include "base/error.h"
#include "base/memory.h"
#include "check.h"
#include "learning/regression.h"
#include "made_part.h"

enum { L = DUN_LANES, D = 3 };

static const double centre[D] = {5, -2, 0}, scale = 3;

/* Tile after tile of N(centre, scale^2). */
static void deal(void *source, int64_t tile, double *x)
{
  struct dun_address address = {.seed = 3, .purpose = DUN_PURPOSE_TEST, .tile = (uint32_t)tile};
  (void)source;
  dun_normals(address, D, x);
  for (int i = 0; i < D * L; i++)
    x[i] = centre[i / L] + scale * x[i];
}

struct trial {
  struct made_part made;
  struct dun_regression r;
};

static struct dun_regression usual(void)
{
  return (struct dun_regression){.examples = {.count = 4000, .held_back = 500},
                                 .optimiser = {.rate = 1e-2,
                                               .first_decay = .9,
                                               .second_decay = .99,
                                               .epsilon = 1e-8,
                                               .schedule = DUN_RATE_COSINE},
                                 .steps = 600,
                                 .batch = 64,
                                 .groups = 2,
                                 .every = 200,
                                 .means = DUN_MEANS_VELOCITY,
                                 .last = 1e4};
}

static int open_trial(struct trial *t, struct dun_regression r)
{
  char why[1024];
  const char *options = "type: mlp, widths: [16], harmonics: 3";
  t->r = r;
  if (made_part_open(&test_context, &t->made, DUN_KIND_NETWORK, options, why) < 0)
    return -1;
  const struct dun_network *network = (const struct dun_network *)t->made.part.type;
  t->r.denoiser.network = network;
  t->r.denoiser.network_self = t->made.part.self;
  t->r.denoiser.d = D;
  network->init(t->made.part.self, D, D);
  return dun_regression_init(&test_context, &t->r, deal, NULL);
}

static void close_trial(struct trial *t)
{
  dun_regression_free(&t->r);
  made_part_close(&t->made);
}

static int train(struct trial *t)
{
  struct dun_address address = {.seed = 7};
  int status = dun_regression_start(&test_context, &t->r, address);
  while (status >= 0 && !t->r.over)
    status = dun_regression_tick(&test_context, &t->r, address);
  return status;
}

/* Root of the mean square error of the learned mean over the posterior's deviation, of states as
 * the law has them. */
static double error_at(const struct dun_denoiser *denoiser, double lambda)
{
  struct dun_address address = {.seed = 4, .purpose = DUN_PURPOSE_TEST, .step = 9};
  double x[D * L] __attribute__((aligned(64))), g[D * L] __attribute__((aligned(64)));
  double h[D * L] __attribute__((aligned(64))), mean[D * L] __attribute__((aligned(64)));
  double lambdas[L] __attribute__((aligned(64))), precision = lambda + 1 / (scale * scale), sum = 0;
  deal(NULL, 1000, x);
  dun_normals(address, D, g);
  for (int i = 0; i < D * L; i++)
    h[i] = lambda * x[i] + sqrt(lambda) * g[i];
  for (int l = 0; l < L; l++)
    lambdas[l] = lambda;
  dun_denoiser_mean(denoiser, h, lambdas, NULL, mean);
  for (int i = 0; i < D * L; i++) {
    double off = mean[i] - (h[i] + centre[i / L] / (scale * scale)) / precision;
    sum += off * off * precision;
  }
  return sqrt(sum / (D * L));
}

/* Where little is known and where much is; what errs by the noise's share in the state has no
 * larger errors where there is next to none. */
static void gaussians_are_learned(void)
{
  for (int means = 0; means <= DUN_MEANS_NOISE; means++)
    for (int sees = 0; sees <= DUN_SEES_RAW; sees++) {
      struct dun_regression r = usual();
      struct trial t;
      r.means = means;
      r.sees = sees;
      r.times = means == DUN_MEANS_NOISE ? DUN_TIMES_LOG : DUN_TIMES_ANGLE;
      r.first = means == DUN_MEANS_NOISE ? 1e-2 : 0;
      r.last = sees == DUN_SEES_RAW ? 1 : 1e4;
      r.weight = means == DUN_MEANS_NOISE ? DUN_LESSON_OUTPUT : DUN_LESSON_PLAIN;
      CHECK(open_trial(&t, r) == 0);
      CHECK(train(&t) >= 0);
      double some = error_at(&t.r.denoiser, .1), even = error_at(&t.r.denoiser, .5);
      double much = sees == DUN_SEES_SCALED ? error_at(&t.r.denoiser, 1e3) : 0;
      double none = error_at(&t.r.denoiser, 0);
      if (test_context.rank == 0)
        printf("# means %d sees %d: %.3g of %.3g, errors %.3g %.3g %.3g, %.3g\n", means, sees,
               t.r.best, t.r.blank, some, even, much, none);
      CHECK(some < (sees == DUN_SEES_RAW ? .6 : .25) && even < .4 && none < .1);
      CHECK(means == DUN_MEANS_DENOISER || much < .25);
      CHECK(t.r.best < t.r.blank && t.r.done == 600 && t.r.table.cells.count == 4 * 6);
      CHECK_NEAR(t.r.denoiser.scale, sees == DUN_SEES_RAW ? 1 : 3, .1);
      close_trial(&t);
    }
}

/* The loss of a Gaussian's best denoiser is known: the mean of cos(a)^2. */
static void losses_are_those_of_the_best(void)
{
  struct trial t;
  struct dun_regression r = usual();
  r.precision = DUN_PRECISION_DOUBLE;
  r.examples.held_back = 4000;
  CHECK(open_trial(&t, r) == 0);
  CHECK(train(&t) >= 0);
  double a = t.r.denoiser.angles[1];
  CHECK_NEAR(a, atan(100), 1e-13);
  CHECK_NEAR(t.r.best / (.5 + sin(2 * a) / (4 * a)), 1, .05);
  close_trial(&t);
}

static void it_ends_early(void)
{
  struct trial t;
  struct dun_regression r = usual();
  r.optimiser.rate = 0;
  r.every = 10;
  r.patience = 3;
  CHECK(open_trial(&t, r) == 0 && train(&t) >= 0);
  CHECK(t.r.done == 30 && t.r.best_step == 0);
  close_trial(&t);
  r = usual();
  r.optimiser.rate = 1e300;
  CHECK(open_trial(&t, r) == 0 && train(&t) >= 0);
  CHECK(t.r.in_row == DUN_REGRESSION_GIVES_UP && t.r.done < 120);
  CHECK(isfinite(t.r.best) && isfinite(((double *)t.r.best_weights.value)[0]));
  close_trial(&t);
}

static void wrong_settings_are_refused(void)
{
  struct trial t;
  struct dun_regression r = usual();
  r.groups = 65;
  CHECK(open_trial(&t, r) == DUN_ERROR_INPUT);
  close_trial(&t);
  r = usual();
  r.first = 1e4;
  CHECK(open_trial(&t, r) == DUN_ERROR_INPUT);
  close_trial(&t);
  r = usual();
  r.times = DUN_TIMES_LOG;
  CHECK(open_trial(&t, r) == DUN_ERROR_INPUT);
  close_trial(&t);
  r = usual();
  r.examples.count = 1; /* one point has no width */
  CHECK(open_trial(&t, r) == DUN_ERROR_INPUT);
  close_trial(&t);
}

static void angles_are_arctangents(void)
{
  double off = 0;
  for (double l = 1e-30; l < 1e30; l *= 1.7)
    off = fmax(off, fabs(dun_denoiser_angle(l) - atan(sqrt(l))));
  CHECK(off < 1e-15);
  CHECK(dun_denoiser_angle(0) == 0);
}

static void orders_are_permutations(void)
{
  static const int counts[] = {1, 2, 5, 64, 1000};
  for (int c = 0; c < 5; c++) {
    struct dun_examples e = {.count = counts[c]};
    struct dun_address address = {.seed = 5, .purpose = DUN_PURPOSE_TAKE};
    int seen[1000] = {0}, moved = 0;
    for (int64_t i = 0; i < 2 * e.count; i++) {
      int64_t number = dun_examples_turn(&e, address, i);
      CHECK(number >= 0 && number < e.count);
      seen[number]++;
      moved += i >= e.count && number != dun_examples_turn(&e, address, i - e.count);
    }
    for (int i = 0; i < e.count; i++)
      CHECK(seen[i] == 2);
    CHECK(e.count < 64 || moved > .9 * (double)e.count);
  }
}

/* Of several epochs in turn, of other seeds, purposes and replicates. */
static void tables_tell_the_same_orders(void)
{
  static const int counts[] = {1, 2, 5, 64, 1000};
  for (int c = 0; c < 5; c++) {
    struct dun_examples e = {.count = counts[c]};
    struct dun_examples_order order = {0};
    int bad = 0;
    CHECK(dun_examples_order_init(&order, &e) == 0);
    for (int64_t k = 0; k < 16 * e.count; k++) {
      uint64_t one = (uint64_t)k ^ (uint64_t)k >> 1; /* from k to k + 1 one thing alone changes */
      int64_t i = k / 16 + (one & 1 ? e.count : 0);
      struct dun_address address = {.seed = one & 2 ? UINT64_C(5) << 32 | 5 : 5,
                                    .purpose = one & 4 ? DUN_PURPOSE_TAKE : DUN_PURPOSE_LEVEL,
                                    .replicate = one & 8 ? 1 : 0};
      bad += dun_examples_order_turn(&order, &e, address, i) != dun_examples_turn(&e, address, i);
    }
    CHECK(bad == 0);
    dun_examples_order_free(&order);
  }
}

/* ---- what the network sees ------------------------------------------------------------------- */

enum { AVERAGES = 2, WHOLE = 6, SEEN = WHOLE + AVERAGES };

/* A network that keeps what it was shown and tells 0. */
struct mirror {
  double x[SEEN * L], angle[L];
};

static int64_t none(const void *self)
{
  (void)self;
  return 1;
}

static void keep(const void *self, const double *weights, const double *angle, const double *x,
                 double *y, double *tape)
{
  struct mirror *const *mirror = self;
  (void)weights, (void)tape;
  memcpy((*mirror)->x, x, sizeof(*mirror)->x);
  memcpy((*mirror)->angle, angle, sizeof(*mirror)->angle);
  memset(y, 0, WHOLE * L * sizeof *y);
}

/* Samplers show it what lessons showed, the averages of both halves of a point, too. */
static void lessons_are_what_samplers_show(void)
{
  static const struct dun_network network = {
      .weights = none, .tape = none, .scratch = none, .forward = keep};
  static struct {
    double x[WHOLE * L], g[SEEN * L], h[WHOLE * L], y[AVERAGES * L], mean[WHOLE * L];
    double angle[L], lambda[L];
  } t __attribute__((aligned(64)));
  struct dun_address address = {.seed = 2, .purpose = DUN_PURPOSE_TEST};
  struct mirror mirror, *self = &mirror;
  double middle[WHOLE] = {1, -2, 5, 3, .5, 0}, off = 0, square[AVERAGES] = {0};
  struct dun_denoiser s = {.network = &network,
                           .network_self = &self,
                           .d = WHOLE,
                           .precision = DUN_PRECISION_DOUBLE,
                           .averages = AVERAGES,
                           .gain = 1.5,
                           .scale = 2,
                           .angles = {0, 1.57},
                           .centre = {WHOLE, middle}};
  struct dun_lesson lesson = {.n = L, .x = t.x, .noise = t.g, .angle = t.angle, .share = 1};
  CHECK(dun_denoiser_init(&s) == 0);
  dun_normals(address, WHOLE, t.x);
  address.step = 1;
  dun_normals(address, SEEN, t.g);
  dun_uniforms(address, 1, t.angle);
  for (int i = 0; i < WHOLE * L; i++)
    t.x[i] = middle[i / L] + 2 * t.x[i];
  for (int l = 0; l < L; l++) {
    double root = tan(t.angle[l]) / s.scale;
    t.lambda[l] = root * root;
    for (int k = 0; k < AVERAGES; k++)
      t.y[k * L + l] = root * t.g[(WHOLE + k) * L + l];
    for (int j = 0; j < WHOLE; j++) {
      t.h[j * L + l] = t.lambda[l] * t.x[j * L + l] + root * t.g[j * L + l];
      t.y[j / 3 * L + l] += t.lambda[l] * s.gain * t.x[j * L + l] / 3;
    }
  }
  dun_denoiser_teach(&s, &lesson, NULL);
  struct mirror taught = mirror;
  dun_denoiser_mean(&s, t.h, t.lambda, t.y, t.mean);
  for (int i = 0; i < SEEN * L; i++)
    off = fmax(off, fabs(taught.x[i] - mirror.x[i]));
  for (int i = 0; i < AVERAGES * L; i++)
    square[i / L] += taught.x[WHOLE * L + i] * taught.x[WHOLE * L + i] / L;
  CHECK(off < 1e-12);
  CHECK(square[0] > .3 && square[0] < 2 && square[1] > .3 && square[1] < 2);
  for (int l = 0; l < L; l++)
    CHECK_NEAR(taught.angle[l], mirror.angle[l], 1e-12);
  dun_denoiser_free(&s);
}

static void averages_go_with_their_channels(void)
{
  struct dun_regression r = {.average = 1, .channels = 3};
  CHECK(dun_regression_averages(&r, 12) == 3 && dun_regression_averages(&r, 11) < 0);
  r.sees = DUN_SEES_RAW;
  CHECK(dun_regression_averages(&r, 12) == DUN_ERROR_INPUT);
  r.average = 0;
  CHECK(dun_regression_averages(&r, 12) == 0);
}

/* Three in ten lie far up along the second coordinate. */
static void deal_two(void *source, int64_t tile, double *x)
{
  deal(source, tile, x);
  for (int l = 0; l < L; l++)
    x[L + l] += (tile * L + l) % 10 < 3 ? 100 : -100;
}

static void halves_are_sides(void)
{
  for (int upper = 0; upper < 2; upper++) {
    struct dun_examples all = {.count = 1000, .held_back = 100}, half = all;
    double share;
    CHECK(dun_examples_init(&all, D, deal_two, NULL) == 0);
    CHECK(dun_examples_init(&half, D, deal_two, NULL) == 0);
    CHECK(dun_examples_halve(&half, upper, &share) == 0);
    CHECK(half.count == (upper ? 300 : 700) && half.held_back == (upper ? 30 : 70));
    CHECK(share == (upper ? .3 : .7));
    for (int64_t i = 0, k = 0; i < 1100; i++)
      if ((i % 10 < 3) == upper)
        CHECK(!memcmp(half.x + k++ * D, all.x + i * D, D * sizeof *all.x));
    dun_examples_free(&all);
    dun_examples_free(&half);
  }
}

TEST_MAIN({"lessons are what samplers show", lessons_are_what_samplers_show},
          {"averages go with their channels", averages_go_with_their_channels},
          {"halves are sides", halves_are_sides}, {"gaussians are learned", gaussians_are_learned},
          {"losses are those of the best", losses_are_those_of_the_best},
          {"it ends early", it_ends_early},
          {"wrong settings are refused", wrong_settings_are_refused},
          {"angles are arctangents", angles_are_arctangents},
          {"orders are permutations", orders_are_permutations},
          {"tables tell the same orders", tables_tell_the_same_orders})
