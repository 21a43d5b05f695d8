#include "methods/corrected.h"
#include "base/error.h"
#include "base/memory.h"
#include <string.h>

enum { L = DUN_LANES, MOST = 128 };

static int check(const struct dun_posterior *p, int plain)
{
  if (!p->observation->correct)
    return dun_fail(
        DUN_ERROR_INPUT,
        "by: covariance goes with observations gaussian and adapted, not with %s: take by: means",
        p->observation->type.name);
  if (p->observation->matrix)
    return 0; /* it is known */
  if (p->remembers || p->field->show)
    return dun_fail(DUN_ERROR_INPUT,
                    "by: covariance asks the field how its means change, and field %s tells that "
                    "badly: take by: means",
                    p->field->type.name);
  if (!plain)
    return dun_fail(DUN_ERROR_INPUT, "by: covariance goes along schedule standard");
  if (p->of.d > MOST)
    return dun_fail(DUN_ERROR_INPUT,
                    "by: covariance takes a matrix of each particle: found %d coordinates, "
                    "expected at most %d",
                    p->of.d, MOST);
  return 0;
}

int dun_corrected_init(struct dun_corrected *c, const struct dun_posterior *p, int wanted,
                       int plain)
{
  int64_t d = p->of.d;
  int status = wanted ? check(p, plain) : 0;
  dun_corrected_free(c);
  c->wanted = wanted;
  if (!wanted || status < 0)
    return status;
  if (!(c->ratio = dun_allocate(L, sizeof *c->ratio)))
    return DUN_ERROR_MEMORY;
  if (p->observation->matrix)
    return 0;
  c->covariance = dun_allocate(d * d, L * sizeof *c->covariance);
  c->reach = dun_allocate(d, sizeof *c->reach);
  return c->covariance && c->reach ? 0 : DUN_ERROR_MEMORY;
}

void dun_corrected_free(struct dun_corrected *c)
{
  DUN_FREE(c->covariance);
  DUN_FREE(c->reach);
  DUN_FREE(c->ratio);
}

void dun_corrected_look(const struct dun_corrected *c, const struct dun_posterior *p, double t,
                        double next, int n, struct dun_address address)
{
  const double share = 1. / 64; /* of a step: near, and well above rounding */
  p->observation->reach(p->observation_self, t, next, c->reach);
  for (int64_t j = 0; j < p->of.d; j++)
    c->reach[j] *= share;
  dun_posterior_covariance(p, t, n, address, c->reach, c->covariance);
}

void dun_corrected_step(const struct dun_corrected *c, const struct dun_posterior *p, double t,
                        double next, const struct dun_known *known, struct dun_address address,
                        const struct dun_certificate *certificate)
{
  memset(c->ratio, 0, L * sizeof *c->ratio);
  p->observation->correct(p->observation_self, t, next, known, c->covariance, address, p->y,
                          c->ratio);
  dun_certificate_add(certificate, c->ratio);
}
