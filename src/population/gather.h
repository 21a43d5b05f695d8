/* Rows by list: the inner loop of the exchange. */
#ifndef DUNLIN_POPULATION_GATHER_H
#define DUNLIN_POPULATION_GATHER_H

#include <stddef.h>
#include <stdint.h>

/* to[k] = from[row[k]] for rows of `bytes` bytes, k = 0 .. n - 1. */
void dun_gather(int64_t n, size_t bytes, const uint32_t *row, const char *from, char *to);

#endif
