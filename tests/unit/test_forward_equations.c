/* ranks: 1 */
/* Steps by single coordinates, as short as can be, are those by which the law of observations moves
 * on: of a channel of two and of three letters, and of counts, for a law of points that hang
 * together.  The density of a step is what `weigh` says of it.  What is left of the forward
 * equation, sum_y p_t(y) [K(y, y') - 1(y = y')] / dt - dp_t(y') / dt, is below 1e-8 when dt -> 0
 * (extrapolated from three lengths), and nothing is left of points of independent coordinates,
 * however long the step. */
#include "check.h"
#include "made_part.h"
#include "observations/observation.h"
#include <math.h>

enum { L = DUN_LANES, MOST = 36, D = 3 };

struct way {
  const char *options;
  int d, letters, spins, points; /* letters 0: counts */
  int alone;                     /* coordinates know nothing of each other */
};

struct chain {
  const struct way *way;
  const struct dun_observation *o;
  const void *self;
  double point[MOST][D], share[MOST]; /* of the points */
  int states;                         /* of y */
};

/* Coordinate j of state k of `base` values each. */
static int digit(int k, int j, int base)
{
  for (; j > 0; j--)
    k /= base;
  return k % base;
}

static int base_of(const struct chain *c)
{
  return c->way->letters ? c->way->letters : 6;
}

/* log P(y at t | point), with all factors. */
static double log_seen(const struct chain *c, const double *x, int y, double t)
{
  double sum = 0;
  for (int j = 0; j < c->way->d; j++) {
    int seen = digit(y, j, base_of(c)), q = c->way->letters;
    double p = q ? (1 - t) / q + (x[j] == seen ? t : 0) : x[j] * t;
    sum += q ? log(p) : seen * log(p) - p - lgamma(seen + 1);
  }
  return sum;
}

static double law(const struct chain *c, int y, double t)
{
  double sum = 0;
  for (int i = 0; i < c->way->points; i++)
    sum += c->share[i] * exp(log_seen(c, c->point[i], y, t));
  return sum;
}

static double mean[D * L] __attribute__((aligned(64))),
    known[3 * D * L] __attribute__((aligned(64)));
static double before[D * L] __attribute__((aligned(64))), after[D * L] __attribute__((aligned(64)));

/* What is known of the point's coordinates at y. */
static void know(const struct chain *c, int y, double t)
{
  int d = c->way->d, q = c->way->letters;
  double all = law(c, y, t);
  memset(mean, 0, sizeof mean);
  memset(known, 0, sizeof known);
  for (int i = 0; i < c->way->points; i++)
    for (int j = 0; j < d; j++)
      for (int l = 0; l < L; l++) {
        double p = c->share[i] * exp(log_seen(c, c->point[i], y, t)) / all;
        mean[j * L + l] += p * c->point[i][j];
        if (q)
          known[((int)c->point[i][j] * d + j) * L + l] += p;
      }
}

/* K(y, y') for all y' at once. */
static void step_from(const struct chain *c, int y, double t, double next, double *density)
{
  int d = c->way->d, q = c->way->letters;
  double out[L] __attribute__((aligned(64))) = {0};
  know(c, y, t);
  for (int j = 0; j < d; j++)
    for (int l = 0; l < L; l++) {
      before[j * L + l] = digit(y, j, base_of(c));
      after[j * L + l] = digit(l % c->states, j, base_of(c));
    }
  c->o->weigh(c->self, t, next, &(struct dun_known){.mean = mean, .letters = q ? known : NULL},
              before, after, out);
  for (int l = 0; l < c->states; l++) {
    double log_back = 0;
    int reached = 1;
    for (int j = 0; j < d; j++) {
      double events = after[j * L + l] - before[j * L + l], kept = t / next;
      reached &= q || events >= 0;
      log_back += q ? log((1 - kept) / q + (events == 0 ? kept : 0))
                    : events * log(next - t) - lgamma(events + 1);
    }
    density[l] = reached ? exp(out[l] + log_back) : 0;
  }
}

/* What a step misses of the law of later observations, [states]. */
static void missed(const struct chain *c, double t, double dt, double *left)
{
  double density[MOST];
  for (int k = 0; k < c->states; k++)
    left[k] = -law(c, k, t + dt);
  for (int y = 0; y < c->states; y++) {
    step_from(c, y, t, t + dt, density);
    for (int k = 0; k < c->states; k++)
      left[k] += law(c, y, t) * density[k];
  }
}

static void fill(struct chain *c)
{
  double sum = 0;
  int q = c->way->letters;
  for (int i = 0; i < c->way->points; i++) {
    c->share[i] = c->way->alone ? 1 : 1 + sin(2 + 5 * i) * .9;
    for (int j = 0; j < c->way->d; j++) {
      int letter = digit(i, j, q ? q : 3);
      c->point[i][j] = q ? letter : .3 + 1.1 * ((i + j * i) % 3);
      c->share[i] *= c->way->alone ? 1 + .6 * sin(1 + 3 * j + 2 * letter) : 1;
    }
    sum += c->share[i];
  }
  for (int i = 0; i < c->way->points; i++)
    c->share[i] /= sum;
  c->states = 1;
  for (int j = 0; j < c->way->d; j++)
    c->states *= base_of(c);
}

static double worst_of(const struct chain *c, double t)
{
  double F[3][MOST], worst = 0;
  for (int k = 0; k < 3; k++) {
    double dt = 4e-4 / (1 << k);
    missed(c, t, dt, F[k]);
    for (int y = 0; y < c->states; y++)
      F[k][y] /= dt;
  }
  for (int y = 0; y < c->states; y++) {
    double first = 2 * F[1][y] - F[0][y], second = 2 * F[2][y] - F[1][y];
    worst = fmax(worst, fabs((4 * second - first) / 3));
  }
  return worst;
}

static void check_way(const struct way *way)
{
  struct made_part made;
  char why[1024];
  struct chain c = {.way = way};
  CHECK(made_part_open(&test_context, &made, DUN_KIND_OBSERVATION, way->options, why) == 0);
  c.o = (const struct dun_observation *)made.part.type;
  c.self = made.part.self;
  CHECK(c.o->init(made.part.self, &(struct dun_observed){.d = way->d,
                                                         .letters = way->letters,
                                                         .spins = way->spins}) == 0);
  fill(&c);
  for (double t = .2; t < .9; t += .3) {
    double worst = worst_of(&c, t), left[MOST];
    printf("# %s, %d coordinates, t = %.1f: %.1e\n", way->options, way->d, t, worst);
    CHECK(worst < 1e-8);
    missed(&c, t, .1, left);
    for (int y = 0; y < c.states && way->alone; y++)
      CHECK_NEAR(left[y], 0, 1e-14);
    for (int y = 0; y < c.states && !way->alone && y < 1; y++)
      CHECK(fabs(left[y]) > 1e-5); /* a long step does miss something */
  }
  made_part_close(&made);
}

static void laws_move_on(void)
{
  static const struct way ways[] = {{"type: symmetric", 3, 2, 1, 8, 0},
                                    {"type: symmetric", 2, 3, 0, 9, 0},
                                    {"type: symmetric", 3, 2, 1, 8, 1},
                                    {"type: symmetric", 2, 3, 0, 9, 1},
                                    {"type: poisson", 2, 0, 0, 3, 0}};
  for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
    check_way(&ways[i]);
}

TEST_MAIN({"laws_move_on", laws_move_on})
