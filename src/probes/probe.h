/* A probe looks at the run after each step and at its end; it reads, never writes the
 * population. */
#ifndef DUNLIN_PROBES_PROBE_H
#define DUNLIN_PROBES_PROBE_H

#include "methods/run.h"

struct dun_probe {
  struct dun_type type; /* the own struct begins with struct dun_probe_head */

  /* Makes the table's columns and scratch.  DUN_ERROR_INPUT if the probe does not fit the run. */
  int (*init)(struct dun_context *context, void *self, const struct dun_run *run);
  /* Collective.  Adds a row, or several, for the population as it stands. */
  int (*look)(struct dun_context *context, void *self, const struct dun_run *run);
};

/* What every probe's own struct begins with. */
struct dun_probe_head {
  long long every;        /* option: look after every so many steps; 0: at the end only */
  struct dun_table table; /* goes to /trace/<name> of the result */
};

#define DUN_PROBE_OPTIONS(type_)                                                                   \
  {                                                                                                \
    .name = "every", .type = DUN_INTEGER, .offset = offsetof(type_, head.every), .initial = "0",   \
    .minimum = 0, .maximum = 1e9, .doc = "Look after every so many steps; 0: at the end only."     \
  }

/* The state row of a probe: the cells of its table. */
#define DUN_PROBE_STATE(type_)                                                                     \
  {                                                                                                \
    .name = "cells", .type = DUN_STATE_NUMBERS, .offset = offsetof(type_, head.table.cells),       \
    .count = 1                                                                                     \
  }

/* Makes the table's columns; step, time and replicate come first, and dun_probe_row fills them. */
int dun_probe_columns(struct dun_probe_head *head, const struct dun_table_column *columns,
                      int count);
/* Adds a row of step, time, replicate and the `count` values. */
int dun_probe_row(struct dun_probe_head *head, const struct dun_run *run, int count,
                  const double *value);

/* Collective.  dun_weighted_moments (population/weights.h) with the population's columns root
 * and logw; an error is NaN where one ancestor alone is left, which has none but rounding. */
int dun_probe_weighted(struct dun_context *context, const struct dun_run *run, int m,
                       void (*function)(void *data, int64_t local_tile, double *f), void *data,
                       double *mean, double *deviation, double *error);

/* Collective.  Room for one number of all kept draws of this rank's chains, to be freed by the
 * caller whatever comes. */
int dun_probe_kept(struct dun_context *context, const struct dun_run *run, double **value);

/* What a scalar of the output parameters is on the average, and how well it is known. */
struct dun_probe_moments {
  double mean, deviation, error, deviation_error;
  /* Pareto shapes of what distances and squares about the mean add to their sums
   * (numerics/pareto.h), each and half its standard error; NAN: not looked at. */
  double tail, square_tail;
};
/* Whether a sum of what has that shape has a variance, and so an error. */
static inline int dun_probe_has_error(double shape)
{
  return !(shape >= .5);
}

/* Collective.  Moments of all output parameters, [outputs]: of the chains' draws where all of
 * them are kept, with errors by their autocorrelation; else of the particles as they stand, with
 * errors by ancestor.  The errors are those that heavy tails leave alone. */
int dun_probe_output_moments(struct dun_context *context, const struct dun_run *run,
                             struct dun_probe_moments *moments);

#endif
