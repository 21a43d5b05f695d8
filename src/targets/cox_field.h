/* A Gaussian field with an exponential covariance on the cells of a grid, in three sets of
 * coordinates: the field itself; by the Cholesky factor of its covariance, f = mean + L w; or as
 * waves on a periodic lattice at least twice as wide, of which the grid is a corner and on which
 * the covariance is diagonal (circulant embedding: Dietrich & Newsam 1997, SIAM J. Sci. Comput. 18,
 * 1088).  In the last two coordinates are standard normal; of waves there are more than cells, and
 * the field has the same law. */
#ifndef DUNLIN_TARGETS_COX_FIELD_H
#define DUNLIN_TARGETS_COX_FIELD_H

#include "numerics/gaussian.h"
#include "numerics/lattice.h"
#include "numerics/shared_factor.h"

enum dun_cox_coordinates { DUN_COX_FIELD, DUN_COX_WHITENED, DUN_COX_CIRCULANT };

struct dun_cox_field {
  enum dun_cox_coordinates coordinates;
  int size[2];
  double mean, variance, length; /* length: over which correlations fall by e, in units of a side */
  int distributed;               /* of FIELD and WHITENED: all ranks factor together */

  int cells;
  int dimension;               /* d: of the coordinates */
  int columns;                 /* room of a field in columns: the cells' and what is beside them */
  struct dun_gaussian prior;   /* of the coordinates */
  const double *lower, *upper; /* WHITENED: the factor and its transpose [cells][stride] */
  int64_t stride;
  double *triangles;               /* owned: both, where this rank has them for itself */
  struct dun_shared_factor shared; /* owned: what `distributed` ones are in */
  struct dun_lattice lattice;      /* CIRCULANT */
  double *root;                    /* CIRCULANT: deviations of the waves [d] */
  double *wave[2], *half;          /* CIRCULANT: waves along an axis [size][lattice], and scratch */
};

/* From what the first paragraph holds.  DUN_ERROR_INPUT where no periodic lattice up to four times
 * as wide has the covariance, DUN_ERROR_NUMERIC, DUN_ERROR_MEMORY; dun_cox_field_free is safe
 * afterwards, and twice.  Local; a `distributed` field is of no use before dun_cox_field_together.
 */
int dun_cox_field_init(struct dun_cox_field *field);
/* Collective, next, of `distributed` fields: ranks fail together. */
int dun_cox_field_together(struct dun_context *context, struct dun_cox_field *field);
/* Of a distributed field collective. */
void dun_cox_field_free(struct dun_cox_field *field);

/* Local, once it is made.  Bytes of its tables for each rank, and the most while they were made. */
double dun_cox_field_memory(const struct dun_cox_field *field, double *most);

/* The covariance of two cells so many rows and columns apart. */
double dun_cox_field_covariance(const struct dun_cox_field *field, int rows, int columns);

/* f[columns][64] from coordinates x[d][64]; `work` has as many columns as f.  What is beside
 * the cells is written, too, and means nothing. */
void dun_cox_field_make(const struct dun_cox_field *field, const double *x, double *f,
                        double *work);
/* gradient[d][64] += scale[lane] times the transpose of that map's derivative, of g[columns][64],
 * which is 0 beside the cells. */
void dun_cox_field_pull(const struct dun_cox_field *field, const double *g, const double *scale,
                        double *gradient);
/* f[cells] of one point x[d], in the order of the cells. */
void dun_cox_field_one(const struct dun_cox_field *field, const double *x, double *f);

/* Where cell i of a field in columns is. */
static inline int64_t dun_cox_field_place(const struct dun_cox_field *field, int64_t i)
{
  int64_t width = field->size[1];
  return field->coordinates == DUN_COX_CIRCULANT ? i / width * field->lattice.size[1] + i % width
                                                 : i;
}

#endif
