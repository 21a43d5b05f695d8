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

/* ---- trials -------------------------------------------------------------------------------- */

/* Columns of one point, in all lanes alike. */
struct trial {
  double *h, *mean, *gradient;
  double lambda[DUN_LANES] __attribute__((aligned(64)));
};

/* How far lambda E x - h is from E grad log pi, which it is by parts, as a share of the gradient,
 * taken at the mean: the same where the noise is narrow, and at any noise of a Gaussian. */
static double distance_by_parts(const struct exact *s, struct trial *t, double lambda)
{
  int64_t d = s->target->dimension;
  double one[DUN_LANES] __attribute__((aligned(64))), off = 0, size = 0;
  for (int l = 0; l < DUN_LANES; l++) {
    t->lambda[l] = lambda;
    one[l] = 1;
  }
  memset(t->gradient, 0, (size_t)d * DUN_LANES * sizeof *t->gradient);
  dun_evaluator_tilted(
      s->target, &(struct dun_tilted){.n = 1, .h = t->h, .lambda = t->lambda, .mean = t->mean});
  dun_evaluate(s->target, 1, t->mean, NULL, one, t->gradient);
  for (int64_t i = 0; i < d * DUN_LANES; i += DUN_LANES) {
    double by_parts = lambda * t->mean[i] - t->h[i], g = t->gradient[i];
    double rounding = 1e-13 * t->h[i]; /* and more: of flat densities both are 0 */
    off += (by_parts - g) * (by_parts - g);
    size += g * g + by_parts * by_parts + rounding * rounding;
  }
  return size > 0 ? sqrt(off / size) : 0;
}

/* Noise of some width is narrow enough, unless the mean is not the target's. */
static int try_means(const struct exact *s, struct trial *t)
{
  const double most = .05;
  struct dun_evaluator *target = s->target;
  int64_t d = target->dimension, evaluations = target->evaluations;
  int64_t gradients = target->gradients, nans = target->nans;
  double least = INFINITY, normal[DUN_LANES] __attribute__((aligned(64)));
  for (double lambda = 1; lambda < 1e10 && !(least < most); lambda *= 30) {
    for (int64_t i = 0; i < d * DUN_LANES; i++) {
      if (i % DUN_LANES == 0)
        dun_normals_from((struct dun_address){.purpose = DUN_PURPOSE_TRIAL}, i / DUN_LANES, 1,
                         normal);
      t->h[i] = lambda * normal[0];
    }
    double off = distance_by_parts(s, t, lambda);
    least = off < least ? off : least;
  }
  target->evaluations = evaluations;
  target->gradients = gradients;
  target->nans = nans;
  if (least < most)
    return 0;
  return dun_fail(DUN_ERROR_INPUT,
                  "field exact: the closed form (`tilted`) of the target %s is not that of its "
                  "density: lambda E x - h is off from the gradient of log pi by %.2g of it, "
                  "however narrow the noise",
                  s->target->target->type.name, least);
}

/* With these options, at no tilt but that of unit noise; then the means. */
static int try_target(const struct exact *s)
{
  int64_t d = s->target->dimension;
  const struct dun_target *target = s->target->target;
  struct trial t = {.h = dun_allocate(3 * d, DUN_LANES * sizeof(double))};
  int status = t.h ? 0 : DUN_ERROR_MEMORY;
  for (int l = 0; l < DUN_LANES; l++)
    t.lambda[l] = 1;
  if (status == 0) {
    t.mean = t.h + d * DUN_LANES;
    t.gradient = t.mean + d * DUN_LANES;
    memset(t.h, 0, (size_t)d * DUN_LANES * sizeof(double));
    struct dun_tilted tilted = {.n = 1, .h = t.h, .lambda = t.lambda, .mean = t.mean};
    if (dun_evaluator_tilted(s->target, &tilted) < 0)
      status = dun_fail(DUN_ERROR_INPUT,
                        "field exact: with these options the target %s has no closed form seen "
                        "through noise; take another field",
                        target->type.name);
    else if (target->support == DUN_REALS && !target->no_gradient)
      status = try_means(s, &t);
  }
  dun_free(t.h);
  return status;
}

/* ---- set-up -------------------------------------------------------------------------------- */

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
    s->normal = dun_allocate(dun_evaluator_normals(target), DUN_LANES * sizeof *s->normal);
    s->uniform = dun_allocate(dun_evaluator_uniforms(target), DUN_LANES * sizeof *s->uniform);
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
  const unsigned most =
      DUN_TILTED_MASS | DUN_TILTED_SPREAD | DUN_TILTED_DRAW | DUN_TILTED_SCALE | DUN_TILTED_MATRIX;
  return (((const struct exact *)self)->target->target->tilts & most) | DUN_FIELD_SURE;
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
                              .scale = call->scale,
                              .label = call->label + 1,
                              .mean = call->mean,
                              .log_mass = call->log_mass,
                              .spread = call->spread,
                              .draw = call->draw,
                              .uniform = s->uniform,
                              .normal = s->normal,
                              .precision = call->precision,
                              .covariance = call->covariance,
                              .spare = call->spare};
  if (call->draw) {
    address.purpose = DUN_PURPOSE_FIELD;
    dun_normals(address, dun_evaluator_normals(s->target), s->normal);
    address.purpose = DUN_PURPOSE_FIELD_UNIFORM;
    dun_uniforms(address, dun_evaluator_uniforms(s->target), s->uniform);
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
