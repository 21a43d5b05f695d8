/* Convolutions of network convolution by patches, of kernels of 3 x 3 (Winograd 1980, Arithmetic
 * complexity of computations; Lavin and Gray 2016, CVPR): a patch of 6 x 6 pixels and the kernel
 * are polynomials in two unknowns, which are multiplied by their values at 36 points.  These are 36
 * products for 4 x 4 pixels, where sums pixel by pixel take 144.
 *
 * The points are 0, -+5/8, -+3/2 and infinity along either axis: of all that were tried they lose
 * least in single precision, about twice what sums do, and what pixels are multiplied by is exact.
 * All has one order, at any vector width and by any compiler.
 *
 * None of these functions communicates. */
#ifndef DUNLIN_LEARNING_CONVOLUTION_WINOGRAD_H
#define DUNLIN_LEARNING_CONVOLUTION_WINOGRAD_H

#include "learning/convolution.h"

/* Whether a layer is convolved by patches: it follows from sizes alone, and gives and takes may be
 * exchanged. */
int dun_convolution_by_winograd(const struct dun_convolution_network *network,
                                const struct dun_convolution_layer *layer);
/* Columns of scratch that the functions below need, also with gives and takes exchanged. */
int64_t dun_convolution_winograd_scratch(const struct dun_convolution_layer *layer);

/* y[pixels][gives][64] = start[gives][64], NULL: zeros, and kernel[gives][3][3][takes] about each
 * pixel of x[pixels][takes][64], which needs no border. */
void dun_convolution_winograd(const struct dun_convolution_network *network,
                              const struct dun_convolution_layer *layer, const double *kernel,
                              const double *x, const double *start, double *y, double *scratch);
void dun_convolution_winograd_f(const struct dun_convolution_network *network,
                                const struct dun_convolution_layer *layer, const float *kernel,
                                const float *x, const float *start, float *y, float *scratch);

/* Adds to the kernel's gradient what bar[pixels][gives][64] makes of it, all lanes together. */
void dun_convolution_winograd_back(const struct dun_convolution_network *network,
                                   const struct dun_convolution_layer *layer, const double *x,
                                   const double *bar, double *gradient, double *scratch);
void dun_convolution_winograd_back_f(const struct dun_convolution_network *network,
                                     const struct dun_convolution_layer *layer, const float *x,
                                     const float *bar, double *gradient, float *scratch);

#endif
