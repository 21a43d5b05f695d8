/* Arrays of bytes in the IDX format of the MNIST files: two zero bytes, the type (8: unsigned
 * bytes), the number of dimensions, each size as four bytes with the highest first, then the
 * elements with the last index fastest. */
#ifndef DUNLIN_DATA_IDX_H
#define DUNLIN_DATA_IDX_H

#include "dunlin/target.h"

enum { DUN_IDX_DIMENSIONS = 3 };

struct dun_idx {
  int dimensions;
  long long size[DUN_IDX_DIMENSIONS]; /* each at least 1; 1 beyond the dimensions */
  const unsigned char *value;         /* [size[0]] ..., inside the data's bytes: not owned */
};

/* Whether a file's first bytes are those of an IDX file, of whatever type; none of them begin a
 * text. */
int dun_idx_is(const struct dun_data *data);

/* Looks at a file's content, which must hold exactly one array of unsigned bytes of so many
 * dimensions, at most DUN_IDX_DIMENSIONS; 0: of as many as it has.  Files compressed by gzip and
 * others are refused by their name, with the advice to unpack them.  DUN_ERROR_INPUT with
 * "file: ..., expected ...". */
int dun_idx_parse(struct dun_idx *idx, const struct dun_data *data, int dimensions);

#endif
