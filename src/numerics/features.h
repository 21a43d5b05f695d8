/* Features of an image that tell what a small window of it does not: beside the pixels their means
 * over boxes, the whole image or the blocks of a pyramid without overlap, each with a gain.
 *
 * An image has `channels`, one after the other, each of which has features of its own: level by
 * level, and in a level box by box, by rows.  What has no lattice is an image of one row. */
#ifndef DUNLIN_NUMERICS_FEATURES_H
#define DUNLIN_NUMERICS_FEATURES_H

#include <stdint.h>

enum { DUN_FEATURE_LEVELS = 24 };

/* Boxes of one size. */
struct dun_boxes {
  int side[2], count[2]; /* pixels of a box, boxes along each axis; their product is the image's */
  double gain;           /* a feature is the box's mean times this */
  int64_t first;         /* place of its first box among a channel's features */
};

struct dun_features {
  int channels, size[2];
  int levels;
  struct dun_boxes level[DUN_FEATURE_LEVELS];
  int64_t rows; /* features of a channel */
};

/* No features yet. */
void dun_features_init(struct dun_features *features, int channels, const int size[2]);
/* Adds a level; sides divide the image's.  DUN_ERROR_INPUT beyond DUN_FEATURE_LEVELS. */
int dun_features_add(struct dun_features *features, int height, int width, double gain);

/* out[channels rows][64] = A x, x[d][64]; and the same of one point. */
void dun_features_apply(const struct dun_features *features, const double *x, double *out);
void dun_features_of_point(const struct dun_features *features, const double *x, double *out);

#endif
