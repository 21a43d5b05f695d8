/* The summary's table of the output parameters. */
#ifndef DUNLIN_APP_LINES_H
#define DUNLIN_APP_LINES_H

#include "app/quantiles.h"
#include "base/text.h"

enum { DUN_QUANTILES = 3 };

/* One number of the output parameters. */
struct dun_summary_line {
  char name[128];
  double rhat, nested; /* of chains: the worst over the replicates; nested NAN: no superchains */
  double ess_bulk, ess_folded, ess_tail; /* sums over the replicates */
  double mean, error, deviation;
  struct dun_quantile quantile[DUN_QUANTILES];
};

/* Columns that may be there: of chains R-hat and effective sizes, and nested R-hat. */
enum { DUN_LINES_MIXING = 1, DUN_LINES_NESTED = 2 };

/* `count` lines under their headings; without the columns of `mixing`, which has the flags above,
 * or of the draws if they are not there. */
void dun_lines_tell(struct dun_text *out, const struct dun_summary_line *line, int64_t count,
                    int mixing, int draws, const double probability[DUN_QUANTILES]);

#endif
