/* Supports with walls, for tests: a uniform prior on the unit cube times a likelihood that is
 * Gaussian in some coordinates, flat in the others, and ends, or falls by a stated depth, outside
 * of a shape. */
#include <dunlin/target.h>
#include <math.h>

enum shape { CUBE, TRIANGLE, SIMPLEX, RING, SLAB, STAIRS, EGGS, NOWHERE, SPIKE };

struct walled {
  long long dimension, narrow;
  int shape;
  double centre, scale, width, depth, constant;
};

#define ROW(name_, type_, initial_, doc_)                                                          \
  {                                                                                                \
    .name = #name_, .type = type_, .offset = offsetof(struct walled, name_), .initial = initial_,  \
    .doc = doc_                                                                                    \
  }
static const struct dun_option options[] = {
    ROW(dimension, DUN_INTEGER, "2", "Coordinates."),
    ROW(narrow, DUN_INTEGER, "0", "So many of them have a Gaussian likelihood."),
    {.name = "shape",
     .type = DUN_CHOICE,
     .offset = offsetof(struct walled, shape),
     .initial = "cube",
     .words = "cube|triangle|simplex|ring|slab|stairs|eggs|nowhere|spike",
     .doc = "Where the likelihood does not end."},
    ROW(centre, DUN_NUMBER, "0.2", "Of the Gaussian."),
    ROW(scale, DUN_NUMBER, "0.3", "Of the Gaussian, a standard deviation."),
    ROW(width, DUN_NUMBER, "0.1", "Of ring, slab, stairs and spike."),
    ROW(depth, DUN_NUMBER, "0", "By so much the log likelihood falls there; 0: it ends."),
    ROW(constant, DUN_NUMBER, "0", "Added to the log likelihood."),
    {0}};

static int dimension_of(const void *self)
{
  return (int)((const struct walled *)self)->dimension;
}

static int in_cube(int d, const double *x)
{
  int inside = 1;
  for (int j = 0; j < d; j++)
    inside &= x[j] >= 0 && x[j] <= 1;
  return inside;
}

static int in_shape(const struct walled *s, const double *x)
{
  double sum = 0, radius = hypot(x[0] - .5, x[1] - .5);
  for (int j = 0; j < s->dimension; j++)
    sum += x[j];
  switch ((enum shape)s->shape) {
  case TRIANGLE: return x[1] <= x[0];
  case SIMPLEX: return sum <= 1;
  case RING: return radius > .4 - s->width && radius < .4;
  case SLAB: return x[0] < s->width;
  case NOWHERE: return 0;
  default: return 1;
  }
}

/* (2 + cos(5 pi x) cos(5 pi y))^5, the eggs of a box, and what is added to its gradient. */
static double eggs(const double *x, double *gradient)
{
  const double rate = 5 * 3.14159265358979324;
  double a = cos(rate * x[0]), b = cos(rate * x[1]), base = 2 + a * b, power = pow(base, 4);
  if (gradient) {
    gradient[0] -= 5 * power * rate * sin(rate * x[0]) * b;
    gradient[1] -= 5 * power * rate * sin(rate * x[1]) * a;
  }
  return power * base;
}

static double point(const void *self, const double *x, double *gradient)
{
  const struct walled *s = self;
  int d = dimension_of(self);
  double lp = s->constant;

  for (int j = 0; j < d && gradient; j++)
    gradient[j] = 0;
  if (!in_cube(d, x))
    return -INFINITY;
  if (s->shape == SPIKE && x[0] < s->width)
    return INFINITY;
  if (!in_shape(s, x))
    return s->depth > 0 ? lp - s->depth : -INFINITY;
  for (int j = 0; j < d; j++) {
    double away = j < s->narrow ? (x[j] - s->centre) / s->scale : 0;
    lp -= .5 * away * away;
    if (gradient)
      gradient[j] -= away / s->scale;
  }
  if (s->shape == EGGS)
    lp += eggs(x, gradient);
  if (s->shape == STAIRS)
    lp -= s->depth * floor(x[0] / s->width);
  return lp;
}

static void prior(const void *self, const double *x, double *lp, const double *scale,
                  double *gradient, double *work)
{
  (void)scale, (void)gradient, (void)work;
  for (int l = 0; l < DUN_LANES && lp; l++) {
    int inside = 1;
    for (int j = 0; j < dimension_of(self); j++)
      inside &= x[j * DUN_LANES + l] >= 0 && x[j * DUN_LANES + l] <= 1;
    lp[l] = inside ? 0 : -INFINITY;
  }
}

static void draw_prior(const void *self, const double *uniform, const double *normal, double *x)
{
  (void)uniform;
  for (int i = 0; i < dimension_of(self) * DUN_LANES; i++)
    x[i] = .5 * erfc(-normal[i] / sqrt(2));
}

const struct dun_target dun_target_walled = {
    .type = {DUN_TYPE(struct dun_target), .name = "walled", .doc = "A likelihood with walls.",
             .size = sizeof(struct walled), .options = options},
    .dimension_of = dimension_of,
    .point = point,
    .prior = prior,
    .draw_normals = -1,
    .draw_prior = draw_prior,
};
