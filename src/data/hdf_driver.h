/* How HDF5 gets at its files: a driver that never lets it see a write fail, since HDF5 does not
 * survive that (what it cannot close it closes again at the end of MPI, and dies).  The failure is
 * kept for whoever closes the file.  A read that fails is tried again before it is told. */
#ifndef DUNLIN_DATA_HDF_DRIVER_H
#define DUNLIN_DATA_HDF_DRIVER_H

#include <hdf5.h>

struct dun_hdf_trouble {
  int error; /* errno of the first write, or read, that failed; 0: none did */
};

/* Makes files that are opened or created with that list go through the driver; `trouble` is the
 * caller's, and outlives them.  < 0: failed. */
int dun_hdf_drive(hid_t access_list, struct dun_hdf_trouble *trouble);

/* The one of an open file. */
struct dun_hdf_trouble *dun_hdf_trouble_of(hid_t handle);

#endif
