/* The observation that is adapted to what is open: of a Gaussian the covariance falls as exp(-t) in
 * every direction, however unlike their scales are, to 1e-6; of a mixture so on average, 3
 * comparisons; what is observed of a given point has its law, 8 comparisons; limit 5 standard
 * errors.  And the matrices of lanes that it goes by. */
#include "base/random.h"
#include "check.h"
#include "fixture.h"
#include "made_part.h"
#include "numerics/gaussian.h"
#include "numerics/mixture.h"
#include "numerics/packed.h"
#include "observations/observation.h"
#include <math.h>

enum { L = DUN_LANES, D = 5, ENTRIES = D * (D + 1) / 2 };

#define COLUMNS(name, count) static double name[(count)*L] __attribute__((aligned(64)))
COLUMNS(y, D + ENTRIES);
COLUMNS(mean, D);
COLUMNS(draw, D);
COLUMNS(normal, D);
COLUMNS(uniform, 1);
COLUMNS(covariance, ENTRIES);
COLUMNS(spare, ENTRIES);
COLUMNS(work, 64);

/* ---- matrices -------------------------------------------------------------------------------- */

static void matrices_have_inverses(void)
{
  COLUMNS(a, ENTRIES);
  COLUMNS(x, D);
  COLUMNS(out, D);
  double square[L] = {0}, twice[L] = {0}, log_root[L], one[L];
  memset(a, 0, sizeof a);
  for (int l = 0; l < L; l++)
    one[l] = 1;
  for (int k = 0; k < 2 * D; k++) { /* a sum of squares */
    for (int i = 0; i < D * L; i++)
      x[i] = sin(1 + 7 * k * k + 3 * i * (k + 1));
    dun_packed_add_outer(D, one, x, a);
  }
  memset(out, 0, sizeof out);
  dun_packed_multiply(D, a, 2, x, out);
  dun_packed_square(D, a, 3, x, square);
  for (int i = 0; i < D * L; i++)
    twice[i % L] += 1.5 * out[i] * x[i];
  for (int l = 0; l < L; l++)
    CHECK_NEAR(square[l], twice[l], 1e-12 * twice[l]);
  memcpy(spare, a, sizeof spare);
  dun_packed_cholesky(D, spare, log_root);
  for (int l = 0; l < L; l++) {
    double product = 1;
    for (int i = 0; i < D; i++)
      product *= spare[(DUN_PACKED(i) + i) * L + l];
    CHECK_NEAR(log_root[l], log(product), 1e-12);
  }
  dun_packed_solve(D, spare, out); /* 2 x comes back, by the factor and by the inverse */
  dun_packed_solve_transposed(D, spare, out);
  for (int i = 0; i < D * L; i++)
    CHECK_NEAR(out[i], 2 * x[i], 1e-9);
  dun_packed_inverse(D, spare);
  memset(out, 0, sizeof out);
  memset(mean, 0, sizeof mean);
  dun_packed_multiply(D, a, 1, x, out);
  dun_packed_multiply(D, spare, 1, out, mean);
  for (int i = 0; i < D * L; i++)
    CHECK_NEAR(mean[i], x[i], 1e-9);
}

/* ---- paths ----------------------------------------------------------------------------------- */

static struct made_part made;
static const struct dun_observation *observation;

static void take(int d, const char *options)
{
  const struct dun_observed of = {.d = d};
  char why[1024];
  CHECK(made_part_open(&test_context, &made, DUN_KIND_OBSERVATION, options, why) == 0);
  observation = (const struct dun_observation *)made.part.type;
  CHECK(observation->init(made.part.self, &of) == 0);
  CHECK(observation->width(made.part.self) == d + d * (d + 1) / 2);
}

static struct dun_tilted asked(int d, struct dun_address address)
{
  dun_normals(address, d, normal);
  address.purpose = DUN_PURPOSE_TEST;
  dun_uniforms(address, 1, uniform);
  return (struct dun_tilted){.n = L,
                             .h = y,
                             .mean = mean,
                             .draw = draw,
                             .uniform = uniform,
                             .normal = normal,
                             .precision = observation->matrix(made.part.self, y),
                             .covariance = covariance,
                             .spare = spare};
}

static void move(double t, double next, const double *x, struct dun_address address)
{
  const struct dun_known known = {.mean = x, .covariance = covariance};
  address.purpose = DUN_PURPOSE_NOISE;
  observation->step(made.part.self, t, next, &known, address, y);
}

/* Axes turned against the coordinates, variances from 1e-8 to 1: H diag(variance) H with the
 * reflection H = 1 - 2 v v^T. */
static void make_gaussian(struct dun_gaussian *g, double *first)
{
  double v[D], dense[D * D] = {0}, at[D] = {1, -2, 3, 0, .5};
  for (int i = 0; i < D; i++)
    v[i] = sqrt((i + 1) / 15.);
  for (int i = 0; i < D; i++)
    for (int j = 0; j < D; j++)
      for (int k = 0; k < D; k++)
        dense[i * D + j] +=
            ((i == k) - 2 * v[i] * v[k]) * pow(10, -2. * k) * ((j == k) - 2 * v[j] * v[k]);
  CHECK(dun_gaussian_dense(g, D, at, dense) == 0);
  for (int i = 0, e = 0; i < D; i++)
    for (int j = 0; j <= i; j++, e++)
      first[e] = dense[i * D + j];
}

/* Along the axes, since that is where narrow ones would hide behind wide ones. */
static double along(const double *a, int stride, int k)
{
  double sum = 0, axis[D];
  for (int i = 0; i < D; i++)
    axis[i] = (i == k) - 2 * sqrt((i + 1) / 15.) * sqrt((k + 1) / 15.);
  for (int i = 0, e = 0; i < D; i++)
    for (int j = 0; j <= i; j++, e++)
      sum += (i == j ? 1 : 2) * axis[i] * axis[j] * a[(int64_t)e * stride];
  return sum;
}

static void all_directions_go_at_equal_speed(void)
{
  const double time[] = {0, .01, .5, 1, 3.5, 5, 7};
  struct dun_gaussian g = {0};
  double first[ENTRIES];
  make_gaussian(&g, first);
  take(D, "type: adapted");
  memset(y, 0, sizeof y);
  for (uint32_t k = 0; k < 7; k++) {
    struct dun_address address = {.seed = 1, .purpose = DUN_PURPOSE_START, .step = k};
    struct dun_tilted tilted = asked(D, address);
    CHECK(dun_gaussian_tilted(&g, &tilted, NULL) == 0);
    for (int a = 0; a < D; a++)
      for (int l = 0; l < L; l++)
        CHECK_NEAR(along(covariance + l, L, a) / along(first, 1, a), exp(-time[k]),
                   1e-6 * exp(-time[k]));
    if (k < 6)
      move(time[k], time[k + 1], draw, address);
  }
  dun_gaussian_free(&g);
  made_part_close(&made);
}

/* Two modes and two widths in the plane, in short steps to t = 1.5. */
static void mixtures_do_so_on_average(void)
{
  enum { TILES = 20, STEPS = 150 };
  struct dun_mixture m = {0};
  double first[3], sum[3] = {0}, square[3] = {0}, n = TILES * L;
  CHECK(dun_mixture_init(&m, 2, 2) == 0);
  memcpy(m.mean, (double[]){0, 1, 3, -1}, 4 * sizeof *m.mean);
  memcpy(m.weight, (double[]){.3, .7}, 2 * sizeof *m.weight);
  memcpy(m.deviation, (double[]){.5, 1}, 2 * sizeof *m.deviation);
  CHECK(dun_mixture_set(&m) == 0);
  take(2, "type: adapted");
  for (uint32_t tile = 0; tile < TILES; tile++) {
    memset(y, 0, sizeof y);
    for (uint32_t k = 0; k <= STEPS; k++) {
      struct dun_address address = {
          .seed = 2, .purpose = DUN_PURPOSE_START, .step = k, .tile = tile};
      struct dun_tilted tilted = asked(2, address);
      dun_mixture_tilted_matrix(&m, &tilted, work);
      for (int e = 0; e < 3 && k == 0; e++)
        first[e] = covariance[e * L];
      if (k < STEPS)
        move(.01 * k, .01 * (k + 1), draw, address);
    }
    for (int i = 0; i < 3 * L; i++) {
      sum[i / L] += covariance[i] / n;
      square[i / L] += covariance[i] * covariance[i] / n;
    }
  }
  for (int e = 0; e < 3; e++) {
    double error = sqrt((square[e] - sum[e] * sum[e]) / n);
    printf("# %g of %g is open, %g due, error %g\n", sum[e], first[e], exp(-1.5) * first[e], error);
    CHECK_NEAR(sum[e], exp(-1.5) * first[e], 5 * error);
  }
  dun_mixture_free(&m);
  made_part_close(&made);
}

/* ---- what is observed ------------------------------------------------------------------------ */

/* Of one point, by one covariance: y is M x + N(0, M), by steps of both kinds that sum up in what
 * they are worth. */
static void points_are_seen_so(void)
{
  enum { TILES = 300 };
  const double open[3] = {2, -.6, .5}, x[2] = {1, -3}, n = TILES * L;
  double sum[3] = {0}, square[2] = {0}, product = 0;
  COLUMNS(before, D + ENTRIES);
  take(2, "type: adapted");
  for (int i = 0; i < 2 * L; i++)
    mean[i] = x[i / L];
  for (int i = 0; i < 3 * L; i++)
    covariance[i] = open[i / L];
  double a = exp(.4) - 1 + exp(.6) - 1, det = open[0] * open[2] - open[1] * open[1];
  double m[3] = {a * open[2] / det, -a * open[1] / det, a * open[0] / det};
  double due[2] = {m[0] * x[0] + m[1] * x[1], m[1] * x[0] + m[2] * x[1]};
  for (uint32_t tile = 0; tile < TILES; tile++) {
    double worth[L] __attribute__((aligned(64))) = {0};
    const struct dun_known known = {.mean = mean, .covariance = covariance};
    memset(y, 0, sizeof y);
    for (uint32_t k = 0; k < 2; k++) {
      struct dun_address address = {.seed = 3, .step = k, .tile = tile};
      memcpy(before, y, sizeof before);
      move(k ? .4 : 0, k ? 1 : .4, mean, address);
      observation->weigh(made.part.self, k ? .4 : 0, k ? 1 : .4, &known, before, y, worth);
    }
    for (int l = 0; l < L; l++) {
      double away[2] = {y[l] - due[0], y[L + l] - due[1]};
      double said = y[l] * x[0] + y[L + l] * x[1] - .5 * (due[0] * x[0] + due[1] * x[1]);
      CHECK_NEAR(worth[l], said, 1e-11 * (1 + fabs(said)));
      for (int e = 0; e < 3; e++)
        CHECK_NEAR(y[(2 + e) * L + l], m[e], 1e-12 * (1 + fabs(m[e])));
      for (int i = 0; i < 2; i++) {
        sum[i] += away[i] / n;
        square[i] += away[i] * away[i] / n;
      }
      product += away[0] * away[1] / n;
    }
  }
  for (int i = 0; i < 2; i++) {
    CHECK_NEAR(sum[i], 0, 5 * sqrt(m[2 * i] / n));
    CHECK_NEAR(square[i], m[2 * i], 5 * m[2 * i] * sqrt(2 / n));
  }
  CHECK_NEAR(product, m[1], 5 * sqrt((m[0] * m[2] + m[1] * m[1]) / n));
  made_part_close(&made);
}

/* By covariance: y' has the covariance M + M C M of a whole step, and its density says so. */
static void corrected_steps_are_seen_so(void)
{
  enum { TILES = 300 };
  const double open[3] = {2, -.6, .5}, x[2] = {1, -3}, n = TILES * L;
  double square[3] = {0}, det = open[0] * open[2] - open[1] * open[1], a = exp(.7) - 1;
  double inverse[3] = {open[2] / det, -open[1] / det, open[0] / det};
  take(2, "type: adapted");
  for (int i = 0; i < 2 * L; i++)
    mean[i] = x[i / L];
  for (int i = 0; i < 3 * L; i++)
    covariance[i] = open[i / L];
  for (uint32_t tile = 0; tile < TILES; tile++) {
    double worth[L] __attribute__((aligned(64))) = {0};
    const struct dun_known known = {.mean = mean, .covariance = covariance};
    memset(y, 0, sizeof y);
    observation->correct(made.part.self, 0, .7, &known, NULL,
                         (struct dun_address){.seed = 4, .tile = tile}, y, worth);
    for (int l = 0; l < L; l++) {
      double w[2] = {y[l], y[L + l]}, away[2], over = 0;
      for (int i = 0; i < 2; i++)
        away[i] = w[i] - a * (inverse[i] * x[0] + inverse[i + 1] * x[1]);
      /* log N(y'; a C^-1 m, a (1 + a) C^-1) - log N(y'; 0, a C^-1) */
      over -= .5 *
              (open[0] * away[0] * away[0] + 2 * open[1] * away[0] * away[1] +
               open[2] * away[1] * away[1]) /
              (a * (1 + a));
      over += .5 * (open[0] * w[0] * w[0] + 2 * open[1] * w[0] * w[1] + open[2] * w[1] * w[1]) / a;
      CHECK_NEAR(worth[l], over - log(1 + a), 1e-10 * (1 + fabs(over)));
      square[0] += away[0] * away[0] / n;
      square[1] += away[0] * away[1] / n;
      square[2] += away[1] * away[1] / n;
    }
  }
  for (int e = 0; e < 3; e++) {
    double due = a * (1 + a) * inverse[e], wide = a * (1 + a) * a * (1 + a);
    double variance = e == 1 ? wide * (inverse[0] * inverse[2] + inverse[1] * inverse[1])
                             : 2 * wide * inverse[e] * inverse[e];
    CHECK_NEAR(square[e], due, 5 * sqrt(variance / n));
  }
  made_part_close(&made);
}

TEST_MAIN({"matrices_have_inverses", matrices_have_inverses},
          {"all_directions_go_at_equal_speed", all_directions_go_at_equal_speed},
          {"mixtures_do_so_on_average", mixtures_do_so_on_average},
          {"points_are_seen_so", points_are_seen_so},
          {"corrected_steps_are_seen_so", corrected_steps_are_seen_so})
