/* Elementary functions with the same bits at every vector width, with GCC and clang.
 *
 * Rules: every fused operation is written as DUN_FMA and all else is plain (-ffp-contract=off);
 * fixed polynomial shapes; selections in place of branches; nothing from libm.  A function that
 * uses one of these inline kernels in a loop carries DUN_CLONES, or it is silently compiled for
 * SSE2 with calls to libm's fma.  Loops run over all 64 lanes, lanes innermost. */
#ifndef DUNLIN_BASE_VMATH_H
#define DUNLIN_BASE_VMATH_H

#include <stdint.h>
#include <string.h>

/* One body, compiled for plain x86-64, AVX2 and AVX-512, chosen when the program starts. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(DUN_ONE_WIDTH)
#define DUN_DISPATCH
#define DUN_CLONES __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define DUN_CLONES
#endif

/* Into every clone, however long it grows. */
#define DUN_INLINE           static inline __attribute__((always_inline))
#define DUN_FMA(a, b, c)     __builtin_fma(a, b, c)
#define DUN_ALIGNED(pointer) __builtin_assume_aligned(pointer, 64)

#define DUN_LOG_2PI 1.8378770664093454836

/* Errors against the exact value; ulp: of the result, where that is normal. */
DUN_INLINE double dun_exp(double x);        /* < 1.1 ulp; 0, inf and NaN right; subnormals too */
DUN_INLINE double dun_exp_weight(double x); /* for x <= 0: as dun_exp, but 0 below -700 */
DUN_INLINE double dun_log(double x);        /* <= 1 ulp for x > 0; log(0) = -inf, x < 0: NaN,
                                             * log(inf) = inf; subnormals right */
DUN_INLINE double dun_log1p(double x);      /* <= 2 ulp for x > -1 */
DUN_INLINE double dun_expm1(double x);      /* <= 2 ulp */
/* sin(2 pi u) and cos(2 pi u) for |u| < 2^49, absolute error < 2^-52 */
DUN_INLINE void dun_sincos2pi(double u, double *sine, double *cosine);
/* 1 / (1 + exp(-x)) and log(1 + exp(x)) without overflow; <= 3 ulp; 0 below -700 */
DUN_INLINE double dun_sigmoid(double x);
DUN_INLINE double dun_softplus(double x);
DUN_INLINE double dun_tanh(double x); /* <= 3 ulp */

/* ---- bodies: Taylor polynomials in Estrin's form ----------------------------------------- */

/* The bits of a double. */
DUN_INLINE uint64_t dun_bits(double x)
{
  uint64_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

/* The double with these bits. */
DUN_INLINE double dun_from_bits(uint64_t bits)
{
  double x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

/* Adding it rounds to a whole number, which then is in the low bits. */
#define DUN_ROUNDER 0x1.8p52

/* 2^k for whole -1022 <= k <= 1023. */
DUN_INLINE double dun_power_of_2(double k)
{
  return dun_from_bits((dun_bits(k + DUN_ROUNDER) << 52) + 0x3ff0000000000000u);
}

/* exp(x) - 1 = 2^k (1 + result) - 1, |result| < 0.42. */
DUN_INLINE double dun_exp_reduced(double x, double *k)
{
  double n = DUN_FMA(x, 0x1.71547652b82fep0, DUN_ROUNDER) - DUN_ROUNDER; /* round(x / log 2) */
  double r = DUN_FMA(n, -0x1.abc9e3b39803fp-56, DUN_FMA(n, -0x1.62e42fefa39efp-1, x));
  double r2 = r * r, r4 = r2 * r2;
  double a0 = DUN_FMA(r, 1. / 6, .5), a1 = DUN_FMA(r, 1. / 120, 1. / 24);
  double a2 = DUN_FMA(r, 1. / 5040, 1. / 720), a3 = DUN_FMA(r, 1. / 362880, 1. / 40320);
  double a4 = DUN_FMA(r, 1. / 39916800, 1. / 3628800);
  double a5 = DUN_FMA(r, 1. / 6227020800., 1. / 479001600);
  double high = DUN_FMA(DUN_FMA(a5, r2, a4), r4, DUN_FMA(a3, r2, a2));
  *k = n;
  return DUN_FMA(r2, DUN_FMA(high, r4, DUN_FMA(a1, r2, a0)), r);
}

/* Beyond the bounds the result is 0 or infinite anyway. */
DUN_INLINE double dun_exp(double x)
{
  double k, low = x < -745.2 ? -745.2 : x, inside = low > 710 ? 710 : low; /* exp(710) = inf */
  double p = dun_exp_reduced(inside, &k) + 1.0;
  double half = DUN_FMA(k, .5, DUN_ROUNDER) - DUN_ROUNDER;
  /* two factors: only the second product is rounded, and subnormals come out right */
  return p * dun_power_of_2(half) * dun_power_of_2(k - half);
}

/* One factor does: no subnormals, which cost ten times as much. */
DUN_INLINE double dun_exp_weight(double x)
{
  double k, inside = x < -700 ? -700 : x;
  double p = dun_exp_reduced(inside, &k) + 1.0;
  double value = p * dun_power_of_2(k);
  return x < -700 ? 0.0 : value;
}

/* Beyond the bounds the result is -1 or infinite anyway. */
DUN_INLINE double dun_expm1(double x)
{
  double k, low = x < -50 ? -50 : x, inside = low > 710 ? 710 : low;
  double p = dun_exp_reduced(inside, &k), half = dun_power_of_2(k - 1); /* 2^k would overflow */
  return 2 * DUN_FMA(half, p, half - .5);
}

/* x = 2^k z with z in [sqrt(1/2), sqrt(2)), for normal x > 0. */
DUN_INLINE double dun_log_reduced(double x, double *k)
{
  /* the bits of sqrt(1/2), less 1024 in the exponent: no signed shift, which AVX2 has not */
  uint64_t bits = dun_bits(x), shifted = bits + (0x4000000000000000u - 0x3fe6a09e667f3bcdu);
  *k = dun_from_bits(0x4330000000000000u | shifted >> 52) - (0x1p52 + 1024);
  return dun_from_bits(bits - (shifted & 0xfff0000000000000u) + 0x4000000000000000u);
}

/* k log 2 + log(1 + f), by s = f / (2 + f) as in fdlibm. */
DUN_INLINE double dun_log_sum(double k, double f)
{
  double s = f / (2.0 + f), w = s * s, w2 = w * w, w4 = w2 * w2, w8 = w4 * w4;
  double b0 = DUN_FMA(DUN_FMA(w, 2. / 9, 2. / 7), w2, DUN_FMA(w, 2. / 5, 2. / 3));
  double b1 = DUN_FMA(DUN_FMA(w, 2. / 17, 2. / 15), w2, DUN_FMA(w, 2. / 13, 2. / 11));
  double tail = w * DUN_FMA(DUN_FMA(w, 2. / 21, 2. / 19), w8, DUN_FMA(b1, w4, b0));
  double h = 0.5 * f * f;
  double low = h - DUN_FMA(s, h + tail, k * 0x1.ef35793c7673p-45);
  return DUN_FMA(k, 0x1.62e42fefa38p-1, f - low);
}

/* For normal x > 0 only. */
DUN_INLINE double dun_log_normal(double x)
{
  double k, z = dun_log_reduced(x, &k);
  return dun_log_sum(k, z - 1.0);
}

/* Subnormals are scaled first. */
DUN_INLINE double dun_log(double x)
{
  double scaled = x * 0x1p54, normal = x < 0x1p-1022 ? scaled : x;
  double k, z = dun_log_reduced(normal, &k), less = k - 54;
  k = x < 0x1p-1022 ? less : k;
  double value = dun_log_sum(k, z - 1.0), edge = x == 0 ? -__builtin_inf() : __builtin_nan("");
  value = x > 0 ? value : edge;
  return x == __builtin_inf() ? x : value;
}

/* The logarithm of the rounded sum and what the rounding lost. */
DUN_INLINE double dun_log1p(double x)
{
  double u = 1.0 + x, part = u - 1.0, lost = (1.0 - (u - part)) + (x - part);
  double k, z = dun_log_reduced(u, &k), few = k > 99 ? 99 : k; /* then nothing was lost */
  double value = dun_log_sum(k, (z - 1.0) + lost * dun_power_of_2(-few)); /* k = 0: x itself */
  double edge = x == -1 ? -__builtin_inf() : __builtin_nan("");
  value = x > -1 ? value : edge;
  return x == __builtin_inf() ? x : value;
}

/* Reduced to an eighth of a turn on either side of a whole quarter, which is exact. */
DUN_INLINE void dun_sincos2pi(double u, double *sine, double *cosine)
{
  double shifted = DUN_FMA(4.0, u, DUN_ROUNDER), q = shifted - DUN_ROUNDER; /* quarter turns */
  double x = DUN_FMA(-.25, q, u) * 0x1.921fb54442d18p2, x2 = x * x, x4 = x2 * x2, x8 = x4 * x4;
  double s0 = DUN_FMA(x2, 1. / 120, -1. / 6), s1 = DUN_FMA(x2, 1. / 362880, -1. / 5040);
  double s2 = DUN_FMA(x2, 1. / 6227020800., -1. / 39916800);
  double s3 = DUN_FMA(x4, -1. / 1307674368000., s2);
  double c0 = DUN_FMA(x2, -1. / 720, 1. / 24), c1 = DUN_FMA(x2, -1. / 3628800, 1. / 40320);
  double c2 = DUN_FMA(x2, -1. / 87178291200., 1. / 479001600);
  double c3 = DUN_FMA(x4, 1. / 20922789888000., c2);
  double s = DUN_FMA(x * x2, DUN_FMA(x8, s3, DUN_FMA(x4, s1, s0)), x);
  double c = DUN_FMA(x4, DUN_FMA(x8, c3, DUN_FMA(x4, c1, c0)), DUN_FMA(x2, -.5, 1.0));
  /* odd quarters: sine and cosine change places */
  uint64_t quarter = dun_bits(shifted), swap = (dun_bits(s) ^ dun_bits(c)) & -(quarter & 1);
  *sine = dun_from_bits(dun_bits(s) ^ swap ^ (quarter & 2) << 62);
  *cosine = dun_from_bits(dun_bits(c) ^ swap ^ ((quarter + 1) & 2) << 62);
}

/* The exponential never exceeds 1. */
DUN_INLINE double dun_sigmoid(double x)
{
  double e = dun_exp_weight(-__builtin_fabs(x)), top = x < 0 ? e : 1.0;
  return top / (1.0 + e);
}

/* log1p(e) for e in [0, 1], without its edges. */
DUN_INLINE double dun_softplus(double x)
{
  double e = dun_exp_weight(-__builtin_fabs(x)), above = x > 0 ? x : 0.0;
  double u = 1.0 + e, lost = e - (u - 1.0); /* u in [1, 2] */
  double k = u > 1.5 ? 1.0 : 0.0, half = u > 1.5 ? .5 : 1.0;
  return above + dun_log_sum(k, DUN_FMA(half, u, -1.0) + lost * half);
}

/* (exp(-2|x|) - 1) / (exp(-2|x|) + 1). */
DUN_INLINE double dun_tanh(double x)
{
  double m = dun_expm1(-2 * __builtin_fabs(x));
  return __builtin_copysign(m / (2.0 + m), x);
}

#endif
