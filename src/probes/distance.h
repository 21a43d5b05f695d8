/* What probes share whose whole table is distances of the run's points from others.  The file of
 * such a probe says how to measure, and names the columns. */
#ifndef DUNLIN_PROBES_DISTANCE_H
#define DUNLIN_PROBES_DISTANCE_H

#include "probes/sets.h"

/* The own struct of them all. */
struct dun_distance_probe {
  struct dun_probe_head head;
  struct dun_probe_sets sets;
};

struct dun_distance {
  const char *probe;
  /* Value, chance and bound of each distance, and last the number of points. */
  const struct dun_table_column *columns;
  int count;  /* of distances: 1 or 2 */
  int scaled; /* in units of the reference's standard deviations */
  int deals;  /* with a file: by chance */
  dun_probe_measure *measure;
};

#define DUN_DISTANCE_OPTIONS(points_)                                                              \
  {                                                                                                \
    DUN_PROBE_OPTIONS(struct dun_distance_probe),                                                  \
        DUN_PROBE_SETS_OPTIONS(struct dun_distance_probe, points_), {0},                           \
  }
extern const struct dun_state dun_distance_state[];

/* Collective: the operations `init` and `look` of such a probe. */
int dun_distance_init(struct dun_context *context, void *self, const struct dun_run *run,
                      const struct dun_distance *distance);
int dun_distance_look(struct dun_context *context, void *self, const struct dun_run *run,
                      const struct dun_distance *distance);
/* Its `free`. */
void dun_distance_free(void *self);

#endif
