/* Dense layers, each of which sees the time beside what the one before gives. */
#include "learning/mlp.h"
#include "base/error.h"
#include "numerics/activation.h"
#include <math.h>

static int init(void *self, int inputs, int outputs)
{
  struct dun_mlp *s = self;
  for (long long i = 0; i < s->widths.count; i++)
    if (s->widths.value[i] != floor(s->widths.value[i]))
      return dun_fail(DUN_ERROR_INPUT, "network mlp: widths are whole numbers, found %g",
                      s->widths.value[i]);
  s->inputs = inputs;
  s->outputs = outputs;
  s->layers = (int)s->widths.count + 1;
  return 0;
}

static int64_t weights(const void *self)
{
  const struct dun_mlp *s = self;
  struct dun_mlp_layer last = dun_mlp_layer(s, s->layers - 1);
  return last.weights + dun_layer_dense_weights(last.gives, last.takes);
}

static int64_t tape(const void *self)
{
  const struct dun_mlp *s = self;
  return dun_mlp_layer(s, s->layers - 1).before;
}

static int64_t scratch(const void *self)
{
  const struct dun_mlp *s = self;
  int64_t widest = 0, most = 0;
  for (int l = 0; l < s->layers; l++) {
    struct dun_mlp_layer at = dun_mlp_layer(s, l);
    int64_t own = dun_layer_dense_scratch(at.gives, at.takes);
    widest = at.takes > widest ? at.takes : widest;
    most = own > most ? own : most;
  }
  return 2 * widest + most;
}

static int64_t flops(const void *self)
{
  return 2 * weights(self);
}

static void draw(const void *self, struct dun_address address, double *w)
{
  const struct dun_mlp *s = self;
  for (int l = 0; l < s->layers; l++) {
    struct dun_mlp_layer at = dun_mlp_layer(s, l);
    address.tile = (uint32_t)l;
    dun_layer_dense_draw(at.gives, at.takes, address, w + at.weights);
  }
}

static const struct dun_option options[] = {
    {.name = "widths",
     .type = DUN_NUMBERS,
     .offset = offsetof(struct dun_mlp, widths),
     .initial = "[128, 128]",
     .minimum = 1,
     .maximum = 65536,
     .doc = "Numbers in each of the layers between the point and what is told of it."},
    {.name = "harmonics",
     .type = DUN_INTEGER,
     .offset = offsetof(struct dun_mlp, harmonics),
     .initial = "8",
     .minimum = 0,
     .maximum = 1000,
     .doc = "The time comes as the cosines and sines of the multiples 0 to this of its angle."},
    {.name = "activation",
     .type = DUN_CHOICE,
     .offset = offsetof(struct dun_mlp, activation),
     .initial = "silu",
     .words = DUN_ACTIVATION_WORDS,
     .doc = "What stands between the layers."},
    {0},
};

const struct dun_network dun_network_mlp = {
    .type = {DUN_TYPE(struct dun_network), .name = "mlp",
             .doc = "Dense layers, each of which sees the time, too.",
             .size = sizeof(struct dun_mlp), .options = options, .state = dun_network_state,
             .free = dun_network_free},
    .init = init,
    .weights = weights,
    .tape = tape,
    .scratch = scratch,
    .flops = flops,
    .draw = draw,
    .forward = dun_mlp_forward,
    .forward_f = dun_mlp_forward_f,
    .backward = dun_mlp_backward,
    .backward_f = dun_mlp_backward_f,
};
