#include "data/idx.h"
#include "base/error.h"
#include "data/format.h"
#include <stdint.h>
#include <string.h>

enum { UNSIGNED_BYTES = 8, HEAD = 4, SIZE_BYTES = 4 };

static const char nothing[] = "nothing known";

static const char *type_name(int type)
{
  switch (type) {
  case 0x08: return "unsigned bytes";
  case 0x09: return "signed bytes";
  case 0x0b: return "16-bit integers";
  case 0x0c: return "32-bit integers";
  case 0x0d: return "32-bit floating-point numbers";
  case 0x0e: return "64-bit floating-point numbers";
  default: return nothing;
  }
}

int dun_idx_is(const struct dun_data *data)
{
  const unsigned char *byte = (const unsigned char *)data->bytes;
  return data->size >= HEAD && byte[0] == 0 && byte[1] == 0 &&
         strcmp(type_name(byte[2]), nothing) != 0;
}

static int check_head(const struct dun_data *data, const unsigned char *byte, int dimensions)
{
  const char *what =
      data->size >= 2 && (byte[0] || byte[1]) ? dun_format_find(data->bytes, data->size) : NULL;
  if (what)
    return dun_fail(DUN_ERROR_INPUT, "%s: found %s; an IDX file was expected", data->path, what);
  if (data->size < HEAD)
    return dun_fail(DUN_ERROR_INPUT, "%s: found %lld bytes, expected an IDX file", data->path,
                    data->size);
  if (byte[0] != 0 || byte[1] != 0)
    return dun_fail(DUN_ERROR_INPUT,
                    "%s: begins with the bytes %02x %02x, expected 00 00 of an IDX file",
                    data->path, byte[0], byte[1]);
  if (byte[2] != UNSIGNED_BYTES)
    return dun_fail(DUN_ERROR_INPUT, "%s: type %02x, %s, expected 08, unsigned bytes", data->path,
                    byte[2], type_name(byte[2]));
  if (!dimensions && (byte[3] < 1 || byte[3] > DUN_IDX_DIMENSIONS))
    return dun_fail(DUN_ERROR_INPUT, "%s: an array of %d dimensions, expected 1 to %d", data->path,
                    byte[3], DUN_IDX_DIMENSIONS);
  if (dimensions && byte[3] != dimensions)
    return dun_fail(DUN_ERROR_INPUT, "%s: an array of %d dimensions, expected %d (%s)", data->path,
                    byte[3], dimensions, dimensions == 1 ? "labels" : "images");
  return 0;
}

int dun_idx_parse(struct dun_idx *idx, const struct dun_data *data, int dimensions)
{
  const unsigned char *byte = (const unsigned char *)data->bytes;
  long long head, elements = 1;
  *idx = (struct dun_idx){.size = {1, 1, 1}};
  if (!data->path)
    return dun_fail(DUN_ERROR_INPUT, "no data file was given");
  if (check_head(data, byte, dimensions) < 0)
    return DUN_ERROR_INPUT;
  idx->dimensions = dimensions = byte[3];
  head = HEAD + (long long)SIZE_BYTES * dimensions;
  if (data->size < head)
    return dun_fail(DUN_ERROR_INPUT, "%s: found %lld bytes, expected a head of %lld", data->path,
                    data->size, head);
  for (int i = 0; i < dimensions; i++) {
    const unsigned char *at = byte + HEAD + SIZE_BYTES * i;
    idx->size[i] = (long long)((uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 |
                               (uint32_t)at[2] << 8 | (uint32_t)at[3]);
    if (idx->size[i] == 0)
      return dun_fail(DUN_ERROR_INPUT, "%s: dimension %d has the size 0, expected at least 1",
                      data->path, i + 1);
    /* no file that is here has more elements than bytes: the product cannot overflow */
    if (elements > data->size / idx->size[i])
      return dun_fail(DUN_ERROR_INPUT,
                      "%s: the head promises more elements than the file's %lld bytes", data->path,
                      data->size);
    elements *= idx->size[i];
  }
  if (data->size - head != elements)
    return dun_fail(DUN_ERROR_INPUT, "%s: found %lld bytes after the head, expected %lld",
                    data->path, data->size - head, elements);
  idx->value = byte + head;
  return 0;
}
