/* kid_score ~ N(beta1 + beta2 mom_hs + beta3 mom_iq + beta4 mom_hs mom_iq, sigma), flat on beta,
 * sigma half-Cauchy of scale 2.5; not centred. */
#include "regression.h"

static const struct dun_option options[] = {
    REGRESSION_DATA("JSON file with the lists kid_score, mom_hs and mom_iq."), {0}};

static int init(void *self, struct dun_message why)
{
  struct regression *r = self;
  if (regression_begin(r, "kid_score", 2, why) < 0)
    return -1;
  regression_ones(r);
  if (regression_add(r, "mom_hs", why) < 0 || regression_add(r, "mom_iq", why) < 0)
    return -1;
  double *product = regression_make(r);
  for (long long i = 0; i < r->n; i++)
    product[i] = r->column[1][i] * r->column[2][i];
  return 0;
}

static double point(const void *self, const double *theta, double *gradient)
{
  const double scale = 2.5, sigma = theta[4], pi = 3.14159265358979324;
  double lp = regression_point(self, theta, gradient);
  if (gradient)
    gradient[4] -= 2 * sigma / (scale * scale + sigma * sigma);
  return lp + log(2 / (pi * scale)) - log1p(sigma * sigma / (scale * scale));
}

const struct dun_target dun_target_kidscore_interaction = {
    .type = {DUN_TYPE(struct dun_target), .name = "kidscore_interaction",
             .doc = "Children's scores by their mothers' schooling and IQ, with an interaction.",
             .size = sizeof(struct regression), .options = options, .free = regression_free},
    .constrained = 1,
    .init = init,
    .parameters = regression_parameters,
    .point = point,
};
