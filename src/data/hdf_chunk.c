#include "data/hdf_chunk.h"
#include <stdlib.h>
#include <zlib.h>

enum { FLETCHER = 4 }; /* bytes of that checksum */

/* Bytes that a zlib stream unpacks to, but no more than `most` + 1; 0: it is none. */
static size_t unpacked(unsigned char *packed, size_t size, size_t most)
{
  unsigned char out[4096];
  z_stream stream = {.next_in = packed, .avail_in = (uInt)size};
  size_t bytes = 0;
  int status = size <= (uInt)-1 ? inflateInit(&stream) : Z_MEM_ERROR;
  if (status != Z_OK)
    return 0;
  while (status == Z_OK && bytes <= most) {
    stream.next_out = out;
    stream.avail_out = sizeof out;
    status = inflate(&stream, Z_NO_FLUSH);
    bytes += sizeof out - stream.avail_out;
  }
  inflateEnd(&stream);
  return status == Z_STREAM_END || bytes > most ? bytes : 0;
}

static H5Z_filter_t filter_of(hid_t create, int i)
{
  unsigned flags;
  size_t values = 0;
  return H5Pget_filter2(create, (unsigned)i, &flags, &values, NULL, 0, NULL, NULL);
}

int dun_hdf_filters_are_known(hid_t create)
{
  int packed = 0, others = 0;
  for (int i = H5Pget_nfilters(create) - 1; i >= 0; i--) {
    H5Z_filter_t filter = filter_of(create, i);
    packed += filter == H5Z_FILTER_DEFLATE;
    others += filter != H5Z_FILTER_DEFLATE && filter != H5Z_FILTER_SHUFFLE &&
              filter != H5Z_FILTER_FLETCHER32;
  }
  return packed < 2 && others == 0;
}

/* From the last filter to the first: what a chunk of `size` bytes becomes.  Those in `skipped` were
 * left out when it was written. */
static size_t undo_filters(hid_t create, unsigned skipped, unsigned char *chunk, size_t size,
                           size_t most)
{
  for (int i = H5Pget_nfilters(create) - 1; i >= 0 && size > 0; i--) {
    H5Z_filter_t filter = filter_of(create, i);
    if (i < 32 && skipped >> i & 1)
      continue;
    if (filter == H5Z_FILTER_DEFLATE)
      size = unpacked(chunk, size, most);
    else if (filter == H5Z_FILTER_FLETCHER32)
      size = size > FLETCHER ? size - FLETCHER : 0;
  }
  return size;
}

int dun_hdf_chunk_is_whole(hid_t dataset, hid_t create, const hsize_t *at, size_t bytes)
{
  unsigned skipped = 0;
  haddr_t address = HADDR_UNDEF;
  hsize_t size = 0;
  uint32_t mask = 0;
  if (H5Dget_chunk_info_by_coord(dataset, at, &skipped, &address, &size) < 0)
    return 0;
  if (address == HADDR_UNDEF)
    return 1;
  unsigned char *chunk = size > 0 ? malloc(size) : NULL;
  int whole = chunk && H5Dread_chunk(dataset, H5P_DEFAULT, at, &mask, chunk) >= 0 &&
              undo_filters(create, mask, chunk, size, bytes) == bytes;
  free(chunk);
  return whole;
}
