/* Dimension scales, as HDF5's specification of them has it, attached all at once: the library's
 * own H5DSattach_scale writes the whole list of a scale's users again for each of them, so that
 * many variables would take quadratic time and space. */
#ifndef DUNLIN_DATA_HDF_SCALES_H
#define DUNLIN_DATA_HDF_SCALES_H

#include <hdf5.h>

/* One use of a scale: a dataset, and the axis. */
struct dun_hdf_use {
  hobj_ref_t dataset;
  int axis;
};

/* scale[rank]: open datasets that are scales.  Writes use[rank] unless NULL.  < 0: failed. */
int dun_hdf_attach(hid_t dataset, int rank, const hid_t *scale, struct dun_hdf_use *use);
/* The list of a scale's users; nothing for none of them. */
int dun_hdf_list_uses(hid_t scale, int64_t count, const struct dun_hdf_use *use);

#endif
