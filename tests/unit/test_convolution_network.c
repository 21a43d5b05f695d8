/* Network convolution against sums written as one would read them, and what shifts of an image do
 * to it. */
#include "base/memory.h"
#include "check.h"
#include "dunlin/target.h"
#include "learning/convolution_waves.h"
#include "made_part.h"
#include "numerics/activation.h"

enum { L = DUN_LANES, CHANNELS = 2, HEIGHT = 4, WIDTH = 5, D = CHANNELS * HEIGHT * WIDTH };
enum { GLOBALS = 3, WIDER = 40 /* channels at most */ };

struct trial {
  struct made_part made;
  const struct dun_network *network;
  const struct dun_convolution_network *self;
  double *w, *x, *y, *tape;
  double angle[L] __attribute__((aligned(64)));
};

static void open_trial(struct trial *t, const char *options)
{
  char text[256], why[1024];
  struct dun_address address = {.seed = 3, .purpose = DUN_PURPOSE_TEST};
  snprintf(text, sizeof text, "type: convolution, channels: %d, height: %d, %s", CHANNELS, HEIGHT,
           options);
  memset(t, 0, sizeof *t);
  CHECK(made_part_open(&test_context, &t->made, DUN_KIND_NETWORK, text, why) == 0);
  t->network = (const struct dun_network *)t->made.part.type;
  t->self = t->made.part.self;
  CHECK(t->network->init(t->made.part.self, D + GLOBALS, D) == 0);
  int64_t weights = (t->network->weights(t->self) + 63) / 64;
  t->w = dun_allocate(weights + 2 * D + GLOBALS + t->network->tape(t->self), L * sizeof *t->w);
  if (!t->w)
    exit(1);
  t->x = t->w + weights * L;
  t->y = t->x + (D + GLOBALS) * L;
  t->tape = t->y + D * L;
  t->network->draw(t->self, address, t->w);
  dun_normals(address, D + GLOBALS, t->x);
  dun_uniforms(address, 1, t->angle);
}

static void close_trial(struct trial *t)
{
  dun_free(t->w);
  made_part_close(&t->made);
}

static void forward(struct trial *t)
{
  t->network->forward(t->self, t->w, t->angle, t->x, t->y, t->tape);
}

typedef double image[WIDER][HEIGHT][WIDTH];

/* What lies at a pixel, or beyond the edges. */
static double pixel(const struct trial *t, const image in, int c, int i, int j)
{
  if (t->self->border == DUN_BORDER_PERIODIC)
    return in[c][(i + 10 * HEIGHT) % HEIGHT][(j + 10 * WIDTH) % WIDTH];
  return i < 0 || i >= HEIGHT || j < 0 || j >= WIDTH ? 0 : in[c][i][j];
}

/* One number that a layer gives: w is its kernel, and common what all pixels see. */
static double sum_about(const struct trial *t, const struct dun_convolution_layer *at,
                        const double *common, const image in, int o, int i, int j)
{
  const double *w = t->w + at->kernel + o * at->side * at->side * at->takes;
  int sees = dun_convolution_common(t->self);
  const double *of_all = t->w + at->common + o * sees;
  double sum = t->w[at->common + at->gives * sees + o];
  for (int k = 0; k < sees; k++)
    sum += of_all[k] * common[k];
  for (int a = 0; a < at->side; a++)
    for (int b = 0; b < at->side; b++)
      for (int c = 0; c < at->takes; c++)
        sum += w[(a * at->side + b) * at->takes + c] * pixel(t, in, c,
                                                             i + at->spacing * (a - at->side / 2),
                                                             j + at->spacing * (b - at->side / 2));
  return sum;
}

static void plain_layer(const struct trial *t, int layer, const double *common, const image in,
                        image out)
{
  struct dun_convolution_layer at = dun_convolution_layer(t->self, layer);
  for (int o = 0; o < at.gives; o++)
    for (int i = 0; i < HEIGHT; i++)
      for (int j = 0; j < WIDTH; j++) {
        double sum = sum_about(t, &at, common, in, o, i, j);
        if (layer < t->self->layers - 1)
          dun_activate((enum dun_activation)t->self->activation, 1, &sum, &sum);
        out[o][i][j] = sum;
      }
}

/* y[D] of one lane. */
static void plain(const struct trial *t, int lane, double *y)
{
  image in = {{{0}}}, out;
  double common[64];
  int harmonics = (int)t->self->harmonics, features = 2 * (harmonics + 1);
  for (int k = 0; k <= harmonics; k++) {
    common[k] = cos(k * t->angle[lane]);
    common[harmonics + 1 + k] = sin(k * t->angle[lane]);
  }
  for (int k = 0; k < GLOBALS; k++)
    common[features + k] = t->x[(D + k) * L + lane];
  for (int k = 0; k < D; k++)
    in[k / (HEIGHT * WIDTH)][k / WIDTH % HEIGHT][k % WIDTH] = t->x[k * L + lane];
  for (int l = 0; l < t->self->layers; l++) {
    plain_layer(t, l, common, in, out);
    memcpy(in, out, sizeof in);
  }
  for (int k = 0; k < D; k++)
    y[k] = out[k / (HEIGHT * WIDTH)][k / WIDTH % HEIGHT][k % WIDTH];
}

static const char *const settings[] = {
    "widths: [3]",
    "widths: [3, 6], kernels: 5, activation: relu, harmonics: 2",
    "widths: [1, 4, 2], kernels: [1, 5, 3, 7], border: periodic, activation: tanh",
    "widths: [6], kernels: 9, border: periodic, activation: gelu",
    "widths: [3, 4], kernels: [3, 5, 3], spacing: [2, 1, 3]",
    "widths: [2], spacing: 4, border: periodic",
    "widths: [5, 5], kernels: [3, 1, 1], activation: gelu, harmonics: 0",
    "widths: [40, 40], border: periodic",
};
enum { SETTINGS = sizeof settings / sizeof *settings };

/* Layers of all settings that go by waves, or of one network. */
static int waves_of(const char *const *all, int count, int channels, int height)
{
  char text[256], why[1024];
  int layers = 0;
  for (int i = 0; i < count; i++) {
    struct made_part made = {0};
    snprintf(text, sizeof text, "type: convolution, channels: %d, height: %d, %s", channels, height,
             all[i]);
    CHECK(made_part_open(&test_context, &made, DUN_KIND_NETWORK, text, why) == 0);
    const struct dun_network *network = (const struct dun_network *)made.part.type;
    const struct dun_convolution_network *self = made.part.self;
    int d = channels * height * (height == HEIGHT && channels == CHANNELS ? WIDTH : height);
    CHECK(network->init(made.part.self, d, d) == 0);
    for (int l = 0; l < self->layers; l++) {
      struct dun_convolution_layer at = dun_convolution_layer(self, l);
      layers += dun_convolution_by_waves(self, &at);
    }
    made_part_close(&made);
  }
  return layers;
}

/* Of the settings here and of the contract's some, of small kernels none, of large ones all. */
static void large_kernels_go_by_waves(void)
{
  static const char *const small[] = {"widths: [32, 32, 32, 32], spacing: [1, 2, 4, 2, 1]"},
                           *const large[] = {"widths: [32, 32], kernels: 15"},
                           *const middle[] = {"widths: [32, 32], kernels: 7"},
                           *const contract[] = {"widths: [4], kernels: 9"};
  int here = waves_of(settings, SETTINGS, CHANNELS, HEIGHT);
  printf("# %d layers of the settings here\n", here);
  CHECK(here > 0 && here < 8);
  CHECK(waves_of(small, 1, 1, 16) == 0);
  CHECK(waves_of(large, 1, 1, 16) == 3);
  CHECK(waves_of(middle, 1, 1, 16) == 1);
  CHECK(waves_of(contract, 1, 1, 4) == 1); /* and the way back through the other one */
}

static void values_are_plain_sums(void)
{
  for (int s = 0; s < SETTINGS; s++) {
    struct trial t;
    double worst = 0, y[D];
    open_trial(&t, settings[s]);
    forward(&t);
    for (int l = 0; l < L; l += 21) {
      plain(&t, l, y);
      for (int k = 0; k < D; k++)
        worst = fmax(worst, fabs(y[k] - t.y[k * L + l]));
    }
    printf("# %s: off by %.2g\n", settings[s], worst);
    CHECK(worst < 1e-13);
    close_trial(&t);
  }
}

/* to = from moved down and to the right around the edges. */
static void shift(const double *from, int down, int right, double *to)
{
  for (int k = 0; k < D; k++) {
    int channel = k / (HEIGHT * WIDTH), i = (k / WIDTH % HEIGHT + down) % HEIGHT;
    int j = (k % WIDTH + right) % WIDTH;
    memcpy(to + ((channel * HEIGHT + i) * WIDTH + j) * L, from + k * L, L * sizeof *to);
  }
}

/* Of a periodic image no pixel is the first: the same bits; edges are somewhere. */
static void shifted_images_give_shifted_ones(void)
{
  for (int periodic = 0; periodic < 2; periodic++) {
    struct trial t;
    double *moved = dun_allocate(D, L * sizeof *moved), *x = dun_allocate(D, L * sizeof *x);
    if (!moved || !x)
      exit(1);
    open_trial(&t, periodic ? "widths: [5, 4], kernels: [3, 5, 3], border: periodic"
                            : "widths: [5, 4], kernels: [3, 5, 3]");
    forward(&t);
    shift(t.y, 3, 2, moved);
    shift(t.x, 3, 2, x);
    memcpy(t.x, x, D * L * sizeof *x);
    forward(&t);
    CHECK((memcmp(moved, t.y, D * L * sizeof *x) == 0) == periodic);
    dun_free(moved);
    dun_free(x);
    close_trial(&t);
  }
}

TEST_MAIN({"large kernels go by waves", large_kernels_go_by_waves},
          {"values are plain sums", values_are_plain_sums},
          {"shifted images give shifted ones", shifted_images_give_shifted_ones})
