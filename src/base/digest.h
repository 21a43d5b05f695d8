/* 64-bit digests: of bytes in order, and of numbered elements whose sum does not depend on who adds
 * them.  They find damage, not malice. */
#ifndef DUNLIN_BASE_DIGEST_H
#define DUNLIN_BASE_DIGEST_H

#include <stdint.h>

/* Goes on from `seed`. */
uint64_t dun_digest(uint64_t seed, const void *bytes, int64_t size);

/* The sum of the mixed (index, bits) of `count` elements of `size` bytes (1, 4 or 8) from index
 * `first` on: ranks may add theirs. */
uint64_t dun_digest_elements(uint64_t seed, int64_t first, int64_t count, int size,
                             const void *elements);
/* Adds those of each block of `block` elements to its place in sum, of which sum[0] is that of
 * element 0. */
void dun_digest_blocks(uint64_t seed, int64_t first, int64_t count, int size, int64_t block,
                       const void *elements, int64_t *sum);

#endif
