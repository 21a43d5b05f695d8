#include "learning/mlp.h"
#include "numerics/activation.h"
#include "numerics/real.h"
#include <string.h>

enum { L = DUN_LANES };

void DUN_REAL(dun_mlp_forward)(const void *self, const dun_real *w, const double *angle,
                               const dun_real *x, dun_real *y, dun_real *tape)
{
  const struct dun_mlp *s = self;
  int features = dun_layer_features_count(s->harmonics);
  memcpy(tape, x, (size_t)s->inputs * L * sizeof *x);
  for (int l = 0; l < s->layers; l++) {
    struct dun_mlp_layer at = dun_mlp_layer(s, l);
    int last = l == s->layers - 1;
    dun_real *in = tape + at.in * L, *before = last ? y : tape + at.before * L;
    DUN_REAL(dun_layer_features)(s->harmonics, angle, in + (int64_t)(at.takes - features) * L);
    DUN_REAL(dun_layer_dense)(at.gives, at.takes, w + at.weights, in, before);
    if (!last)
      DUN_REAL(dun_activate)
    ((enum dun_activation)s->activation, (int64_t)at.gives * L, before,
     before + (int64_t)at.gives * L);
  }
}

void DUN_REAL(dun_mlp_backward)(const void *self, const dun_real *w, const dun_real *tape,
                                const dun_real *bar, double *gradient, dun_real *scratch)
{
  const struct dun_mlp *s = self;
  int64_t widest = 0;
  for (int l = 0; l < s->layers; l++)
    widest = dun_mlp_layer(s, l).takes > widest ? dun_mlp_layer(s, l).takes : widest;
  dun_real *back[2] = {scratch, scratch + widest * L}, *rest = scratch + 2 * widest * L;
  for (int l = s->layers - 1; l >= 0; l--) {
    struct dun_mlp_layer at = dun_mlp_layer(s, l);
    dun_real *next = back[l % 2], *own = back[(l + 1) % 2];
    if (l < s->layers - 1)
      DUN_REAL(dun_activate_back)
    ((enum dun_activation)s->activation, (int64_t)at.gives * L, tape + at.before * L, own);
    DUN_REAL(dun_layer_dense_back)
    (at.gives, at.takes, w + at.weights, tape + at.in * L, l < s->layers - 1 ? own : bar,
     gradient + at.weights, l ? next : NULL, rest);
  }
}
