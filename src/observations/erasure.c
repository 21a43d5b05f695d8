/* Letters that are erased until they are revealed: every site at a time of its own, evenly in
 * [0, 1] (order: parallel), or one after the other in random order, a d-th of the time for each
 * (order: sequential), which draws a point letter by letter from its conditional laws (Montanari
 * 2023, arXiv 2305.10690).  y is 0 where a site is erased, else one more than the number of its
 * letter. */
#include "base/error.h"
#include "base/memory.h"
#include "base/scalar.h"
#include "observations/observation.h"

enum { L = DUN_LANES, PARALLEL = 0, SEQUENTIAL };

struct erasure {
  int order;

  struct dun_observed of;
  double *uniform; /* [2 d][64], scratch; owned */
};

static int init(void *self, const struct dun_observed *of)
{
  struct erasure *s = self;
  if (!of->letters)
    return dun_fail(DUN_ERROR_INPUT, "observation erasure is of spins and letters, not of reals");
  s->of = *of;
  s->uniform = dun_allocate(2 * of->d, L * sizeof *s->uniform);
  return s->uniform ? 0 : DUN_ERROR_MEMORY;
}

static void release(void *self)
{
  DUN_FREE(((struct erasure *)self)->uniform);
}

static int width(const void *self)
{
  return ((const struct erasure *)self)->of.d;
}

static void ends(const void *self, double *first, double *last)
{
  (void)self;
  *first = 0;
  *last = 1;
}

static int64_t exact_steps(const void *self)
{
  const struct erasure *s = self;
  return s->order == SEQUENTIAL ? s->of.d : 0;
}

/* A letter of site j by its probabilities in lane l. */
static double reveal(const struct erasure *s, const double *law, int64_t j, int l)
{
  return 1 + dun_observation_letter(s->of.letters, law + j * L + l, (int64_t)s->of.d * L,
                                    s->uniform[(s->of.d + j) * L + l]);
}

static void reveal_some(const struct erasure *s, double share, const double *law, double *y)
{
  for (int64_t j = 0; j < s->of.d; j++)
    for (int l = 0; l < L; l++)
      if (y[j * L + l] == 0 && s->uniform[j * L + l] <= share)
        y[j * L + l] = reveal(s, law, j, l);
}

/* The erased site whose uniform is the smallest, so many times: all orders are alike likely. */
static void reveal_in_order(const struct erasure *s, int64_t count, const double *law, double *y)
{
  for (int l = 0; l < L; l++)
    for (int64_t k = 0; k < count; k++) {
      int64_t next = -1;
      for (int64_t j = 0; j < s->of.d; j++)
        if (y[j * L + l] == 0 && (next < 0 || s->uniform[j * L + l] < s->uniform[next * L + l]))
          next = j;
      if (next >= 0)
        y[next * L + l] = reveal(s, law, next, l);
    }
}

static void step(const void *self, double t, double next, const struct dun_known *x,
                 struct dun_address address, double *y)
{
  const struct erasure *s = self;
  int64_t d = s->of.d, before = (int64_t)(t * (double)d + .5);
  dun_uniforms(address, 2 * s->of.d, s->uniform);
  if (s->order == SEQUENTIAL)
    reveal_in_order(s, (int64_t)(next * (double)d + .5) - before, x->letters, y);
  else
    reveal_some(s, (next - t) / (1 - t), x->letters, y);
}

/* The log probabilities of the letters that were revealed. */
static void weigh(const void *self, double t, double next, const struct dun_known *x,
                  const double *before, const double *y, double *out)
{
  const struct erasure *s = self;
  int64_t column = (int64_t)s->of.d * L;
  (void)t;
  (void)next;
  for (int64_t i = 0; i < column; i++)
    if (before[i] == 0 && y[i] != 0)
      out[i % L] += dun_scalar_log(x->letters[((int64_t)y[i] - 1) * column + i]);
}

static void tilt(const void *self, double t, const double *y, const struct dun_evidence *e)
{
  const struct erasure *s = self;
  int64_t column = (int64_t)s->of.d * L;
  (void)t;
  for (int a = 0; a < s->of.letters; a++)
    for (int64_t i = 0; i < column; i++)
      e->factor[a * column + i] += y[i] == 0 || y[i] == a + 1 ? 0 : DUN_RULED_OUT;
}

static const struct dun_option options[] = {
    {.name = "order",
     .type = DUN_CHOICE,
     .offset = offsetof(struct erasure, order),
     .initial = "parallel",
     .words = "parallel|sequential",
     .doc = "Each site at a time of its own, or one after the other; in d steps of those no error "
            "is made even by single letters' probabilities."},
    {0},
};

const struct dun_observation dun_observation_erasure = {
    .type = {DUN_TYPE(struct dun_observation), .name = "erasure",
             .doc = "Letters that are erased until they are revealed, in random order.",
             .citation = "Montanari 2023, arXiv 2305.10690", .size = sizeof(struct erasure),
             .options = options, .free = release},
    .init = init,
    .width = width,
    .ends = ends,
    .exact_steps = exact_steps,
    .step = step,
    .weigh = weigh,
    .tilt = tilt,
};
