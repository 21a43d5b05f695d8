/* What networks are made of.  Columns are [..][64]; the ending _f is single precision. */
#ifndef DUNLIN_LEARNING_LAYERS_H
#define DUNLIN_LEARNING_LAYERS_H

#include "base/random.h"
#include <stdint.h>

/* ---- the time -------------------------------------------------------------------------------- */

/* cos(i a) and sin(i a) of an angle a, i = 0 .. harmonics. */
static inline int dun_layer_features_count(int64_t harmonics)
{
  return 2 * ((int)harmonics + 1);
}

/* out[count][64] at angle[64]: the cosines, then the sines. */
void dun_layer_features(int64_t harmonics, const double *angle, double *out);
void dun_layer_features_f(int64_t harmonics, const double *angle, float *out);

/* ---- dense layers: w[m][k] and behind it a bias[m] ------------------------------------------- */

/* How many weights. */
static inline int64_t dun_layer_dense_weights(int64_t m, int64_t k)
{
  return m * (k + 1);
}

/* Columns of scratch for the reverse pass. */
static inline int64_t dun_layer_dense_scratch(int64_t m, int64_t k)
{
  int64_t padded = (k + 15) / 16 * 16;
  return padded + (m * padded + 63) / 64;
}

/* All weights uniform between -1 / sqrt(k) and 1 / sqrt(k). */
void dun_layer_dense_draw(int64_t m, int64_t k, struct dun_address address, double *w);

/* y[m] = w x[k] + bias. */
void dun_layer_dense(int m, int k, const double *w, const double *x, double *y);
void dun_layer_dense_f(int m, int k, const float *w, const float *x, float *y);

/* ADDS to gradient, laid out as w, what bar[m] and x[k] make; back[k] = w' bar unless NULL.  Sums
 * over lanes run upwards, those of biases by halves. */
void dun_layer_dense_back(int m, int k, const double *w, const double *x, const double *bar,
                          double *gradient, double *back, double *scratch);
void dun_layer_dense_back_f(int m, int k, const float *w, const float *x, const float *bar,
                            double *gradient, float *back, float *scratch);

/* The two parts of such a sum by themselves: of w, gradient[m][k], and of the bias, gradient[m]. */
void dun_layer_product_back(int m, int k, const double *x, const double *bar, double *gradient,
                            double *scratch);
void dun_layer_product_back_f(int m, int k, const float *x, const float *bar, double *gradient,
                              float *scratch);
void dun_layer_bias_back(int64_t m, const double *bar, double *gradient);
void dun_layer_bias_back_f(int64_t m, const float *bar, double *gradient);

#endif
