/* The means that a window tells, against the posterior by dense algebra and, where it holds all of
 * an image, against the target's own closed form; and spectra that follow from them (spectra.h), to
 * .002: the others in test_window_long.c. */
#include "numerics/linear.h"
#include "spectra.h"

/* ---- a window that holds all ----------------------------------------------------------------- */

static void whole_images(const char *target, int channels, int height, int width)
{
  struct case_of c;
  double lambda[L] __attribute__((aligned(64)));
  open(&c, target, "type: window, radius: 5");
  dun_features_init(&c.features, channels, (int[]){height, width});
  CHECK(dun_features_add(&c.features, 1, 1, 1) == 0);
  start(&c);
  int d = c.target.d;
  double *seen = dun_allocate(d, L * sizeof *seen), *mean = dun_allocate(d, L * sizeof *mean);
  for (int k = 0; k < 5; k++) {
    double t = (const double[]){0, 1e-3, .1, 2, 100}[k];
    subject_numbers(&c.target, k);
    c.target.target->draw(c.target.self, c.target.uniform, c.target.normal, c.target.x);
    subject_numbers(&c.target, 10 + k);
    for (int i = 0; i < d * L; i++)
      seen[i] = t * c.target.x[i] + sqrt(t) * c.target.normal[i];
    for (int l = 0; l < L; l++)
      lambda[l] = t;
    CHECK(dun_evaluator_tilted(
              &c.target.evaluator,
              &(struct dun_tilted){.n = L, .h = seen, .lambda = lambda, .mean = mean}) == 0);
    ask(&c, t, seen, c.target.x);
    for (int i = 0; i < d * L; i++)
      CHECK_NEAR(c.target.x[i], mean[i], 1e-9 * (1 + fabs(mean[i])));
  }
  dun_free(seen);
  dun_free(mean);
  finish(&c);
}

static void whole_images_are_the_posterior(void)
{
  whole_images("type: coloured_texture, side: 5, colours: [[1], [-1]], weights: [.7, .3]", 1, 5, 5);
  whole_images("type: coloured_texture, side: [3, 4], colours: [[1, 0, 1], [0, .5, 0], [0, 0, 0]], "
               "shift: .3, mass: .5",
               3, 3, 4);
  whole_images("type: gaussian_field, side: [4, 3], mean: 2, scale: 3", 1, 4, 3);
  whole_images("type: gaussian_field, side: 7, axes: 1, power: 2", 1, 1, 7);
}

/* ---- a window, by dense algebra ----------------------------------------------------------------
 * */

enum { HEIGHT = 8, WIDTH = 4, N = HEIGHT * WIDTH, MOST = 64 };

/* Features of the window of a pixel, rows[MOST][N], and their places; returns how many. */
static int rows_of(const struct dun_features *f, int radius, int row, int column,
                   double rows[MOST][N], int place[MOST])
{
  int count = 0;
  memset(rows, 0, sizeof(double[MOST][N]));
  for (int k = 0; k < f->levels; k++) {
    const struct dun_boxes *b = &f->level[k];
    int far = b->side[0] * b->side[1] == 1 ? radius : 1;
    for (int i = 0; i < b->count[0]; i++)
      for (int j = 0; j < b->count[1]; j++) {
        int up = abs(i - row / b->side[0]), left = abs(j - column / b->side[1]);
        up = up < b->count[0] - up ? up : b->count[0] - up;
        left = left < b->count[1] - left ? left : b->count[1] - left;
        if (up > far || left > far)
          continue;
        for (int p = 0; p < b->side[0]; p++)
          for (int q = 0; q < b->side[1]; q++)
            rows[count][(i * b->side[0] + p) * WIDTH + j * b->side[1] + q] =
                b->gain / (b->side[0] * b->side[1]);
        place[count++] = (int)b->first + i * b->count[1] + j;
      }
  }
  return count;
}

/* Of pixels, by a sum over waves: mass 1, variance 1/2, shift .1. */
static void make_covariance(double covariance[N][N])
{
  double sum = 0, s[N];
  for (int k = 0; k < N; k++)
    sum += s[k] = 1 / (5 - 2 * cos(2 * M_PI * (k / WIDTH) / HEIGHT) -
                       2 * cos(2 * M_PI * (k % WIDTH) / WIDTH));
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++) {
      covariance[i][j] = .1;
      for (int k = 0; k < N; k++)
        covariance[i][j] += .5 * s[k] / sum *
                            cos(2 * M_PI *
                                ((k / WIDTH) * (i / WIDTH - j / WIDTH) / (double)HEIGHT +
                                 (k % WIDTH) * (i % WIDTH - j % WIDTH) / (double)WIDTH));
    }
}

/* The mean at `pixel` given y[count] of these rows, of two colours 1 and -.5 in proportion 1 : 3.
 * */
static double mean_given(double covariance[N][N], int count, double rows[MOST][N], double t,
                         const double *y, int pixel)
{
  static double g[MOST * MOST], inverse[MOST * MOST], seen[MOST][N];
  double colour[2] = {1, -.5}, weight[2], given[2];
  for (int i = 0; i < count; i++)
    for (int p = 0; p < N; p++) {
      seen[i][p] = 0;
      for (int q = 0; q < N; q++)
        seen[i][p] += rows[i][q] * covariance[q][p];
    }
  for (int i = 0; i < count; i++)
    for (int j = 0; j < count; j++) {
      g[i * count + j] = i == j ? t : 0; /* the covariance of y given the colour */
      for (int p = 0; p < N; p++)
        g[i * count + j] += t * t * seen[i][p] * rows[j][p];
    }
  CHECK(dun_cholesky(count, g) == 0 && dun_cholesky_inverse(count, g, inverse) == 0);
  for (int k = 0; k < 2; k++) {
    double off[MOST], square = 0;
    for (int i = 0; i < count; i++) {
      off[i] = y[i];
      for (int p = 0; p < N; p++)
        off[i] -= t * rows[i][p] * colour[k];
    }
    given[k] = colour[k];
    for (int i = 0; i < count; i++)
      for (int j = 0; j < count; j++) {
        square += off[i] * inverse[i * count + j] * off[j];
        given[k] += t * seen[i][pixel] * inverse[i * count + j] * off[j];
      }
    weight[k] = log(k == 0 ? .25 : .75) - .5 * square;
  }
  double share = 1 / (1 + exp(weight[1] - weight[0]));
  return share * given[0] + (1 - share) * given[1];
}

static void windows_are(int radius, int average, int pyramid)
{
  static double covariance[N][N], rows[MOST][N], x[N * L] __attribute__((aligned(64)));
  static double seen[4 * N * L] __attribute__((aligned(64)));
  struct case_of c;
  char field[64];
  int place[MOST];
  double t = .3, y[MOST];
  snprintf(field, sizeof field, "type: window, radius: %d", radius);
  open(&c,
       "type: coloured_texture, side: [8, 4], colours: [[1], [-.5]], weights: [1, 3], variance: "
       ".5, shift: .1",
       field);
  dun_features_init(&c.features, 1, (int[]){HEIGHT, WIDTH});
  CHECK(dun_features_add(&c.features, 1, 1, 1) == 0);
  for (int side = 2; pyramid && side <= 4; side *= 2)
    CHECK(dun_features_add(&c.features, side, side, .7 * side) == 0);
  if (average)
    CHECK(dun_features_add(&c.features, HEIGHT, WIDTH, 3) == 0);
  start(&c);
  subject_numbers(&c.target, 1);
  for (int i = 0; i < c.features.rows * L; i++)
    seen[i] = .8 * c.target.normal[i % (N * L)] + .1 * (i / (N * L));
  CHECK(c.field->times(c.self, 3, (const double[]){0, t, 1}) == 0);
  ask(&c, t, seen, x);
  make_covariance(covariance);
  for (int pixel = 0; pixel < N; pixel++) {
    int count = rows_of(&c.features, radius, pixel / WIDTH, pixel % WIDTH, rows, place);
    for (int l = 0; l < L; l += 21) {
      for (int i = 0; i < count; i++)
        y[i] = seen[place[i] * L + l];
      CHECK_NEAR(x[pixel * L + l], mean_given(covariance, count, rows, t, y, pixel), 1e-9);
    }
  }
  finish(&c);
}

static void windows_are_the_posterior(void)
{
  windows_are(1, 0, 0);
  windows_are(1, 1, 0);
  windows_are(1, 0, 1);
  windows_are(0, 1, 1);
}

static void spectra_are_known(void)
{
  spectra(WINDOW_OF_1, WINDOW_OF_1 + 1);
  spectra(AVERAGE_AND_2, AVERAGE_AND_2 + 1);
}

TEST_MAIN({"whole_images_are_the_posterior", whole_images_are_the_posterior},
          {"windows_are_the_posterior", windows_are_the_posterior},
          {"spectra_are_known", spectra_are_known})
