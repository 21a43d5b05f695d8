/* What a result says of its making. */
#ifndef DUNLIN_APP_PROVENANCE_H
#define DUNLIN_APP_PROVENANCE_H

#include "app/driver.h"

enum { DUN_MAX_PROVENANCE = 40 };

struct dun_provenance {
  struct dun_attribute attribute[DUN_MAX_PROVENANCE];
  int count;
  char *input;            /* the input's bytes, ended by a zero byte */
  struct dun_text labels; /* a line for each variable that has any, tabs between them */
  char phase[DUN_PHASES][48];
  char mpi[256], blas[128], hdf5[32];
};

/* The costs are as of the last dun_record_cost.  Local; DUN_ERROR_MEMORY.
 * dun_provenance_free is due in any case. */
int dun_provenance_make(struct dun_provenance *provenance, const struct dun_context *context,
                        const struct dun_driver *driver);
void dun_provenance_free(struct dun_provenance *provenance);

/* The vector width that the program was dispatched to on this machine: "x86-64-v4", ... */
const char *dun_provenance_width(void);

#endif
