#include "base/vmath.h"
#include "dunlin/target.h"
#include "learning/convolution_waves.h"
#include "learning/convolution_winograd.h"
#include "numerics/activation.h"
#include "numerics/real.h"
#include "numerics/tile_product.h"
#include <string.h>

enum { L = DUN_LANES };

/* Columns of a pixel, of so many channels. */
static void copy(int channels, const dun_real *from, dun_real *to)
{
  memcpy(to, from, (size_t)channels * L * sizeof *to);
}

/* ---- images ---------------------------------------------------------------------------------- */

/* Between a point, whose channels lie one after the other, and pixel[pixels][channels]. */
static void gather(int64_t pixels, int channels, const dun_real *image, dun_real *pixel)
{
  for (int64_t p = 0; p < pixels; p++)
    for (int c = 0; c < channels; c++)
      copy(1, image + (c * pixels + p) * L, pixel + (p * channels + c) * L);
}

static void scatter(int64_t pixels, int channels, const dun_real *pixel, dun_real *image)
{
  for (int64_t p = 0; p < pixels; p++)
    for (int c = 0; c < channels; c++)
      copy(1, pixel + (p * channels + c) * L, image + (c * pixels + p) * L);
}

/* As they are, or through an activation, NULL: none. */
static void put(const int *activation, int64_t columns, const dun_real *from, dun_real *to)
{
  if (activation)
    DUN_REAL(dun_activate)((enum dun_activation) * activation, columns * L, from, to);
  else
    memcpy(to, from, (size_t)columns * L * sizeof *to);
}

/* bordered = pixel[pixels][channels] with a border of so many pixels; what an activation makes of
 * zeros is zeros. */
static void surround(const struct dun_convolution_network *s, int reach, int channels,
                     const int *activation, const dun_real *pixel, dun_real *bordered)
{
  int64_t size = (int64_t)channels * L, row = (s->width + 2 * (int64_t)reach) * size;
  for (int64_t y = -reach; y < s->height + reach; y++, bordered += row) {
    int64_t from_y = dun_convolution_inside(s, y, s->height);
    if (from_y < 0) {
      memset(bordered, 0, (size_t)row * sizeof *bordered);
      continue;
    }
    dun_real *own = bordered + reach * size;
    put(activation, s->width * channels, pixel + from_y * s->width * size, own);
    for (int64_t k = 0; k < 2 * (int64_t)reach; k++) {
      int64_t x = k < reach ? k - reach : s->width + k - reach,
              from_x = dun_convolution_inside(s, x, s->width);
      if (from_x < 0)
        memset(own + x * size, 0, (size_t)size * sizeof *own);
      else
        copy(channels, own + from_x * size, own + x * size);
    }
  }
}

/* y[pixels][gives] += kernel[gives][side][side][takes] about each pixel of x, which has a border:
 * upwards in the kernel's places, where they lie together a row of it at a time. */
static void sum_places(const struct dun_convolution_network *s,
                       const struct dun_convolution_layer *at, const dun_real *kernel,
                       const dun_real *x, dun_real *y)
{
  int side = at->side, takes = at->takes, together = at->spacing == 1 ? side : 1;
  int64_t row = s->width + 2 * at->reach, places = (int64_t)side * side;
  for (int64_t i = 0; i < s->height; i++)
    for (int64_t j = 0; j < s->width; j++, y += at->gives * L)
      for (int64_t k = 0; k < places; k += together) {
        int64_t q = (i + k / side * at->spacing) * row + j + k % side * at->spacing;
        DUN_REAL(dun_tile_product)
        (at->gives, together * takes, L, kernel + k * takes, places * takes, 1, x + q * takes * L,
         NULL, 1, y);
      }
}

/* y[pixels][gives] = start[gives], NULL: zeros. */
static void begin(int64_t pixels, int gives, const dun_real *start, dun_real *y)
{
  if (!start)
    memset(y, 0, (size_t)(pixels * gives) * L * sizeof *y);
  for (int64_t p = 0; start && p < pixels; p++)
    copy(gives, start, y + p * gives * L);
}

/* y[pixels][gives] = start[gives] and the sums of x, with the border that the way asks for: that
 * which takes less time; of a layer's way back it may be another one. */
static void convolve(const struct dun_convolution_network *s,
                     const struct dun_convolution_layer *at, const dun_real *kernel,
                     const dun_real *x, const dun_real *start, dun_real *y, dun_real *scratch)
{
  if (dun_convolution_by_winograd(s, at)) {
    DUN_REAL(dun_convolution_winograd)(s, at, kernel, x, start, y, scratch);
    return;
  }
  begin(dun_convolution_pixels(s), at->gives, start, y);
  if (dun_convolution_by_waves(s, at))
    DUN_REAL(dun_convolution_waves)(s, at, kernel, x, y, scratch);
  else
    sum_places(s, at, kernel, x, y);
}

/* ---- forward --------------------------------------------------------------------------------- */

/* What all pixels see, at the beginning of the tape. */
static void look_at_all(const struct dun_convolution_network *s, const double *angle,
                        const dun_real *x, dun_real *tape)
{
  int features = dun_layer_features_count(s->harmonics);
  DUN_REAL(dun_layer_features)(s->harmonics, angle, tape);
  copy(s->globals, x + s->channels * dun_convolution_pixels(s) * L, tape + (int64_t)features * L);
}

/* y[pixels][gives] of a layer. */
static void apply(const struct dun_convolution_network *s, const struct dun_convolution_layer *at,
                  const dun_real *w, const dun_real *tape, dun_real *y, dun_real *scratch)
{
  int64_t size = (int64_t)at->gives * L;
  DUN_REAL(dun_layer_dense)(at->gives, dun_convolution_common(s), w + at->common, tape, scratch);
  convolve(s, at, w + at->kernel, tape + at->in * L, scratch, y, scratch + size);
}

void DUN_REAL(dun_convolution_forward)(const void *self, const dun_real *w, const double *angle,
                                       const dun_real *x, dun_real *y, dun_real *tape)
{
  const struct dun_convolution_network *s = self;
  int64_t pixels = dun_convolution_pixels(s);
  struct dun_convolution_layer at = dun_convolution_layer(s, 0);
  look_at_all(s, angle, x, tape);
  dun_real *image = tape + dun_convolution_layer(s, s->layers).in * L;
  gather(pixels, at.takes, x, image);
  surround(s, at.border, at.takes, NULL, image, tape + at.in * L);
  for (int l = 0; l < s->layers; l++) {
    apply(s, &at, w, tape, tape + at.before * L, image + s->channels * pixels * L);
    if (l == s->layers - 1)
      break;
    struct dun_convolution_layer next = dun_convolution_layer(s, l + 1);
    surround(s, next.border, next.takes, &s->activation, tape + at.before * L, tape + next.in * L);
    at = next;
  }
  scatter(pixels, at.gives, tape + at.before * L, y);
}

/* ---- backward -------------------------------------------------------------------------------- */

/* What the other pixels' bars add to those of what all see. */
DUN_CLONES static void sum_pixels(int64_t pixels, int64_t size, const dun_real *restrict bar,
                                  dun_real *restrict sum)
{
  memset(sum, 0, (size_t)size * sizeof *sum);
  for (int64_t p = 0; p < pixels; p++)
    for (int64_t i = 0; i < size; i++)
      sum[i] += bar[p * size + i];
}

/* gradient[gives][places][takes] += product of one row of pixels, which becomes 0: by columns of
 * what is turned, [places][takes][padded] or [places][gives][padded]. */
DUN_CLONES static void add_row(const struct dun_convolution_layer *at, int turns_bar, int padded,
                               dun_real *restrict product, double *restrict gradient)
{
  int64_t places = (int64_t)at->side * at->side, takes = at->takes;
  for (int64_t o = 0; o < at->gives; o++)
    for (int64_t k = 0; k < places; k++)
      for (int64_t c = 0; c < takes; c++) {
        dun_real *one = turns_bar ? product + (k * takes + c) * padded + o
                                  : product + (k * at->gives + o) * padded + c;
        gradient[(o * places + k) * takes + c] += (double)*one;
        *one = 0;
      }
}

/* What the bars bar[pixels][gives] and the tape make of the kernel's gradient.  Sums over the lanes
 * and a row of pixels run upwards. */
static void kernel_back(const struct dun_convolution_network *s,
                        const struct dun_convolution_layer *at, const dun_real *x,
                        const dun_real *bar, double *gradient, dun_real *scratch)
{
  struct dun_convolution_slope size = dun_convolution_slope(s, at);
  int turns_bar = dun_convolution_turns_bar(at), side = at->side, takes = at->takes;
  int channels = turns_bar ? at->gives : takes, padded = dun_convolution_padded(channels);
  int together = turns_bar && at->spacing == 1 ? side : 1;
  int64_t row = s->width + 2 * at->reach, step = (int64_t)padded * L;
  dun_real *turned = scratch, *product = scratch + size.turned * L;
  const dun_real *from = turns_bar ? bar : x;
  for (int64_t p = 0; p < size.turned / padded; p++)
    DUN_REAL(dun_tile_turn)(channels, padded, from + p * channels * L, turned + p * step);
  memset(product, 0, (size_t)size.product * L * sizeof *product);
  for (int64_t i = 0; i < s->height; i++) {
    for (int64_t j = 0; j < s->width; j++)
      for (int64_t k = 0; k < (int64_t)side * side; k += together) {
        int64_t p = i * s->width + j;
        int64_t q = (i + k / side * at->spacing) * row + j + k % side * at->spacing;
        const dun_real *rows = turns_bar ? x + q * takes * L : bar + p * at->gives * L;
        DUN_REAL(dun_tile_product)
        (turns_bar ? together * takes : at->gives, L, padded, rows, L, 1,
         turned + (turns_bar ? p : q) * step, NULL, 1,
         product + k * (turns_bar ? takes : at->gives) * padded);
      }
    add_row(at, turns_bar, padded, product, gradient);
  }
}

/* turned[takes][places][gives] of kernel[gives][places][takes], places in the reverse order. */
static void turn_kernel(const struct dun_convolution_layer *at, const dun_real *kernel,
                        dun_real *turned)
{
  int64_t places = (int64_t)at->side * at->side, takes = at->takes, gives = at->gives;
  for (int64_t c = 0; c < takes; c++)
    for (int64_t k = 0; k < places; k++)
      for (int64_t o = 0; o < gives; o++)
        turned[(c * places + k) * gives + o] = kernel[(o * places + places - 1 - k) * takes + c];
}

/* back[pixels][takes] of bar[pixels][gives]: convolved by the turned kernel. */
static void point_back(const struct dun_convolution_network *s,
                       const struct dun_convolution_layer *at, const dun_real *kernel,
                       const dun_real *bar, dun_real *back, dun_real *scratch)
{
  dun_real *bordered = scratch + (at->common - at->kernel + 63) / 64 * L;
  struct dun_convolution_layer reverse = *at;
  reverse.takes = at->gives;
  reverse.gives = at->takes;
  turn_kernel(at, kernel, scratch);
  if (dun_convolution_by_winograd(s, &reverse)) {
    convolve(s, &reverse, scratch, bar, NULL, back, bordered);
    return;
  }
  surround(s, at->reach, at->gives, NULL, bar, bordered);
  convolve(s, &reverse, scratch, bordered, NULL, back,
           bordered + dun_convolution_bordered(s, at->reach) * at->gives * L);
}

void DUN_REAL(dun_convolution_backward)(const void *self, const dun_real *w, const dun_real *tape,
                                        const dun_real *bar, double *gradient, dun_real *scratch)
{
  const struct dun_convolution_network *s = self;
  int64_t pixels = dun_convolution_pixels(s), widest = 0;
  for (int l = 0; l < s->layers; l++) {
    struct dun_convolution_layer at = dun_convolution_layer(s, l);
    widest = at.takes > widest ? at.takes : widest;
    widest = at.gives > widest ? at.gives : widest;
  }
  dun_real *back[2] = {scratch, scratch + widest * pixels * L},
           *rest = back[1] + widest * pixels * L;
  gather(pixels, (int)s->channels, bar, back[s->layers % 2]);
  for (int l = s->layers - 1; l >= 0; l--) {
    struct dun_convolution_layer at = dun_convolution_layer(s, l);
    dun_real *own = back[(l + 1) % 2];
    if (l < s->layers - 1)
      DUN_REAL(dun_activate_back)
    ((enum dun_activation)s->activation, pixels * at.gives * L, tape + at.before * L, own);
    if (dun_convolution_by_winograd(s, &at))
      DUN_REAL(dun_convolution_winograd_back)
    (s, &at, tape + at.in * L, own, gradient + at.kernel, rest);
    else if (dun_convolution_by_waves(s, &at)) DUN_REAL(dun_convolution_waves_back)(
        s, &at, tape + at.in * L, own, gradient + at.kernel, rest);
    else kernel_back(s, &at, tape + at.in * L, own, gradient + at.kernel, rest);
    sum_pixels(pixels, (int64_t)at.gives * L, own, rest);
    DUN_REAL(dun_layer_dense_back)
    (at.gives, dun_convolution_common(s), w + at.common, tape, rest, gradient + at.common, NULL,
     rest + (int64_t)at.gives * L);
    if (l)
      point_back(s, &at, w + at.kernel, own, back[l % 2], rest);
  }
}
