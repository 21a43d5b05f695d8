/* How HDF5 gets at its files: a driver that never lets it see a write fail, since HDF5 does not
 * survive that (what it cannot close it closes again at the end of MPI, and dies).  The failure is
 * kept for whoever closes the file.  A read that fails is tried again before it is told. */
#ifndef DUNLIN_DATA_HDF_DRIVER_H
#define DUNLIN_DATA_HDF_DRIVER_H

#include <hdf5.h>

struct dun_hdf_trouble {
  int error;    /* errno of the first write, or read, that failed; 0: none did */
  hid_t driver; /* HDF5 looks into it once more when it has let go of it: ours is the last hold */
  struct dun_hdf_trouble *next; /* of those that were left */
};

/* Makes a file that is opened or created with that list go through the driver.  The caller's until
 * dun_hdf_undrive, behind the file's end.  NULL: no memory. */
struct dun_hdf_trouble *dun_hdf_drive(hid_t access_list);
void dun_hdf_undrive(struct dun_hdf_trouble *trouble);

/* Instead, of a file that HDF5 cannot close: it comes back to it at the program's end. */
void dun_hdf_leave(struct dun_hdf_trouble *trouble);

/* The one of an open file. */
struct dun_hdf_trouble *dun_hdf_trouble_of(hid_t handle);

#endif
