/* The target's own closed forms. */
#include "base/error.h"
#include "base/memory.h"
#include "fields/field.h"
#include <math.h>
#include <string.h>

struct exact {
  struct dun_evaluator *target;
  double *normal, *uniform; /* columns of a draw; owned */
};

static int64_t normals(const struct exact *s)
{
  const struct dun_target *t = s->target->target;
  return t->draw_normals < 0 ? s->target->dimension : t->draw_normals;
}

/* With these options, at no tilt but that of unit noise. */
static int try_target(const struct exact *s)
{
  int64_t d = s->target->dimension, status = DUN_ERROR_MEMORY;
  double lambda[DUN_LANES] __attribute__((aligned(64)));
  double *h = dun_allocate(d, DUN_LANES * sizeof *h),
         *mean = dun_allocate(d, DUN_LANES * sizeof *h);
  for (int l = 0; l < DUN_LANES; l++)
    lambda[l] = 1;
  if (h && mean) {
    memset(h, 0, (size_t)d * DUN_LANES * sizeof *h);
    status = dun_evaluator_tilted(
        s->target, &(struct dun_tilted){.n = 1, .h = h, .lambda = lambda, .mean = mean});
    if (status < 0)
      status = dun_fail(DUN_ERROR_INPUT,
                        "field exact: with these options the target %s has no closed form seen "
                        "through noise; take another field",
                        s->target->target->type.name);
  }
  dun_free(h);
  dun_free(mean);
  return (int)status;
}

static int init_here(struct exact *s, struct dun_evaluator *target)
{
  s->target = target;
  if (!target->target->tilted)
    return dun_fail(DUN_ERROR_INPUT,
                    "field exact: the target %s has no closed form seen through noise (`tilted`); "
                    "take field grid or monte_carlo",
                    target->target->type.name);
  DUN_FREE(s->normal);
  DUN_FREE(s->uniform);
  if (target->target->tilts & DUN_TILTED_DRAW) {
    s->normal = dun_allocate(normals(s), DUN_LANES * sizeof *s->normal);
    s->uniform = dun_allocate(target->target->draw_uniforms, DUN_LANES * sizeof *s->uniform);
    if (!s->normal || !s->uniform)
      return DUN_ERROR_MEMORY;
  }
  return try_target(s);
}

static int init(struct dun_context *context, void *self, struct dun_evaluator *target,
                double lambda)
{
  (void)lambda;
  return dun_agree(context, init_here(self, target));
}

static void release(void *self)
{
  struct exact *s = self;
  DUN_FREE(s->normal);
  DUN_FREE(s->uniform);
}

static unsigned gives(const void *self)
{
  return ((const struct exact *)self)->target->target->tilts &
         (DUN_TILTED_MASS | DUN_TILTED_SPREAD | DUN_TILTED_DRAW);
}

static int labels(const void *self)
{
  const struct dun_evaluator *e = ((const struct exact *)self)->target;
  return e->target->tilts & DUN_TILTED_LABEL ? dun_evaluator_modes(e, 0, NULL, NULL, NULL) : 0;
}

static void value(const void *self, const struct dun_field_call *call)
{
  const struct exact *s = self;
  struct dun_address address = call->address;
  struct dun_tilted tilted = {.n = call->n,
                              .h = call->h,
                              .lambda = call->lambda,
                              .label = call->label + 1,
                              .mean = call->mean,
                              .log_mass = call->log_mass,
                              .spread = call->spread,
                              .draw = call->draw,
                              .uniform = s->uniform,
                              .normal = s->normal};
  if (call->draw) {
    address.purpose = DUN_PURPOSE_FIELD;
    dun_normals(address, (int)normals(s), s->normal);
    address.purpose = DUN_PURPOSE_FIELD_UNIFORM;
    dun_uniforms(address, s->target->target->draw_uniforms, s->uniform);
  }
  if (dun_evaluator_tilted(s->target, &tilted) < 0)
    for (int64_t i = 0; i < (int64_t)s->target->dimension * DUN_LANES; i++)
      call->mean[i] = NAN;
}

const struct dun_field dun_field_exact = {
    .type = {DUN_TYPE(struct dun_field), .name = "exact",
             .doc = "Closed forms of the target, with its classes where it is a mixture.",
             .size = sizeof(struct exact), .free = release},
    .init = init,
    .gives = gives,
    .labels = labels,
    .value = value,
};
