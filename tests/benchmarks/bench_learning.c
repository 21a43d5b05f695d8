/* Products of networks on a tile of 64 particles, against the peak of the core: 2 m k operations a
 * particle, of which the aim is seven in ten.  Bare: OpenBLAS at the same shape.  And whole
 * lessons, forward and back, of which the aim is half of the products alone: their bare work. */
#include "base/memory.h"
#include "base/vmath.h"
#include "bench.h"
#include "dunlin/target.h"
#include "learning/convolution.h"
#include "learning/denoiser.h"
#include "learning/optimiser.h"
#include "learning/two_layer.h"
#include "numerics/activation.h"
#include "numerics/tile_product.h"
#include <cblas.h>
#include <stdlib.h>

enum { L = DUN_LANES };

/* A product, its transpose, or the gradient of its weights. */
enum way { FORWARD, BACKWARD, WEIGHTS };

struct arrays {
  void *w, *x, *y;
};

static struct arrays make(int m, int k, int n, size_t size)
{
  struct arrays a = {dun_allocate((int64_t)m * k, size), dun_allocate((int64_t)k * n, size),
                     dun_allocate((int64_t)m * n, size)};
  if (!a.w || !a.x || !a.y)
    exit(1);
  return a;
}

static void release(struct arrays *a)
{
  dun_free(a->w);
  dun_free(a->x);
  dun_free(a->y);
}

static void in_double(struct bench_result *result, int m, int k, enum way way)
{
  int n = way == WEIGHTS ? k : L, depth = way == WEIGHTS ? L : k;
  struct arrays a = make(m, depth, n, sizeof(double));
  struct bench_timer timer = {0}, bare = {0};
  while (bench_again(&timer))
    dun_tile_product(m, depth, n, a.w, way == BACKWARD ? 1 : depth, way == BACKWARD ? m : 1, a.x,
                     NULL, 0, a.y);
  while (bench_again(&bare))
    cblas_dgemm(CblasRowMajor, way == BACKWARD ? CblasTrans : CblasNoTrans, CblasNoTrans, m, n,
                depth, 1, a.w, way == BACKWARD ? m : depth, a.x, n, 0, a.y, n);
  result->ns = bench_ns(&timer, L);
  result->bare = bench_ns(&bare, L);
  release(&a);
}

static void in_single(struct bench_result *result, int m, int k, enum way way)
{
  int n = way == WEIGHTS ? k : L, depth = way == WEIGHTS ? L : k;
  struct arrays a = make(m, depth, n, sizeof(float));
  struct bench_timer timer = {0}, bare = {0};
  while (bench_again(&timer))
    dun_tile_product_f(m, depth, n, a.w, way == BACKWARD ? 1 : depth, way == BACKWARD ? m : 1, a.x,
                       NULL, 0, a.y);
  while (bench_again(&bare))
    cblas_sgemm(CblasRowMajor, way == BACKWARD ? CblasTrans : CblasNoTrans, CblasNoTrans, m, n,
                depth, 1, a.w, way == BACKWARD ? m : depth, a.x, n, 0, a.y, n);
  result->ns = bench_ns(&timer, L);
  result->bare = bench_ns(&bare, L);
  release(&a);
}

#define PRODUCT(name, precision, m, k, way)                                                        \
  static void name(struct bench_result *result)                                                    \
  {                                                                                                \
    precision(result, m, k, way);                                                                  \
  }
PRODUCT(square, in_double, 64, 64, FORWARD)
PRODUCT(square_back, in_double, 64, 64, BACKWARD)
PRODUCT(square_weights, in_double, 64, 64, WEIGHTS)
PRODUCT(wide, in_double, 256, 128, FORWARD)
PRODUCT(square_f, in_single, 64, 64, FORWARD)
PRODUCT(square_back_f, in_single, 64, 64, BACKWARD)
PRODUCT(square_weights_f, in_single, 64, 64, WEIGHTS)
PRODUCT(narrow_f, in_single, 10, 64, FORWARD)
PRODUCT(wide_f, in_single, 256, 128, FORWARD)
PRODUCT(deep_f, in_single, 128, 768, FORWARD)

/* ---- peak in single precision ---------------------------------------------------------------- */

enum { REPEATS = 4096 };

/* As many chains as fit the registers of one width or another. */
#define CHAINS(count)                                                                              \
  DUN_CLONES static float chains_##count(float factor)                                             \
  {                                                                                                \
    float x[count], sum = 0;                                                                       \
    for (int i = 0; i < count; i++)                                                                \
      x[i] = (float)i;                                                                             \
    for (int r = 0; r < REPEATS; r++)                                                              \
      for (int i = 0; i < count; i++)                                                              \
        x[i] = __builtin_fmaf(x[i], factor, factor);                                               \
    for (int i = 0; i < count; i++)                                                                \
      sum += x[i];                                                                                 \
    return sum;                                                                                    \
  }

CHAINS(64)
CHAINS(96)
CHAINS(128)
CHAINS(192)
CHAINS(256)

static void peak_f(struct bench_result *result)
{
  static const struct {
    float (*run)(float);
    int chains;
  } all[] = {
      {chains_64, 64}, {chains_96, 96}, {chains_128, 128}, {chains_192, 192}, {chains_256, 256}};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
    struct bench_timer timer = {0};
    while (bench_again(&timer))
      bench_keep(all[i].run(.5f));
    double ns = 1000 * bench_ns(&timer, (int64_t)REPEATS * all[i].chains);
    result->ns = result->ns > 0 && result->ns < ns ? result->ns : ns;
  }
}

static void activate(struct bench_result *result, enum dun_activation f, int back)
{
  float *a = dun_allocate(64, L * sizeof *a), *y = dun_allocate(64, L * sizeof *y);
  struct bench_timer timer = {0};
  if (!a || !y)
    exit(1);
  while (bench_again(&timer))
    if (back)
      dun_activate_back_f(f, 64 * L, a, y);
    else
      dun_activate_f(f, 64 * L, a, y);
  result->ns = bench_ns(&timer, L);
  dun_free(a);
  dun_free(y);
}

static void silu(struct bench_result *result)
{
  activate(result, DUN_SILU, 0);
}

static void tanh_of(struct bench_result *result)
{
  activate(result, DUN_TANH, 0);
}

static void gelu(struct bench_result *result)
{
  activate(result, DUN_GELU, 0);
}

static void gelu_back(struct bench_result *result)
{
  activate(result, DUN_GELU, 1);
}

/* ---- lessons --------------------------------------------------------------------------------- */

extern const struct dun_network dun_network_two_layer;
enum { POINT = 128, WIDTH = 256, LEVELS = 3, BOTH = LEVELS * WIDTH };
/* Of the two large layers: a product forward, of the second one also that of cotangents, and those
 * of the weights. */
#define LESSON_SLOTS (3. * POINT * BOTH + 2. * POINT * WIDTH)

struct lesson {
  struct dun_denoiser denoiser;
  struct dun_lesson lesson;
  double *x, *gradient;
};

static void make_lesson(struct lesson *s, const struct dun_network *network, void *self, int d)
{
  static double angle[L] __attribute__((aligned(64)));
  struct dun_address address = {.seed = 1, .purpose = DUN_PURPOSE_TEST};
  network->init(self, d, d);
  *s = (struct lesson){.denoiser = {.network = network,
                                    .network_self = self,
                                    .d = d,
                                    .scale = 1,
                                    .centre = {d, dun_allocate(d, sizeof(double))}}};
  s->x = dun_allocate(2 * d, L * sizeof(double));
  s->gradient = dun_allocate(network->weights(self), sizeof(double));
  if (dun_denoiser_init(&s->denoiser) < 0 || !s->x || !s->gradient || !s->denoiser.centre.value)
    exit(1);
  network->draw(self, address, s->gradient);
  dun_denoiser_pack(&s->denoiser, s->gradient);
  dun_normals(address, 2 * d, s->x);
  dun_uniforms(address, 1, angle);
  s->lesson = (struct dun_lesson){.n = L,
                                  .x = s->x,
                                  .noise = s->x + (int64_t)d * L,
                                  .angle = angle,
                                  .share = 1. / ((double)d * L)};
}

static struct dun_two_layer layers(void)
{
  return (struct dun_two_layer){.levels = LEVELS, .width = WIDTH, .harmonics = 20};
}

static void free_lesson(struct lesson *s)
{
  dun_denoiser_free(&s->denoiser);
  dun_free(s->denoiser.centre.value);
  dun_free(s->x);
  dun_free(s->gradient);
}

/* The products of a lesson, forward, of the cotangents and of the weights. */
static double products_ns(void)
{
  struct arrays one = make(WIDTH, POINT, BOTH, sizeof(float));
  struct arrays two = make(BOTH, BOTH, BOTH, sizeof(float));
  struct bench_timer timer = {0};
  while (bench_again(&timer)) {
    dun_tile_product_f(WIDTH, POINT, L, one.w, POINT, 1, one.x, NULL, 0, one.y);
    dun_tile_product_f(POINT, BOTH, L, two.w, BOTH, 1, two.x, NULL, 0, two.y);
    dun_tile_product_f(BOTH, POINT, L, two.w, 1, BOTH, two.x, NULL, 0, two.y);
    dun_tile_product_f(POINT, L, BOTH, two.w, L, 1, two.x, NULL, 0, two.y);
    dun_tile_product_f(WIDTH, L, POINT, one.w, L, 1, one.x, NULL, 0, one.y);
  }
  release(&one);
  release(&two);
  return bench_ns(&timer, L);
}

static void lesson(struct bench_result *result)
{
  struct lesson s;
  struct dun_two_layer network = layers();
  struct bench_timer timer = {0};
  make_lesson(&s, &dun_network_two_layer, &network, POINT);
  while (bench_again(&timer))
    bench_keep(dun_denoiser_teach(&s.denoiser, &s.lesson, s.gradient));
  result->ns = bench_ns(&timer, L);
  result->bare = products_ns();
  free_lesson(&s);
}

/* A lesson of 64 and the step that it leads to. */
static void step(struct bench_result *result)
{
  struct lesson s;
  struct dun_two_layer network = layers();
  struct bench_timer timer = {0};
  struct dun_optimiser o = {.rate = 1e-3, .first_decay = .9, .second_decay = .999, .epsilon = 1e-8};
  double norm;
  make_lesson(&s, &dun_network_two_layer, &network, POINT);
  int64_t count = s.denoiser.network->weights(&network);
  double *weights = dun_allocate(count, sizeof *weights);
  if (!weights || dun_optimiser_start(&o, count, weights) < 0)
    exit(1);
  while (bench_again(&timer)) {
    for (int64_t i = 0; i < count; i++)
      s.gradient[i] = 0;
    bench_keep(dun_denoiser_teach(&s.denoiser, &s.lesson, s.gradient));
    dun_optimiser_step(&o, 1000000000, s.gradient, weights, &norm);
    dun_denoiser_pack(&s.denoiser, weights);
  }
  result->ns = bench_ns(&timer, L);
  result->bare = products_ns();
  dun_optimiser_free(&o);
  dun_free(weights);
  free_lesson(&s);
}

/* ---- images ---------------------------------------------------------------------------------- */

extern const struct dun_network dun_network_convolution;
enum { IMAGE = 16, MAPS = 32, LAYERS = 5, SIDE = 3, POINTS = 36 * IMAGE * IMAGE / 16 };
/* Between the layers, by patches: forward, of the cotangents and of the weights; of the first and
 * the last one a product with as many numbers as a pixel has channels. */
#define IMAGE_SLOTS                                                                                \
  (3. * ((LAYERS - 2.) * POINTS * MAPS * MAPS + 2. * IMAGE * IMAGE * SIDE * SIDE * MAPS))

/* The same number of products as between the layers, of a point each. */
static double points_ns(void)
{
  struct arrays a = make(MAPS, MAPS, L, sizeof(float));
  struct bench_timer timer = {0};
  while (bench_again(&timer))
    for (int i = 0; i < 3 * (LAYERS - 2) * POINTS; i++)
      dun_tile_product_f(MAPS, MAPS, L, a.w, MAPS, 1, a.x, NULL, 0, a.y);
  release(&a);
  return bench_ns(&timer, L);
}

static void images(struct bench_result *result)
{
  struct dun_convolution_network network = {
      .channels = 1, .height = IMAGE, .width = IMAGE, .harmonics = 8, .activation = 2};
  double widths[LAYERS - 1], kernel = SIDE, spacing = 1;
  struct lesson s;
  struct bench_timer timer = {0};
  for (int l = 0; l < LAYERS - 1; l++)
    widths[l] = MAPS;
  network.widths = (struct dun_numbers){LAYERS - 1, widths};
  network.kernels = (struct dun_numbers){1, &kernel};
  network.spacing = (struct dun_numbers){1, &spacing};
  make_lesson(&s, &dun_network_convolution, &network, IMAGE * IMAGE);
  while (bench_again(&timer))
    bench_keep(dun_denoiser_teach(&s.denoiser, &s.lesson, s.gradient));
  result->ns = bench_ns(&timer, L);
  result->bare = points_ns();
  free_lesson(&s);
}

/* Slots at peak: 2 m k in double, m k in single precision. */
const struct bench_row bench_learning[] = {
    {.work = "product 64 x 64", .slots = 2 * 64 * 64 / .7, .measure = square},
    {.work = "product 64 x 64, transposed", .slots = 2 * 64 * 64 / .7, .measure = square_back},
    {.work = "product 64 x 64, of weights", .slots = 2 * 64 * 64 / .7, .measure = square_weights},
    {.work = "product 256 x 128", .slots = 2 * 256 * 128 / .7, .measure = wide},
    {.work = "1000 multiply-adds in registers, single", .slots = 1000, .measure = peak_f},
    {.work = "product 64 x 64, single", .slots = 64 * 64 / .7, .measure = square_f},
    {.work = "product 64 x 64, transposed, single",
     .slots = 64 * 64 / .7,
     .measure = square_back_f},
    {.work = "product 64 x 64, of weights, single",
     .slots = 64 * 64 / .7,
     .measure = square_weights_f},
    {.work = "product 10 x 64, single", .slots = 10 * 64 / .7, .measure = narrow_f},
    {.work = "product 256 x 128, single", .slots = 256 * 128 / .7, .measure = wide_f},
    {.work = "product 128 x 768, single", .slots = 128 * 768 / .7, .measure = deep_f},
    {.work = "lesson two_layer 128, 3 x 256",
     .slots = LESSON_SLOTS / .5,
     .times = 2,
     .measure = lesson},
    {.work = "the same and a step", .slots = LESSON_SLOTS / .5, .times = 2, .measure = step},
    {.work = "lesson convolution 16 x 16, 4 x 32 channels",
     .slots = IMAGE_SLOTS / .5,
     .times = 2,
     .measure = images},
    {.work = "64 silu, single", .measure = silu},
    {.work = "64 tanh, single", .measure = tanh_of},
    {.work = "64 gelu, single", .measure = gelu},
    {.work = "64 gelu and slopes, single", .measure = gelu_back},
    {0},
};
