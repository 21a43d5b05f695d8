/* weight ~ N(beta1 + beta2 diam1 + beta3 diam2 + beta4 canopy_height + beta5 total_height +
 * beta6 density + beta7 group, sigma), flat on beta and on sigma > 0. */
#include "regression.h"

static const struct dun_option options[] = {
    REGRESSION_DATA("JSON file with lists of weights and measures."), {0}};

static int init(void *self, struct dun_message why)
{
  static const char *const name[] = {"diam1",        "diam2",   "canopy_height",
                                     "total_height", "density", "group"};
  if (regression_begin(self, "weight", 1, why) < 0)
    return -1;
  regression_ones(self);
  for (int j = 0; j < 6; j++)
    if (regression_add(self, name[j], why) < 0)
      return -1;
  return 0;
}

const struct dun_target dun_target_mesquite = {
    .type = {DUN_TYPE(struct dun_target), .name = "mesquite",
             .doc = "Weights of mesquite bushes by their measures.",
             .size = sizeof(struct regression), .options = options, .free = regression_free},
    .constrained = 1,
    .init = init,
    .parameters = regression_parameters,
    .point = regression_point,
};
