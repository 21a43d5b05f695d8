/* Changes HDF5 files where they have a meaning: fields of superblocks, object headers and their
 * messages, trees, heaps; and makes the checksums right again, or nothing behind them were read. */
#ifndef DUNLIN_TESTS_HDF5_H
#define DUNLIN_TESTS_HDF5_H

#include <stddef.h>
#include <stdint.h>

/* At most `room` bytes; returns the new size. */
size_t fuzz_hdf5_change(uint8_t *bytes, size_t size, size_t room, unsigned seed);

#endif
