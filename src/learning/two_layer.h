/* Network two_layer: how its weights, tape and scratch lie. */
#ifndef DUNLIN_LEARNING_TWO_LAYER_H
#define DUNLIN_LEARNING_TWO_LAYER_H

#include "learning/layers.h"
#include "learning/network.h"

struct dun_two_layer {
  struct dun_network_head head;

  /* options */
  long long levels, width, harmonics;
  int activation;

  /* made by init */
  int inputs, outputs;
};

/* Of the time, of the point and of both: weights in this order. */
struct dun_two_layer_weights {
  int64_t time, point, both, count; /* offsets, and all */
};
static inline struct dun_two_layer_weights dun_two_layer_weights(const struct dun_two_layer *s)
{
  struct dun_two_layer_weights at = {0};
  at.point = dun_layer_dense_weights(s->levels, dun_layer_features_count(s->harmonics));
  at.both = at.point + dun_layer_dense_weights(s->width, s->inputs);
  at.count = at.both + dun_layer_dense_weights(s->outputs, s->levels * s->width);
  return at;
}

/* As struct dun_network says. */
void dun_two_layer_forward(const void *self, const double *weights, const double *angle,
                           const double *x, double *y, double *tape);
void dun_two_layer_forward_f(const void *self, const float *weights, const double *angle,
                             const float *x, float *y, float *tape);
void dun_two_layer_backward(const void *self, const double *weights, const double *tape,
                            const double *bar, double *gradient, double *scratch);
void dun_two_layer_backward_f(const void *self, const float *weights, const float *tape,
                              const float *bar, double *gradient, float *scratch);

#endif
