/* The problems of settling.py, whose output parameters are coordinates along the axes of the
 * target: g30, a rotated Gaussian of condition 1e5; logistic, a regression of 200 made-up cases
 * on 24 correlated covariates of scales .1 to 10; banana; funnel. */
#include <dunlin/target.h>
#include <math.h>
#include <string.h>

enum { MOST = 64, CASES = 200 };

struct settling {
  char *problem;
  long long dimension;
  double axis[MOST][MOST]; /* rows: unit vectors */
  double precision[MOST];
  double covariate[CASES][MOST];
  int label[CASES];
};

static unsigned long long draw(unsigned long long *state)
{
  *state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
  return *state >> 33;
}

static double uniform(unsigned long long *state)
{
  return ((double)draw(state) + .5) / 2147483648.;
}

static double normal(unsigned long long *state)
{
  double u = uniform(state);
  return sqrt(-2 * log(u)) * cos(6.283185307179586 * uniform(state));
}

static void make_axes(struct settling *s, int rotated, unsigned long long *state)
{
  int d = (int)s->dimension;
  for (int i = 0; i < d; i++) {
    for (int j = 0; j < d; j++)
      s->axis[i][j] = rotated ? normal(state) : i == j;
    for (int k = 0; k < i; k++) {
      double along = 0;
      for (int j = 0; j < d; j++)
        along += s->axis[i][j] * s->axis[k][j];
      for (int j = 0; j < d; j++)
        s->axis[i][j] -= along * s->axis[k][j];
    }
    double square = 0;
    for (int j = 0; j < d; j++)
      square += s->axis[i][j] * s->axis[i][j];
    for (int j = 0; j < d; j++)
      s->axis[i][j] /= sqrt(square);
  }
}

static void make_cases(struct settling *s, unsigned long long *state)
{
  int d = (int)s->dimension;
  for (int n = 0; n < CASES; n++) {
    double common = normal(state), logit = 0;
    for (int j = 0; j < d; j++) {
      double scale = pow(10, -1 + 2. * j / (d - 1));
      double z = sqrt(.81) * common + sqrt(.19) * normal(state);
      s->covariate[n][j] = j == 0 ? 1 : scale * z;
      logit += s->covariate[n][j] * (j % 2 ? .5 : -.5) / (j ? scale : 1);
    }
    s->label[n] = uniform(state) < 1 / (1 + exp(-logit));
  }
}

static int init(void *self)
{
  struct settling *s = self;
  unsigned long long state = 12345;
  int d = (int)s->dimension;
  if (d < 2 || d > MOST)
    return -1;
  make_axes(s, !strcmp(s->problem, "g30"), &state);
  for (int i = 0; i < d; i++)
    s->precision[i] = pow(10, 5. * i / (d - 1));
  make_cases(s, &state);
  return 0;
}

static double gaussian(const struct settling *s, const double *x, double *g)
{
  int d = (int)s->dimension;
  double lp = 0;
  for (int i = 0; i < d; i++) {
    double y = 0;
    for (int j = 0; j < d; j++)
      y += s->axis[i][j] * x[j];
    lp -= .5 * s->precision[i] * y * y;
    for (int j = 0; j < d && g; j++)
      g[j] -= s->precision[i] * y * s->axis[i][j];
  }
  return lp;
}

static double logistic(const struct settling *s, const double *x, double *g)
{
  int d = (int)s->dimension;
  double lp = 0;
  for (int j = 0; j < d; j++) {
    lp -= .5 * x[j] * x[j] / 100;
    if (g)
      g[j] = -x[j] / 100;
  }
  for (int n = 0; n < CASES; n++) {
    double z = 0;
    for (int j = 0; j < d; j++)
      z += s->covariate[n][j] * x[j];
    z = s->label[n] ? z : -z;
    double e = exp(-fabs(z)), share = z > 0 ? e / (1 + e) : 1 / (1 + e);
    lp += (z < 0 ? z : 0) - log1p(e);
    for (int j = 0; j < d && g; j++)
      g[j] += (s->label[n] ? share : -share) * s->covariate[n][j];
  }
  return lp;
}

static double banana(const double *x, double *g)
{
  double off = x[1] - .03 * (x[0] * x[0] - 100);
  if (g) {
    g[0] = -x[0] / 100 + off * .06 * x[0];
    g[1] = -off;
  }
  return -.5 * x[0] * x[0] / 100 - .5 * off * off;
}

static double funnel(const struct settling *s, const double *x, double *g)
{
  double square = 0, rate = exp(-x[0]);
  int n = (int)s->dimension - 1;
  for (int i = 1; i <= n; i++) {
    square += x[i] * x[i];
    if (g)
      g[i] = -x[i] * rate;
  }
  if (g)
    g[0] = -x[0] / 9 - .5 * n + .5 * square * rate;
  return -x[0] * x[0] / 18 - .5 * n * x[0] - .5 * square * rate;
}

static double point(const void *self, const double *x, double *gradient)
{
  const struct settling *s = self;
  for (int j = 0; j < s->dimension && gradient; j++)
    gradient[j] = 0;
  return !strcmp(s->problem, "logistic") ? logistic(s, x, gradient)
         : !strcmp(s->problem, "banana") ? banana(x, gradient)
         : !strcmp(s->problem, "funnel") ? funnel(s, x, gradient)
                                         : gaussian(s, x, gradient);
}

static int dimension_of(const void *self)
{
  return (int)((const struct settling *)self)->dimension;
}

static int parameters(const void *self, int capacity, struct dun_parameter *parameter)
{
  if (capacity > 0)
    *parameter = (struct dun_parameter){
        .name = "y", .rank = 1, .shape = {dimension_of(self)}, .doc = "Along the axes."};
  return 1;
}

static void constrain(const void *self, const double *x, double *y)
{
  const struct settling *s = self;
  int d = (int)s->dimension;
  for (int i = 0; i < d; i++) {
    y[i] = 0;
    for (int j = 0; j < d; j++)
      y[i] += s->axis[i][j] * x[j];
  }
}

static const struct dun_option options[] = {
    {.name = "problem",
     .type = DUN_TEXT,
     .offset = offsetof(struct settling, problem),
     .initial = "g30",
     .doc = "Which of them."},
    {.name = "dimension",
     .type = DUN_INTEGER,
     .offset = offsetof(struct settling, dimension),
     .initial = "30",
     .minimum = 2,
     .maximum = MOST,
     .doc = "Of the space."},
    {0},
};

const struct dun_target dun_target_settling = {
    .type = {DUN_TYPE(struct dun_target), .name = "settling", .doc = "Problems of settling.py.",
             .size = sizeof(struct settling), .options = options},
    .init = init,
    .dimension_of = dimension_of,
    .point = point,
    .parameters = parameters,
    .constrain = constrain,
};
