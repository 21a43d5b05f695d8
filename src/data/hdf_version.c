#include "data/hdf_version.h"
#include <hdf5.h>
#include <stdio.h>

void dun_hdf_version(char *text, size_t size)
{
  unsigned major = 0, minor = 0, release = 0;
  H5get_libversion(&major, &minor, &release);
  snprintf(text, size, "%u.%u.%u", major, minor, release);
}
