/* ranks: 1 3 */
/* Contract of every registered observation, found through the registry: the points that it finds
 * have the target's law (observations.h), 35 comparisons, and what is observed of a given point has
 * the law that the observation stands for, 30 comparisons; limit 5 standard errors; a fixed
 * seed.  What steps are worth adds up to what is said of the point at the end. */
#include "fields/field.h"
#include "made_part.h"
#include "observations.h"
#include "observations/observation.h"

enum { PARTICLES = 10000 };

static int is_tried(const char *name)
{
  char word[80];
  int found = 0;
  snprintf(word, sizeof word, "{type: %s", name);
  for (int i = 0; i < OF_STATES; i++)
    found |= strstr(of_states[i].parts, word) != NULL;
  for (int i = 0; i < OF_POINTS; i++)
    found |= strstr(of_points[i].parts, word) != NULL;
  return found;
}

static void every_observation_is_tried(void)
{
  for (const struct dun_type *const *type = dun_registry(DUN_KIND_OBSERVATION); *type; type++) {
    if (!is_tried((*type)->name))
      fprintf(stderr, "observation '%s' is not in observations.h\n", (*type)->name);
    CHECK(is_tried((*type)->name));
  }
}

static void points_have_the_law(void)
{
  check_ways(PARTICLES, 1);
}

/* ---- what is observed of a given point ------------------------------------------------------- */

/* y at time t of the point x: the mean of each column, its variance, and, of letters, of what. */
struct seen_so {
  const char *options;
  struct dun_observed of;
  double x[3], t;
  double mean[3], variance[3];
  int columns;
  double counts; /* the value of y that is counted; NAN: y itself is summed */
};

#define OF(d_, letters_, spins_)                                                                   \
  {                                                                                                \
    .d = d_, .letters = letters_, .spins = spins_                                                  \
  }

static const struct seen_so seen[] = {
    {"type: gaussian, rate: [1, 2, .5]",
     OF(3, 0, 0),
     {1, -2, .5},
     3,
     {3, -12, .75},
     {3, 6, 1.5},
     3,
     NAN},
    {"type: gaussian", OF(3, 2, 1), {1, -1, 1}, 2, {2, -2, 2}, {2, 2, 2}, 3, NAN},
    {"type: linear, matrix: [[1, 1, 0], [0, 0, 3]]",
     OF(3, 0, 0),
     {1, -2, .5},
     3,
     {-3, 4.5},
     {3, 3},
     2,
     NAN},
    {"type: linear, pixels: no, average: 2",
     OF(3, 0, 0),
     {1, -2, .5},
     3,
     {-1.7320508},
     {3},
     1,
     NAN},
    {"type: linear, average: .5, channels: 3, pixels: no, horizon: 2",
     OF(3, 0, 0),
     {1, -2, .5},
     2,
     {1, -2, .5},
     {2, 2, 2},
     3,
     NAN},
    {"type: poisson", OF(3, 0, 0), {1, 2, 300}, 2, {2, 4, 600}, {2, 4, 600}, 3, NAN},
    {"type: symmetric", OF(3, 3, 0), {0, 1, 2}, .4, {.6, .2, .2}, {.24, .16, .16}, 3, 0},
    {"type: symmetric", OF(3, 2, 1), {1, -1, 1}, .4, {.7, .3, .7}, {.21, .21, .21}, 3, 1},
    {"type: erasure", OF(3, 3, 0), {0, 1, 2}, .3, {.7, .7, .7}, {.21, .21, .21}, 3, 0},
    {"type: erasure, order: sequential",
     OF(3, 3, 0),
     {0, 1, 2},
     2. / 3,
     {1. / 3, 1. / 3, 1. / 3},
     {2. / 9, 2. / 9, 2. / 9},
     3,
     0},
    {"type: product, parts: [{type: gaussian, horizon: 3}]",
     OF(3, 2, 1),
     {1, -1, 1},
     1,
     {3, -3, 3},
     {3, 3, 3},
     3,
     NAN},
    /* At two thirds of all ways the first has ended, and the second is at a third of its own. */
    {"type: product, order: sequential, parts: [{type: linear, matrix: [[1, 1, 1]], horizon: 2}, "
     "{type: linear, pixels: no, average: 1, horizon: 6}]",
     OF(3, 0, 0),
     {1, -2, .5},
     1,
     {-1, -1.7320508},
     {2, 6},
     2,
     NAN},
};
enum { SEEN = sizeof seen / sizeof *seen, SEEN_TILES = 200 };

static void put_known(const struct seen_so *s, double *mean, double *law)
{
  for (int i = 0; i < 3 * L; i++) {
    double x = s->x[i / L], letter = s->of.spins ? .5 * (x + 1) : x;
    mean[i] = x;
    for (int a = 0; a < s->of.letters; a++)
      law[a * 3 * L + i] = letter == a;
  }
}

/* What steps by one and the same point are worth is what is said of it at the end. */
static void check_worth(const struct dun_observation *o, const void *self, const struct seen_so *s,
                        const double *y, const double *worth)
{
  static double h[3 * L] __attribute__((aligned(64))), factor[9 * L] __attribute__((aligned(64)));
  double lambda[L] __attribute__((aligned(64))) = {0}, said[L] __attribute__((aligned(64))) = {0};
  const double *scale = o->scale ? o->scale(self) : NULL;
  memset(h, 0, sizeof h);
  memset(factor, 0, sizeof factor);
  if (o->tilt)
    o->tilt(self, s->t, y, &(struct dun_evidence){.h = h, .lambda = lambda, .factor = factor});
  if (dun_observation_of_points(o, self))
    o->likelihood(self, s->t, y, s->x, said);
  for (int j = 0; j < 3; j++)
    for (int l = 0; l < L; l++) {
      double x = s->x[j], q = scale ? scale[j] : 1;
      int letter = (int)(s->of.spins ? .5 * (x + 1) : x);
      said[l] += s->of.letters ? factor[(letter * 3 + j) * L + l]
                               : h[j * L + l] * x - .5 * lambda[l] * q * x * x;
    }
  for (int l = 0; l < L; l++)
    CHECK_NEAR(worth[l] - said[l], 0, 1e-9 * (1 + fabs(said[l])));
}

/* A step by means and covariances, where nothing is open, is one by means. */
static void check_correct(const struct dun_observation *o, const void *self, double t, double next,
                          const struct dun_known *known, struct dun_address address,
                          const double *before, const double *y)
{
  static double open[9 * L] __attribute__((aligned(64))), other[3 * L] __attribute__((aligned(64)));
  double worth[L] __attribute__((aligned(64))) = {0}, said[L] __attribute__((aligned(64))) = {0};
  memset(open, 0, sizeof open);
  memcpy(other, before, sizeof other);
  o->correct(self, t, next, known, open, address, other, worth);
  o->weigh(self, t, next, known, before, y, said);
  for (int i = 0; i < 3 * L; i++)
    CHECK_NEAR(other[i], y[i], 1e-12 * (1 + fabs(y[i])));
  for (int l = 0; l < L; l++)
    CHECK_NEAR(worth[l], said[l], 1e-11 * (1 + fabs(said[l])));
}

/* In three steps, of which sequential erasure makes whole ones. */
static void observe(const struct seen_so *s, double *sum)
{
  static double y[3 * L] __attribute__((aligned(64))), law[9 * L] __attribute__((aligned(64)));
  static double mean[3 * L] __attribute__((aligned(64))), before[3 * L];
  const struct dun_known known = {.mean = mean, .letters = s->of.letters ? law : NULL};
  struct made_part made;
  char why[1024];
  CHECK(made_part_open(&test_context, &made, DUN_KIND_OBSERVATION, s->options, why) == 0);
  const struct dun_observation *o = (const struct dun_observation *)made.part.type;
  CHECK(o->init(made.part.self, &s->of) == 0 && o->width(made.part.self) == s->columns);
  put_known(s, mean, law);
  for (uint32_t tile = 0; tile < SEEN_TILES; tile++) {
    struct dun_address address = {.seed = 7, .purpose = DUN_PURPOSE_START, .tile = tile};
    memset(y, 0, sizeof y);
    if (o->start)
      o->start(made.part.self, address, y);
    address.purpose = DUN_PURPOSE_NOISE;
    double worth[L] __attribute__((aligned(64))) = {0};
    for (address.step = 0; address.step < 2; address.step++) {
      double t = s->t * address.step / 2, next = s->t * (address.step + 1) / 2;
      memcpy(before, y, sizeof before);
      o->step(made.part.self, t, next, &known, address, y);
      if (o->weigh)
        o->weigh(made.part.self, t, next, &known, before, y, worth);
      if (o->correct)
        check_correct(o, made.part.self, t, next, &known, address, before, y);
    }
    CHECK((o->weigh != NULL) == !dun_observation_draws_only(o, made.part.self));
    if (o->weigh)
      check_worth(o, made.part.self, s, y, worth);
    for (int i = 0; i < s->columns * L; i++)
      sum[i / L] += isnan(s->counts) ? y[i] : y[i] == s->counts;
  }
  made_part_close(&made);
}

static void observations_have_their_laws(void)
{
  for (int k = 0; k < SEEN; k++) {
    double sum[3] = {0}, n = SEEN_TILES * L;
    observe(&seen[k], sum);
    for (int i = 0; i < seen[k].columns; i++) {
      double off = sum[i] / n - seen[k].mean[i];
      if (!(fabs(off) < 5 * sqrt(seen[k].variance[i] / n)))
        fprintf(stderr, "{%s}: column %d is %g off\n", seen[k].options, i, off);
      CHECK(fabs(off) < 5 * sqrt(seen[k].variance[i] / n));
    }
  }
}

/* ---- what field atoms tells under a matrix --------------------------------------------------- */

/* The log weight of row k in a lane. */
static double weight_of(int k, int lane, const double *h, const double *matrix)
{
  const double *x = points[k];
  double square = matrix[lane] * x[0] * x[0] + 2 * matrix[L + lane] * x[0] * x[1] +
                  matrix[2 * L + lane] * x[1] * x[1];
  return h[lane] * x[0] + h[L + lane] * x[1] - .5 * (square + x[0] * x[0] + x[1] * x[1]);
}

static void check_law(int lane, const struct dun_field_call *call)
{
  double sum = 0, mean[2] = {0}, open[3] = {0};
  for (int k = 0; k < ROWS; k++) {
    double w = exp(weight_of(k, lane, call->h, call->precision));
    sum += w;
    mean[0] += w * points[k][0];
    mean[1] += w * points[k][1];
  }
  for (int k = 0; k < ROWS; k++) {
    double w = exp(weight_of(k, lane, call->h, call->precision)) / sum;
    double away[2] = {points[k][0] - mean[0] / sum, points[k][1] - mean[1] / sum};
    open[0] += w * away[0] * away[0];
    open[1] += w * away[0] * away[1];
    open[2] += w * away[1] * away[1];
  }
  for (int i = 0; i < 2; i++)
    CHECK_NEAR(call->mean[i * L + lane], mean[i] / sum, 1e-11);
  for (int e = 0; e < 3; e++)
    CHECK_NEAR(call->covariance[e * L + lane], open[e], 1e-11);
  CHECK_NEAR(call->log_mass[lane] + log(2 * M_PI), log(sum), 1e-11);
}

static void atoms_tell_what_is_open(void)
{
  static double h[2 * L] __attribute__((aligned(64))), matrix[3 * L] __attribute__((aligned(64)));
  static double mean[2 * L] __attribute__((aligned(64))), open[3 * L] __attribute__((aligned(64)));
  double lambda[L] __attribute__((aligned(64))) = {0}, mass[L] __attribute__((aligned(64)));
  char file[64], options[128], why[1024];
  struct subject s;
  struct made_part made;
  write_points(file);
  snprintf(options, sizeof options, "type: atoms, points: %s, weights: target", file);
  CHECK(subject_open(&test_context, &s, "type: gaussian, dimension: 2", why) == 0);
  CHECK(made_part_open(&test_context, &made, DUN_KIND_FIELD, options, why) == 0);
  const struct dun_field *field = (const struct dun_field *)made.part.type;
  CHECK(field->init(&test_context, made.part.self, &s.evaluator, 0) == 0);
  for (int l = 0; l < L; l++) {
    h[l] = 3 * sin(1 + l);
    h[L + l] = 3 * cos(2 + 3 * l);
    matrix[l] = 1 + sin(l);
    matrix[L + l] = .5 * cos(3 * l);
    matrix[2 * L + l] = 1.3 + cos(l);
  }
  const struct dun_field_call call = {.n = L,
                                      .h = h,
                                      .lambda = lambda,
                                      .label = -1,
                                      .mean = mean,
                                      .log_mass = mass,
                                      .precision = matrix,
                                      .covariance = open};
  field->value(made.part.self, &call);
  for (int l = 0; l < L; l++)
    check_law(l, &call);
  made_part_close(&made);
  subject_close(&s);
  MPI_Barrier(test_context.comm);
  if (test_context.rank == 0)
    CHECK(unlink(file) == 0);
}

TEST_MAIN({"every_observation_is_tried", every_observation_is_tried},
          {"points_have_the_law", points_have_the_law},
          {"observations_have_their_laws", observations_have_their_laws},
          {"atoms_tell_what_is_open", atoms_tell_what_is_open})
