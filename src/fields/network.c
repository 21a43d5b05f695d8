/* A denoiser that method train has learned, from a result of it. */
#include "base/error.h"
#include "fields/learned.h"

static void release(void *self)
{
  dun_learned_field_free(self);
}

static int init(struct dun_context *context, void *self, struct dun_evaluator *target,
                double lambda)
{
  struct dun_learned_field *s = self;
  int status = dun_learned_field_init(context, s, target);
  (void)lambda;
  if (status >= 0 && s->denoiser.share < 1)
    return dun_fail(DUN_ERROR_INPUT,
                    "%s: the network is of a half of the target (lessons.half): take field split",
                    s->load);
  if (status >= 0 && s->denoiser.averages)
    return dun_fail(DUN_ERROR_INPUT,
                    "%s: the network sees averages beside the point: take field network_averages",
                    s->load);
  return status;
}

static void value(const void *self, const struct dun_field_call *call)
{
  const struct dun_learned_field *s = self;
  dun_denoiser_mean(&s->denoiser, call->h, call->lambda, NULL, call->mean);
}

static const struct dun_option options[] = {DUN_LEARNED_FIELD_ROWS, {0}};

const struct dun_field dun_field_network = {
    .type = {DUN_TYPE(struct dun_field), .name = "network",
             .doc = "What method train has learned of the target.",
             .size = sizeof(struct dun_learned_field), .options = options, .free = release},
    .init = init,
    .gives = dun_learned_field_gives,
    .value = value,
    .remark = dun_learned_field_remark,
};
