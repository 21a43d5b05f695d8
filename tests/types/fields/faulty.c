/* A field for tests that is wrong by a share: the closed form's means times `factor`, and its log
 * masses or none. */
#include "base/error.h"
#include "fields/field.h"

struct faulty {
  double factor;
  int silent;
  struct dun_evaluator *target;
};

static int init(struct dun_context *context, void *self, struct dun_evaluator *target,
                double lambda)
{
  struct faulty *s = self;
  (void)lambda;
  s->target = target;
  return dun_agree(context, target->target->tilted
                                ? 0
                                : dun_fail(DUN_ERROR_INPUT, "field faulty needs a closed form"));
}

static unsigned gives(const void *self)
{
  return ((const struct faulty *)self)->silent ? 0 : DUN_TILTED_MASS;
}

static void value(const void *self, const struct dun_field_call *call)
{
  const struct faulty *s = self;
  struct dun_tilted tilted = {.n = call->n,
                              .h = call->h,
                              .lambda = call->lambda,
                              .mean = call->mean,
                              .log_mass = call->log_mass};
  dun_evaluator_tilted(s->target, &tilted);
  for (int i = 0; i < s->target->dimension * DUN_LANES; i++)
    call->mean[i] *= s->factor;
}

static const struct dun_option options[] = {
    {.name = "factor",
     .type = DUN_NUMBER,
     .offset = offsetof(struct faulty, factor),
     .initial = "1",
     .maximum = 10,
     .doc = "Of all means."},
    {.name = "silent",
     .type = DUN_FLAG,
     .offset = offsetof(struct faulty, silent),
     .initial = "false",
     .doc = "No log masses."},
    {0},
};

const struct dun_field dun_field_faulty = {
    .type = {DUN_TYPE(struct dun_field), .name = "faulty", .doc = "For tests.",
             .size = sizeof(struct faulty), .options = options},
    .init = init,
    .gives = gives,
    .value = value,
};
