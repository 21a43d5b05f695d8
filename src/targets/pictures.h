/* Pictures that densities of images are made of: an IDX file, MNIST's format, or digits that the
 * program draws itself. */
#ifndef DUNLIN_TARGETS_PICTURES_H
#define DUNLIN_TARGETS_PICTURES_H

#include "targets/setup.h"
#include <stdint.h>

enum dun_pictures_source { DUN_PICTURES_DIGITS, DUN_PICTURES_IDX };

/* Where they come from; offsets of the rows below are relative to it. */
struct dun_pictures_given {
  int source; /* enum dun_pictures_source */
  long long side, seed;
  struct dun_data data, labels; /* labels.path NULL: all are of one class */
  long long images;             /* how many; -1: auto */
};

#define DUN_PICTURES_ROWS(type_, given_)                                                           \
  {.name = "source",                                                                               \
   .type = DUN_CHOICE,                                                                             \
   .offset = offsetof(type_, given_.source),                                                       \
   .initial = "digits",                                                                            \
   .words = "digits|idx",                                                                          \
   .doc = "Strokes of the ten digits that the program draws, or an IDX file such as MNIST's."},    \
      {.name = "side",                                                                             \
       .type = DUN_INTEGER,                                                                        \
       .offset = offsetof(type_, given_.side),                                                     \
       .initial = "28",                                                                            \
       .minimum = 4,                                                                               \
       .maximum = 256,                                                                             \
       .doc = "Digits: pixels along each side.",                                                   \
       .when = "source=digits"},                                                                   \
      {.name = "seed",                                                                             \
       .type = DUN_INTEGER,                                                                        \
       .offset = offsetof(type_, given_.seed),                                                     \
       .initial = "0",                                                                             \
       .maximum = 9e15,                                                                            \
       .doc =                                                                                      \
           "Digits: seed of their slants and places, which the seed of the run does not change.",  \
       .when = "source=digits"},                                                                   \
  {                                                                                                \
    .name = "data", .type = DUN_DATA, .offset = offsetof(type_, given_.data),                      \
    .doc = "Images: an IDX file of unsigned bytes with three dimensions, not compressed.",         \
    .when = "source=idx"                                                                           \
  }

struct dun_pictures {
  int height, width;
  int64_t count;
  double *pixel; /* [count][height * width], from 0 (dark) to 1; owned */
  int *label;    /* [count], 0 to 255; owned */
};

/* As many as are given; auto: so many digits, or the first 10000 of a file.  DUN_ERROR_INPUT with
 * the reason in `why`; dun_pictures_free is safe afterwards, and twice. */
int dun_pictures_read(struct dun_pictures *pictures, const struct dun_pictures_given *given,
                      int64_t digits, struct dun_message why);
void dun_pictures_free(struct dun_pictures *pictures);

/* mean[height * width] becomes their mean, which is subtracted from all. */
void dun_pictures_centre(struct dun_pictures *pictures, double *mean);

/* The output parameter of a density of pictures. */
struct dun_parameter dun_pictures_parameter(int height, int width);

#endif
