/* Energy distance of the output parameters from a reference (Szekely & Rizzo 2013, J. Stat. Plan.
 * Inference 143, 1249): 2 E|X - Y| - E|X - X'| - E|Y - Y'|, in units of the reference's standard
 * deviations, 0 only for equal laws.  Unbiased: pairs of a point with itself are left out, so that
 * it may be negative. */
#include "probes/distance.h"

static const struct dun_table_column columns[] = {
    {"energy_distance", "", "From the reference, in units of its standard deviations."},
    {"chance", "", DUN_PROBE_CHANCE},
    {"bound", "", DUN_PROBE_BOUND},
    {"points", "", "Points of the run."},
};

static int measure(struct dun_context *context, const struct dun_pool *pool, double *value)
{
  double lift;
  return dun_energy_distance(context, pool, value, &lift);
}

static const struct dun_distance distance = {.probe = "energy_distance",
                                             .columns = columns,
                                             .count = 1,
                                             .scaled = 1,
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

static const struct dun_option options[] = DUN_DISTANCE_OPTIONS("1000");

const struct dun_probe dun_probe_energy_distance = {
    .type = {DUN_TYPE(struct dun_probe), .name = "energy_distance",
             .doc = "Energy distance of the output parameters from exact draws or another result.",
             .citation = "Szekely & Rizzo 2013, J. Stat. Plan. Inference 143, 1249",
             .size = sizeof(struct dun_distance_probe), .options = options,
             .state = dun_distance_state, .free = dun_distance_free},
    .init = init,
    .look = look,
};
