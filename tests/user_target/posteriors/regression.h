/* y ~ N(X beta, sigma), the likelihood of most targets of this folder.  A target of yours may copy
 * it: parameters are `beta`, a list of all coefficients, and `sigma`.  What is left for the target
 * is its X, in `init`, and the priors, in `point`. */
#ifndef DUNLIN_TESTS_REGRESSION_H
#define DUNLIN_TESTS_REGRESSION_H

#include <dunlin/data.h>
#include <math.h>
#include <stdlib.h>

enum { MOST_COEFFICIENTS = 16 };

struct regression {
  struct dun_arrays data; /* the option */
  long long n;
  const double *y;                         /* [n] */
  const double *column[MOST_COEFFICIENTS]; /* [n] each: X, column by column */
  int columns;                             /* coefficients */
  double *own;                             /* [n] each: columns made in `init` */
  int made;                                /* of them */
  double *off;                             /* [n] of scratch: what is not explained */
};

#define REGRESSION_DATA(doc_)                                                                      \
  {                                                                                                \
    .name = "data", .type = DUN_ARRAYS, .offset = offsetof(struct regression, data), .doc = doc_   \
  }

/* Room for `most` columns of n numbers that `init` fills; the outcome is called `y`. */
static inline int regression_begin(struct regression *r, const char *y, int most,
                                   struct dun_message why)
{
  r->n = dun_take_list(&r->data, y, -1, &r->y, why);
  if (r->n < 0)
    return -1;
  r->own = calloc((size_t)(r->n * most + 1), sizeof *r->own);
  r->off = calloc((size_t)r->n + 1, sizeof *r->off);
  if (r->own && r->off)
    return 0;
  snprintf(why.text, why.size, "no memory for %lld observations", r->n);
  return -1;
}

static inline void regression_free(void *self)
{
  struct regression *r = self;
  free(r->own);
  free(r->off);
  r->own = r->off = NULL;
}

/* One more column, under its name in the file. */
static inline int regression_add(struct regression *r, const char *name, struct dun_message why)
{
  return dun_take_list(&r->data, name, r->n, &r->column[r->columns++], why) < 0 ? -1 : 0;
}

/* n numbers that the caller fills. */
static inline double *regression_room(struct regression *r)
{
  return r->own + r->n * r->made++;
}

/* The same, as one more column. */
static inline double *regression_make(struct regression *r)
{
  double *column = regression_room(r);
  r->column[r->columns++] = column;
  return column;
}

static inline void regression_ones(struct regression *r)
{
  double *one = regression_make(r);
  for (long long i = 0; i < r->n; i++)
    one[i] = 1;
}

/* As `parameters` of a target. */
static inline int regression_parameters(const void *self, int capacity,
                                        struct dun_parameter *parameter)
{
  const struct regression *r = self;
  struct dun_parameter row[2] = {
      {.name = "beta", .rank = 1, .shape = {r->columns}, .doc = "Coefficients."},
      {.name = "sigma", .transform = DUN_POSITIVE, .doc = "Standard deviation of the noise."},
  };
  for (int i = 0; i < 2 && i < capacity; i++)
    parameter[i] = row[i];
  return 2;
}

/* The log likelihood; as `point` of a target, with flat priors on beta and sigma. */
static inline double regression_point(const void *self, const double *theta, double *gradient)
{
  const struct regression *r = self;
  const double *beta = theta, sigma = theta[r->columns], inverse = 1 / sigma, n = (double)r->n;
  double squares = 0;
  for (long long i = 0; i < r->n; i++)
    r->off[i] = r->y[i];
  for (int j = 0; j < r->columns; j++)
    for (long long i = 0; i < r->n; i++)
      r->off[i] -= beta[j] * r->column[j][i];
  for (long long i = 0; i < r->n; i++) { /* divided first: sigma may be 1e-200, far out */
    r->off[i] *= inverse;
    squares += r->off[i] * r->off[i];
  }
  for (int j = 0; j < r->columns && gradient; j++) {
    double sum = 0;
    for (long long i = 0; i < r->n; i++)
      sum += r->column[j][i] * r->off[i];
    gradient[j] = sum * inverse;
  }
  if (gradient)
    gradient[r->columns] = (squares - n) * inverse;
  return -.5 * squares - n * (log(sigma) + .918938533204672742);
}

#endif
