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

/* (1 + tanh(b / 2)) / 2 is the sigmoid of b = scale (a + cube a^3). */
#define GELU_SCALE ((dun_real)1.5957691216057308)
#define GELU_CUBE  ((dun_real).044715)

/* Beyond, gelu is the number itself or as good as 0; nothing overflows, nothing is subnormal. */
DUN_INLINE dun_real gelu_narrow(dun_real a)
{
  const dun_real most = (dun_real)9.9;
  dun_real below = a > most ? most : a;
  return below < -most ? -most : below;
}

/* exp(-b): that of the sigmoid without what it does for numbers that are not met here. */
DUN_INLINE dun_real gelu_rest(dun_real a)
{
  dun_real k, b = GELU_SCALE * DUN_REAL_FMA(GELU_CUBE * a, a * a, a);
  dun_real p = DUN_REAL(dun_exp_reduced)(-b, &k), power = DUN_REAL(dun_power_of_2)(k);
  return DUN_REAL_FMA(power, p, power);
}

DUN_INLINE dun_real gelu(dun_real a)
{
  return a / (1 + gelu_rest(gelu_narrow(a)));
}

/* s + a s (1 - s) b', 1 - s = exp(-b) s. */
DUN_INLINE dun_real gelu_slope(dun_real wide)
{
  dun_real a = gelu_narrow(wide), rest = gelu_rest(a), s = 1 / (1 + rest);
  dun_real slope = GELU_SCALE * DUN_REAL_FMA(3 * GELU_CUBE * a, a, 1);
  return DUN_REAL_FMA(a * slope * s, rest * s, s);
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
LOOPS(gelu_loop, gelu, gelu_slope)

void DUN_REAL(dun_activate)(enum dun_activation f, int64_t count, const dun_real *a, dun_real *y)
{
  static void (*const loops[])(int64_t, const dun_real *, dun_real *) = {[DUN_RELU] = relu_loop,
                                                                         [DUN_TANH] = tanh_loop,
                                                                         [DUN_SILU] = silu_loop,
                                                                         [DUN_GELU] = gelu_loop};
  loops[f](count, a, y);
}

void DUN_REAL(dun_activate_back)(enum dun_activation f, int64_t count, const dun_real *a,
                                 dun_real *bar)
{
  static void (*const loops[])(int64_t, const dun_real *,
                               dun_real *) = {[DUN_RELU] = relu_loop_back,
                                              [DUN_TANH] = tanh_loop_back,
                                              [DUN_SILU] = silu_loop_back,
                                              [DUN_GELU] = gelu_loop_back};
  loops[f](count, a, bar);
}
