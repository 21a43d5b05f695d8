/* Targets of different shapes whose log Z is known in closed form or by quadrature
 * (tests/laws/shapes.py).  Those on the unit cube have the uniform prior. */
#include <dunlin/target.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

static const double PI = 3.14159265358979324, LOG_ROOT = .918938533204672742; /* log(2 pi) / 2 */

enum {
  QUARTIC,
  CUSP,
  LOG_GAMMA,
  SKEW,
  LOG_NORMAL,
  ONE_TAIL,
  CROSS,
  SHELL,
  EGGBOX,
  CHECKER,
  STAIRS
};

struct shapes {
  int name;
  long long dimension;
  double size;
};

#define OPTION(name_, type_, member, ...)                                                          \
  {                                                                                                \
    .name = name_, .type = type_, .offset = offsetof(struct shapes, member), __VA_ARGS__           \
  }
static const struct dun_option options[] = {
    OPTION("shape", DUN_CHOICE, name, .initial = NULL,
           .words = "quartic|cusp|log_gamma|skew|log_normal|one_tail|cross|shell|eggbox|checker|"
                    "stairs",
           .doc = "Which one."),
    OPTION("dimension", DUN_INTEGER, dimension, .initial = "2", .minimum = 1, .maximum = 100,
           .doc = "Number of coordinates."),
    OPTION("size", DUN_NUMBER, size, .initial = "1", .doc = "What it means depends on the shape."),
    {0},
};

static int dimension_of(const void *self)
{
  return (int)((const struct shapes *)self)->dimension;
}

static int is_on_cube(int name)
{
  return name >= EGGBOX;
}

static double skew(double size, double x, double *slope)
{
  double z = size * x, tail = .5 * erfc(-z * sqrt(.5));
  if (z < -30) { /* of the normal integral's asymptotic series the first term */
    *slope = -x - size * (z + 1 / z);
    return -.5 * x * x - .5 * z * z - log(-z) - 2 * LOG_ROOT + log(2);
  }
  *slope = -x + size * exp(-.5 * z * z - LOG_ROOT) / tail;
  return -.5 * x * x - LOG_ROOT + log(2 * tail);
}

/* Of one coordinate, for those that are products. */
static double factor(int name, double size, double x, double *slope)
{
  double far = fabs(x), l = log(x);
  switch (name) {
  case QUARTIC: *slope = -4 * pow(x, 3) / pow(size, 4); return -pow(x / size, 4);
  case CUSP: *slope = x == 0 ? 0 : -size * copysign(pow(far, size - 1), x); return -pow(far, size);
  case LOG_GAMMA: *slope = size - exp(x); return size * x - exp(x);
  case SKEW: return skew(size, x, slope);
  case LOG_NORMAL:
    *slope = -(1 + l / (size * size)) / x;
    return -l - .5 * l * l / (size * size) - log(size) - LOG_ROOT;
  case STAIRS: *slope = 0; return -2 * fmin(floor(x * size), size - 1);
  default: *slope = -x; return -.5 * x * x - LOG_ROOT;
  }
}

/* Two normal laws across each other, of correlations `size` and -`size`, half and half. */
static double cross(double size, const double *x, double *gradient)
{
  double left = 1 - size * size, squares = x[0] * x[0] + x[1] * x[1], product = x[0] * x[1];
  double tilt = tanh(size * product / left), far = size * fabs(product) / left;
  gradient[0] = (-x[0] + size * x[1] * tilt) / left;
  gradient[1] = (-x[1] + size * x[0] * tilt) / left;
  return -2 * LOG_ROOT - .5 * log(left) - .5 * squares / left + far + log1p(exp(-2 * far)) - log(2);
}

static double shell(int d, double size, const double *x, double *gradient)
{
  double radius = 0, off;
  for (int j = 0; j < d; j++)
    radius += x[j] * x[j];
  radius = sqrt(radius), off = (radius - size) * 10;
  for (int j = 0; j < d; j++)
    gradient[j] = -10 * off * x[j] / (radius + 1e-300);
  return -.5 * off * off;
}

static double eggbox(const double *x, double *gradient)
{
  double u = cos(5 * PI * x[0]), v = cos(5 * PI * x[1]), slope = -25 * PI * pow(2 + u * v, 4);
  gradient[0] = slope * v * sin(5 * PI * x[0]);
  gradient[1] = slope * u * sin(5 * PI * x[1]);
  return pow(2 + u * v, 5);
}

static double checker(int d, double size, const double *x)
{
  int sum = 0;
  for (int j = 0; j < d; j++)
    sum += (int)(x[j] * size);
  return sum % 2 ? 0 : -8;
}

/* Student's t of 3 degrees of freedom. */
static double tail(double x, double *slope)
{
  *slope = -4 * x / (3 + x * x);
  return log(2 / (PI * sqrt(3))) - 2 * log1p(x * x / 3);
}

static int is_inside(const struct shapes *t, const double *x)
{
  int inside = 1;
  for (int j = 0; j < t->dimension; j++)
    inside &= is_on_cube(t->name) ? x[j] >= 0 && x[j] <= 1 : t->name != LOG_NORMAL || x[j] > 0;
  return inside;
}

static double point(const void *self, const double *x, double *gradient)
{
  const struct shapes *t = self;
  int d = dimension_of(self);
  double own[100], sum = 0;
  gradient = gradient ? gradient : own;
  memset(gradient, 0, (size_t)d * sizeof *gradient);
  if (!is_inside(t, x))
    return -INFINITY;
  switch (t->name) {
  case CROSS: return cross(t->size, x, gradient);
  case SHELL: return shell(d, t->size, x, gradient);
  case EGGBOX: return eggbox(x, gradient);
  case CHECKER: return checker(d, t->size, x);
  default: break;
  }
  for (int j = 0; j < d; j++)
    sum += t->name == ONE_TAIL && j == 0 ? tail(x[0], gradient)
                                         : factor(t->name, t->size, x[j], gradient + j);
  return sum;
}

/* Uniform on the unit cube, or N(0, 9). */
static void prior(const void *self, const double *x, double *lp, const double *scale,
                  double *gradient, double *work)
{
  const struct shapes *t = self;
  int d = dimension_of(self);
  (void)work;
  for (int l = 0; l < DUN_LANES; l++) {
    double sum = 0;
    for (int j = 0; j < d; j++) {
      double y = x[j * DUN_LANES + l];
      if (is_on_cube(t->name)) {
        sum = y >= 0 && y <= 1 ? sum : -INFINITY;
        continue;
      }
      sum -= .5 * y * y / 9 + LOG_ROOT + log(3);
      if (gradient)
        gradient[j * DUN_LANES + l] -= scale[l] * y / 9;
    }
    if (lp)
      lp[l] = sum;
  }
}

static void draw_prior(const void *self, const double *uniform, const double *normal, double *x)
{
  const struct shapes *t = self;
  for (int i = 0; i < dimension_of(self) * DUN_LANES; i++)
    x[i] = is_on_cube(t->name) ? uniform[i] : 3 * normal[i];
}

const struct dun_target dun_target_shapes = {
    .type = {DUN_TYPE(struct dun_target), .name = "shapes", .doc = "Shapes of known log Z.",
             .size = sizeof(struct shapes), .options = options},
    .dimension_of = dimension_of,
    .point = point,
    .prior = prior,
    .draw_uniforms = 100,
    .draw_normals = 100,
    .draw_prior = draw_prior,
};
