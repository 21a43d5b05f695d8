#include "base/digest.h"
#include "base/vmath.h"
#include <string.h>

/* The finaliser of MurmurHash3 with Stafford's constants (variant 13). */
static inline uint64_t mix(uint64_t z)
{
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

uint64_t dun_digest(uint64_t seed, const void *bytes, int64_t size)
{
  const char *at = bytes;
  uint64_t digest = mix(seed ^ (uint64_t)size * 0x9e3779b97f4a7c15u);
  for (; size > 0; size -= 8, at += 8) {
    uint64_t word = 0;
    memcpy(&word, at, size < 8 ? (size_t)size : 8);
    digest = mix((digest ^ word) + 0x9e3779b97f4a7c15u);
  }
  return digest;
}

#define ELEMENTS(type)                                                                             \
  do {                                                                                             \
    const type *element = elements;                                                                \
    for (int64_t i = 0; i < count; i++)                                                            \
      sum += mix(element[i] ^ mix(start + (uint64_t)i * 0x9e3779b97f4a7c15u));                     \
  } while (0)

DUN_CLONES
uint64_t dun_digest_elements(uint64_t seed, int64_t first, int64_t count, int size,
                             const void *elements)
{
  uint64_t sum = 0, start = mix(seed) + (uint64_t)first * 0x9e3779b97f4a7c15u;
  if (size == 8)
    ELEMENTS(uint64_t);
  else if (size == 4)
    ELEMENTS(uint32_t);
  else
    ELEMENTS(uint8_t);
  return sum;
}

void dun_digest_blocks(uint64_t seed, int64_t first, int64_t count, int size, int64_t block,
                       const void *elements, int64_t *sum)
{
  const char *from = elements;
  for (int64_t n, end = first + count; first < end; first += n, from += n * size) {
    int64_t next = (first / block + 1) * block;
    n = (next < end ? next : end) - first;
    uint64_t more = dun_digest_elements(seed, first, n, size, from);
    sum[first / block] = (int64_t)((uint64_t)sum[first / block] + more);
  }
}
