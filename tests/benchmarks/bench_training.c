/* Whole trainings, in steps of a batch: examples chosen, noise drawn, the lesson, sums over groups,
 * Adam, weights packed; nanoseconds are those of an example, so that a second has 1e9 / (batch ns)
 * steps.  Bare: the products of such a step alone, whose share of the time bare / ns is; the aim is
 * half.  Slots are the products' flops in single precision, which does two in a double's time, so
 * that aim/is is the share of the peak over .5. */
#include "base/memory.h"
#include "bench.h"
#include "dunlin/target.h"
#include "learning/convolution.h"
#include "learning/mlp.h"
#include "learning/regression.h"
#include "learning/two_layer.h"
#include "numerics/activation.h"
#include "numerics/tile_product.h"
#include <stdlib.h>

enum { L = DUN_LANES, EXAMPLES = 4096, HELD_BACK = 64, NEVER = 1000000000 };

extern const struct dun_network dun_network_mlp, dun_network_two_layer, dun_network_convolution;

static void deal(void *source, int64_t tile, double *x)
{
  struct dun_address address = {.seed = 1, .purpose = DUN_PURPOSE_TEST, .tile = (uint32_t)tile};
  dun_normals(address, *(int *)source, x);
}

/* Nanoseconds of an example. */
static double training_ns(const struct dun_network *network, void *self, int d, int batch)
{
  struct dun_address address = {.seed = 1};
  struct bench_timer timer = {0};
  struct dun_regression r = {.examples = {.count = EXAMPLES, .held_back = HELD_BACK},
                             .optimiser = {.rate = 1e-3,
                                           .first_decay = .9,
                                           .second_decay = .999,
                                           .epsilon = 1e-8,
                                           .clip = 1,
                                           .average = .99},
                             .steps = NEVER,
                             .batch = batch,
                             .every = NEVER,
                             .means = DUN_MEANS_VELOCITY,
                             .last = 1e4,
                             .denoiser = {.network = network, .network_self = self, .d = d}};
  if (network->init(self, d, d) < 0 || dun_regression_init(&bench_context, &r, deal, &d) < 0 ||
      dun_regression_start(&bench_context, &r, address) < 0 ||
      dun_regression_tick(&bench_context, &r, address) < 0)
    exit(1);
  int64_t steps = r.done; /* of a tick: it goes by the work */
  while (bench_again(&timer))
    if (dun_regression_tick(&bench_context, &r, address) < 0)
      exit(1);
  dun_regression_free(&r);
  dun_network_free(self);
  return bench_ns(&timer, steps * batch) * bench_context.size;
}

/* A dense layer, or of images the kernel at one pixel, or by patches at one of 36 points, and how
 * often an example goes through it. */
struct layer {
  int gives, takes, times;
};

static void multiply(const struct layer *one, int first, const float *w, const float *x, float *y)
{
  int gives = one->gives, takes = one->takes, padded = (takes + 15) / 16 * 16;
  dun_tile_product_f(gives, takes, L, w, takes, 1, x, NULL, 0, y);
  dun_tile_product_f(gives, L, padded, w, L, 1, x, NULL, 0, y);
  if (!first) /* nobody asks for the bars of the point */
    dun_tile_product_f(takes, gives, L, w, 1, takes, x, NULL, 0, y);
}

/* Nanoseconds that an example's products take: of tiles that may be partly empty. */
static double products_ns(const struct layer *layer, int batch)
{
  enum { MOST = 1 << 20 };
  float *w = dun_allocate(MOST, sizeof *w), *x = dun_allocate(MOST, sizeof *x);
  float *y = dun_allocate(MOST, sizeof *y);
  struct bench_timer timer = {0};
  if (!w || !x || !y)
    exit(1);
  while (bench_again(&timer))
    for (int l = 0; layer[l].times; l++)
      for (int i = 0; i < layer[l].times; i++)
        multiply(&layer[l], l == 0, w, x, y);
  dun_free(w);
  dun_free(x);
  dun_free(y);
  return bench_ns(&timer, batch) * bench_context.size * ((batch + L - 1) / L);
}

/* ---- inputs/train_modes.yaml ----------------------------------------------------------------- */

enum { FEATURES = 1 + 2 * 8 };

static void modes(struct bench_result *result)
{
  static const struct layer layers[] = {
      {64, 10 + FEATURES, 1}, {64, 64 + FEATURES, 1}, {10, 64 + FEATURES, 1}, {0}};
  double widths[] = {64, 64};
  struct dun_mlp network = {.widths = {2, widths}, .harmonics = 8, .activation = DUN_SILU};
  result->ns = training_ns(&dun_network_mlp, &network, 10, 128);
  result->bare = products_ns(layers, 128);
}

static void wide(struct bench_result *result)
{
  static const struct layer layers[] = {
      {256, 128 + FEATURES, 1}, {256, 256 + FEATURES, 1}, {128, 256 + FEATURES, 1}, {0}};
  double widths[] = {256, 256};
  struct dun_mlp network = {.widths = {2, widths}, .harmonics = 8, .activation = DUN_SILU};
  result->ns = training_ns(&dun_network_mlp, &network, 128, 128);
  result->bare = products_ns(layers, 128);
}

/* ---- inputs/train_two_layer.yaml ------------------------------------------------------------- */

static void two_layer(struct bench_result *result)
{
  static const struct layer layers[] = {{256, 128, 1}, {128, 768, 1}, {0}};
  struct dun_two_layer network = {.levels = 3, .width = 256, .harmonics = 20};
  result->ns = training_ns(&dun_network_two_layer, &network, 128, 50);
  result->bare = products_ns(layers, 50);
}

/* ---- as inputs/images_train.yaml, of half the channels --------------------------------------- */

enum { PIXELS = 16 * 16, VALUES = 36 * PIXELS / 16 };

static void images(struct bench_result *result)
{
  static const struct layer layers[] = {
      {32, 9, PIXELS}, {32, 32, 3 * VALUES}, {1, 9 * 32, PIXELS}, {0}};
  double widths[] = {32, 32, 32, 32}, kernel = 3, spacing[] = {1, 2, 4, 2, 1};
  struct dun_convolution_network network = {.channels = 1,
                                            .height = 16,
                                            .width = 16,
                                            .harmonics = 8,
                                            .widths = {4, widths},
                                            .kernels = {1, &kernel},
                                            .spacing = {5, spacing},
                                            .activation = DUN_SILU};
  result->ns = training_ns(&dun_network_convolution, &network, 256, 128);
  result->bare = products_ns(layers, 128);
}

#define DENSE(gives, takes) ((double)(gives) * (takes))
/* Multiply-adds of three products, of the first layer two. */
#define MODES                                                                                      \
  (2 * DENSE(64, 10 + FEATURES) + 3 * DENSE(64, 64 + FEATURES) + 3 * DENSE(10, 64 + FEATURES))
#define WIDE                                                                                       \
  (2 * DENSE(256, 128 + FEATURES) + 3 * DENSE(256, 256 + FEATURES) + 3 * DENSE(128, 256 + FEATURES))
#define TWO    (2 * DENSE(256, 128) + 3 * DENSE(128, 768))
#define IMAGES (PIXELS * 9. * (2 * DENSE(32, 1) + 3 * DENSE(1, 32)) + VALUES * 9. * DENSE(32, 32))

const struct bench_row bench_training[] = {
    {.work = "training mlp 10, 64, 64 by 128", .slots = MODES / .5, .times = 2, .measure = modes},
    {.work = "training mlp 128, 256, 256 by 128", .slots = WIDE / .5, .times = 2, .measure = wide},
    {.work = "training two_layer 128, 3 x 256 by 50",
     .slots = TWO / .5 * 64 / 50,
     .times = 2,
     .measure = two_layer},
    {.work = "training convolution 16 x 16, 4 x 32 by 128",
     .slots = IMAGES / .5,
     .times = 2,
     .measure = images},
    {0},
};
