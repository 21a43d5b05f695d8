/* Arrays that foreign code is given: each lies in pages of its own, between wide stretches of
 * memory that nobody may touch, so that whoever writes or reads far outside of it ends there and
 * then and harms no other array.  Numbers between the array and its pages' ends are marked: what is
 * written just outside of it is seen behind the call. */
#ifndef DUNLIN_BASE_FENCE_H
#define DUNLIN_BASE_FENCE_H

#include <stddef.h>
#include <stdint.h>

/* Pages of numbers. */
struct dun_pages {
  double *block; /* [size]; NULL: none */
  int64_t size;

  char *base; /* [bytes]: with what must not be touched */
  size_t bytes;
};

/* Room for at least `count` numbers, zeroed.  DUN_ERROR_MEMORY; `free` is safe then, and twice. */
int dun_pages_init(struct dun_pages *pages, int64_t count);
void dun_pages_free(struct dun_pages *pages);

struct dun_fence {
  const char *name; /* of the array, for sentences */
  double *value;    /* [count], aligned to 64 bytes, at the end of the pages */
  int64_t count, most;
  struct dun_pages pages;
};

/* For arrays of up to `most` numbers.  DUN_ERROR_MEMORY; `free` is safe then, and of zeros. */
int dun_fence_init(struct dun_fence *fence, const char *name, int64_t most);
void dun_fence_free(struct dun_fence *fence);

/* It becomes an array of so many numbers: those of `from`, unless that is NULL. */
double *dun_fence_take(struct dun_fence *fence, int64_t count, const double *from);

/* Behind a call, or several: where something was written just outside of the array the program
 * ends with a sentence (base/guard.h). */
void dun_fence_check(const struct dun_fence *fence);
/* The same; then its numbers into `to`, unless that is NULL. */
void dun_fence_give(const struct dun_fence *fence, double *to);

#endif
