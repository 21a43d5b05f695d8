/* earn ~ N(beta1 + beta2 height, sigma), flat on beta and on sigma > 0: not centred, so that the
 * scales of beta are 1e4 and 1e2 and their correlation -.99. */
#include "regression.h"

static const struct dun_option options[] = {
    REGRESSION_DATA("JSON file with the lists earn and height."), {0}};

static int init(void *self, struct dun_message why)
{
  if (regression_begin(self, "earn", 1, why) < 0)
    return -1;
  regression_ones(self);
  return regression_add(self, "height", why);
}

const struct dun_target dun_target_earn_height = {
    .type = {DUN_TYPE(struct dun_target), .name = "earn_height",
             .doc = "Earnings by height: a regression that is not centred.",
             .size = sizeof(struct regression), .options = options, .free = regression_free},
    .constrained = 1,
    .init = init,
    .parameters = regression_parameters,
    .point = regression_point,
};
