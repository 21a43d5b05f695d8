/* The floating-point control register: foreign code may change it, and it is put back. */
#ifndef DUNLIN_POPULATION_CONTROL_H
#define DUNLIN_POPULATION_CONTROL_H

#ifdef __SSE__
#include <xmmintrin.h>
#endif

/* The register without the exceptions' flags. */
static inline unsigned dun_control(void)
{
#ifdef __SSE__
  return _mm_getcsr() & ~0x3fu;
#else
  return 0;
#endif
}

/* Puts it back where it was changed. */
static inline void dun_control_restore(unsigned before)
{
#ifdef __SSE__
  if (dun_control() != before)
    _mm_setcsr(before);
#else
  (void)before;
#endif
}

#endif
