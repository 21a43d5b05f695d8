#include "evidence/deal.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/vmath.h"
#include "parallel/sum.h"

void dun_deal_forget(const struct dun_run *run, const struct dun_evaluator *before)
{
  run->evaluator->evaluations = before->evaluations;
  run->evaluator->gradients = before->gradients;
  run->evaluator->nans = before->nans;
  run->evaluator->nans_aside = before->nans_aside;
  run->evaluator->infinities = before->infinities;
}

static int do_tiles(struct dun_context *context, const struct dun_deal *w, int64_t first,
                    int64_t last, int64_t *bits)
{
  struct dun_evaluator *e = w->run->evaluator;
  int64_t block = w->width * DUN_LANES;
  double *out = dun_allocate(block, sizeof *out);
  int status = out ? 0 : DUN_ERROR_MEMORY;

  dun_evaluator_watch(e, &context->interrupt);
  for (int64_t i = first; i < last && status >= 0; i++) {
    if (i % context->size != context->rank)
      continue;
    if (dun_interrupt_wished(&context->interrupt))
      e->given_up = 1;
    else
      w->tile(w, i, out);
    if (e->given_up)
      status = dun_fail(DUN_INTERRUPTED, "interrupted in the search for lost parts");
    for (int64_t k = 0; k < block; k++)
      bits[(i - first) * block + k] = (int64_t)dun_bits(out[k]);
  }
  dun_evaluator_watch(e, NULL);
  dun_free(out);
  return status;
}

int dun_deal_tiles(struct dun_context *context, const struct dun_deal *w, int64_t first,
                   int64_t last, double *result)
{
  int64_t count = (last - first) * w->width * DUN_LANES;
  int64_t *bits = dun_allocate(count, sizeof *bits);
  struct dun_evaluator before = *w->run->evaluator;
  int status = dun_agree(context, bits ? 0 : DUN_ERROR_MEMORY);

  if (status >= 0)
    status = do_tiles(context, w, first, last, bits);
  if (bits)
    status = dun_sum_integers(context, status, count, bits);
  for (int64_t k = 0; k < count && status >= 0; k++)
    result[k] = dun_from_bits((uint64_t)bits[k]);
  dun_free(bits);
  if (status < 0)
    dun_deal_forget(w->run, &before);
  return status;
}
