#include "paths/given_base.h"
#include "base/error.h"
#include "base/memory.h"
#include "data/csv.h"
#include "numerics/given.h"
#include <float.h>
#include <math.h>

/* ---- a matrix ------------------------------------------------------------------------------ */

/* covariance[d][d] of value[d][d]; refuses what is none by the names of its entries. */
static int take_matrix(const char *where, int64_t d, const double *value, double inflate,
                       double *covariance)
{
  for (int64_t i = 0; i < d; i++)
    for (int64_t j = 0; j < d; j++) {
      double here = value[i * d + j], there = value[j * d + i];
      if (!isfinite(here) || (i == j && !(here > 0)))
        return dun_fail(DUN_ERROR_INPUT, "%s: entry [%lld][%lld] is %g, expected a %s number",
                        where, (long long)i, (long long)j, here, i == j ? "positive" : "finite");
      if (fabs(here - there) > 1e-9 * (fabs(here) + fabs(there)))
        return dun_fail(
            DUN_ERROR_INPUT,
            "%s: entry [%lld][%lld] is %.17g and [%lld][%lld] is %.17g: a covariance is "
            "symmetric",
            where, (long long)i, (long long)j, here, (long long)j, (long long)i, there);
      covariance[i * d + j] = inflate * inflate * here;
    }
  return 0;
}

static int check_size(const char *where, int64_t d, int64_t rows, int64_t columns)
{
  if (rows == d && columns == d)
    return 0;
  return dun_fail(
      DUN_ERROR_INPUT,
      "%s: found %lld rows of %lld numbers, expected %lld of %lld, the target's dimension", where,
      (long long)rows, (long long)columns, (long long)d, (long long)d);
}

static int read_matrix(const struct dun_data *data, int64_t d, double inflate, double *covariance)
{
  static const struct dun_csv_format as_it_shows = {0};
  struct dun_csv csv = {0};
  int status = dun_csv_parse(&csv, data, &as_it_shows);
  if (status >= 0)
    status = check_size(data->path, d, csv.rows, csv.columns);
  if (status >= 0)
    status = dun_csv_check(&csv, data, -1);
  if (status >= 0)
    status = take_matrix(data->path, d, csv.value, inflate, covariance);
  dun_csv_free(&csv);
  return status;
}

static int make_dense(const char *where, int d, const double *mean, const double *covariance,
                      struct dun_gaussian *gaussian)
{
  int status = dun_gaussian_dense(gaussian, d, mean, covariance);
  return status == DUN_ERROR_NUMERIC
             ? dun_fail(DUN_ERROR_INPUT, "%s: the covariance is not positive definite", where)
             : status;
}

int dun_given_base_dense(const struct dun_given_base *base, int d, const struct dun_numbers *mean,
                         double inflate, struct dun_gaussian *gaussian)
{
  const struct dun_matrix *inline_one = &base->matrix;
  int from_file = base->matrix_file.path != NULL;
  const char *where = from_file ? base->matrix_file.path : "path.base.matrix";
  double *centre = dun_allocate(d, sizeof *centre);
  double *covariance = dun_allocate((int64_t)d * d, sizeof *covariance);
  int status = centre && covariance ? dun_given_numbers(mean, "path.base.mean", d, centre)
                                    : DUN_ERROR_MEMORY;
  if (status >= 0 && from_file == (inline_one->rows > 0))
    status = dun_fail(DUN_ERROR_INPUT, "path.base: of matrix and matrix_file %s was expected",
                      from_file ? "one alone" : "one");
  if (status >= 0 && from_file)
    status = read_matrix(&base->matrix_file, d, inflate, covariance);
  else if (status >= 0 &&
           (status = check_size(where, d, inline_one->rows, inline_one->columns)) >= 0)
    status = take_matrix(where, d, inline_one->value, inflate, covariance);
  if (status >= 0)
    status = make_dense(where, d, centre, covariance, gaussian);
  dun_free(centre);
  dun_free(covariance);
  return status;
}

/* ---- points -------------------------------------------------------------------------------- */

static void find_mean(const struct dun_given_points *points, int64_t d, double *mean)
{
  for (int64_t j = 0; j < d; j++)
    mean[j] = 0;
  for (int64_t k = 0; k < points->rows; k++)
    for (int64_t j = 0; j < d; j++)
      mean[j] += (points->row[k * d + j] - mean[j]) / (double)(k + 1);
}

/* The lower triangle, [d][d], or deviations [d]. */
static void find_spread(const struct dun_given_points *points, int64_t d, int dense, double inflate,
                        const double *mean, double *spread)
{
  double factor = inflate * inflate / (double)(points->rows - 1);
  for (int64_t k = 0; k < points->rows; k++) {
    const double *x = points->row + k * d;
    for (int64_t i = 0; i < d; i++)
      for (int64_t j = dense ? 0 : i; j <= i; j++)
        spread[dense ? i * d + j : i] += factor * (x[i] - mean[i]) * (x[j] - mean[j]);
  }
  for (int64_t i = 0; i < d && !dense; i++)
    spread[i] = sqrt(spread[i]);
}

static int check_spread(const struct dun_given_points *points, int d, const double *spread)
{
  for (int j = 0; j < d; j++)
    if (!(spread[j] > 0 && spread[j] <= DBL_MAX))
      return dun_fail(DUN_ERROR_INPUT,
                      "%s: the standard deviation of coordinate %d over the %lld points is %g, "
                      "expected a positive number",
                      points->file, j, (long long)points->rows, spread[j]);
  return 0;
}

static int make_points(const struct dun_given_points *points, int d, int dense, double inflate,
                       struct dun_gaussian *gaussian)
{
  int64_t least = dense ? (int64_t)d + 1 : 2;
  if (points->rows < least)
    return dun_fail(DUN_ERROR_INPUT,
                    "%s: found %lld points; %s in %d dimensions takes at least %lld", points->file,
                    (long long)points->rows, dense ? "a dense covariance" : "variances", d,
                    (long long)least);
  double *mean = dun_allocate(d, sizeof *mean);
  double *spread = dun_allocate(dense ? (int64_t)d * d : d, sizeof *spread);
  int status = mean && spread ? 0 : DUN_ERROR_MEMORY;
  if (status >= 0) {
    find_mean(points, d, mean);
    find_spread(points, d, dense, inflate, mean, spread);
    status = dense ? make_dense(points->file, d, mean, spread, gaussian)
                   : check_spread(points, d, spread);
    if (status >= 0 && !dense)
      status = dun_gaussian_diagonal(gaussian, d, mean, spread);
  }
  dun_free(mean);
  dun_free(spread);
  return status;
}

int dun_given_base_points(struct dun_context *context, struct dun_given_base *base,
                          struct dun_evaluator *target, int dense, double inflate,
                          struct dun_gaussian *gaussian)
{
  int status = dun_given_points_read(context, &base->points, target);
  if (status >= 0)
    status = make_points(&base->points, target->dimension, dense, inflate, gaussian);
  DUN_FREE(base->points.row);
  base->points.rows = 0;
  return status;
}
