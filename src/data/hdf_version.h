/* Which HDF5 library runs: for the provenance of results. */
#ifndef DUNLIN_DATA_HDF_VERSION_H
#define DUNLIN_DATA_HDF_VERSION_H

#include <stddef.h>

/* "1.10.8" */
void dun_hdf_version(char *text, size_t size);

#endif
