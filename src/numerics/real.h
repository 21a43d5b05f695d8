/* Code in two precisions from one text: a file written with dun_real and DUN_REAL(name) is that of
 * double precision, and one that defines DUN_SINGLE before it includes that file is its copy in
 * single precision, whose names end with _f. */
#ifndef DUNLIN_NUMERICS_REAL_H
#define DUNLIN_NUMERICS_REAL_H

#ifdef DUN_SINGLE
#define dun_real              float
#define DUN_REAL(name)        name##_f
#define DUN_REAL_FMA(a, b, c) __builtin_fmaf(a, b, c)
#else
#define dun_real              double
#define DUN_REAL(name)        name
#define DUN_REAL_FMA(a, b, c) __builtin_fma(a, b, c)
#endif

#endif
