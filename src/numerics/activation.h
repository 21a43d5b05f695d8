/* What stands between the layers of a network, on arrays of any kind; the ending _f is single
 * precision.  The same bits at every vector width, with GCC and clang. */
#ifndef DUNLIN_NUMERICS_ACTIVATION_H
#define DUNLIN_NUMERICS_ACTIVATION_H

#include <stdint.h>

enum dun_activation {
  DUN_RELU, /* max(a, 0) */
  DUN_TANH,
  DUN_SILU, /* a / (1 + exp(-a)) */
  DUN_GELU, /* a (1 + tanh(sqrt(2 / pi) (a + .044715 a^3))) / 2: Hendrycks & Gimpel 2016 */
};
#define DUN_ACTIVATION_WORDS "relu|tanh|silu|gelu"

/* y = f(a) of `count` numbers; y may be a.  A number that is none stays none. */
void dun_activate(enum dun_activation f, int64_t count, const double *a, double *y);
void dun_activate_f(enum dun_activation f, int64_t count, const float *a, float *y);
/* bar *= f'(a). */
void dun_activate_back(enum dun_activation f, int64_t count, const double *a, double *bar);
void dun_activate_back_f(enum dun_activation f, int64_t count, const float *a, float *bar);

#endif
