/* The numbers of a column as HDF5 calls them. */
#ifndef DUNLIN_IO_COLUMN_TYPE_H
#define DUNLIN_IO_COLUMN_TYPE_H

#include "data/hdf.h"
#include "population/population.h"

/* Equal on all ranks, for memory and for files. */
static inline hid_t dun_column_file_type(enum dun_column_type type)
{
  switch (type) {
  case DUN_F64: return H5T_NATIVE_DOUBLE;
  case DUN_F32: return H5T_NATIVE_FLOAT;
  case DUN_I64: return H5T_NATIVE_INT64;
  case DUN_I32: return H5T_NATIVE_INT32;
  default: return H5T_NATIVE_INT8;
  }
}

#endif
