#include "base/vmath.h"
#include "dunlin/target.h"
#include "learning/two_layer.h"
#include "numerics/activation.h"
#include "numerics/real.h"
#include <string.h>

enum { L = DUN_LANES };

/* Where the columns of the tape begin. */
struct tape {
  int64_t x, features, time, before, after, both;
};

static struct tape tape_of(const struct dun_two_layer *s)
{
  struct tape at = {.features = (int64_t)s->inputs * L};
  at.time = at.features + (int64_t)dun_layer_features_count(s->harmonics) * L;
  at.before = at.time + s->levels * L;
  at.after = at.before + s->width * L;
  at.both = at.after + s->width * L;
  return at;
}

/* both[levels][width] = time[levels] point[width]. */
DUN_CLONES static void multiply(int64_t levels, int64_t width, const dun_real *restrict time,
                                const dun_real *restrict point, dun_real *restrict both)
{
  for (int64_t i = 0; i < levels; i++)
    for (int64_t j = 0; j < width; j++)
      for (int l = 0; l < L; l++)
        both[(i * width + j) * L + l] = time[i * L + l] * point[j * L + l];
}

/* The reverse of it: sums over the other factor. */
DUN_CLONES static void multiply_back(int64_t levels, int64_t width, const dun_real *restrict time,
                                     const dun_real *restrict point, const dun_real *restrict both,
                                     dun_real *restrict time_bar, dun_real *restrict point_bar)
{
  for (int64_t i = 0; i < levels; i++) {
    dun_real sum[L] = {0};
    for (int64_t j = 0; j < width; j++)
      for (int l = 0; l < L; l++) {
        dun_real bar = both[(i * width + j) * L + l];
        sum[l] = DUN_REAL_FMA(bar, point[j * L + l], sum[l]);
        point_bar[j * L + l] = DUN_REAL_FMA(bar, time[i * L + l], i ? point_bar[j * L + l] : 0);
      }
    for (int l = 0; l < L; l++)
      time_bar[i * L + l] = sum[l];
  }
}

void DUN_REAL(dun_two_layer_forward)(const void *self, const dun_real *w, const double *angle,
                                     const dun_real *x, dun_real *y, dun_real *tape)
{
  const struct dun_two_layer *s = self;
  struct dun_two_layer_weights at = dun_two_layer_weights(s);
  struct tape t = tape_of(s);
  int levels = (int)s->levels, width = (int)s->width;
  memcpy(tape + t.x, x, (size_t)s->inputs * L * sizeof *x);
  DUN_REAL(dun_layer_features)(s->harmonics, angle, tape + t.features);
  DUN_REAL(dun_layer_dense)
  (levels, dun_layer_features_count(s->harmonics), w + at.time, tape + t.features, tape + t.time);
  DUN_REAL(dun_layer_dense)(width, s->inputs, w + at.point, x, tape + t.before);
  DUN_REAL(dun_activate)
  ((enum dun_activation)s->activation, s->width * L, tape + t.before, tape + t.after);
  multiply(levels, width, tape + t.time, tape + t.after, tape + t.both);
  DUN_REAL(dun_layer_dense)(s->outputs, levels * width, w + at.both, tape + t.both, y);
}

void DUN_REAL(dun_two_layer_backward)(const void *self, const dun_real *w, const dun_real *tape,
                                      const dun_real *bar, double *gradient, dun_real *scratch)
{
  const struct dun_two_layer *s = self;
  struct dun_two_layer_weights at = dun_two_layer_weights(s);
  struct tape t = tape_of(s);
  int levels = (int)s->levels, width = (int)s->width;
  dun_real *both = scratch, *point = both + s->levels * s->width * L;
  dun_real *time = point + s->width * L, *rest = time + s->levels * L;
  DUN_REAL(dun_layer_dense_back)
  (s->outputs, levels * width, w + at.both, tape + t.both, bar, gradient + at.both, both, rest);
  multiply_back(levels, width, tape + t.time, tape + t.after, both, time, point);
  DUN_REAL(dun_activate_back)
  ((enum dun_activation)s->activation, s->width * L, tape + t.before, point);
  DUN_REAL(dun_layer_dense_back)
  (width, s->inputs, w + at.point, tape + t.x, point, gradient + at.point, NULL, rest);
  DUN_REAL(dun_layer_dense_back)
  (levels, dun_layer_features_count(s->harmonics), w + at.time, tape + t.features, time,
   gradient + at.time, NULL, rest);
}
