/* Questions with two answers: on which side of a plane is the point?  y has a bit for each of the
 * planes asked about so far, of which there are t; they are drawn once, from `planes_seed`, their
 * directions evenly and their places from N(0, width^2) (Montanari 2023, arXiv 2305.10690). */
#include "base/error.h"
#include "base/memory.h"
#include "observations/observation.h"
#include <math.h>

enum { L = DUN_LANES };

struct half_space {
  long long planes, seed;
  double spread;
  struct dun_matrix given; /* [planes][d + 1] */

  struct dun_observed of;
  double *plane; /* [planes][d + 1]: a, b; owned */
};

/* Column k of a plane's numbers is lane 0 of normals number k. */
static int draw_planes(struct half_space *s)
{
  int d = s->of.d;
  double *normal = dun_allocate(d + 1, L * sizeof *normal);
  if (!normal)
    return DUN_ERROR_MEMORY;
  for (int64_t k = 0; k < s->planes; k++) {
    struct dun_address address = {
        .seed = (uint64_t)s->seed, .purpose = DUN_PURPOSE_DATA, .tile = (uint32_t)k};
    double *a = s->plane + k * (d + 1), square = 0;
    dun_normals(address, d + 1, normal);
    for (int j = 0; j < d; j++)
      square += normal[j * L] * normal[j * L];
    for (int j = 0; j < d; j++)
      a[j] = normal[j * L] / sqrt(square);
    a[d] = s->spread * normal[d * L];
  }
  dun_free(normal);
  return 0;
}

static int init(void *self, const struct dun_observed *of)
{
  struct half_space *s = self;
  int given = s->given.rows > 0;
  if (of->letters && !of->spins)
    return dun_fail(DUN_ERROR_INPUT,
                    "observation half_space is of reals and of spins, not of letters");
  if (given && s->given.columns != of->d + 1)
    return dun_fail(
        DUN_ERROR_INPUT,
        "observation.given: found rows of %lld numbers, expected %d: a direction in the "
        "target's %d dimensions, and a place",
        s->given.columns, of->d + 1, of->d);
  s->of = *of;
  s->planes = given ? s->given.rows : s->planes;
  s->plane = dun_allocate(s->planes * (of->d + 1), sizeof *s->plane);
  if (!s->plane)
    return DUN_ERROR_MEMORY;
  for (int64_t i = 0; i < s->planes * (of->d + 1) && given; i++)
    s->plane[i] = s->given.value[i];
  return given ? 0 : draw_planes(s);
}

static void release(void *self)
{
  DUN_FREE(((struct half_space *)self)->plane);
}

static int width(const void *self)
{
  return (int)((const struct half_space *)self)->planes;
}

static void ends(const void *self, double *first, double *last)
{
  *first = 0;
  *last = (double)((const struct half_space *)self)->planes;
}

/* 1 beyond the plane, -1 before it; sums are made alike for points and for draws. */
static void step(const void *self, double t, double next, const struct dun_known *x,
                 struct dun_address address, double *y)
{
  const struct half_space *s = self;
  (void)address;
  for (int64_t k = (int64_t)t; k < (int64_t)next; k++) {
    const double *a = s->plane + k * (s->of.d + 1);
    for (int l = 0; l < L; l++) {
      double at = 0;
      for (int64_t j = 0; j < s->of.d; j++)
        at += a[j] * x->mean[j * L + l];
      y[k * L + l] = at >= a[s->of.d] ? 1 : -1;
    }
  }
}

static void likelihood(const void *self, double t, const double *y, const double *x, double *out)
{
  const struct half_space *s = self;
  for (int64_t k = 0; k < (int64_t)t; k++) {
    const double *a = s->plane + k * (s->of.d + 1);
    double at = 0;
    for (int64_t j = 0; j < s->of.d; j++)
      at += a[j] * x[j];
    dun_observation_answer(y + k * L, at >= a[s->of.d] ? 1 : -1, out);
  }
}

static const struct dun_option options[] = {
    {.name = "planes",
     .type = DUN_INTEGER,
     .offset = offsetof(struct half_space, planes),
     .initial = "100",
     .minimum = 1,
     .maximum = 100000,
     .doc = "How many are asked about."},
    {.name = "planes_seed",
     .type = DUN_INTEGER,
     .offset = offsetof(struct half_space, seed),
     .initial = "1",
     .maximum = 9e15,
     .doc = "Of their directions and places."},
    {.name = "width",
     .type = DUN_NUMBER,
     .offset = offsetof(struct half_space, spread),
     .initial = "1",
     .minimum = 1e-100,
     .maximum = 1e100,
     .doc = "Standard deviation of their distances from the origin."},
    {.name = "given",
     .type = DUN_MATRIX,
     .offset = offsetof(struct half_space, given),
     .initial = "",
     .doc = "The planes themselves, each a direction and the least product with it beyond the "
            "plane."},
    {0},
};

const struct dun_observation dun_observation_half_space = {
    .type = {DUN_TYPE(struct dun_observation), .name = "half_space",
             .doc = "On which side of one plane after the other a point is.",
             .citation = "Montanari 2023, arXiv 2305.10690", .size = sizeof(struct half_space),
             .options = options, .free = release},
    .init = init,
    .width = width,
    .ends = ends,
    .time = dun_observation_whole,
    .step = step,
    .draws_only = dun_observation_always,
    .likelihood = likelihood,
};
