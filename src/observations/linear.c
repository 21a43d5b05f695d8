/* Linear functions of a point through Gaussian noise, y = t A x + B(t): averages, pyramids, rows of
 * a transform, alone or beside the coordinates themselves (Montanari 2023, arXiv 2305.10690). */
#include "base/error.h"
#include "base/memory.h"
#include "base/vmath.h"
#include "observations/observation.h"
#include <math.h>

enum { L = DUN_LANES };

struct linear {
  struct dun_matrix matrix; /* A [m][d] */
  double horizon;

  struct dun_observed of;
  double *normal, *image; /* [m][64] each, scratch; owned */
};

static int init(void *self, const struct dun_observed *of)
{
  struct linear *s = self;
  if (of->letters && !of->spins)
    return dun_fail(DUN_ERROR_INPUT, "observation linear is of reals and of spins, not of letters");
  if (s->matrix.columns != of->d)
    return dun_fail(DUN_ERROR_INPUT,
                    "observation.matrix: found rows of %lld numbers, expected the target's %d",
                    s->matrix.columns, of->d);
  s->of = *of;
  s->normal = dun_allocate(s->matrix.rows, L * sizeof *s->normal);
  s->image = dun_allocate(s->matrix.rows, L * sizeof *s->image);
  return s->normal && s->image ? 0 : DUN_ERROR_MEMORY;
}

static void release(void *self)
{
  struct linear *s = self;
  DUN_FREE(s->normal);
  DUN_FREE(s->image);
}

static int width(const void *self)
{
  return (int)((const struct linear *)self)->matrix.rows;
}

static void ends(const void *self, double *first, double *last)
{
  *first = 0;
  *last = ((const struct linear *)self)->horizon;
}

/* image[m][64] of the means. */
DUN_CLONES static void apply(const struct linear *s, const double *restrict mean)
{
  int64_t d = s->of.d;
  for (int64_t i = 0; i < s->matrix.rows; i++) {
    double *out = s->image + i * L;
    for (int l = 0; l < L; l++)
      out[l] = 0;
    for (int64_t j = 0; j < d; j++)
      for (int l = 0; l < L; l++)
        out[l] = DUN_FMA(s->matrix.value[i * d + j], mean[j * L + l], out[l]);
  }
}

static void step(const void *self, double t, double next, const struct dun_known *x,
                 struct dun_address address, double *y)
{
  const struct linear *s = self;
  double length = next - t, root = sqrt(length);
  dun_normals(address, (int)s->matrix.rows, s->normal);
  apply(s, x->mean);
  for (int64_t i = 0; i < s->matrix.rows * L; i++)
    y[i] += length * s->image[i] + root * s->normal[i];
}

/* <y, A x> - t |A x|^2 / 2. */
static void likelihood(const void *self, double t, const double *y, const double *x, double *out)
{
  const struct linear *s = self;
  int64_t d = s->of.d;
  for (int64_t i = 0; i < s->matrix.rows; i++) {
    double image = 0;
    for (int64_t j = 0; j < d; j++)
      image += s->matrix.value[i * d + j] * x[j];
    for (int l = 0; l < L; l++)
      out[l] += image * (y[i * L + l] - .5 * t * image);
  }
}

static const struct dun_option options[] = {
    {.name = "matrix",
     .type = DUN_MATRIX,
     .offset = offsetof(struct linear, matrix),
     .doc = "A, a row of d numbers for each function; together they tell the point."},
    {.name = "horizon",
     .type = DUN_NUMBER,
     .offset = offsetof(struct linear, horizon),
     .initial = "100",
     .minimum = 1e-100,
     .maximum = 1e100,
     .doc = "The last time: noise of the variance 1 / horizon is then left in A x."},
    {0},
};

const struct dun_observation dun_observation_linear = {
    .type = {DUN_TYPE(struct dun_observation), .name = "linear",
             .doc = "Linear functions of a point times the time, and Brownian motion.",
             .citation = "Montanari 2023, arXiv 2305.10690", .size = sizeof(struct linear),
             .options = options, .free = release},
    .init = init,
    .width = width,
    .ends = ends,
    .time = dun_observation_arctan,
    .step = step,
    .likelihood = likelihood,
};
