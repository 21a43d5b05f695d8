/* A target on a grid that is blurred by Gaussians: the options, their checks and the sums that all
 * who look at one share.  The grid itself is numerics/convolution.h. */
#ifndef DUNLIN_NUMERICS_GRIDDED_H
#define DUNLIN_NUMERICS_GRIDDED_H

#include "numerics/convolution.h"
#include "numerics/gaussian.h"

struct dun_gridded_options {
  struct dun_numbers center, half_width;
  long long cells;
  double padding; /* -1: auto */
};

#define DUN_GRIDDED_ROWS(type_, member_)                                                           \
  {.name = "center",                                                                               \
   .type = DUN_NUMBERS,                                                                            \
   .offset = offsetof(type_, member_.center),                                                      \
   .initial = "0",                                                                                 \
   .doc = "Centre of the grid's box; one number or one for each coordinate."},                     \
      {.name = "half_width",                                                                       \
       .type = DUN_NUMBERS,                                                                        \
       .offset = offsetof(type_, member_.half_width),                                              \
       .minimum = 1e-150,                                                                          \
       .maximum = 1e150,                                                                           \
       .doc = "Half the box's width, which holds the target; one number or one for each "          \
              "coordinate."},                                                                      \
      {.name = "cells",                                                                            \
       .type = DUN_INTEGER,                                                                        \
       .offset = offsetof(type_, member_.cells),                                                   \
       .initial = "128",                                                                           \
       .minimum = 2,                                                                               \
       .maximum = 1e8,                                                                             \
       .doc = "Cells along each axis of the box; no wider than a third of the narrowest mode."},   \
  {                                                                                                \
    .name = "padding", .type = DUN_NUMBER, .offset = offsetof(type_, member_.padding),             \
    .initial = "auto", .words = "auto", .minimum = 1, .maximum = 1e6,                              \
    .doc = "Width of the padded domain in boxes; auto: half the box and 5 tau on each side."       \
  }

/* The box and its padding for blurs up to tau, of which `source` (an option) speaks in messages.
 * DUN_ERROR_INPUT.  Local. */
int dun_gridded_grid(const struct dun_gridded_options *options, int dimension, double tau,
                     const char *source, struct dun_grid *grid);
/* Whether the tables of one rank would be large, by size alone. */
int dun_gridded_is_large(const struct dun_grid *grid);
/* Collective.  The grid's masses and what must hold of them: DUN_ERROR_INPUT where mass lies at the
 * box's edge or modes are narrower than cells; else as dun_convolution_init.  Says what was found
 * after the words `who`. */
int dun_gridded_init(struct dun_context *context, const char *who, const struct dun_grid *grid,
                     int distributed, struct dun_density density,
                     struct dun_convolution *convolution);
/* The Gaussian with the target's mean and covariance, blurred by tau.  Local. */
int dun_gridded_gaussian(const struct dun_convolution *convolution, double tau,
                         struct dun_gaussian *gaussian);

#endif
