/* Images through layers of convolutions, each of which sees the time. */
#include "base/error.h"
#include "learning/convolution_waves.h"
#include "learning/convolution_winograd.h"
#include "numerics/activation.h"
#include <math.h>

enum { AUTO = -1 };

/* ---- sizes ----------------------------------------------------------------------------------- */

struct dun_convolution_layer dun_convolution_layer(const struct dun_convolution_network *s,
                                                   int layer)
{
  int common = dun_convolution_common(s);
  struct dun_convolution_layer at = {.gives = (int)s->channels};
  at.in = common;
  for (int l = 0; l <= layer; l++) {
    if (l) {
      at.kernel = at.common + dun_layer_dense_weights(at.gives, common);
      at.in = at.before + dun_convolution_pixels(s) * at.gives;
    }
    if (l == s->layers)
      break;
    at.takes = at.gives;
    at.gives = l < s->layers - 1 ? (int)s->widths.value[l] : (int)s->channels;
    at.side = (int)s->kernels.value[s->kernels.count > 1 ? l : 0];
    at.spacing = (int)s->spacing.value[s->spacing.count > 1 ? l : 0];
    at.reach = at.side / 2 * at.spacing;
    at.common = at.kernel + (int64_t)at.side * at.side * at.takes * at.gives;
    at.border = dun_convolution_by_winograd(s, &at) ? 0 : at.reach;
    at.before = at.in + dun_convolution_bordered(s, at.border) * at.takes;
  }
  return at;
}

/* One number or one for each layer, with a whole number of steps from the first, 1. */
static int check(const struct dun_convolution_network *s, const struct dun_numbers *given,
                 const char *name, int step)
{
  for (long long i = 0; i < given->count; i++) {
    double steps = (given->value[i] - 1) / step;
    if (steps != floor(steps))
      return dun_fail(DUN_ERROR_INPUT, "network convolution: %s are %s numbers, found %g", name,
                      step == 2 ? "odd" : "whole", given->value[i]);
  }
  if (given != &s->widths && given->count != 1 && given->count != s->widths.count + 1)
    return dun_fail(DUN_ERROR_INPUT,
                    "network convolution: %s has %lld numbers, expected one or one for each of the "
                    "%lld layers, one more than there are widths",
                    name, given->count, s->widths.count + 1);
  return 0;
}

/* Height and width, where they are open, of an image of so many pixels. */
static void fill_sizes(struct dun_convolution_network *s, long long pixels)
{
  if (s->height == AUTO && s->width == AUTO)
    s->height = s->width = (long long)floor(sqrt((double)pixels) + .5);
  if (s->height == AUTO)
    s->height = pixels / s->width;
  if (s->width == AUTO)
    s->width = pixels / s->height;
}

static int init(void *self, int inputs, int outputs)
{
  struct dun_convolution_network *s = self;
  if (check(s, &s->widths, "widths", 1) < 0 || check(s, &s->kernels, "kernels", 2) < 0 ||
      check(s, &s->spacing, "spacing", 1) < 0)
    return DUN_ERROR_INPUT;
  fill_sizes(s, outputs / s->channels);
  if (s->channels * s->height * s->width != outputs || inputs < outputs)
    return dun_fail(DUN_ERROR_INPUT,
                    "network convolution: images of %lld x %lld pixels with channels: %lld have "
                    "%lld numbers, and points have %d: give height, width and channels",
                    s->height, s->width, s->channels, s->channels * s->height * s->width, outputs);
  s->layers = (int)s->widths.count + 1;
  s->globals = inputs - outputs;
  return 0;
}

static int64_t weights(const void *self)
{
  const struct dun_convolution_network *s = self;
  return dun_convolution_layer(s, s->layers).kernel;
}

static int64_t larger(int64_t a, int64_t b)
{
  return a > b ? a : b;
}

/* Behind the image where a layer starts from, and what it needs that does not go pixel by pixel. */
static int64_t tape(const void *self)
{
  const struct dun_convolution_network *s = self;
  int64_t waves = 0, start = 0;
  for (int l = 0; l < s->layers; l++) {
    struct dun_convolution_layer at = dun_convolution_layer(s, l);
    start = larger(start, at.gives);
    if (dun_convolution_by_winograd(s, &at))
      waves = larger(waves, dun_convolution_winograd_scratch(&at));
    else if (dun_convolution_by_waves(s, &at))
      waves = larger(waves, dun_convolution_waves_scratch(s, &at));
  }
  return dun_convolution_layer(s, s->layers).in + s->channels * dun_convolution_pixels(s) + start +
         waves;
}

/* Two blocks of what stands between layers, and behind them what the slopes of a layer need, and
 * after these what the way back does. */
static int64_t scratch(const void *self)
{
  const struct dun_convolution_network *s = self;
  int64_t widest = 0, most = 0;
  for (int l = 0; l < s->layers; l++) {
    struct dun_convolution_layer at = dun_convolution_layer(s, l);
    struct dun_convolution_slope slope = dun_convolution_slope(s, &at);
    int64_t kernel = (at.common - at.kernel + 63) / 64;
    struct dun_convolution_layer reverse = at;
    reverse.takes = at.gives;
    reverse.gives = at.takes;
    int by_waves = dun_convolution_by_waves(s, &at) || dun_convolution_by_waves(s, &reverse);
    int64_t waves = by_waves ? dun_convolution_waves_scratch(s, &at) : 0;
    if (dun_convolution_by_winograd(s, &at) || dun_convolution_by_winograd(s, &reverse))
      waves = larger(waves, dun_convolution_winograd_scratch(&at));
    int64_t dense = at.gives + dun_layer_dense_scratch(at.gives, dun_convolution_common(s));
    widest = larger(widest, larger(at.takes, at.gives));
    most = larger(most, larger(larger(slope.turned + slope.product, waves), dense));
    most = larger(most, kernel + dun_convolution_bordered(s, at.reach) * at.gives + waves);
  }
  return 2 * widest * dun_convolution_pixels(s) + most;
}

static int64_t flops(const void *self)
{
  const struct dun_convolution_network *s = self;
  int64_t sum = 0;
  for (int l = 0; l < s->layers; l++) {
    struct dun_convolution_layer at = dun_convolution_layer(s, l);
    sum += 2 * dun_convolution_pixels(s) * (at.common - at.kernel);
    sum += 2 * dun_layer_dense_weights(at.gives, dun_convolution_common(s));
  }
  return sum;
}

/* Kernels uniform between -1 / sqrt(n) and 1 / sqrt(n), n numbers in a sum. */
static void draw(const void *self, struct dun_address address, double *w)
{
  const struct dun_convolution_network *s = self;
  for (int l = 0; l < s->layers; l++) {
    struct dun_convolution_layer at = dun_convolution_layer(s, l);
    double bound = 1 / sqrt((double)at.side * at.side * at.takes);
    address.tile = 2 * (uint32_t)l;
    for (int64_t i = at.kernel; i < at.common; i++)
      w[i] = bound * (2 * dun_uniform_one(address, i - at.kernel) - 1);
    address.tile++;
    dun_layer_dense_draw(at.gives, dun_convolution_common(s), address, w + at.common);
  }
}

/* ---- options --------------------------------------------------------------------------------- */

#define AT(member_) offsetof(struct dun_convolution_network, member_)

static const struct dun_option options[] = {
    {.name = "widths",
     .type = DUN_NUMBERS,
     .offset = AT(widths),
     .initial = "[32, 32, 32]",
     .minimum = 1,
     .maximum = 4096,
     .doc = "Channels in each of the layers between the image and what is told of it."},
    {.name = "kernels",
     .type = DUN_NUMBERS,
     .offset = AT(kernels),
     .initial = "3",
     .minimum = 1,
     .maximum = 255,
     .doc = "Pixels along the square that a layer sees of the one before, an odd number, one for "
            "all layers or one more than there are widths."},
    {.name = "spacing",
     .type = DUN_NUMBERS,
     .offset = AT(spacing),
     .initial = "1",
     .minimum = 1,
     .maximum = 255,
     .doc = "Pixels from one place of such a square to the next, one number or one for each layer: "
            "with 1, 2, 4, ... few layers see all of an image."},
    {.name = "border",
     .type = DUN_CHOICE,
     .offset = AT(border),
     .initial = "zero",
     .words = "zero|periodic",
     .doc = "What is seen beyond the edges: zeros, or the image again."},
    {.name = "channels",
     .type = DUN_INTEGER,
     .offset = AT(channels),
     .initial = "1",
     .minimum = 1,
     .maximum = 4096,
     .doc = "Of the image; in a point one after the other, each by rows."},
    {.name = "height",
     .type = DUN_INTEGER,
     .offset = AT(height),
     .initial = "auto",
     .words = "auto",
     .minimum = 1,
     .maximum = 1e6,
     .doc = "Pixels from the top to the bottom.  auto: by the width; without one images are "
            "square."},
    {.name = "width",
     .type = DUN_INTEGER,
     .offset = AT(width),
     .initial = "auto",
     .words = "auto",
     .minimum = 1,
     .maximum = 1e6,
     .doc = "Pixels of a row.  auto: by the height."},
    {.name = "harmonics",
     .type = DUN_INTEGER,
     .offset = AT(harmonics),
     .initial = "8",
     .minimum = 0,
     .maximum = 1000,
     .doc = "The time comes as the cosines and sines of the multiples 0 to this of its angle."},
    {.name = "activation",
     .type = DUN_CHOICE,
     .offset = AT(activation),
     .initial = "silu",
     .words = DUN_ACTIVATION_WORDS,
     .doc = "What stands between the layers."},
    {0},
};

const struct dun_network dun_network_convolution = {
    .type = {DUN_TYPE(struct dun_network), .name = "convolution",
             .doc = "Images: layers of convolutions, each of which sees the time, too.",
             .size = sizeof(struct dun_convolution_network), .options = options,
             .state = dun_network_state, .free = dun_network_free},
    .init = init,
    .weights = weights,
    .tape = tape,
    .scratch = scratch,
    .flops = flops,
    .draw = draw,
    .forward = dun_convolution_forward,
    .forward_f = dun_convolution_forward_f,
    .backward = dun_convolution_backward,
    .backward_f = dun_convolution_backward_f,
};
