/* Convolutions of network convolution by waves: both factors become sums of waves, along one axis
 * and then the other, a product for each wave is what is left of the convolution, and the way back
 * is the same.  For large kernels of many channels that is less work than sums pixel by pixel.
 *
 * Images have tens of pixels along an axis, and 64 lanes times the channels of them lie together.
 * So a transform is a product with a matrix of cosines and sines (numerics/tile_product.h): near
 * the peak of the core, in either precision, with the same bits at any vector width and by any
 * compiler, which a library of transforms does not have.
 *
 * None of these functions communicates. */
#ifndef DUNLIN_LEARNING_CONVOLUTION_WAVES_H
#define DUNLIN_LEARNING_CONVOLUTION_WAVES_H

#include "learning/convolution.h"

/* Whether a layer is convolved by waves: it follows from sizes alone. */
int dun_convolution_by_waves(const struct dun_convolution_network *network,
                             const struct dun_convolution_layer *layer);
/* Columns of scratch that the functions below need, also with gives and takes exchanged. */
int64_t dun_convolution_waves_scratch(const struct dun_convolution_network *network,
                                      const struct dun_convolution_layer *layer);

/* y[pixels][gives][64] += kernel[gives][side][side][takes] about each pixel of x[..][takes][64],
 * which has the layer's border. */
void dun_convolution_waves(const struct dun_convolution_network *network,
                           const struct dun_convolution_layer *layer, const double *kernel,
                           const double *x, double *y, double *scratch);
void dun_convolution_waves_f(const struct dun_convolution_network *network,
                             const struct dun_convolution_layer *layer, const float *kernel,
                             const float *x, float *y, float *scratch);

/* Adds to the kernel's gradient what bar[pixels][gives][64] makes of it, all lanes together. */
void dun_convolution_waves_back(const struct dun_convolution_network *network,
                                const struct dun_convolution_layer *layer, const double *x,
                                const double *bar, double *gradient, double *scratch);
void dun_convolution_waves_back_f(const struct dun_convolution_network *network,
                                  const struct dun_convolution_layer *layer, const float *x,
                                  const float *bar, double *gradient, float *scratch);

#endif
