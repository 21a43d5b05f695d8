/* Where a run comes from and where it goes: the input's bytes, the result's name, the identity. */
#ifndef DUNLIN_APP_SOURCE_H
#define DUNLIN_APP_SOURCE_H

#include "app/assemble.h"

struct dun_source {
  char *name;   /* as messages call the input; files that it names are relative to its folder */
  char *origin; /* the input's absolute name */
  char *bytes;
  int64_t size;
  int stored;     /* it is a result's: a stranger may have made it */
  char *settings; /* of a result that is run again: the --set assignments it was made with */
  char *files; /* and the files it was made from, as the binder lists them; "": it says nothing */
};

/* Collective.  Rank 0 reads an input, or the input that a result file holds, and all get it. */
int dun_source_read(struct dun_context *context, const char *file, struct dun_source *source);
void dun_source_free(struct dun_source *source);

/* Complains of files that have changed since the result that is run again was made from them,
 * unless the command line names them anew. */
void dun_source_compare(struct dun_assembly *assembly);

/* Whether a file that a result names under this option may be used whatever it is: `assembly` has
 * the command line.  See struct dun_binder. */
int dun_source_trusts(const void *assembly, const char *option);

/* The result's name: --output, output.file, or the input's stem + .h5 in the current folder.
 * Owned by the caller; NULL without memory. */
char *dun_source_result(const struct dun_assembly *assembly);

/* Collective.  Refuses (DUN_ERROR_INPUT) a result that cannot be written to or would be lost;
 * returns 1 if the result of this very input is complete and the run was asked to go on. */
int dun_source_refuse(struct dun_context *context, const struct dun_assembly *assembly);

#endif
