/* y ~ N(alpha + beta x, sigma), alpha ~ N(pmualpha, psalpha), beta ~ N(pmubeta, psbeta), flat on
 * sigma > 0.  x are years, not centred: alpha and beta have the correlation -(1 - 1e-6). */
#include <dunlin/data.h>
#include <math.h>

struct kilpisjarvi {
  struct dun_arrays data;
  long long n;
  const double *x, *y;
  double mean[2], spread[2]; /* of alpha's and beta's priors */
};

enum { ALPHA, BETA, SIGMA };

static const struct dun_option options[] = {
    {.name = "data",
     .type = DUN_ARRAYS,
     .offset = offsetof(struct kilpisjarvi, data),
     .doc = "JSON file with the lists x and y and the priors' means and standard deviations."},
    {0}};

static int init(void *self, struct dun_message why)
{
  struct kilpisjarvi *t = self;
  t->n = dun_take_list(&t->data, "x", -1, &t->x, why);
  return t->n < 0 || dun_take_list(&t->data, "y", t->n, &t->y, why) < 0 ||
                 dun_take_number(&t->data, "pmualpha", &t->mean[ALPHA], why) < 0 ||
                 dun_take_number(&t->data, "psalpha", &t->spread[ALPHA], why) < 0 ||
                 dun_take_number(&t->data, "pmubeta", &t->mean[BETA], why) < 0 ||
                 dun_take_number(&t->data, "psbeta", &t->spread[BETA], why) < 0
             ? -1
             : 0;
}

static int parameters(const void *self, int capacity, struct dun_parameter *parameter)
{
  static const struct dun_parameter row[] = {
      {.name = "alpha", .doc = "Temperature of the year 0."},
      {.name = "beta", .doc = "Degrees a year."},
      {.name = "sigma", .transform = DUN_POSITIVE, .doc = "Standard deviation of the noise."}};
  (void)self;
  for (int i = 0; i < 3 && i < capacity; i++)
    parameter[i] = row[i];
  return 3;
}

static double point(const void *self, const double *theta, double *gradient)
{
  const struct kilpisjarvi *t = self;
  const double half_log_2pi = .918938533204672742;
  double sigma = theta[SIGMA], inverse = 1 / sigma, lp = 0;
  double squares = 0, slope[2] = {0, 0};
  for (long long i = 0; i < t->n; i++) {
    double off = (t->y[i] - theta[ALPHA] - theta[BETA] * t->x[i]) * inverse;
    squares += off * off;
    slope[ALPHA] += off * inverse;
    slope[BETA] += off * inverse * t->x[i];
  }
  for (int j = ALPHA; j <= BETA; j++) {
    double z = (theta[j] - t->mean[j]) / t->spread[j];
    lp -= .5 * z * z + log(t->spread[j]) + half_log_2pi;
    if (gradient)
      gradient[j] = slope[j] - z / t->spread[j];
  }
  if (gradient)
    gradient[SIGMA] = (squares - (double)t->n) * inverse;
  return lp - .5 * squares - (double)t->n * (log(sigma) + half_log_2pi);
}

const struct dun_target dun_target_kilpisjarvi = {
    .type = {DUN_TYPE(struct dun_target), .name = "kilpisjarvi",
             .doc = "Summer temperatures at Kilpisjarvi by the year.",
             .size = sizeof(struct kilpisjarvi), .options = options},
    .constrained = 1,
    .init = init,
    .parameters = parameters,
    .point = point,
};
