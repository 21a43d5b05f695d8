/* The summary's table of the output parameters. */
#ifndef DUNLIN_APP_LINES_H
#define DUNLIN_APP_LINES_H

#include "app/quantiles.h"
#include "base/text.h"

enum { DUN_QUANTILES = 3 };

/* One number of the output parameters. */
struct dun_summary_line {
  char name[128];
  double rhat, ess_bulk, ess_tail; /* of chains: worst, and sums, over the replicates */
  double mean, error, deviation;
  struct dun_quantile quantile[DUN_QUANTILES];
};

/* `count` lines under their headings; without the columns of mixing or of the draws if they are
 * not there. */
void dun_lines_tell(struct dun_text *out, const struct dun_summary_line *line, int64_t count,
                    int mixing, int draws, const double probability[DUN_QUANTILES]);

#endif
