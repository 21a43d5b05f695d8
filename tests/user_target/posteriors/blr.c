/* y ~ N(X beta, sigma), beta ~ N(0, 10), sigma ~ half-N(0, 10). */
#include "regression.h"

static const struct dun_option options[] = {
    REGRESSION_DATA("JSON file with the list y and the table X."), {0}};

static int init(void *self, struct dun_message why)
{
  struct regression *r = self;
  const double *x;
  const struct dun_array *table = dun_take(&r->data, "X", 2, why);
  if (!table)
    return -1;
  if (table->shape[1] < 1 || table->shape[1] > MOST_COEFFICIENTS) {
    snprintf(why.text, why.size, "X has %lld columns, expected 1 to %d", table->shape[1],
             MOST_COEFFICIENTS);
    return -1;
  }
  int columns = (int)table->shape[1];
  if (regression_begin(r, "y", columns, why) < 0 ||
      dun_take_table(&r->data, "X", r->n, columns, &x, why) < 0)
    return -1;
  for (int j = 0; j < columns; j++) {
    double *column = regression_make(r);
    for (long long i = 0; i < r->n; i++)
      column[i] = x[i * columns + j];
  }
  return 0;
}

static double point(const void *self, const double *theta, double *gradient)
{
  const struct regression *r = self;
  const double scale = 10, half_log_2pi = .918938533204672742;
  double lp = regression_point(r, theta, gradient) + log(2);
  for (int j = 0; j <= r->columns; j++) { /* sigma has the same law as the coefficients, halved */
    lp -= .5 * theta[j] * theta[j] / (scale * scale) + log(scale) + half_log_2pi;
    if (gradient)
      gradient[j] -= theta[j] / (scale * scale);
  }
  return lp;
}

const struct dun_target dun_target_blr = {
    .type = {DUN_TYPE(struct dun_target), .name = "blr",
             .doc = "A regression whose coefficients have normal priors.",
             .size = sizeof(struct regression), .options = options, .free = regression_free},
    .constrained = 1,
    .init = init,
    .parameters = regression_parameters,
    .point = point,
};
