/* Targets with walls, plateaus, holes and spikes, of known log Z, each plus a constant.  The prior
 * is uniform on the unit square, where a case lies there. */
#include <dunlin/target.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

static const double PI = 3.14159265358979324;
enum { WALL, PLATEAU, TRIANGLE, DISC, CLIFF, SPIKE, SQUARE, CAUCHY, POLE, NOWHERE };

struct hard {
  int name;
  double constant;
};

#define OPTION(name_, type_, member, ...)                                                          \
  {                                                                                                \
    .name = name_, .type = type_, .offset = offsetof(struct hard, member), __VA_ARGS__             \
  }
static const struct dun_option options[] = {
    OPTION("case", DUN_CHOICE, name, .initial = NULL,
           .words = "wall|plateau|triangle|disc|cliff|spike|square|cauchy|pole|nowhere",
           .doc = "Which one."),
    OPTION("constant", DUN_NUMBER, constant, .initial = "0", .doc = "Added to the log density."),
    {0},
};

static int dimension_of(const void *self)
{
  return ((const struct hard *)self)->name == WALL ? 3 : 2;
}

/* Of one coordinate, for those cases that are products. */
static double factor(int name, double x, double *slope)
{
  double wall = x == 0 ? INFINITY : pow(.3 / x, 12), square = x * x;
  switch (name) {
  case WALL:
    *slope = x == 0 ? 0 : 12 * wall / x - x;
    return x == 0 ? -INFINITY : -wall - square / 2;
  case TRIANGLE: *slope = -(x - .2) / .09; return -(x - .2) * (x - .2) / .18;
  case SPIKE:
    *slope = -(x - .3) * 1e8;
    return -(x - .3) * (x - .3) * .5e8 - .5 * log(2 * PI) - log(1e-4);
  case CAUCHY: *slope = -2 * x / (1 + square); return -log(PI * (1 + square));
  case POLE: *slope = -.5 / x - x; return -.5 * log(fabs(x)) - square / 2;
  default: *slope = 0; return 0;
  }
}

static int is_unit(const double *x)
{
  return x[0] >= 0 && x[0] <= 1 && x[1] >= 0 && x[1] <= 1;
}

static int is_inside(int name, const double *x)
{
  int unit = is_unit(x);
  int disc = hypot(x[0] - .3, x[1] - .7) < (name == PLATEAU ? 1e-4 : .01);
  switch (name) {
  case WALL:
  case CAUCHY:
  case POLE: return 1;
  case TRIANGLE: return unit && x[1] <= x[0];
  case SPIKE:
  case SQUARE: return unit;
  case NOWHERE: return 0;
  default: return unit && disc;
  }
}

static double point(const void *self, const double *x, double *gradient)
{
  const struct hard *t = self;
  double sum = t->constant, slope;
  if (!is_inside(t->name, x)) {
    if (gradient)
      memset(gradient, 0, (size_t)dimension_of(self) * sizeof *gradient);
    return !is_unit(x)          ? -INFINITY
           : t->name == PLATEAU ? sum - 1000
           : t->name == CLIFF   ? -1e300
                                : -INFINITY;
  }
  for (int j = 0; j < dimension_of(self); j++) {
    sum += factor(t->name, x[j], &slope);
    if (gradient)
      gradient[j] = slope;
  }
  return sum;
}

/* N(0, 9) for the cases that have no bounds. */
static int is_unbounded(int name)
{
  return name == WALL || name == CAUCHY || name == POLE;
}

static void prior(const void *self, const double *x, double *lp, const double *scale,
                  double *gradient, double *work)
{
  const struct hard *t = self;
  int d = dimension_of(self);
  (void)work;
  for (int l = 0; l < DUN_LANES; l++) {
    double square = 0;
    for (int j = 0; j < d && is_unbounded(t->name); j++) {
      square += x[j * DUN_LANES + l] * x[j * DUN_LANES + l] / 9;
      if (gradient)
        gradient[j * DUN_LANES + l] -= scale[l] * x[j * DUN_LANES + l] / 9;
    }
    if (lp && is_unbounded(t->name))
      lp[l] = -square / 2 - d * (.5 * log(2 * PI) + log(3));
    else if (lp)
      lp[l] = is_unit((double[]){x[l], x[DUN_LANES + l]}) ? 0 : -INFINITY;
  }
}

static void draw_prior(const void *self, const double *uniform, const double *normal, double *x)
{
  const struct hard *t = self;
  for (int i = 0; i < dimension_of(self) * DUN_LANES; i++)
    x[i] = is_unbounded(t->name) ? 3 * normal[i] : uniform[i];
}

const struct dun_target dun_target_hard_cases = {
    .type = {DUN_TYPE(struct dun_target), .name = "hard_cases", .doc = "Walls and the like.",
             .size = sizeof(struct hard), .options = options},
    .dimension_of = dimension_of,
    .point = point,
    .prior = prior,
    .draw_uniforms = 3,
    .draw_normals = 3,
    .draw_prior = draw_prior,
};
