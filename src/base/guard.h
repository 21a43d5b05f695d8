/* Foreign code: the functions of a user's target.  Every call of one is made between the two
 * functions below, so that what it does to the floating-point control register is put back, and so
 * that whoever ends the process in its midst (app/last_words.h) can say where it was. */
#ifndef DUNLIN_BASE_GUARD_H
#define DUNLIN_BASE_GUARD_H

#include <stdint.h>
#ifdef __SSE__
#include <xmmintrin.h>
#endif

/* Where the process is; of one thread, read by handlers of signals. */
struct dun_guarded {
  const char *volatile target;   /* its name */
  const char *volatile function; /* NULL: in no foreign function */
  volatile int64_t calls;        /* so far */
};
extern struct dun_guarded dun_guarded;

/* Behind a call that wrote where it may not: the program ends with a sentence, of which `detail`
 * says what was found.  Who can end all ranks puts an end of its own in the place of abort(). */
_Noreturn void dun_guard_trespass(const char *detail);
void dun_guard_end_by(void (*end)(const char *detail));

/* The control register without the exceptions' flags. */
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

/* Texts must outlive the call.  What it returns goes to dun_guard_leave. */
static inline unsigned dun_guard_enter(const char *target, const char *function)
{
  dun_guarded.target = target;
  dun_guarded.function = function;
  dun_guarded.calls++;
  return dun_control();
}

/* Behind the call. */
static inline void dun_guard_leave(unsigned control)
{
  dun_guarded.function = 0;
  dun_control_restore(control);
}

#endif
