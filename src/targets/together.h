/* What some targets of ours do beside `dunlin/target.h`, where targets never communicate: tables
 * that all ranks make together, behind `init`. */
#ifndef DUNLIN_TARGETS_TOGETHER_H
#define DUNLIN_TARGETS_TOGETHER_H

#include "dunlin/target.h"

struct dun_context;

struct dun_tables {
  double held, most; /* bytes for each rank: from now on, and while they were made */
  int loose;         /* the bits of densities depend on the number of ranks */
};

struct dun_together {
  const struct dun_target *target;
  /* Collective, behind `init` on all ranks; with it `free` is collective, too.  Ranks fail
   * together. */
  int (*init)(struct dun_context *context, void *self, struct dun_tables *tables);
};

/* Whether a target has such tables. */
int dun_together_has(const struct dun_target *target);
/* Collective.  Makes them; of all other targets nothing, and `tables` is 0. */
int dun_together_init(struct dun_context *context, const struct dun_target *target, void *self,
                      struct dun_tables *tables);

#endif
