/* Features of observation linear on a lattice: its matrix, found by steps from unit points with the
 * same noise, against boxes by hand and waves that are orthonormal, long and as many as there are;
 * and its likelihood against that matrix: points that are found by one that says less have the
 * target's law all the same. */
#include "base/random.h"
#include "check.h"
#include "dunlin/target.h"
#include "made_part.h"
#include "observations/observation.h"
#include <math.h>

enum { L = DUN_LANES, HEIGHT = 4, WIDTH = 8, CHANNELS = 2, N = HEIGHT * WIDTH, D = CHANNELS * N };
enum { MOST = 256 };

static double matrix[MOST][D]; /* A */
static double y[MOST * L] __attribute__((aligned(64))), x[D * L] __attribute__((aligned(64)));
static char why[1024];

static const struct dun_observed of = {.d = D, .axes = 3, .size = {CHANNELS, HEIGHT, WIDTH}};

static const struct dun_observation *open(struct made_part *made, const char *options)
{
  CHECK(made_part_open(&test_context, made, DUN_KIND_OBSERVATION, options, why) == 0);
  const struct dun_observation *o = (const struct dun_observation *)made->part.type;
  CHECK(o->init(made->part.self, &of) == 0 && o->width(made->part.self) <= MOST);
  return o;
}

static void take_step(const struct dun_observation *o, const void *self, double *out)
{
  memset(out, 0, sizeof y);
  o->step(self, 0, 4, &(struct dun_known){.mean = x}, (struct dun_address){.seed = 3}, out);
}

static void find_matrix(const struct dun_observation *o, const void *self)
{
  static double none[MOST * L] __attribute__((aligned(64)));
  memset(x, 0, sizeof x);
  take_step(o, self, none);
  for (int first = 0; first < D; first += L) {
    memset(x, 0, sizeof x);
    for (int l = 0; l < L; l++)
      x[(first + l) * L + l] = 1;
    take_step(o, self, y);
    for (int i = 0; i < o->width(self); i++)
      for (int l = 0; l < L; l++)
        matrix[i][first + l] = (y[i * L + l] - none[i * L + l]) / 4;
  }
}

/* The features of boxes of these sides, from row `first` on; returns the row behind them. */
static int check_boxes(int first, int channel, int height, int width, double gain)
{
  for (int i = 0; i < HEIGHT / height; i++)
    for (int j = 0; j < WIDTH / width; j++, first++)
      for (int k = 0; k < D; k++) {
        int row = k % N / WIDTH, column = k % WIDTH;
        int in = k / N == channel && row / height == i && column / width == j;
        CHECK_NEAR(matrix[first][k], in ? gain / (height * width) : 0, 1e-12);
      }
  return first;
}

static double product(int i, int j)
{
  double sum = 0;
  for (int k = 0; k < D; k++)
    sum += matrix[i][k] * matrix[j][k];
  return sum;
}

/* What a wave has at the neighbours of a pixel, over what it has there: 4 less khat^2. */
static void check_wave(int i, int channel)
{
  double longest = 8 - 2 * cos(2 * M_PI / HEIGHT) - 2 * cos(2 * M_PI / WIDTH) - 4, square = 0;
  for (int k = 0; k < N; k++) {
    const double *wave = matrix[i] + channel * N;
    int row = k / WIDTH, column = k % WIDTH;
    double right = wave[row * WIDTH + (column + 1) % WIDTH];
    double below = wave[(row + 1) % HEIGHT * WIDTH + column];
    square += (right - wave[k]) * (right - wave[k]) + (below - wave[k]) * (below - wave[k]);
    CHECK(matrix[i][(1 - channel) * N + k] == 0);
  }
  CHECK(square > .1 * 9 && square < 9 * (longest + 1e-9));
}

static void rows_are_those_features(void)
{
  enum { WAVES = 8 };
  struct made_part made;
  const struct dun_observation *o =
      open(&made, "type: linear, channels: 2, average: 2, pyramid: .5, fourier: 3");
  int row = 0;
  find_matrix(o, made.part.self);
  for (int channel = 0; channel < CHANNELS; channel++) {
    row = check_boxes(row, channel, 1, 1, 1);
    row = check_boxes(row, channel, HEIGHT, WIDTH, 2 * sqrt(N));
    row = check_boxes(row, channel, 2, 2, 1);
    row = check_boxes(row, channel, 4, 4, 2);
  }
  CHECK(o->width(made.part.self) == row + CHANNELS * WAVES);
  for (int i = 0; i < CHANNELS * WAVES; i++) {
    check_wave(row + i, i / WAVES);
    for (int j = 0; j <= i; j++)
      CHECK_NEAR(product(row + i, row + j), i == j ? 9 : 0, 1e-11);
    CHECK_NEAR(product(row + i, N), 0, 1e-12);
  }
  CHECK(o->features(made.part.self) == NULL);
  made_part_close(&made);
}

static void likelihood_is_of_those_rows(void)
{
  static const char *const options[] = {
      "type: linear, channels: 2, average: 2, pyramid: .5, fourier: 3", "type: linear",
      "type: linear, pixels: no, average: 1"};
  for (int way = 0; way < 3; way++) {
    struct made_part made;
    double point[D], out[L] = {0}, normal[D * L] __attribute__((aligned(64)));
    const struct dun_observation *o = open(&made, options[way]);
    find_matrix(o, made.part.self);
    dun_normals((struct dun_address){.seed = 5}, D, normal);
    for (int k = 0; k < D; k++)
      point[k] = normal[k * L];
    o->likelihood(made.part.self, .7, y, point, out);
    for (int l = 0; l < L; l += 9) {
      double sum = 0;
      for (int i = 0; i < o->width(made.part.self); i++) {
        double image = 0;
        for (int k = 0; k < D; k++)
          image += matrix[i][k] * point[k];
        sum += image * (y[i * L + l] - .35 * image);
      }
      CHECK_NEAR(out[l], sum, 1e-9 * (1 + fabs(sum)));
    }
    made_part_close(&made);
  }
}

TEST_MAIN({"rows_are_those_features", rows_are_those_features},
          {"likelihood_is_of_those_rows", likelihood_is_of_those_rows})
