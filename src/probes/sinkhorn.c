/* Debiased Sinkhorn divergence of the output parameters from a reference, of squared distances in
 * their own units (numerics/transport.h). */
#include "numerics/transport.h"
#include "probes/sets.h"

struct sinkhorn {
  struct dun_probe_head head;
  struct dun_probe_sets sets;
};

static const struct dun_table_column columns[] = {
    {"sinkhorn", "", "Divergence from the reference, in squared units of the parameters."},
    {"chance", "", DUN_PROBE_CHANCE},
    {"bound", "", DUN_PROBE_BOUND},
    {"points", "", "Points of the run."},
};
enum { COLUMNS = sizeof columns / sizeof *columns };

static int init(struct dun_context *context, void *self, const struct dun_run *run)
{
  struct sinkhorn *s = self;
  int status = dun_probe_sets_init(context, &s->sets, run, "sinkhorn", 0, 1);
  return status < 0 ? status : dun_probe_columns(&s->head, columns, COLUMNS);
}

static void release(void *self)
{
  struct sinkhorn *s = self;
  dun_probe_sets_free(&s->sets);
  dun_table_free(&s->head.table);
}

enum { DEALS = 20 };

static int measure(struct dun_context *context, const struct dun_pool *pool, double *value)
{
  return dun_sinkhorn_deals(context, pool, value);
}

static int look(struct dun_context *context, void *self, const struct dun_run *run)
{
  struct sinkhorn *s = self;
  struct dun_probe_distance d;
  int status = dun_probe_sets_look(context, &s->sets, run, measure, 1, DEALS, &d);
  if (status < 0)
    return status;
  return dun_agree(context,
                   dun_probe_row(&s->head, run, COLUMNS,
                                 (double[]){d.value, d.chance, d.bound, (double)s->sets.own.n}));
}

static const struct dun_option options[] = {
    DUN_PROBE_OPTIONS(struct sinkhorn),
    DUN_PROBE_SETS_OPTIONS(struct sinkhorn, "2000"),
    {0},
};
static const struct dun_state state[] = {DUN_PROBE_STATE(struct sinkhorn), {0}};

const struct dun_probe dun_probe_sinkhorn = {
    .type = {DUN_TYPE(struct dun_probe), .name = "sinkhorn",
             .doc = "Debiased Sinkhorn divergence of the output parameters from exact draws or "
                    "another result.",
             .citation = "Feydy et al. 2019, AISTATS, PMLR 89, 2681",
             .size = sizeof(struct sinkhorn), .options = options, .state = state, .free = release},
    .init = init,
    .look = look,
};
