/* Whether all ranks were started alike.  Launchers can give each process a command line, a folder
 * and a program of its own; what is decided from them by every rank for itself would then part the
 * ranks in the middle of a run. */
#ifndef DUNLIN_APP_ACCORD_H
#define DUNLIN_APP_ACCORD_H

#include "parallel/context.h"

/* Collective.  DUN_ERROR_INPUT, with a sentence that names a rank, where one of them has other
 * words behind argv[0], another working folder or another program than rank 0. */
int dun_accord(struct dun_context *context, int argc, char **argv);

#endif
