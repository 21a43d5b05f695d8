/* Maximum mean discrepancy of the output parameters from a reference, with a Gaussian kernel as
 * wide as the median distance in the parameters' own units (numerics/discrepancy.h). */
#include "probes/sets.h"

struct mmd {
  struct dun_probe_head head;
  struct dun_probe_sets sets;
};

static const struct dun_table_column columns[] = {
    {"mmd", "", "From the reference: the root of the biased square, of at least 1e-20."},
    {"chance", "", DUN_PROBE_CHANCE},
    {"bound", "", DUN_PROBE_BOUND},
    {"points", "", "Points of the run."},
};
enum { COLUMNS = sizeof columns / sizeof *columns };

static int init(struct dun_context *context, void *self, const struct dun_run *run)
{
  struct mmd *s = self;
  int status = dun_probe_sets_init(context, &s->sets, run, "mmd", 0, 1);
  return status < 0 ? status : dun_probe_columns(&s->head, columns, COLUMNS);
}

static void release(void *self)
{
  struct mmd *s = self;
  dun_probe_sets_free(&s->sets);
  dun_table_free(&s->head.table);
}

static int measure(struct dun_context *context, const struct dun_pool *pool, double *value)
{
  double bandwidth;
  int status = dun_mean_discrepancy(context, pool, value, &bandwidth);
  for (int r = 0; r < pool->deals && status >= 0; r++)
    value[r] = dun_discrepancy_root(value[r]);
  return status;
}

static int look(struct dun_context *context, void *self, const struct dun_run *run)
{
  struct mmd *s = self;
  struct dun_probe_distance d;
  int status = dun_probe_sets_look(context, &s->sets, run, measure, 1, DUN_DEALS, &d);
  if (status < 0)
    return status;
  return dun_agree(context,
                   dun_probe_row(&s->head, run, COLUMNS,
                                 (double[]){d.value, d.chance, d.bound, (double)s->sets.own.n}));
}

static const struct dun_option options[] = {
    DUN_PROBE_OPTIONS(struct mmd),
    DUN_PROBE_SETS_OPTIONS(struct mmd, "2000"),
    {0},
};
static const struct dun_state state[] = {DUN_PROBE_STATE(struct mmd), {0}};

const struct dun_probe dun_probe_mmd = {
    .type = {DUN_TYPE(struct dun_probe), .name = "mmd",
             .doc = "Maximum mean discrepancy of the output parameters from exact draws or another "
                    "result.",
             .citation = "Gretton et al. 2012, J. Mach. Learn. Res. 13, 723",
             .size = sizeof(struct mmd), .options = options, .state = state, .free = release},
    .init = init,
    .look = look,
};
