#include "population/transformed.h"
#include "base/error.h"
#include "base/memory.h"
#include "numerics/untransform.h"
#include <math.h>
#include <stdio.h>

enum { MOST = 100000 }; /* parameters */

struct dun_transformed {
  const struct dun_target *inner;
  void *inner_self;
  struct dun_target table;
  int count, dimension, entries;
  struct dun_parameter *parameter;       /* [count], owned */
  struct dun_transforming *transforming; /* [count], owned */
  double *theta, *slope;                 /* [entries] of scratch, owned */
  struct dun_foreign *foreign;           /* NULL: the inner target gets these */
};

/* ---- set-up -------------------------------------------------------------------------------- */

static int check_operations(const struct dun_target *t)
{
  const char *fault = NULL;
  if (!t->point)
    fault = "its density is not by `point`";
  else if (!t->parameters)
    fault = "it has no `parameters`";
  else if (t->dimension || t->dimension_of)
    fault = "its dimension follows from its parameters, and is given too";
  else if (t->constrain)
    fault = "it has a `constrain` of its own";
  else if (t->prior || t->draw || t->modes || t->lattice || t->tilted)
    fault = "it has a prior, draws, modes, a lattice or closed forms, which are for unconstrained "
            "coordinates";
  return fault
             ? dun_fail(DUN_ERROR_INPUT, "Target %s is `constrained`, but %s.", t->type.name, fault)
             : 0;
}

static int set_parameter(struct dun_transformed *t, int index)
{
  const struct dun_parameter *p = &t->parameter[index];
  const char *why = NULL;
  for (int i = 0; i < p->rank && i < DUN_MAX_SHAPE; i++)
    if (p->shape[i] < 1 || p->shape[i] > 1000000)
      why = "has a shape with a number below 1 or above 1000000";
  if (p->rank < 0 || p->rank > DUN_MAX_SHAPE)
    why = "has a rank other than 0, 1 or 2";
  if (!why)
    dun_transform_free(p, &why);
  if (why)
    return dun_fail(DUN_ERROR_INPUT, "Parameter '%.63s' of target %s %s.", p->name,
                    t->inner->type.name, why);
  struct dun_transforming *one = &t->transforming[index];
  *one = dun_transforming_of(p);
  if ((int64_t)t->entries + one->entries > 1000000)
    return dun_fail(DUN_ERROR_INPUT, "Target %s has more than 1000000 entries of parameters.",
                    t->inner->type.name);
  t->entries += one->entries;
  t->dimension += one->free;
  return 0;
}

static int set_parameters(struct dun_transformed *t)
{
  int status = 0;
  t->count = t->inner->parameters(t->inner_self, 0, NULL);
  if (t->count < 1 || t->count > MOST)
    return dun_fail(DUN_ERROR_INPUT, "Target %s has %d parameters; 1 to %d were expected.",
                    t->inner->type.name, t->count, MOST);
  t->parameter = dun_allocate(t->count, sizeof *t->parameter);
  t->transforming = dun_allocate(t->count, sizeof *t->transforming);
  if (!t->parameter || !t->transforming)
    return DUN_ERROR_MEMORY;
  if (t->inner->parameters(t->inner_self, t->count, t->parameter) != t->count)
    return dun_fail(DUN_ERROR_INPUT, "Target %s changed its number of parameters.",
                    t->inner->type.name);
  for (int i = 0; i < t->count && status == 0; i++)
    status = set_parameter(t, i);
  if (status < 0)
    return status;
  t->theta = dun_allocate(t->entries, sizeof *t->theta);
  t->slope = dun_allocate(t->entries, sizeof *t->slope);
  return t->theta && t->slope ? 0 : DUN_ERROR_MEMORY;
}

/* ---- the target ---------------------------------------------------------------------------- */

static int dimension_of(const void *self)
{
  return ((const struct dun_transformed *)self)->dimension;
}

static int parameters(const void *self, int capacity, struct dun_parameter *parameter)
{
  const struct dun_transformed *t = self;
  for (int i = 0; i < t->count && i < capacity; i++)
    parameter[i] = t->parameter[i];
  return t->count;
}

/* Far out exp underflows: what must be positive is 0 then, where a density with its logarithm in it
 * is no number. */
static int is_inside(const struct dun_transforming *one, double theta)
{
  int positive = one->type == DUN_POSITIVE || one->type == DUN_POSITIVE_ORDERED;
  return isfinite(theta) && (!positive || theta > 0);
}

/* theta[entries]; returns the log of the Jacobian, -INFINITY where an entry is no number, or
 * outside what it may be. */
static double forth(const struct dun_transformed *t, const double *x, double *theta)
{
  double sum = 0;
  for (int i = 0; i < t->count; i++) {
    const struct dun_transforming *one = &t->transforming[i];
    sum += dun_transform(one, x, theta);
    for (int e = 0; e < one->entries; e++)
      sum = is_inside(one, theta[e]) ? sum : -INFINITY;
    x += one->free;
    theta += one->entries;
  }
  return isfinite(sum) ? sum : -INFINITY;
}

static void back(const struct dun_transformed *t, const double *x, double *gradient)
{
  const double *theta = t->theta;
  double *slope = t->slope;
  for (int i = 0; i < t->count; i++) {
    const struct dun_transforming *one = &t->transforming[i];
    dun_transform_back(one, x, theta, slope, gradient);
    x += one->free;
    gradient += one->free;
    theta += one->entries;
    slope += one->entries;
  }
}

static double inner_point(const struct dun_transformed *t, double *slope)
{
  return t->foreign ? dun_foreign_point(t->foreign, t->theta, slope)
                    : t->inner->point(t->inner_self, t->theta, slope);
}

static double point(const void *self, const double *x, double *gradient)
{
  const struct dun_transformed *t = self;
  double jacobian = forth(t, x, t->theta), lp = -INFINITY;
  for (int e = 0; e < t->entries && gradient; e++)
    t->slope[e] = NAN; /* what is left unwritten is no gradient */
  if (jacobian > -INFINITY)
    lp = inner_point(t, gradient ? t->slope : NULL) + jacobian;
  if (gradient && isfinite(lp))
    back(t, x, gradient);
  for (int j = 0; j < t->dimension && gradient && !isfinite(lp); j++)
    gradient[j] = 0;
  return lp;
}

static void constrain(const void *self, const double *x, double *theta)
{
  forth(self, x, theta);
}

static int likelihood(const void *self, int capacity, struct dun_parameter *variable)
{
  const struct dun_transformed *t = self;
  return t->inner->likelihood(t->inner_self, capacity, variable);
}

static void log_likelihood(const void *self, const double *x, double *out)
{
  const struct dun_transformed *t = self;
  forth(t, x, t->theta);
  if (t->foreign)
    dun_foreign_pointwise(t->foreign, t->theta, out);
  else
    t->inner->log_likelihood(t->inner_self, t->theta, out);
}

int dun_transformed_unconstrain(const struct dun_transformed *t, const double *theta, double *x,
                                struct dun_message why)
{
  for (int i = 0; i < t->count; i++) {
    const struct dun_transforming *one = &t->transforming[i];
    const char *expected;
    int entry = dun_untransform(one, theta, x, &expected);
    if (entry >= 0) {
      snprintf(why.text, why.size, "entry %d of parameter '%.63s' is %g, expected %s", entry,
               t->parameter[i].name, theta[entry], expected);
      return DUN_ERROR_INPUT;
    }
    x += one->free;
    theta += one->entries;
  }
  return 0;
}

static double log_evidence(const void *self)
{
  const struct dun_transformed *t = self;
  return t->inner->log_evidence(t->inner_self);
}

struct dun_transformed *dun_transformed_make(const struct dun_target *target, void *self)
{
  if (check_operations(target) < 0)
    return NULL;
  struct dun_transformed *t = dun_allocate(1, sizeof *t);
  if (!t)
    return NULL;
  t->inner = target;
  t->inner_self = self;
  t->table = *target;
  t->table.constrained = 0;
  t->table.type.size = sizeof *t;
  t->table.dimension_of = dimension_of;
  t->table.point = point;
  t->table.parameters = parameters;
  t->table.constrain = constrain;
  t->table.log_evidence = target->log_evidence ? log_evidence : NULL;
  t->table.likelihood = target->likelihood ? likelihood : NULL;
  t->table.log_likelihood = target->log_likelihood ? log_likelihood : NULL;
  t->table.observations = NULL;
  t->table.observed = NULL;
  t->table.draw_prior = NULL; /* it draws no points */
  if (set_parameters(t) == 0)
    return t;
  dun_transformed_free(t);
  return NULL;
}

void dun_transformed_free(struct dun_transformed *t)
{
  if (!t)
    return;
  DUN_FREE(t->parameter);
  DUN_FREE(t->transforming);
  DUN_FREE(t->theta);
  DUN_FREE(t->slope);
  dun_free(t);
}

void dun_transformed_fence(struct dun_transformed *t, struct dun_foreign *foreign)
{
  t->foreign = foreign;
}

const struct dun_target *dun_transformed_inner(const struct dun_transformed *t, const void **self)
{
  *self = t->inner_self;
  return t->inner;
}

const struct dun_target *dun_transformed_target(const struct dun_transformed *t)
{
  return &t->table;
}
