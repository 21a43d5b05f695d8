/* Elementary functions in single precision, by the rules of base/vmath.h: the same bits at every
 * vector width, with GCC and clang. */
#ifndef DUNLIN_BASE_VMATH_F_H
#define DUNLIN_BASE_VMATH_F_H

#include "base/vmath.h"

#define DUN_FMA_F(a, b, c) __builtin_fmaf(a, b, c)

/* Errors against the exact value; ulp: of the result, where that is normal. */
DUN_INLINE float dun_exp_f(float x);     /* < 1.1 ulp; 0, inf and NaN right; subnormals too */
DUN_INLINE float dun_sigmoid_f(float x); /* 1 / (1 + exp(-x)), <= 3 ulp */
DUN_INLINE float dun_tanh_f(float x);    /* <= 3 ulp */

/* ---- bodies ------------------------------------------------------------------------------ */

/* The bits of a float. */
DUN_INLINE uint32_t dun_bits_f(float x)
{
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

/* The float with these bits. */
DUN_INLINE float dun_from_bits_f(uint32_t bits)
{
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

/* Adding it rounds to a whole number, which then is in the low bits. */
#define DUN_ROUNDER_F 0x1.8p23f

/* 2^k for whole -126 <= k <= 127. */
DUN_INLINE float dun_power_of_2_f(float k)
{
  return dun_from_bits_f((dun_bits_f(k + DUN_ROUNDER_F) << 23) + 0x3f800000u);
}

/* exp(x) = 2^k (1 + result), |result| < 0.42. */
DUN_INLINE float dun_exp_reduced_f(float x, float *k)
{
  float n = DUN_FMA_F(x, 0x1.715476p0f, DUN_ROUNDER_F) - DUN_ROUNDER_F;
  float r = DUN_FMA_F(n, 0x1.05c610p-29f, DUN_FMA_F(n, -0x1.62e430p-1f, x)), r2 = r * r;
  float a0 = DUN_FMA_F(r, 1.f / 6, .5f), a1 = DUN_FMA_F(r, 1.f / 120, 1.f / 24);
  float a2 = DUN_FMA_F(r, 1.f / 5040, 1.f / 720);
  *k = n;
  return DUN_FMA_F(r2, DUN_FMA_F(DUN_FMA_F(a2, r2, a1), r2, a0), r);
}

/* Beyond the bounds the result is 0 or infinite anyway. */
DUN_INLINE float dun_exp_f(float x)
{
  float k, low = x < -104.f ? -104.f : x, inside = low > 89.f ? 89.f : low;
  float p = dun_exp_reduced_f(inside, &k) + 1.f;
  float half = DUN_FMA_F(k, .5f, DUN_ROUNDER_F) - DUN_ROUNDER_F;
  return p * dun_power_of_2_f(half) * dun_power_of_2_f(k - half);
}

/* The exponential never exceeds 1. */
DUN_INLINE float dun_sigmoid_f(float x)
{
  float e = dun_exp_f(-__builtin_fabsf(x)), top = x < 0 ? e : 1.f;
  return top / (1.f + e);
}

/* (exp(-2|x|) - 1) / (exp(-2|x|) + 1). */
DUN_INLINE float dun_tanh_f(float x)
{
  float k, size = __builtin_fabsf(x), near = size > 20.f ? 20.f : size;
  float p = dun_exp_reduced_f(-2 * near, &k), power = dun_power_of_2_f(k);
  float m = DUN_FMA_F(power, p, power - 1.f);
  return __builtin_copysignf(m / (2.f + m), x);
}

#endif
