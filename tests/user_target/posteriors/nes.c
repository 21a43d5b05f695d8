/* partyid7 ~ N(X beta, sigma), flat on beta and on sigma > 0, with columns 1, real_ideo, race_adj,
 * age_discrete = 2, = 3, = 4 (0 or 1 each), educ1, gender, income. */
#include "regression.h"

static const struct dun_option options[] = {REGRESSION_DATA("JSON file with lists of answers."),
                                            {0}};

static int init(void *self, struct dun_message why)
{
  struct regression *r = self;
  const double *age;
  if (regression_begin(r, "partyid7", 4, why) < 0 ||
      dun_take_wholes(&r->data, "age_discrete", r->n, 1, 4, &age, why) < 0)
    return -1;
  regression_ones(r);
  if (regression_add(r, "real_ideo", why) < 0 || regression_add(r, "race_adj", why) < 0)
    return -1;
  for (int group = 2; group <= 4; group++) {
    double *is = regression_make(r);
    for (long long i = 0; i < r->n; i++)
      is[i] = age[i] == group;
  }
  return regression_add(r, "educ1", why) < 0 || regression_add(r, "gender", why) < 0
             ? -1
             : regression_add(r, "income", why);
}

const struct dun_target dun_target_nes = {
    .type = {DUN_TYPE(struct dun_target), .name = "nes",
             .doc = "Party identification by ideology, age, schooling and income.",
             .size = sizeof(struct regression), .options = options, .free = regression_free},
    .constrained = 1,
    .init = init,
    .parameters = regression_parameters,
    .point = regression_point,
};
