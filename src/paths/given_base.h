/* Gaussian bases whose covariance the input gives: a matrix, or the moments of points of a file. */
#ifndef DUNLIN_PATHS_GIVEN_BASE_H
#define DUNLIN_PATHS_GIVEN_BASE_H

#include "numerics/gaussian.h"
#include "paths/given_points.h"

struct dun_given_base {
  /* options */
  struct dun_matrix matrix;
  struct dun_data matrix_file;
  struct dun_given_points points;
};

/* gaussian = N(mean, inflate^2 matrix), of the matrix that is given inline or in a CSV file: d rows
 * of d numbers, symmetric and positive definite.  DUN_ERROR_INPUT, DUN_ERROR_MEMORY; local. */
int dun_given_base_dense(const struct dun_given_base *base, int d, const struct dun_numbers *mean,
                         double inflate, struct dun_gaussian *gaussian);

/* Collective.  The mean and inflate^2 times the covariance of the file's points, or its diagonal,
 * in the coordinates that chains move in.  DUN_ERROR_INPUT, DUN_ERROR_MEMORY. */
int dun_given_base_points(struct dun_context *context, struct dun_given_base *base,
                          struct dun_evaluator *target, int dense, double inflate,
                          struct dun_gaussian *gaussian);

#endif
