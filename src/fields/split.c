/* Two denoisers that method train has learned of the halves of a target, on either side of the mean
 * of its draws in the direction in which these vary most (lessons.half).  A bit for each particle,
 * which never changes, tells of which half it is: what decides between modes that lie far apart is
 * not left to a network, which would have to be right in a moment of the way (Montanari 2023, arXiv
 * 2305.10690, section 5).
 *
 * The bit is that of a place among all particles, so that it is for samplers whose particles stay
 * where they are. */
#include "base/error.h"
#include "base/memory.h"
#include "base/vmath.h"
#include "fields/learned.h"
#include <math.h>

enum { L = DUN_LANES, HALVES = 2 };

struct split {
  struct dun_learned_field half[HALVES]; /* the options of the first one serve both */
  char *lower;

  /* made by init */
  int64_t d;
  double *other; /* [d][64], scratch; owned */
};

static void release(void *self)
{
  struct split *s = self;
  for (int i = 0; i < HALVES; i++)
    dun_learned_field_free(&s->half[i]);
  DUN_FREE(s->other);
}

static int check(struct split *s)
{
  const struct dun_denoiser *upper = &s->half[0].denoiser, *lower = &s->half[1].denoiser;
  if (upper->averages || lower->averages)
    return dun_fail(DUN_ERROR_INPUT, "%s, %s: networks that see averages are not of field split",
                    s->half[0].load, s->lower);
  if (!(upper->share < 1) || !(fabs(upper->share + lower->share - 1) < 1e-9))
    return dun_fail(DUN_ERROR_INPUT,
                    "%s, %s: the networks are of the shares %g and %g of their examples, expected "
                    "the two halves of the same ones: train both from one input, with lessons.half "
                    "upper and lower",
                    s->half[0].load, s->lower, upper->share, lower->share);
  s->other = dun_allocate(s->d, L * sizeof *s->other);
  return s->other ? 0 : DUN_ERROR_MEMORY;
}

static int init(struct dun_context *context, void *self, struct dun_evaluator *target,
                double lambda)
{
  struct split *s = self;
  (void)lambda;
  release(s);
  s->d = target->dimension;
  s->half[1].load = s->lower;
  s->half[1].precision = s->half[0].precision;
  s->half[1].other_target = s->half[0].other_target;
  int status = dun_learned_field_init(context, &s->half[0], target);
  if (status >= 0)
    status = dun_learned_field_init(context, &s->half[1], target);
  return status < 0 ? status : dun_agree(context, check(s));
}

/* lower[64]: the same at every step. */
static void pick(const struct split *s, struct dun_address address, double *lower)
{
  address.purpose = DUN_PURPOSE_HALF;
  address.step = 0;
  dun_uniforms(address, 1, lower);
  for (int l = 0; l < L; l++)
    lower[l] = lower[l] > s->half[0].denoiser.share;
}

DUN_CLONES static void choose(int64_t d, const double *restrict lower, const double *restrict other,
                              double *restrict mean)
{
  for (int64_t j = 0; j < d; j++)
    for (int l = 0; l < L; l++)
      mean[j * L + l] = lower[l] > 0 ? other[j * L + l] : mean[j * L + l];
}

static void value(const void *self, const struct dun_field_call *call)
{
  const struct split *s = self;
  double lower[L] __attribute__((aligned(64)));
  pick(s, call->address, lower);
  dun_denoiser_mean(&s->half[0].denoiser, call->h, call->lambda, NULL, call->mean);
  dun_denoiser_mean(&s->half[1].denoiser, call->h, call->lambda, NULL, s->other);
  choose(s->d, lower, s->other, call->mean);
}

static const struct dun_option options[] = {
    {.name = "upper",
     .type = DUN_FILE,
     .offset = offsetof(struct split, half[0].load),
     .doc = "A result of method train with lessons.half: upper, of the same target."},
    {.name = "lower",
     .type = DUN_FILE,
     .offset = offsetof(struct split, lower),
     .doc = "The other half's, with all else the same."},
    DUN_LEARNED_FIELD_MORE,
    {0},
};

static unsigned gives(const void *self)
{
  return dun_learned_field_gives(self) | DUN_FIELD_NUMBERED;
}

const struct dun_field dun_field_split = {
    .type = {DUN_TYPE(struct dun_field), .name = "split",
             .doc = "What method train has learned of two halves of the target, of one of which "
                    "each particle is.",
             .citation = "Montanari 2023, arXiv 2305.10690, section 5",
             .size = sizeof(struct split), .options = options, .free = release},
    .init = init,
    .gives = gives,
    .value = value,
    .remark = dun_learned_field_remark,
};
