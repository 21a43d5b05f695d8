#include "data/hdf_scales.h"
#include <stddef.h>

enum { MOST = 8 };

static int write_attribute(hid_t place, const char *name, hid_t type, hsize_t count,
                           const void *values)
{
  hid_t space = H5Screate_simple(1, &count, NULL);
  hid_t attribute = space < 0 ? -1 : H5Acreate2(place, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
  int status = attribute < 0 || H5Awrite(attribute, type, values) < 0 ? -1 : 0;
  if (attribute >= 0)
    H5Aclose(attribute);
  if (space >= 0)
    H5Sclose(space);
  return status;
}

int dun_hdf_attach(hid_t dataset, int rank, const hid_t *scale, struct dun_hdf_use *use)
{
  hobj_ref_t reference[MOST];
  hvl_t list[MOST];
  if (rank < 1 || rank > MOST)
    return -1;
  for (int i = 0; i < rank; i++) {
    if (H5Rcreate(&reference[i], scale[i], ".", H5R_OBJECT, -1) < 0)
      return -1;
    list[i] = (hvl_t){.len = 1, .p = &reference[i]};
    if (use && H5Rcreate(&use[i].dataset, dataset, ".", H5R_OBJECT, -1) < 0)
      return -1;
    if (use)
      use[i].axis = i;
  }
  hid_t type = H5Tvlen_create(H5T_STD_REF_OBJ);
  int status =
      type < 0 ? -1 : write_attribute(dataset, "DIMENSION_LIST", type, (hsize_t)rank, list);
  if (type >= 0)
    H5Tclose(type);
  return status;
}

int dun_hdf_list_uses(hid_t scale, int64_t count, const struct dun_hdf_use *use)
{
  if (count == 0)
    return 0;
  hid_t type = H5Tcreate(H5T_COMPOUND, sizeof *use);
  int status = -1;
  if (type >= 0 &&
      H5Tinsert(type, "dataset", offsetof(struct dun_hdf_use, dataset), H5T_STD_REF_OBJ) >= 0 &&
      H5Tinsert(type, "dimension", offsetof(struct dun_hdf_use, axis), H5T_NATIVE_INT) >= 0)
    status = write_attribute(scale, "REFERENCE_LIST", type, (hsize_t)count, use);
  if (type >= 0)
    H5Tclose(type);
  return status;
}
