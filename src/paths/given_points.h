/* Points that an input gives, for starts or for a base: out of CSV, HDF5 and IDX files. */
#ifndef DUNLIN_PATHS_GIVEN_POINTS_H
#define DUNLIN_PATHS_GIVEN_POINTS_H

#include "parallel/context.h"
#include "population/evaluator.h"

enum dun_coordinates { DUN_CONSTRAINED, DUN_UNCONSTRAINED };

struct dun_given_points {
  /* options */
  char *file, *dataset;
  int coordinates; /* enum dun_coordinates */

  int64_t most; /* rows that are kept, of a longer file equally spaced ones; never less than 64 MiB
                 * of numbers, nor than 64 */
  int64_t rows;
  double *row; /* [rows][d], unconstrained; owned */
};

/* Their rows of options, of a struct with its offset in the section. */
#define DUN_GIVEN_POINTS_OPTIONS(offset_, when_)                                                   \
  {.name = "file",                                                                                 \
   .type = DUN_FILE,                                                                               \
   .offset = (offset_) + offsetof(struct dun_given_points, file),                                  \
   .when = when_,                                                                                  \
   .doc = "A result whose draws are the points, a CSV file of a row each, another HDF5 file, or "  \
          "an IDX file."},                                                                         \
      {.name = "dataset",                                                                          \
       .type = DUN_TEXT,                                                                           \
       .offset = (offset_) + offsetof(struct dun_given_points, dataset),                           \
       .initial = "",                                                                              \
       .when = when_,                                                                              \
       .doc =                                                                                      \
           "Place of the points in an HDF5 file, a row each; left out: the draws of a result."},   \
  {                                                                                                \
    .name = "coordinates", .type = DUN_CHOICE,                                                     \
    .offset = (offset_) + offsetof(struct dun_given_points, coordinates),                          \
    .initial = "constrained", .words = "constrained|unconstrained", .when = when_,                 \
    .doc = "What the numbers are: the output parameters, or what particles move in."               \
  }

/* Collective: rank 0 reads the file, checked whole, and all get its points.  DUN_ERROR_INPUT,
 * DUN_ERROR_MEMORY; `row` is the caller's (dun_free) in any case. */
int dun_given_points_read(struct dun_context *context, struct dun_given_points *points,
                          const struct dun_evaluator *target);

#endif
