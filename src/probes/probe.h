/* A probe looks at the run after each step and at its end; it reads, never writes the population. */
#ifndef DUNLIN_PROBES_PROBE_H
#define DUNLIN_PROBES_PROBE_H

#include "methods/run.h"

struct dun_probe {
  struct dun_type type; /* the own struct begins with struct dun_probe_head */

  /* Makes the table's columns. */
  int (*init)(struct dun_context *context, void *self, const struct dun_run *run);
  /* Collective.  Adds a row (or rows) for the population as it stands. */
  int (*look)(struct dun_context *context, void *self, const struct dun_run *run);
};

/* What every probe's own struct begins with. */
struct dun_probe_head {
  long long every;        /* option: look after every so many steps; 0: at the end only */
  struct dun_table table; /* goes to /trace/<name> of the result */
};

#define DUN_PROBE_OPTIONS(type_)                                                                   \
  {.name = "every", .type = DUN_INTEGER, .offset = offsetof(type_, head.every), .initial = "0",    \
   .minimum = 0, .maximum = 1e9,                                                                   \
   .doc = "Look after every so many steps; 0 looks at the end only."}

#endif
