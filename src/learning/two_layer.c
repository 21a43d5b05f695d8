/* The network that Montanari 2023 (arXiv 2305.10690, section 5) learns a mixture with: a layer of
 * the point, f(W1 x + b1), times each of a few numbers that depend on the time alone, and a second
 * one of these products. */
#include "learning/two_layer.h"
#include "numerics/activation.h"

static int init(void *self, int inputs, int outputs)
{
  struct dun_two_layer *s = self;
  s->inputs = inputs;
  s->outputs = outputs;
  return 0;
}

static int64_t weights(const void *self)
{
  return dun_two_layer_weights(self).count;
}

/* The point, what the time makes, f before and after, the products. */
static int64_t tape(const void *self)
{
  const struct dun_two_layer *s = self;
  return s->inputs + dun_layer_features_count(s->harmonics) + s->levels +
         (2 + s->levels) * s->width;
}

static int64_t scratch(const void *self)
{
  const struct dun_two_layer *s = self;
  int64_t both = dun_layer_dense_scratch(s->outputs, s->levels * s->width);
  int64_t point = dun_layer_dense_scratch(s->width, s->inputs);
  int64_t time = dun_layer_dense_scratch(s->levels, dun_layer_features_count(s->harmonics));
  int64_t most = both > point ? both : point;
  return (s->levels + 1) * s->width + s->levels + (most > time ? most : time);
}

static int64_t flops(const void *self)
{
  return 2 * weights(self);
}

static void draw(const void *self, struct dun_address address, double *w)
{
  const struct dun_two_layer *s = self;
  struct dun_two_layer_weights at = dun_two_layer_weights(s);
  dun_layer_dense_draw(s->levels, dun_layer_features_count(s->harmonics), address, w);
  address.tile = 1;
  dun_layer_dense_draw(s->width, s->inputs, address, w + at.point);
  address.tile = 2;
  dun_layer_dense_draw(s->outputs, s->levels * s->width, address, w + at.both);
}

static const struct dun_option options[] = {
    {.name = "levels",
     .type = DUN_INTEGER,
     .offset = offsetof(struct dun_two_layer, levels),
     .initial = "3",
     .minimum = 1,
     .maximum = 1024,
     .doc = "Numbers that depend on the time alone."},
    {.name = "width",
     .type = DUN_INTEGER,
     .offset = offsetof(struct dun_two_layer, width),
     .initial = "256",
     .minimum = 1,
     .maximum = 65536,
     .doc = "Numbers in the layer of the point."},
    {.name = "harmonics",
     .type = DUN_INTEGER,
     .offset = offsetof(struct dun_two_layer, harmonics),
     .initial = "20",
     .minimum = 0,
     .maximum = 1000,
     .doc = "The time comes as the cosines and sines of the multiples 0 to this of its angle."},
    {.name = "activation",
     .type = DUN_CHOICE,
     .offset = offsetof(struct dun_two_layer, activation),
     .initial = "relu",
     .words = DUN_ACTIVATION_WORDS,
     .doc = "What stands behind the layer of the point."},
    {0},
};

const struct dun_network dun_network_two_layer = {
    .type = {DUN_TYPE(struct dun_network), .name = "two_layer",
             .doc = "A layer of the point, times a few numbers of the time, and a second layer.",
             .citation = "Montanari 2023, arXiv 2305.10690, section 5",
             .size = sizeof(struct dun_two_layer), .options = options, .state = dun_network_state,
             .free = dun_network_free},
    .init = init,
    .weights = weights,
    .tape = tape,
    .scratch = scratch,
    .flops = flops,
    .draw = draw,
    .forward = dun_two_layer_forward,
    .forward_f = dun_two_layer_forward_f,
    .backward = dun_two_layer_backward,
    .backward_f = dun_two_layer_backward_f,
};
