/* Points of which the class is found first: a component of a mixture, which is then the target. */
#include "base/error.h"
#include "base/memory.h"
#include "base/scalar.h"
#include "methods/posterior.h"
#include "numerics/packed.h"
#include <math.h>
#include <string.h>

enum { L = DUN_LANES };

/* The numbers of the lanes' classes, behind what is seen. */
static double *classes_of(const struct dun_posterior *p)
{
  return p->y + (int64_t)(p->width - 1) * L;
}

static int check(const struct dun_posterior *p)
{
  const char *field = p->field->type.name;
  if (p->classes < 1 || !(p->gives & (DUN_TILTED_MASS | DUN_FIELD_MASS)))
    return dun_fail(DUN_ERROR_INPUT,
                    "classes: field %s knows of no classes of this target, or not how large they "
                    "are: leave classes out, or take a mixture and field exact",
                    field);
  if (p->of.letters || p->remembers || p->field->show || dun_posterior_together(p))
    return dun_fail(DUN_ERROR_INPUT,
                    "classes: of field %s and this observation all points are of "
                    "one class: leave classes out",
                    field);
  return 0;
}

/* The log of a class's mass, or with -1 that of all. */
static double mass_of(const struct dun_posterior *p, int label)
{
  const struct dun_field_call asked = {
      .n = 1, .h = p->h, .lambda = p->lambda, .label = label, .mean = p->mean, .log_mass = p->mass};
  memset(p->h, 0, (size_t)p->of.d * L * sizeof *p->h);
  memset(p->lambda, 0, L * sizeof *p->lambda);
  p->field->value(p->field_self, &asked);
  return p->mass[0];
}

/* Of a matrix, where there is one. */
static int64_t entries(const struct dun_posterior *p)
{
  return p->covariance ? DUN_PACKED(p->of.d) : 0;
}

int dun_posterior_find_classes(struct dun_posterior *p)
{
  int64_t column = (int64_t)p->of.d * L;
  p->classes = p->field->labels ? p->field->labels(p->field_self) : 0;
  int status = check(p);
  if (status < 0)
    return status;
  p->log_share = dun_allocate(p->classes, sizeof *p->log_share);
  p->other = dun_allocate(2 * column + L + entries(p) * L, sizeof *p->other);
  if (!p->log_share || !p->other)
    return DUN_ERROR_MEMORY;
  double all = mass_of(p, -1);
  for (int k = 0; k < p->classes; k++)
    p->log_share[k] = mass_of(p, k) - all;
  return 0;
}

void dun_posterior_draw_classes(const struct dun_posterior *p, struct dun_address address)
{
  double *own = classes_of(p), uniform[L] __attribute__((aligned(64)));
  address.purpose = DUN_PURPOSE_START_UNIFORM;
  dun_uniforms(address, 1, uniform);
  for (int l = 0; l < L; l++) {
    double left = uniform[l];
    int k = 0;
    while (k < p->classes - 1 && (left -= dun_scalar_exp(p->log_share[k])) > 0)
      k++;
    own[l] = k;
  }
}

void dun_posterior_less_classes(const struct dun_posterior *p, double *out)
{
  const double *own = classes_of(p);
  for (int l = 0; l < L && p->classes > 0; l++) {
    int known = own[l] >= 0 && own[l] < p->classes; /* checkpoints may hold anything */
    out[l] = known ? out[l] - p->log_share[(int)own[l]] : NAN;
  }
}

/* Of the lanes of class k. */
static void pick(const double *own, int k, int64_t rows, const double *from, double *to)
{
  for (int64_t i = 0; i < rows * L && from && to; i++)
    if (own[i % L] == k)
      to[i] = from[i];
}

void dun_posterior_ask_classes(const struct dun_posterior *p, const struct dun_field_call *asked)
{
  const double *own = classes_of(p);
  int64_t d = p->of.d;
  struct dun_field_call one = *asked;
  one.mean = p->other;
  one.draw = asked->draw ? p->other + d * L : NULL;
  one.log_mass = asked->log_mass ? p->other + 2 * d * L : NULL;
  one.covariance = asked->covariance ? p->other + (2 * d + 1) * L : NULL;
  for (int k = 0; k < p->classes; k++) {
    int any = 0;
    for (int l = 0; l < L; l++)
      any |= own[l] == k;
    if (!any)
      continue;
    one.label = k;
    p->field->value(p->field_self, &one);
    pick(own, k, d, one.mean, asked->mean);
    pick(own, k, d, one.draw, asked->draw);
    pick(own, k, 1, one.log_mass, asked->log_mass);
    pick(own, k, entries(p), one.covariance, asked->covariance);
  }
}
