/* Aligned, zeroed memory; large blocks ask for huge pages.  Big arrays are allocated once and kept:
 * the first touch of fresh memory costs ten times a copy. */
#ifndef DUNLIN_BASE_MEMORY_H
#define DUNLIN_BASE_MEMORY_H

#include <stddef.h>
#include <stdint.h>

enum { DUN_ALIGNMENT = 64 };

/* count × size bytes, zeroed, aligned to 64; never NULL for a product of 0.  NULL with dun_fail's
 * sentence set if the product overflows or there is no memory. */
void *dun_allocate(int64_t count, size_t size);

/* Frees what dun_allocate gave and sets the caller's pointer to NULL: DUN_FREE(p->x). */
#define DUN_FREE(pointer) (dun_free(pointer), (pointer) = NULL)
void dun_free(void *block);

/* The bytes that were asked for when the block was allocated; 0 for NULL. */
int64_t dun_block_bytes(const void *block);

/* A copy of a string, or NULL for NULL or without memory. */
char *dun_copy_text(const char *text);

/* The bytes allocated now through dun_allocate, and the most there were. */
int64_t dun_memory_in_use(void);
int64_t dun_memory_peak(void);

#endif
