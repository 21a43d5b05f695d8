/* log weight ~ N(X beta, sigma), flat on beta and on sigma > 0, with columns 1,
 * log(diam1 diam2 canopy_height), log(diam1 diam2), log(diam1 / diam2), log total_height, group. */
#include "regression.h"

static const struct dun_option options[] = {
    REGRESSION_DATA("JSON file with lists of weights and measures."), {0}};

static int init(void *self, struct dun_message why)
{
  struct regression *r = self;
  const double *diam1, *diam2, *canopy, *total;
  if (regression_begin(r, "weight", 6, why) < 0 ||
      dun_take_list(&r->data, "diam1", r->n, &diam1, why) < 0 ||
      dun_take_list(&r->data, "diam2", r->n, &diam2, why) < 0 ||
      dun_take_list(&r->data, "canopy_height", r->n, &canopy, why) < 0 ||
      dun_take_list(&r->data, "total_height", r->n, &total, why) < 0)
    return -1;
  regression_ones(r);
  double *volume = regression_make(r), *area = regression_make(r), *shape = regression_make(r);
  double *height = regression_make(r);
  if (regression_add(r, "group", why) < 0)
    return -1;
  double *log_weight = regression_room(r);
  for (long long i = 0; i < r->n; i++) {
    volume[i] = log(diam1[i] * diam2[i] * canopy[i]);
    area[i] = log(diam1[i] * diam2[i]);
    shape[i] = log(diam1[i] / diam2[i]);
    height[i] = log(total[i]);
    log_weight[i] = log(r->y[i]);
  }
  r->y = log_weight;
  return 0;
}

const struct dun_target dun_target_logmesquite_logvash = {
    .type = {DUN_TYPE(struct dun_target), .name = "logmesquite_logvash",
             .doc = "Log weights of mesquite bushes by volume, area, shape and height.",
             .size = sizeof(struct regression), .options = options, .free = regression_free},
    .constrained = 1,
    .init = init,
    .parameters = regression_parameters,
    .point = regression_point,
};
