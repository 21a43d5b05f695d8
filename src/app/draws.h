/* Draws out of a file, whatever wrote it: a result, a table of text, an array of HDF5; one number
 * of all draws at a time, and means of functions of them with errors that know what the file tells
 * of how the draws hang together.
 *
 * One process reads, and computes with a context of its own. */
#ifndef DUNLIN_APP_DRAWS_H
#define DUNLIN_APP_DRAWS_H

#include "data/csv.h"
#include "io/result_read.h"
#include "numerics/mixing.h"

enum dun_draws_kind {
  DUN_DRAWS_INDEPENDENT,
  DUN_DRAWS_ANCESTORS, /* draws of one ancestor hang together */
  DUN_DRAWS_CHAINS,    /* of chains, by their autocorrelation or, of many short ones, by chain */
};

struct dun_draws {
  const char *name; /* as it was given */
  enum dun_draws_kind kind;
  int64_t chains, draws, n; /* n = chains × draws */
  int64_t coordinates;
  char (*label)[128]; /* [coordinates], owned; "": it has none */
  double *weight;     /* [n], owned; NULL: all are equal */
  double *root;       /* [n], owned: ancestors, those of one following each other; NULL: none */

  struct dun_result_file file;   /* of results */
  struct dun_csv csv;            /* of tables */
  int *column;                   /* [coordinates], owned: of the table */
  int64_t *component;            /* [coordinates], owned: of the result; NULL: its own order */
  int left_out;                  /* columns of it that the other set has not */
  struct dun_numbers array;      /* of arrays: [n][coordinates] */
  struct dun_mixing_work mixing; /* scratch */
};

/* Opens "result.h5", "table.csv" or "any.h5:/dataset" (a number or a list of them for each draw).
 * A table's columns weight and log_weight are no coordinates but weights, log_weight of a result
 * too.  DUN_ERROR_INPUT after a sentence; dun_draws_close is due in any case. */
int dun_draws_open(struct dun_draws *draws, const char *name);
void dun_draws_close(struct dun_draws *draws);

/* Its coordinates become those of `other`.  Those of a result are found by their names where the
 * other is a result too; those of a table by their names if it has any of these, by their order
 * else, and what a result has not is left out of it; those of an array by their order.
 * DUN_ERROR_INPUT if they do not match. */
int dun_draws_match(struct dun_draws *draws, const struct dun_draws *other);

/* Number j of all draws, out[n]; DUN_ERROR_INPUT if one is not finite. */
int dun_draws_read(const struct dun_draws *draws, int64_t j, double *out);

/* The weighted mean of f[n] with its standard error (NAN where one ancestor or chain is left, 0 of
 * what never changes) and the mean square around it.  `context` is of this process alone. */
struct dun_draws_mean {
  double mean, error, square;
};
int dun_draws_mean(struct dun_context *context, struct dun_draws *draws, const double *f,
                   struct dun_draws_mean *mean);

/* How many independent draws of equal weight know a mean as well; at most n; NAN if not known. */
double dun_draws_worth(const struct dun_draws *draws, const struct dun_draws_mean *mean);

/* Kish's effective number: what the weights alone leave of them. */
double dun_draws_kish(const struct dun_draws *draws);

/* What is taken for granted about them, one sentence without its end. */
const char *dun_draws_assumption(const struct dun_draws *draws);

#endif
