/* Several observations of a point at once, which are independent given the point: what each says
 * adds up, and each goes on by what all together tell (Montanari 2023, arXiv 2305.10690, "all of
 * the above").  The time is the share of each one's way, by its own clock; of parts one after the
 * other, in equal pieces of it, of their ways in turn: what is coarse first, details after. */
#include "base/error.h"
#include "base/memory.h"
#include "observations/observation.h"
#include <math.h>

enum { L = DUN_LANES };

enum order { TOGETHER, SEQUENTIAL };

struct product {
  struct dun_parts parts;
  int order;
};

static const struct dun_observation *part(const struct product *s, int i, const void **self)
{
  *self = s->parts.part[i].self;
  return (const struct dun_observation *)s->parts.part[i].type;
}

/* Of part i, at a share of all ways. */
static double time_of(const struct product *s, int i, double share)
{
  const void *self;
  const struct dun_observation *o = part(s, i, &self);
  double first, last;
  o->ends(self, &first, &last);
  if (s->order == SEQUENTIAL)
    share = fmax(share * s->parts.count - i, 0);
  return share >= 1 ? last
         : o->time  ? o->time(self, first, last, share)
                    : first + (last - first) * share;
}

static int init(void *self, const struct dun_observed *of)
{
  struct product *s = self;
  int status = 0;
  if (s->parts.count < 1)
    return dun_fail(DUN_ERROR_INPUT, "observation product: `parts` is empty");
  for (int i = 0; i < s->parts.count && status >= 0; i++) {
    const struct dun_observation *o = (const struct dun_observation *)s->parts.part[i].type;
    status = o->init(s->parts.part[i].self, of);
    if (status >= 0 && o->scale && o->scale(s->parts.part[i].self))
      status = dun_fail(DUN_ERROR_INPUT,
                        "observation product: part %d has rates of each coordinate, "
                        "which go alone",
                        i + 1);
    if (status >= 0 && o->matrix)
      status = dun_fail(DUN_ERROR_INPUT, "observation product: part %d, %s, goes alone", i + 1,
                        o->type.name);
  }
  return status;
}

static int width(const void *self)
{
  const void *own;
  int sum = 0;
  for (int i = 0; i < ((const struct product *)self)->parts.count; i++) {
    const struct dun_observation *o = part(self, i, &own);
    sum += o->width(own);
  }
  return sum;
}

static void ends(const void *self, double *first, double *last)
{
  (void)self;
  *first = 0;
  *last = 1;
}

static int draws_only(const void *self)
{
  const void *own;
  int any = 0;
  for (int i = 0; i < ((const struct product *)self)->parts.count; i++) {
    const struct dun_observation *o = part(self, i, &own);
    any |= dun_observation_draws_only(o, own);
  }
  return any;
}

static int of_points(const void *self)
{
  const void *own;
  int any = 0;
  for (int i = 0; i < ((const struct product *)self)->parts.count; i++) {
    const struct dun_observation *o = part(self, i, &own);
    any |= dun_observation_of_points(o, own);
  }
  return any;
}

/* What does not say how it starts was cleared. */
static void start(const void *self, struct dun_address address, double *y)
{
  const void *own;
  for (int i = 0; i < ((const struct product *)self)->parts.count; i++) {
    const struct dun_observation *o = part(self, i, &own);
    if (o->start)
      o->start(own, dun_address_apart(address, (uint64_t)i), y);
    y += (int64_t)o->width(own) * L;
  }
}

static void step(const void *self, double t, double next, const struct dun_known *x,
                 struct dun_address address, double *y)
{
  const void *own;
  for (int i = 0; i < ((const struct product *)self)->parts.count; i++) {
    const struct dun_observation *o = part(self, i, &own);
    double from = time_of(self, i, t), to = time_of(self, i, next);
    if (to > from)
      o->step(own, from, to, x, dun_address_apart(address, (uint64_t)i), y);
    y += (int64_t)o->width(own) * L;
  }
}

/* Of parts that go by draws alone nothing is asked. */
static void weigh(const void *self, double t, double next, const struct dun_known *x,
                  const double *before, const double *y, double *out)
{
  const void *own;
  for (int i = 0; i < ((const struct product *)self)->parts.count; i++) {
    const struct dun_observation *o = part(self, i, &own);
    double from = time_of(self, i, t), to = time_of(self, i, next);
    if (o->weigh && to > from)
      o->weigh(own, from, to, x, before, y, out);
    before += (int64_t)o->width(own) * L;
    y += (int64_t)o->width(own) * L;
  }
}

static void tilt(const void *self, double t, const double *y, const struct dun_evidence *evidence)
{
  const void *own;
  for (int i = 0; i < ((const struct product *)self)->parts.count; i++) {
    const struct dun_observation *o = part(self, i, &own);
    if (o->tilt)
      o->tilt(own, time_of(self, i, t), y, evidence);
    y += (int64_t)o->width(own) * L;
  }
}

static void likelihood(const void *self, double t, const double *y, const double *x, double *out)
{
  const void *own;
  for (int i = 0; i < ((const struct product *)self)->parts.count; i++) {
    const struct dun_observation *o = part(self, i, &own);
    if (o->likelihood)
      o->likelihood(own, time_of(self, i, t), y, x, out);
    y += (int64_t)o->width(own) * L;
  }
}

static const struct dun_option options[] = {
    {.name = "parts",
     .type = DUN_PARTS,
     .kind = DUN_KIND_OBSERVATION,
     .offset = offsetof(struct product, parts),
     .doc = "The observations, each with its type."},
    {.name = "order",
     .type = DUN_CHOICE,
     .offset = offsetof(struct product, order),
     .initial = "together",
     .words = "together|sequential",
     .doc = "All at once, or one after the other, each to its end in an equal piece of the steps."},
    {0},
};

const struct dun_observation dun_observation_product = {
    .type = {DUN_TYPE(struct dun_observation), .name = "product",
             .doc = "Several observations, at once or one after the other.",
             .citation = "Montanari 2023, arXiv 2305.10690", .size = sizeof(struct product),
             .options = options},
    .init = init,
    .width = width,
    .ends = ends,
    .draws_only = draws_only,
    .start = start,
    .step = step,
    .weigh = weigh,
    .tilt = tilt,
    .likelihood = likelihood,
    .of_points = of_points,
};
