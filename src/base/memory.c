#include "base/memory.h"
#include "base/error.h"
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { HUGE_PAGE = 1 << 21 };

/* Lies in the 64 bytes before each block, so that freeing can count. */
struct head {
  int64_t bytes;
};

static _Atomic int64_t in_use, peak;

static void count(int64_t bytes)
{
  int64_t now = atomic_fetch_add(&in_use, bytes) + bytes, most = atomic_load(&peak);
  while (now > most && !atomic_compare_exchange_weak(&peak, &most, now))
    ;
}

static void *out_of_memory(int64_t count, size_t size)
{
  dun_fail(DUN_ERROR_MEMORY, "No memory for %lld items of %zu bytes.", (long long)count, size);
  return NULL;
}

void *dun_allocate(int64_t items, size_t size)
{
  int64_t bytes, whole;
  if (items < 0 || size > PTRDIFF_MAX || __builtin_mul_overflow(items, (int64_t)size, &bytes) ||
      bytes > PTRDIFF_MAX - 2 * (int64_t)HUGE_PAGE)
    return out_of_memory(items, size);
  int64_t alignment = bytes >= HUGE_PAGE ? HUGE_PAGE : DUN_ALIGNMENT;
  /* A pointer to nothing points into its block, too: else leak checkers take that for lost. */
  whole = (DUN_ALIGNMENT + (bytes > 0 ? bytes : 1) + alignment - 1) / alignment * alignment;
  char *start = aligned_alloc((size_t)alignment, (size_t)whole);
  if (!start)
    return out_of_memory(items, size);
  if (alignment == HUGE_PAGE)
    madvise(start, (size_t)whole, MADV_HUGEPAGE); /* a wish: refusal costs speed only */
  memset(start, 0, (size_t)(DUN_ALIGNMENT + bytes));
  ((struct head *)start)->bytes = bytes;
  count(bytes);
  return start + DUN_ALIGNMENT;
}

void dun_free(void *block)
{
  if (!block)
    return;
  char *start = (char *)block - DUN_ALIGNMENT;
  count(-dun_block_bytes(block));
  free(start);
}

int64_t dun_block_bytes(const void *block)
{
  return block ? ((const struct head *)((const char *)block - DUN_ALIGNMENT))->bytes : 0;
}

char *dun_copy_text(const char *text)
{
  if (!text)
    return NULL;
  size_t size = strlen(text) + 1;
  char *copy = dun_allocate((int64_t)size, 1);
  if (copy)
    memcpy(copy, text, size);
  return copy;
}

int64_t dun_memory_in_use(void)
{
  return atomic_load(&in_use);
}

int64_t dun_memory_peak(void)
{
  return atomic_load(&peak);
}
