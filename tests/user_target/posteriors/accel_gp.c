/* Head accelerations in a motorcycle accident: mean and log noise are approximate Gaussian
 * processes of the time, each a sum of basis functions with independent normal weights z.
 *
 *     mu    = Intercept       + X  (sqrt(S)  z)     S_m = sdgp^2 sqrt(2 pi) lscale
 *     log s = Intercept_sigma + X' (sqrt(S') z')          exp(-lscale^2 slambda_m^2 / 2)
 *     Y ~ N(mu, s)
 *
 * Intercept ~ t3(-13, 36), Intercept_sigma ~ t3(0, 10), sdgp ~ half-t3(0, 36), lscale ~ inverse
 * gamma(1.124909, .0177), z ~ N(0, 1). */
#include <dunlin/data.h>
#include <math.h>
#include <stdlib.h>

static const double HALF_LOG_2PI = .918938533204672742, PI = 3.14159265358979324;
static const double SHAPE = 1.124909, RATE = .0177; /* of the inverse gamma */

/* One of both processes.  Its parameters: intercept, sdgp, lscale, z[m]. */
struct process {
  int m;
  const double *basis;   /* [n][m] */
  const double *slambda; /* [m] */
  double place, width;   /* of the intercept's prior */
  double *weight;        /* [m] of scratch: sqrt(S) z */
  double *value, *slope; /* [n] of scratch: the process, and d log likelihood / d value */
};

struct accel_gp {
  struct dun_arrays data;
  long long n;
  const double *y; /* [n] */
  struct process mean, noise;
  double *unused; /* [parameters] of scratch: a gradient that is not wanted */
};

static const struct dun_option options[] = {
    {.name = "data",
     .type = DUN_ARRAYS,
     .offset = offsetof(struct accel_gp, data),
     .doc = "JSON file with the list Y and the tables Xgp_1, slambda_1, Xgp_sigma_1 and "
            "slambda_sigma_1."},
    {0}};

/* ---- set-up -------------------------------------------------------------------------------- */

static int refuse(struct dun_message why)
{
  snprintf(why.text, why.size, "no memory");
  return -1;
}

static int init_process(const struct accel_gp *t, struct process *p, const char *basis,
                        const char *slambda, struct dun_message why)
{
  const struct dun_array *x = dun_take(&t->data, basis, 2, why);
  if (!x || dun_take_table(&t->data, basis, t->n, -1, &p->basis, why) < 0 ||
      dun_take_table(&t->data, slambda, x->shape[1], 1, &p->slambda, why) < 0)
    return -1;
  p->m = (int)x->shape[1];
  p->weight = calloc((size_t)p->m + 1, sizeof(double));
  p->value = calloc((size_t)t->n + 1, sizeof(double));
  p->slope = calloc((size_t)t->n + 1, sizeof(double));
  if (p->weight && p->value && p->slope)
    return 0;
  return refuse(why);
}

static int init(void *self, struct dun_message why)
{
  struct accel_gp *t = self;
  t->mean.place = -13, t->mean.width = 36;
  t->noise.place = 0, t->noise.width = 10;
  t->n = dun_take_list(&t->data, "Y", -1, &t->y, why);
  if (t->n < 0 || init_process(t, &t->mean, "Xgp_1", "slambda_1", why) < 0 ||
      init_process(t, &t->noise, "Xgp_sigma_1", "slambda_sigma_1", why) < 0)
    return -1;
  t->unused = calloc((size_t)(6 + t->mean.m + t->noise.m), sizeof(double));
  return t->unused ? 0 : refuse(why);
}

static void free_process(struct process *p)
{
  free(p->weight);
  free(p->value);
  free(p->slope);
  p->weight = p->value = p->slope = NULL;
}

static void release(void *self)
{
  struct accel_gp *t = self;
  free_process(&t->mean);
  free_process(&t->noise);
  free(t->unused);
  t->unused = NULL;
}

static int parameters(const void *self, int capacity, struct dun_parameter *parameter)
{
  const struct accel_gp *t = self;
  const struct dun_parameter row[8] = {
      {.name = "Intercept", .doc = "Of the mean."},
      {.name = "sdgp_1", .transform = DUN_POSITIVE, .doc = "Its standard deviation."},
      {.name = "lscale_1", .transform = DUN_POSITIVE, .doc = "Its length scale."},
      {.name = "zgp_1", .rank = 1, .shape = {t->mean.m}, .doc = "Its weights, standardised."},
      {.name = "Intercept_sigma", .doc = "Of the log noise."},
      {.name = "sdgp_sigma_1", .transform = DUN_POSITIVE, .doc = "Its standard deviation."},
      {.name = "lscale_sigma_1", .transform = DUN_POSITIVE, .doc = "Its length scale."},
      {.name = "zgp_sigma_1", .rank = 1, .shape = {t->noise.m}, .doc = "Its weights."}};
  for (int i = 0; i < 8 && i < capacity; i++)
    parameter[i] = row[i];
  return 8;
}

/* ---- evaluation ---------------------------------------------------------------------------- */

/* Student's t of 3 degrees of freedom. */
static double student(double x, double width, double *slope)
{
  *slope += -4 * x / (3 * width * width + x * x);
  return log(2 / (PI * sqrt(3) * width)) - 2 * log1p(x * x / (3 * width * width));
}

static double inverse_gamma(double x, double *slope)
{
  *slope += (RATE / x - SHAPE - 1) / x;
  return SHAPE * log(RATE) - lgamma(SHAPE) - (SHAPE + 1) * log(x) - RATE / x;
}

/* Fills weight and value. */
static void evaluate(const struct process *p, long long n, const double *theta)
{
  double sdgp = theta[1], lscale = theta[2];
  const double *z = theta + 3;
  for (int m = 0; m < p->m; m++) {
    double scaled = lscale * p->slambda[m];
    p->weight[m] = z[m] * sdgp * sqrt(sqrt(2 * PI) * lscale) * exp(-.25 * scaled * scaled);
  }
  for (long long i = 0; i < n; i++) {
    double sum = theta[0];
    for (int m = 0; m < p->m; m++)
      sum += p->basis[i * p->m + m] * p->weight[m];
    p->value[i] = sum;
  }
}

/* The log prior, with its gradient and that of the likelihood by `slope`. */
static double finish(const struct process *p, long long n, const double *theta, double *gradient)
{
  double sdgp = theta[1], lscale = theta[2], lp = log(2); /* sdgp: of half a law */
  const double *z = theta + 3;
  double *by_z = gradient + 3;
  memset(gradient, 0, (size_t)(3 + p->m) * sizeof *gradient);
  for (long long i = 0; i < n; i++) {
    gradient[0] += p->slope[i];
    for (int m = 0; m < p->m; m++)
      by_z[m] += p->slope[i] * p->basis[i * p->m + m];
  }
  for (int m = 0; m < p->m; m++) {
    double by_log_weight = by_z[m] * p->weight[m], scaled = lscale * p->slambda[m];
    gradient[1] += by_log_weight / sdgp;
    gradient[2] += by_log_weight * (.5 - .5 * scaled * scaled) / lscale;
    by_z[m] = by_z[m] * sdgp * sqrt(sqrt(2 * PI) * lscale) * exp(-.25 * scaled * scaled) - z[m];
    lp -= .5 * z[m] * z[m] + HALF_LOG_2PI;
  }
  lp += student(theta[0] - p->place, p->width, &gradient[0]);
  lp += student(sdgp, 36, &gradient[1]);
  return lp + inverse_gamma(lscale, &gradient[2]);
}

static double point(const void *self, const double *theta, double *gradient)
{
  const struct accel_gp *t = self;
  const double *second = theta + 3 + t->mean.m;
  double lp = 0;
  gradient = gradient ? gradient : t->unused;
  evaluate(&t->mean, t->n, theta);
  evaluate(&t->noise, t->n, second);
  for (long long i = 0; i < t->n; i++) {
    double log_s = t->noise.value[i], off = (t->y[i] - t->mean.value[i]) * exp(-log_s);
    lp -= .5 * off * off + log_s + HALF_LOG_2PI;
    t->mean.slope[i] = off * exp(-log_s);
    t->noise.slope[i] = off * off - 1;
  }
  lp += finish(&t->mean, t->n, theta, gradient);
  return lp + finish(&t->noise, t->n, second, gradient + 3 + t->mean.m);
}

const struct dun_target dun_target_accel_gp = {
    .type = {DUN_TYPE(struct dun_target), .name = "accel_gp",
             .doc = "Accelerations by time: Gaussian processes for mean and log noise.",
             .size = sizeof(struct accel_gp), .options = options, .free = release},
    .constrained = 1,
    .init = init,
    .parameters = parameters,
    .point = point,
};
