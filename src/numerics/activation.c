#include "numerics/activation.h"
#include "base/vmath_f.h"
#include "numerics/real.h"

#ifdef DUN_SINGLE
#define SIGMOID dun_sigmoid_f
#define TANH    dun_tanh_f
#else
#define SIGMOID dun_sigmoid
#define TANH    dun_tanh
#endif

DUN_INLINE dun_real relu(dun_real a)
{
  return a < 0 ? 0 : a;
}

DUN_INLINE dun_real relu_slope(dun_real a)
{
  return a > 0 ? 1 : 0;
}

DUN_INLINE dun_real tanh_slope(dun_real a)
{
  dun_real t = TANH(a);
  return DUN_REAL_FMA(-t, t, 1);
}

DUN_INLINE dun_real silu(dun_real a)
{
  return a * SIGMOID(a);
}

/* s + a s (1 - s). */
DUN_INLINE dun_real silu_slope(dun_real a)
{
  dun_real s = SIGMOID(a);
  return DUN_REAL_FMA(a * s, 1 - s, s);
}

#define LOOPS(name, value, slope)                                                                  \
  DUN_CLONES static void name(int64_t count, const dun_real *a, dun_real *y)                       \
  {                                                                                                \
    for (int64_t i = 0; i < count; i++)                                                            \
      y[i] = value(a[i]);                                                                          \
  }                                                                                                \
  DUN_CLONES static void name##_back(int64_t count, const dun_real *restrict a,                    \
                                     dun_real *restrict bar)                                       \
  {                                                                                                \
    for (int64_t i = 0; i < count; i++)                                                            \
      bar[i] *= slope(a[i]);                                                                       \
  }
LOOPS(relu_loop, relu, relu_slope)
LOOPS(tanh_loop, TANH, tanh_slope)
LOOPS(silu_loop, silu, silu_slope)

void DUN_REAL(dun_activate)(enum dun_activation f, int64_t count, const dun_real *a, dun_real *y)
{
  (f == DUN_RELU ? relu_loop : f == DUN_TANH ? tanh_loop : silu_loop)(count, a, y);
}

void DUN_REAL(dun_activate_back)(enum dun_activation f, int64_t count, const dun_real *a,
                                 dun_real *bar)
{
  (f == DUN_RELU ? relu_loop_back : f == DUN_TANH ? tanh_loop_back : silu_loop_back)(count, a, bar);
}
