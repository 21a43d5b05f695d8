/* Chunks of an HDF5 dataset as they lie in the file. */
#ifndef DUNLIN_DATA_HDF_CHUNK_H
#define DUNLIN_DATA_HDF_CHUNK_H

#include <hdf5.h>
#include <stddef.h>

/* Whether its filters are gzip, shuffle and Fletcher's checksum, or some of them, gzip once. */
int dun_hdf_filters_are_known(hid_t create);

/* Of a dataset with such filters: whether the chunk that begins at `at` has so many bytes when it
 * is unpacked; one that is not there has.  HDF5 does not ask, and reads on behind a chunk that is
 * shorter. */
int dun_hdf_chunk_is_whole(hid_t dataset, hid_t create, const hsize_t *at, size_t bytes);

#endif
