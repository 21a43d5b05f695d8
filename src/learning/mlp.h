/* Network mlp: how its weights, tape and scratch lie.  Layer number l = 0 .. layers - 1 takes
 * `takes` columns, those of the layer before or the point, and behind them the features of the
 * time, and gives `gives` columns. */
#ifndef DUNLIN_LEARNING_MLP_H
#define DUNLIN_LEARNING_MLP_H

#include "dunlin/target.h"
#include "learning/layers.h"
#include "learning/network.h"

struct dun_mlp {
  struct dun_network_head head;

  /* options */
  struct dun_numbers widths;
  long long harmonics;
  int activation;

  /* made by init */
  int inputs, outputs, layers;
};

/* One layer: its size, and the first of its weights and of its columns in the tape, of which the
 * second block is what the activation is of. */
struct dun_mlp_layer {
  int takes, gives;
  int64_t weights, in, before;
};

/* Columns that a layer gives. */
static inline int dun_mlp_gives(const struct dun_mlp *s, int layer)
{
  return layer < s->layers - 1 ? (int)s->widths.value[layer] : s->outputs;
}

/* Layer number `layer`, 0 .. layers - 1. */
static inline struct dun_mlp_layer dun_mlp_layer(const struct dun_mlp *s, int layer)
{
  int features = dun_layer_features_count(s->harmonics);
  struct dun_mlp_layer at = {0};
  for (int l = 0; l <= layer && l < s->layers; l++) {
    at.weights += l ? dun_layer_dense_weights(at.gives, at.takes) : 0;
    at.in = at.before + (l ? (int64_t)at.gives : 0);
    at.takes = (l ? at.gives : s->inputs) + features;
    at.gives = dun_mlp_gives(s, l);
    at.before = at.in + at.takes;
  }
  return at;
}

/* As struct dun_network says. */
void dun_mlp_forward(const void *self, const double *weights, const double *angle, const double *x,
                     double *y, double *tape);
void dun_mlp_forward_f(const void *self, const float *weights, const double *angle, const float *x,
                       float *y, float *tape);
void dun_mlp_backward(const void *self, const double *weights, const double *tape,
                      const double *bar, double *gradient, double *scratch);
void dun_mlp_backward_f(const void *self, const float *weights, const float *tape, const float *bar,
                        double *gradient, float *scratch);

#endif
