/* A normal law bent into a banana: the map x_2 -> x_2 + curvature (x_1^2 - scale^2) keeps volumes,
 * so that it is normalised and has mean 0. */
#include "targets/banana.h"
#include "targets/setup.h"

enum { L = DUN_LANES };

struct banana {
  long long dimension;
  struct dun_banana shape;
};

static const struct dun_option options[] = {
    {.name = "dimension",
     .type = DUN_INTEGER,
     .offset = offsetof(struct banana, dimension),
     .initial = "2",
     .minimum = 2,
     .maximum = DUN_MAX_DIMENSION,
     .doc = "Number of coordinates, d; those from the third on are N(0, width^2)."},
    {.name = "curvature",
     .type = DUN_NUMBER,
     .offset = offsetof(struct banana, shape.curvature),
     .initial = "0.1",
     .minimum = -1e3,
     .maximum = 1e3,
     .doc = "The second coordinate is centred at curvature (x_1^2 - scale^2)."},
    {.name = "scale",
     .type = DUN_NUMBER,
     .offset = offsetof(struct banana, shape.scale),
     .initial = "10",
     .minimum = 1e-3,
     .maximum = 1e3,
     .doc = "Standard deviation of the first coordinate."},
    {.name = "width",
     .type = DUN_NUMBER,
     .offset = offsetof(struct banana, shape.width),
     .initial = "1",
     .minimum = 1e-3,
     .maximum = 1e3,
     .doc = "Standard deviation of the others, of the second one given the first."},
    {0}};

static int dimension_of(const void *self)
{
  return (int)((const struct banana *)self)->dimension;
}

DUN_CLONES
static void columns(const void *self, const double *restrict x, double *restrict lp,
                    const double *restrict scale, double *restrict gradient, double *work)
{
  const struct banana *t = self;
  double sum[L] __attribute__((aligned(64))), g0[L] __attribute__((aligned(64)));
  double g1[L] __attribute__((aligned(64))), precision = 1 / (t->shape.width * t->shape.width);
  int d = (int)t->dimension;
  (void)work;
  x = DUN_ALIGNED(x);
  for (int l = 0; l < L; l++)
    sum[l] = dun_banana_exponent(&t->shape, x[l], x[L + l], &g0[l], &g1[l]);
  if (lp) {
    double constant =
        -dun_log(t->shape.scale) - (d - 1) * dun_log(t->shape.width) - 0.5 * d * DUN_LOG_2PI;
    for (int j = 2; j < d; j++)
      for (int l = 0; l < L; l++) {
        double y = x[(ptrdiff_t)j * L + l];
        sum[l] = DUN_FMA(-0.5 * precision * y, y, sum[l]);
      }
    for (int l = 0; l < L; l++)
      lp[l] = sum[l] + constant;
  }
  if (gradient) {
    gradient = DUN_ALIGNED(gradient);
    scale = DUN_ALIGNED(scale);
    for (int l = 0; l < L; l++) {
      gradient[l] = DUN_FMA(scale[l], g0[l], gradient[l]);
      gradient[L + l] = DUN_FMA(scale[l], g1[l], gradient[L + l]);
    }
    for (int j = 2; j < d; j++) {
      const double *restrict xj = x + (ptrdiff_t)j * L;
      double *restrict out = gradient + (ptrdiff_t)j * L;
      for (int l = 0; l < L; l++)
        out[l] = DUN_FMA(-scale[l], precision * dun_banana_clamp(xj[l], 1e300), out[l]);
    }
  }
}

static void draw(const void *self, const double *uniform, const double *normal, double *x)
{
  const struct banana *t = self;
  const struct dun_banana *b = &t->shape;
  (void)uniform;
  for (ptrdiff_t i = 0; i < t->dimension * L; i++)
    x[i] = (i < L ? b->scale : b->width) * normal[i];
  for (int l = 0; l < L; l++)
    x[L + l] += b->curvature * (x[l] * x[l] - b->scale * b->scale);
}

const struct dun_target dun_target_banana = {
    .type = {DUN_TYPE(struct dun_target), .name = "banana",
             .doc = "A normal law bent along a parabola.",
             .citation = "Haario, Saksman & Tamminen 1999, Computational Statistics 14, 375",
             .size = sizeof(struct banana), .options = options},
    .dimension_of = dimension_of,
    .columns = columns,
    .draw_normals = -1,
    .draw = draw,
    .log_evidence = dun_setup_normalised,
};
