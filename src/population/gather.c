#include "population/gather.h"
#include "base/vmath.h"
#include <string.h>

/* memcpy with a size known only at run time is a call per row: the usual widths are spelled out. */
#define GATHER(size)                                                                               \
  case size:                                                                                       \
    for (int64_t k = 0; k < n; k++)                                                                \
      memcpy(to + (size_t)k * (size), from + (size_t)row[k] * (size), size);                       \
    return

DUN_CLONES
void dun_gather(int64_t n, size_t bytes, const uint32_t *restrict row, const char *restrict from,
                char *restrict to)
{
  switch (bytes) {
    GATHER(1);
    GATHER(4);
    GATHER(8);
    GATHER(16);
    GATHER(24);
    GATHER(32);
    GATHER(40);
    GATHER(48);
    GATHER(64);
    GATHER(80);
    GATHER(88);
    GATHER(96);
    GATHER(128);
    GATHER(160);
    GATHER(168);
    GATHER(256);
  default:
    for (int64_t k = 0; k < n; k++)
      memcpy(to + (size_t)k * bytes, from + (size_t)row[k] * bytes, bytes);
  }
}
