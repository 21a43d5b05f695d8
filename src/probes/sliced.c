/* Sliced Wasserstein distances of the output parameters from a reference: of their projections on
 * 128 random directions, in the parameters' own units (numerics/discrepancy.h). */
#include "probes/sets.h"
#include <math.h>

struct sliced {
  struct dun_probe_head head;
  struct dun_probe_sets sets;
};

static const struct dun_table_column columns[] = {
    {"w1", "", "Mean distance of the projections."},
    {"chance_w1", "", DUN_PROBE_CHANCE},
    {"bound_w1", "", DUN_PROBE_BOUND},
    {"w2", "", "Root of the mean squared distance of the projections."},
    {"chance_w2", "", DUN_PROBE_CHANCE},
    {"bound_w2", "", DUN_PROBE_BOUND},
    {"points", "", "Points of the run."},
};
enum { COLUMNS = sizeof columns / sizeof *columns };

static int init(struct dun_context *context, void *self, const struct dun_run *run)
{
  struct sliced *s = self;
  int status = dun_probe_sets_init(context, &s->sets, run, "sliced", 0, 1);
  return status < 0 ? status : dun_probe_columns(&s->head, columns, COLUMNS);
}

static void release(void *self)
{
  struct sliced *s = self;
  dun_probe_sets_free(&s->sets);
  dun_table_free(&s->head.table);
}

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

static int look(struct dun_context *context, void *self, const struct dun_run *run)
{
  struct sliced *s = self;
  struct dun_probe_distance d[2];
  int status = dun_probe_sets_look(context, &s->sets, run, measure, 2, DUN_DEALS, d);
  if (status < 0)
    return status;
  return dun_agree(context,
                   dun_probe_row(&s->head, run, COLUMNS,
                                 (double[]){d[0].value, d[0].chance, d[0].bound, d[1].value,
                                            d[1].chance, d[1].bound, (double)s->sets.own.n}));
}

static const struct dun_option options[] = {
    DUN_PROBE_OPTIONS(struct sliced),
    DUN_PROBE_SETS_OPTIONS(struct sliced, "2000"),
    {0},
};
static const struct dun_state state[] = {DUN_PROBE_STATE(struct sliced), {0}};

const struct dun_probe dun_probe_sliced = {
    .type = {DUN_TYPE(struct dun_probe), .name = "sliced",
             .doc = "Sliced Wasserstein distances of the output parameters from exact draws or "
                    "another result.",
             .citation = "Bonneel, Rabin, Peyre & Pfister 2015, J. Math. Imaging Vis. 51, 22",
             .size = sizeof(struct sliced), .options = options, .state = state, .free = release},
    .init = init,
    .look = look,
};
