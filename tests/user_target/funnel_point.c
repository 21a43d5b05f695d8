/* A user's own target, complete: Neal's funnel as one function of one point.  Needs nothing but
 * dunlin/target.h:
 *
 *     cc -O2 -shared -fPIC -I include -o funnel_point.so tests/user_target/funnel_point.c -lm
 *
 * and in the input  target: {type: library, file: funnel_point.so, dimension: 10}. */
#include <dunlin/target.h>
#include <math.h>

struct funnel_point {
  long long dimension;
};

static const struct dun_option options[] = {{.name = "dimension",
                                             .type = DUN_INTEGER,
                                             .offset = offsetof(struct funnel_point, dimension),
                                             .initial = "10",
                                             .minimum = 2,
                                             .maximum = 1000,
                                             .doc = "Number of coordinates."},
                                            {0}};

static int dimension_of(const void *self)
{
  return (int)((const struct funnel_point *)self)->dimension;
}

/* x_1 ~ N(0, 3^2), the others ~ N(0, exp(x_1)). */
static double point(const void *self, const double *x, double *gradient)
{
  int others = dimension_of(self) - 1;
  double precision = exp(-x[0]), square = 0;
  for (int j = 1; j <= others; j++)
    square += x[j] * x[j] * precision;
  if (gradient) {
    gradient[0] = -x[0] / 9 + 0.5 * (square - others);
    for (int j = 1; j <= others; j++)
      gradient[j] = -x[j] * precision;
  }
  return -0.5 * (x[0] * x[0] / 9 + others * x[0] + square) - log(3.0) -
         0.5 * (others + 1) * log(2 * 3.14159265358979324);
}

static double log_evidence(const void *self)
{
  (void)self;
  return 0;
}

const struct dun_target dun_target_funnel_point = {
    .type = {DUN_TYPE(struct dun_target), .name = "funnel_point",
             .doc = "Neal's funnel, point by point.", .size = sizeof(struct funnel_point),
             .options = options},
    .dimension_of = dimension_of,
    .point = point,
    .log_evidence = log_evidence,
};
