#include "fuzz/fuzz.h"
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *fuzz_copy(const uint8_t *bytes, size_t size)
{
  char *copy = malloc(size + 1);
  if (!copy)
    abort();
  if (size)
    memcpy(copy, bytes, size);
  copy[size] = 0;
  return copy;
}

/* ---- memory ------------------------------------------------------------------------------ */

/* Also what replays cases without clang knows these names. */
__attribute__((weak)) int __sanitizer_install_malloc_and_free_hooks(
    void (*allocated)(const volatile void *, size_t), void (*freed)(const volatile void *));
__attribute__((weak)) size_t __sanitizer_get_allocated_size(const volatile void *block);

static _Atomic int64_t held;       /* bytes */
static int64_t most_one, most_all; /* bytes */
static int counting;

static void allocated(const volatile void *block, size_t size)
{
  (void)block;
  if (!counting)
    return;
  int64_t now = atomic_fetch_add(&held, (int64_t)size) + (int64_t)size;
  if (now <= most_all && (int64_t)size <= most_one)
    return;
  counting = 0;
  fprintf(stderr, "fuzz: found %zu bytes asked for and %lld held, expected %lld and %lld at most\n",
          size, (long long)now, (long long)most_one, (long long)most_all);
  abort();
}

static void freed(const volatile void *block)
{
  if (counting && block)
    atomic_fetch_sub(&held, (int64_t)__sanitizer_get_allocated_size(block));
}

void fuzz_measure(size_t size, size_t floor_one, size_t floor_all)
{
  static int installed;
  if (!installed && __sanitizer_install_malloc_and_free_hooks)
    __sanitizer_install_malloc_and_free_hooks(allocated, freed);
  installed = 1;
  held = 0;
  most_one = 4 * (int64_t)size + (int64_t)floor_one;
  most_all = 4 * (int64_t)size + (int64_t)floor_all;
  counting = 1;
}

void fuzz_measured(void)
{
  counting = 0;
}
