/* Energy distance of the output parameters from a reference (Szekely & Rizzo 2013, J. Stat. Plan.
 * Inference 143, 1249): 2 E|X - Y| - E|X - X'| - E|Y - Y'|, in units of the reference's standard
 * deviations, 0 only for equal laws.  Unbiased: pairs of a point with itself are left out, so that
 * it may be negative. */
#include "probes/sets.h"

struct energy_distance {
  struct dun_probe_head head;
  struct dun_probe_sets sets;
};

static const struct dun_table_column columns[] = {
    {"energy_distance", "", "From the reference, in units of its standard deviations."},
    {"chance", "", DUN_PROBE_CHANCE},
    {"bound", "", DUN_PROBE_BOUND},
    {"points", "", "Points of the run."},
};
enum { COLUMNS = sizeof columns / sizeof *columns };

static int init(struct dun_context *context, void *self, const struct dun_run *run)
{
  struct energy_distance *s = self;
  int status = dun_probe_sets_init(context, &s->sets, run, "energy_distance", 1, 1);
  return status < 0 ? status : dun_probe_columns(&s->head, columns, COLUMNS);
}

static void release(void *self)
{
  struct energy_distance *s = self;
  dun_probe_sets_free(&s->sets);
  dun_table_free(&s->head.table);
}

static int measure(struct dun_context *context, const struct dun_pool *pool, double *value)
{
  double lift;
  return dun_energy_distance(context, pool, value, &lift);
}

static int look(struct dun_context *context, void *self, const struct dun_run *run)
{
  struct energy_distance *s = self;
  struct dun_probe_distance d;
  int status = dun_probe_sets_look(context, &s->sets, run, measure, 1, DUN_DEALS, &d);
  if (status < 0)
    return status;
  return dun_agree(context,
                   dun_probe_row(&s->head, run, COLUMNS,
                                 (double[]){d.value, d.chance, d.bound, (double)s->sets.own.n}));
}

static const struct dun_option options[] = {
    DUN_PROBE_OPTIONS(struct energy_distance),
    DUN_PROBE_SETS_OPTIONS(struct energy_distance, "1000"),
    {0},
};
static const struct dun_state state[] = {DUN_PROBE_STATE(struct energy_distance), {0}};

const struct dun_probe dun_probe_energy_distance = {
    .type = {DUN_TYPE(struct dun_probe), .name = "energy_distance",
             .doc = "Energy distance of the output parameters from exact draws or another result.",
             .citation = "Szekely & Rizzo 2013, J. Stat. Plan. Inference 143, 1249",
             .size = sizeof(struct energy_distance), .options = options, .state = state,
             .free = release},
    .init = init,
    .look = look,
};
