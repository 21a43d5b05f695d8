/* Sliced Wasserstein distances of the output parameters from a reference: of their projections on
 * 128 random directions, in the parameters' own units (numerics/discrepancy.h). */
#include "probes/distance.h"
#include <math.h>

static const struct dun_table_column columns[] = {
    {"w1", "", "Mean distance of the projections."},
    {"chance_w1", "", DUN_PROBE_CHANCE},
    {"bound_w1", "", DUN_PROBE_BOUND},
    {"w2", "", "Root of the mean squared distance of the projections."},
    {"chance_w2", "", DUN_PROBE_CHANCE},
    {"bound_w2", "", DUN_PROBE_BOUND},
    {"points", "", "Points of the run."},
};

enum { DIRECTIONS = 128 };

/* The directions are the same in all runs. */
static int measure(struct dun_context *context, const struct dun_pool *pool, double *value)
{
  double *second = value + pool->deals;
  int status = dun_sliced_distances(context, pool, DIRECTIONS, 0, value, second);
  for (int r = 0; r < pool->deals && status >= 0; r++)
    second[r] = sqrt(second[r]);
  return status;
}

static const struct dun_distance distance = {.probe = "sliced",
                                             .columns = columns,
                                             .count = 2,
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

const struct dun_probe dun_probe_sliced = {
    .type = {DUN_TYPE(struct dun_probe), .name = "sliced",
             .doc = "Sliced Wasserstein distances of the output parameters from exact draws or "
                    "another result.",
             .citation = "Bonneel, Rabin, Peyre & Pfister 2015, J. Math. Imaging Vis. 51, 22",
             .size = sizeof(struct dun_distance_probe), .options = options,
             .state = dun_distance_state, .free = dun_distance_free},
    .init = init,
    .look = look,
};
