/* What the driver keeps: its tables, its costs, and the list of everything that a checkpoint
 * holds. */
#ifndef DUNLIN_APP_RECORD_H
#define DUNLIN_APP_RECORD_H

#include "app/driver.h"

/* Local.  From here on time, memory and messages are the run's. */
void dun_record_begin(struct dun_context *context, struct dun_beginning *beginning);

/* Makes the tables and the list of stateful objects.  Local; agree afterwards. */
int dun_record_init(struct dun_driver *driver);
void dun_record_free(struct dun_driver *driver);

/* Seconds of the run so far, earlier jobs included. */
double dun_record_elapsed(const struct dun_driver *driver);

/* Adds the present step's row to /trace/steps.  Local. */
int dun_record_step(struct dun_driver *driver);

/* Collective.  Brings driver->cost up to date. */
int dun_record_cost(struct dun_context *context, struct dun_driver *driver);

/* All that a checkpoint of the run holds; the costs are as of the last dun_record_cost. */
struct dun_checkpoint dun_record_checkpoint(struct dun_driver *driver);

#endif
