/* Work on points that is dealt to the ranks in tiles, and whose results all ranks then have. */
#ifndef DUNLIN_EVIDENCE_DEAL_H
#define DUNLIN_EVIDENCE_DEAL_H

#include "methods/run.h"

struct dun_deal {
  const struct dun_run *run;
  /* Writes out[64][width] for a tile; evaluations are counted, and may be given up. */
  void (*tile)(const struct dun_deal *deal, int64_t tile, double *out);
  int64_t width;
  double *lanes; /* scratch of a tile */

  /* whatever the work needs of these */
  void *data;
  const double *x;      /* [count][d]: points */
  const double *top;    /* [d] */
  const double *factor; /* [d] or [d][d] */
  uint32_t step;        /* of its random numbers */
};

/* Collective.  result[last - first][64][width], the same bits at any number of ranks.
 * DUN_INTERRUPTED: the run is to stop, and nothing counts on any rank, so that all of it is done
 * again; DUN_ERROR_MEMORY. */
int dun_deal_tiles(struct dun_context *context, const struct dun_deal *deal, int64_t first,
                   int64_t last, double *result);

/* Evaluations since `before` do not count: they are made again. */
void dun_deal_forget(const struct dun_run *run, const struct dun_evaluator *before);

#endif
