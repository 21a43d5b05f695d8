#include "base/error.h"
#include "base/memory.h"
#include "base/random.h"
#include "population/evaluator.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Whether theta has the point at `copy`. */
static int is_copy(const struct dun_evaluator *e, const double *theta, const double *x, int copy)
{
  return !memcmp(theta + copy, x, (size_t)e->dimension * sizeof *x);
}

int dun_evaluator_copies(const struct dun_evaluator *e, int *copy)
{
  enum { POINTS = 16 };
  int64_t d = e->dimension;
  *copy = e->target->constrain ? -1 : 0;
  if (*copy == 0 || e->letters || e->transformed || e->outputs < d)
    return 0;
  double *x = dun_allocate(d, (DUN_LANES + 1) * sizeof *x), *point = x ? x + d * DUN_LANES : NULL;
  double *theta = dun_allocate(e->outputs, sizeof *theta);
  int status = x && theta ? 0 : DUN_ERROR_MEMORY, last = e->outputs - e->dimension, at = 0;
  if (status == 0)
    dun_normals((struct dun_address){.purpose = DUN_PURPOSE_TRIAL}, e->dimension, x);
  for (int l = 0; l < POINTS && status == 0 && at <= last; l++) {
    for (int64_t j = 0; j < d; j++)
      point[j] = x[j * DUN_LANES + l];
    dun_evaluator_constrain(e, point, theta);
    while (l == 0 && at <= last && !is_copy(e, theta, point, at))
      at++;
    at = at <= last && is_copy(e, theta, point, at) ? at : last + 1;
  }
  *copy = status == 0 && at <= last ? at : -1;
  dun_free(x);
  dun_free(theta);
  return status;
}

/* Whether theta is what shift and slope make of x, to rounding. */
static int is_scaled(int64_t d, const double *shift, const double *slope, const double *x,
                     const double *theta)
{
  for (int64_t j = 0; j < d; j++) {
    double moved = slope[j] * x[j], size = fabs(shift[j]) + fabs(slope[j]) + fabs(moved);
    if (!(fabs(theta[j] - (shift[j] + moved)) <= 1e-13 * size))
      return 0;
  }
  return 1;
}

int dun_evaluator_scales(const struct dun_evaluator *e, double *shift, double *slope)
{
  enum { POINTS = 16 };
  int64_t d = e->dimension;
  int scales = e->target->constrain && !e->letters && !e->transformed && e->outputs == d;
  if (!scales)
    return 0;
  double *x = dun_allocate(d, (DUN_LANES + 1) * sizeof *x), *theta = dun_allocate(d, sizeof *theta);
  if (!x || !theta) {
    dun_free(x);
    dun_free(theta);
    return DUN_ERROR_MEMORY;
  }
  double *point = x + d * DUN_LANES;
  for (int64_t j = 0; j < d; j++)
    point[j] = 0;
  dun_evaluator_constrain(e, point, shift);
  for (int64_t j = 0; j < d; j++)
    point[j] = 1;
  dun_evaluator_constrain(e, point, slope);
  for (int64_t j = 0; j < d; j++) {
    slope[j] -= shift[j];
    scales = scales && isfinite(shift[j]) && isfinite(slope[j]) &&
             fabs(slope[j]) > 1e-6 * fabs(shift[j]);
  }
  dun_normals((struct dun_address){.purpose = DUN_PURPOSE_TRIAL}, e->dimension, x);
  for (int l = 0; l < POINTS && scales; l++) {
    for (int64_t j = 0; j < d; j++)
      point[j] = x[j * DUN_LANES + l];
    dun_evaluator_constrain(e, point, theta);
    scales = is_scaled(d, shift, slope, point, theta);
  }
  dun_free(x);
  dun_free(theta);
  return scales;
}

int dun_evaluator_unconstrain(const struct dun_evaluator *e, const double *theta, double *x,
                              struct dun_message why)
{
  int copy;
  if (e->transformed)
    return dun_transformed_unconstrain(e->transformed, theta, x, why);
  int status = dun_evaluator_copies(e, &copy);
  if (status < 0) {
    snprintf(why.text, why.size, "%s", dun_error_text());
    return status;
  }
  if (copy < 0) {
    snprintf(why.text, why.size,
             "target %s makes its output from unconstrained coordinates, and there is no way back: "
             "give those (coordinates: unconstrained), or a result of output.unconstrained: true",
             e->target->type.name);
    return DUN_ERROR_INPUT;
  }
  for (int j = 0; j < e->dimension; j++) {
    x[j] = theta[copy + j];
    if (!isfinite(x[j])) {
      snprintf(why.text, why.size, "number %d is %g, expected a finite number", j, x[j]);
      return DUN_ERROR_INPUT;
    }
  }
  return 0;
}
