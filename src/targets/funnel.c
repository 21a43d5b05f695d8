/* Neal's funnel: x_1 ~ N(0, scale^2); x_2, ..., x_d given x_1 ~ N(0, exp(x_1)).
 *
 * With h = exp(-x_1 / 2) the others are y_j = x_j h, standard normals; products are taken of y, so
 * that large and small h do not overflow on the way. */
#include "base/vmath.h"
#include "targets/setup.h"
#include <float.h>

enum { L = DUN_LANES };

struct funnel {
  long long dimension;
  double scale;
};

static const struct dun_option options[] = {
    {.name = "dimension",
     .type = DUN_INTEGER,
     .offset = offsetof(struct funnel, dimension),
     .initial = "10",
     .minimum = 2,
     .maximum = DUN_MAX_DIMENSION,
     .doc = "Number of coordinates, the first of which sets the width of the others."},
    {.name = "scale",
     .type = DUN_NUMBER,
     .offset = offsetof(struct funnel, scale),
     .initial = "3",
     .minimum = 1e-6,
     .maximum = 1e6,
     .doc = "Standard deviation of the first coordinate."},
    {0}};

static int dimension_of(const void *self)
{
  return (int)((const struct funnel *)self)->dimension;
}

DUN_CLONES
static void columns(const void *self, const double *restrict x, double *restrict lp,
                    const double *restrict scale, double *restrict gradient, double *work)
{
  const struct funnel *t = self;
  double h[L] __attribute__((aligned(64))), square[L] __attribute__((aligned(64))) = {0};
  int others = (int)t->dimension - 1;
  double precision = 1 / (t->scale * t->scale);
  (void)work;
  x = DUN_ALIGNED(x);
  for (int l = 0; l < L; l++) {
    double e = dun_exp(-0.5 * x[l]);
    h[l] = e < DBL_MAX ? e : DBL_MAX; /* infinity times an exact zero would be no number */
  }
  for (int j = 1; j <= others; j++) {
    const double *restrict xj = x + (ptrdiff_t)j * L;
    for (int l = 0; l < L; l++) {
      double y = xj[l] * h[l];
      square[l] = DUN_FMA(y, y, square[l]);
    }
  }
  if (lp) {
    double constant = -dun_log(t->scale) - 0.5 * (others + 1) * DUN_LOG_2PI;
    for (int l = 0; l < L; l++)
      lp[l] = constant - 0.5 * (x[l] * DUN_FMA(x[l], precision, others) + square[l]);
  }
  if (gradient) {
    gradient = DUN_ALIGNED(gradient);
    scale = DUN_ALIGNED(scale);
    for (int l = 0; l < L; l++)
      gradient[l] = DUN_FMA(scale[l], 0.5 * (square[l] - others) - x[l] * precision, gradient[l]);
    for (int j = 1; j <= others; j++) {
      const double *restrict xj = x + (ptrdiff_t)j * L;
      double *restrict out = gradient + (ptrdiff_t)j * L;
      for (int l = 0; l < L; l++)
        out[l] = DUN_FMA(-scale[l] * h[l], xj[l] * h[l], out[l]);
    }
  }
}

DUN_CLONES
static void draw(const void *self, const double *uniform, const double *restrict normal,
                 double *restrict x)
{
  const struct funnel *t = self;
  double width[L] __attribute__((aligned(64)));
  (void)uniform;
  for (int l = 0; l < L; l++) {
    x[l] = t->scale * normal[l];
    width[l] = dun_exp(0.5 * x[l]);
  }
  for (ptrdiff_t j = 1; j < t->dimension; j++)
    for (int l = 0; l < L; l++)
      x[j * L + l] = width[l] * normal[j * L + l];
}

const struct dun_target dun_target_funnel = {
    .type = {DUN_TYPE(struct dun_target), .name = "funnel",
             .doc = "Neal's funnel: a normal coordinate that is the log variance of the others.",
             .citation = "Neal, Slice sampling, Annals of Statistics 31 (2003) 705-767",
             .size = sizeof(struct funnel), .options = options},
    .dimension_of = dimension_of,
    .columns = columns,
    .draw_normals = -1,
    .draw = draw,
    .log_evidence = dun_setup_normalised,
};
