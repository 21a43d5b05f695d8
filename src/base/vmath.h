/* Elementary functions with the same bits at every vector width, with GCC and clang.
 *
 * Rules: every fused operation is written as DUN_FMA and all else is plain (-ffp-contract=off); fixed
 * polynomial shapes; selections in place of branches; nothing from libm.  A function that uses one of
 * these inline kernels in a loop carries DUN_CLONES, or it is silently compiled for SSE2 with calls to
 * libm's fma.  Loops run over all 64 lanes, lanes innermost. */
#ifndef DUNLIN_BASE_VMATH_H
#define DUNLIN_BASE_VMATH_H

#include <stdint.h>
#include <string.h>

/* One body, compiled for plain x86-64, AVX2 and AVX-512, chosen when the program starts. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(DUN_ONE_WIDTH)
#define DUN_CLONES __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define DUN_CLONES
#endif

#define DUN_FMA(a, b, c) __builtin_fma(a, b, c)
#define DUN_ALIGNED(pointer) __builtin_assume_aligned(pointer, 64)

#define DUN_LOG_2PI 1.8378770664093454836

static inline double dun_exp(double x);     /* <= 1 ulp on ±700; 0, inf and NaN right; subnormals too */
static inline double dun_exp_weight(double x); /* for x <= 0: as dun_exp, but 0 below -700 */
static inline double dun_log(double x);     /* <= 1 ulp for normal x > 0; log(0) = -inf, x < 0: NaN,
                                             * log(inf) = inf; subnormals right */
static inline double dun_log1p(double x);   /* <= 2 ulp for x > -1 */
static inline double dun_expm1(double x);   /* <= 2 ulp */
/* sin(2 pi u) and cos(2 pi u) for |u| < 2^50, absolute error < 2e-16 */
static inline void dun_sincos2pi(double u, double *sine, double *cosine);
static inline double dun_sigmoid(double x); /* 1 / (1 + exp(-x)), no overflow */
static inline double dun_softplus(double x); /* log(1 + exp(x)), no overflow */
static inline double dun_tanh(double x);    /* <= 3 ulp */

/* ... bodies ... */

#endif
