#include "probes/distance.h"

const struct dun_state dun_distance_state[] = {DUN_PROBE_STATE(struct dun_distance_probe), {0}};

enum { TOLD = 3 }; /* of each distance */

int dun_distance_init(struct dun_context *context, void *self, const struct dun_run *run,
                      const struct dun_distance *distance)
{
  struct dun_distance_probe *s = self;
  int status = dun_probe_sets_init(context, &s->sets, run, distance->probe, distance->scaled, 1);
  return status < 0 ? status
                    : dun_probe_columns(&s->head, distance->columns, TOLD * distance->count + 1);
}

int dun_distance_look(struct dun_context *context, void *self, const struct dun_run *run,
                      const struct dun_distance *distance)
{
  struct dun_distance_probe *s = self;
  struct dun_probe_distance found[DUN_MOST_DISTANCES];
  double row[TOLD * DUN_MOST_DISTANCES + 1];
  int status = dun_probe_sets_look(context, &s->sets, run, distance->measure, distance->count,
                                   distance->deals, found);
  if (status < 0)
    return status;
  for (int m = 0; m < distance->count; m++) {
    row[TOLD * m] = found[m].value;
    row[TOLD * m + 1] = found[m].chance;
    row[TOLD * m + 2] = found[m].bound;
  }
  row[TOLD * distance->count] = (double)s->sets.own.n;
  return dun_agree(context, dun_probe_row(&s->head, run, TOLD * distance->count + 1, row));
}

void dun_distance_free(void *self)
{
  struct dun_distance_probe *s = self;
  dun_probe_sets_free(&s->sets);
  dun_table_free(&s->head.table);
}
