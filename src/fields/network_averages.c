/* A denoiser that method train has learned of images with their averages beside the pixels
 * (lessons.average), from a result of it: for observation linear, which shows the same average.  A
 * network that sees small windows alone knows long correlations by it (Montanari 2023, arXiv
 * 2305.10690, section 4). */
#include "base/error.h"
#include "base/memory.h"
#include "fields/learned.h"
#include <math.h>
#include <string.h>

enum { L = DUN_LANES };

struct network_averages {
  struct dun_learned_field learned;

  /* seen and made by init */
  const struct dun_features *features; /* the observation's */
  double *pixel, *average;             /* [d][64], [averages][64], scratch; owned */
};

static void release(void *self)
{
  struct network_averages *s = self;
  dun_learned_field_free(&s->learned);
  DUN_FREE(s->pixel);
  DUN_FREE(s->average);
}

/* Pixels as they are and the average of each channel, nothing else. */
static int show(void *self, const struct dun_features *features)
{
  struct network_averages *s = self;
  const struct dun_boxes *pixel = features ? features->level : NULL,
                         *all = features ? pixel + 1 : NULL;
  s->features = features;
  if (!features || features->levels != 2 || pixel->side[0] * pixel->side[1] != 1 ||
      pixel->gain != 1 || all->count[0] * all->count[1] != 1)
    return dun_fail(DUN_ERROR_INPUT,
                    "field network_averages sees pixels and averages: take observation "
                    "{type: linear, average: ...}, and nothing else of it");
  return 0;
}

/* What is shown is what was learned. */
static int compare(const struct network_averages *s)
{
  const struct dun_denoiser *learned = &s->learned.denoiser;
  double gain = s->features->level[1].gain, root = sqrt((double)(s->features->rows - 1));
  if (learned->share < 1)
    return dun_fail(DUN_ERROR_INPUT, "%s: the network is of a half of the target (lessons.half)",
                    s->learned.load);
  if (!learned->averages)
    return dun_fail(DUN_ERROR_INPUT,
                    "%s: the network sees no averages: train it with lessons.average, or take "
                    "field network and observation gaussian",
                    s->learned.load);
  if (learned->averages != s->features->channels || fabs(gain - learned->gain) > 1e-9 * gain)
    return dun_fail(DUN_ERROR_INPUT,
                    "%s: the network was learned of averages of %lld channels with lessons.average "
                    "%g, and the observation shows those of %d with average %g",
                    s->learned.load, (long long)learned->averages, learned->gain / root,
                    s->features->channels, gain / root);
  return 0;
}

static int init(struct dun_context *context, void *self, struct dun_evaluator *target,
                double lambda)
{
  struct network_averages *s = self;
  (void)lambda;
  release(s);
  int status = dun_learned_field_init(context, &s->learned, target);
  if (status >= 0 && (status = compare(s)) >= 0) {
    s->pixel = dun_allocate(target->dimension, L * sizeof *s->pixel);
    s->average = dun_allocate(s->features->channels, L * sizeof *s->average);
    status = s->pixel && s->average ? 0 : DUN_ERROR_MEMORY;
  }
  return dun_agree(context, status);
}

static void value(const void *self, const struct dun_field_call *call)
{
  const struct network_averages *s = self;
  int64_t rows = s->features->rows, pixels = rows - 1;
  double time[L] __attribute__((aligned(64)));
  for (int l = 0; l < L; l++)
    time[l] = call->time;
  for (int64_t c = 0; c < s->features->channels; c++) {
    const double *seen = call->seen + c * rows * L;
    memcpy(s->pixel + c * pixels * L, seen, (size_t)pixels * L * sizeof *seen);
    memcpy(s->average + c * L, seen + pixels * L, L * sizeof *seen);
  }
  dun_denoiser_mean(&s->learned.denoiser, s->pixel, time, s->average, call->mean);
}

static const struct dun_option options[] = {DUN_LEARNED_FIELD_ROWS, {0}};

const struct dun_field dun_field_network_averages = {
    .type = {DUN_TYPE(struct dun_field), .name = "network_averages",
             .doc = "What method train has learned of images that were seen with their averages.",
             .citation = "Montanari 2023, arXiv 2305.10690",
             .size = sizeof(struct network_averages), .options = options, .free = release},
    .show = show,
    .init = init,
    .gives = dun_learned_field_gives,
    .value = value,
    .remark = dun_learned_field_remark,
};
