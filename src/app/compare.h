/* `dunlin compare`: how far two sets of draws are apart. */
#ifndef DUNLIN_APP_COMPARE_H
#define DUNLIN_APP_COMPARE_H

#include "app/arguments.h"
#include "base/text.h"
#include "parallel/context.h"

/* Collective.  Rank 0 reads both sets and gets the answer in `out`; the distances are computed by
 * all.  1 if some difference is more errors than --fail-above; else 0. */
int dun_compare(struct dun_context *context, const struct dun_arguments *arguments,
                struct dun_text *out);

#endif
