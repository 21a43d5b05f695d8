/* The end of a run whose budget of evaluations (run.evaluations) is used up: a result of what there
 * is, that says so. */
#ifndef DUNLIN_APP_BUDGET_H
#define DUNLIN_APP_BUDGET_H

#include "app/driver.h"

/* Collective, between two ticks.  Sets driver->cut, adds the verdict `budget`, which is never good,
 * and leaves the particles of the first replicate, or its draws so far, fit to be the result.  A
 * later replicate is left out. */
int dun_budget_end(struct dun_context *context, struct dun_driver *driver);

/* Collective, before the result is written: it gets room for the draws that there are. */
int dun_budget_shorten(struct dun_context *context, struct dun_driver *driver);

#endif
