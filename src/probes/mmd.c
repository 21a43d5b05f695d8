/* Maximum mean discrepancy of the output parameters from a reference, with a Gaussian kernel as
 * wide as the median distance in the parameters' own units (numerics/discrepancy.h). */
#include "probes/distance.h"

static const struct dun_table_column columns[] = {
    {"mmd", "",
     "From the reference: the root of its square, of at least 1e-20, whose sums of a set's own "
     "pairs "
     "have each point with itself among them, as published tables do."},
    {"chance", "", DUN_PROBE_CHANCE},
    {"bound", "", DUN_PROBE_BOUND},
    {"points", "", "Points of the run."},
};

static int measure(struct dun_context *context, const struct dun_pool *pool, double *value)
{
  double bandwidth;
  int status = dun_mean_discrepancy(context, pool, value, &bandwidth);
  for (int r = 0; r < pool->deals && status >= 0; r++)
    value[r] = dun_discrepancy_root(value[r]);
  return status;
}

static const struct dun_distance distance = {.probe = "mmd",
                                             .columns = columns,
                                             .count = 1,
                                             .scaled = 0,
                                             .deals = DUN_DEALS,
                                             .measure = measure};

static int init(struct dun_context *context, void *self, const struct dun_run *run)
{
  return dun_distance_init(context, self, run, &distance);
}

static int look(struct dun_context *context, void *self, const struct dun_run *run)
{
  return dun_distance_look(context, self, run, &distance);
}

static const struct dun_option options[] = DUN_DISTANCE_OPTIONS("2000");

const struct dun_probe dun_probe_mmd = {
    .type = {DUN_TYPE(struct dun_probe), .name = "mmd",
             .doc = "Maximum mean discrepancy of the output parameters from exact draws or another "
                    "result.",
             .citation = "Gretton et al. 2012, J. Mach. Learn. Res. 13, 723",
             .size = sizeof(struct dun_distance_probe), .options = options,
             .state = dun_distance_state, .free = dun_distance_free},
    .init = init,
    .look = look,
};
