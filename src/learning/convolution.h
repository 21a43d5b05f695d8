/* Network convolution: how its weights, tape and scratch lie.  Points are `channels` images of
 * height x width one after the other; within the network the channels of a pixel lie together, and
 * what a layer takes has a border, so that no sum knows where an image ends.
 *
 * A layer gives of a pixel the sum over a square around it, kernel[gives][k][k][takes], and a part
 * that is the same for all pixels: a dense layer of the features of the time and of what inputs
 * there are beyond the outputs, numbers that tell of the whole image. */
#ifndef DUNLIN_LEARNING_CONVOLUTION_H
#define DUNLIN_LEARNING_CONVOLUTION_H

#include "learning/layers.h"
#include "learning/network.h"

enum dun_border { DUN_BORDER_ZERO, DUN_BORDER_PERIODIC };

struct dun_convolution_network {
  struct dun_network_head head;

  /* options; the sizes are told by init where they were left open */
  long long channels, height, width, harmonics;
  struct dun_numbers widths, kernels, spacing;
  int border, activation;

  /* made by init */
  int layers;
  int globals; /* inputs beyond those of the image */
};

/* One layer: its size, the first of its weights, of the kernel and of the dense part, and the first
 * of its columns in the tape, of what it takes and of what the activation is of. */
struct dun_convolution_layer {
  int takes, gives;
  int side, spacing, reach; /* of the kernel's square: places, pixels between them, and to an end */
  int border;             /* pixels about the image that it takes: the reach, or by patches none */
  int64_t kernel, common; /* weights */
  int64_t in, before;     /* columns */
};

/* Of an image. */
static inline int64_t dun_convolution_pixels(const struct dun_convolution_network *s)
{
  return s->height * s->width;
}

/* Pixels with a border of so many. */
static inline int64_t dun_convolution_bordered(const struct dun_convolution_network *s, int reach)
{
  return (s->height + 2 * (int64_t)reach) * (s->width + 2 * (int64_t)reach);
}

/* Where the border takes a pixel from, along an axis; -1: from nowhere, it is zero. */
static inline int64_t dun_convolution_inside(const struct dun_convolution_network *s, int64_t i,
                                             int64_t size)
{
  if (s->border == DUN_BORDER_PERIODIC)
    return (i % size + size) % size;
  return i >= 0 && i < size ? i : -1;
}

/* Numbers that all pixels see. */
static inline int dun_convolution_common(const struct dun_convolution_network *s)
{
  return dun_layer_features_count(s->harmonics) + s->globals;
}

/* Layer number `layer`, 0 .. layers - 1; with `layers` what is behind the last: the number of
 * weights, in `kernel`, and of columns, in `in`.  The tape begins with what all pixels see, and
 * ends with the image. */
struct dun_convolution_layer dun_convolution_layer(const struct dun_convolution_network *s,
                                                   int layer);

/* Columns of scratch for the sum over pixels that is a kernel's slope; of the two factors the one
 * whose channels make fewer zeros is turned (numerics/tile_product.h). */
static inline int dun_convolution_padded(int channels)
{
  return (channels + 15) / 16 * 16;
}
static inline int dun_convolution_turns_bar(const struct dun_convolution_layer *at)
{
  return (int64_t)at->takes * dun_convolution_padded(at->gives) <=
         (int64_t)at->gives * dun_convolution_padded(at->takes);
}
struct dun_convolution_slope {
  int64_t turned, product; /* columns */
};
static inline struct dun_convolution_slope dun_convolution_slope(
    const struct dun_convolution_network *s, const struct dun_convolution_layer *at)
{
  int bar = dun_convolution_turns_bar(at);
  int64_t padded = dun_convolution_padded(bar ? at->gives : at->takes);
  int64_t product = (int64_t)at->side * at->side * (bar ? at->takes : at->gives) * padded;
  return (struct dun_convolution_slope){
      (bar ? dun_convolution_pixels(s) : dun_convolution_bordered(s, at->reach)) * padded,
      (product + 63) / 64};
}

/* As struct dun_network says. */
void dun_convolution_forward(const void *self, const double *weights, const double *angle,
                             const double *x, double *y, double *tape);
void dun_convolution_forward_f(const void *self, const float *weights, const double *angle,
                               const float *x, float *y, float *tape);
void dun_convolution_backward(const void *self, const double *weights, const double *tape,
                              const double *bar, double *gradient, double *scratch);
void dun_convolution_backward_f(const void *self, const float *weights, const float *tape,
                                const float *bar, double *gradient, float *scratch);

#endif
