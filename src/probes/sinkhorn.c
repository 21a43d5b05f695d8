/* Debiased Sinkhorn divergence of the output parameters from a reference, of squared distances in
 * their own units (numerics/transport.h). */
#include "numerics/transport.h"
#include "probes/distance.h"

static const struct dun_table_column columns[] = {
    {"sinkhorn", "", "Divergence from the reference, in squared units of the parameters."},
    {"chance", "", DUN_PROBE_CHANCE},
    {"bound", "", DUN_PROBE_BOUND},
    {"points", "", "Points of the run."},
};

static const struct dun_distance distance = {.probe = "sinkhorn",
                                             .columns = columns,
                                             .count = 1,
                                             .scaled = 0,
                                             .deals = DUN_SINKHORN_DEALS,
                                             .measure = dun_sinkhorn_deals};

static int init(struct dun_context *context, void *self, const struct dun_run *run)
{
  return dun_distance_init(context, self, run, &distance);
}

static int look(struct dun_context *context, void *self, const struct dun_run *run)
{
  return dun_distance_look(context, self, run, &distance);
}

static const struct dun_option options[] = DUN_DISTANCE_OPTIONS("2000");

const struct dun_probe dun_probe_sinkhorn = {
    .type = {DUN_TYPE(struct dun_probe), .name = "sinkhorn",
             .doc = "Debiased Sinkhorn divergence of the output parameters from exact draws or "
                    "another result.",
             .citation = "Feydy et al. 2019, AISTATS, PMLR 89, 2681",
             .size = sizeof(struct dun_distance_probe), .options = options,
             .state = dun_distance_state, .free = dun_distance_free},
    .init = init,
    .look = look,
};
