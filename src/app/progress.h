/* What others see while a run goes on: a line on the terminal or in the log, and
 * FILE.progress.jsonl. */
#ifndef DUNLIN_APP_PROGRESS_H
#define DUNLIN_APP_PROGRESS_H

#include "methods/run.h"

struct dun_progress {
  FILE *rows; /* FILE.progress.jsonl; rank 0's */
  char *name;
  int failed;     /* a write failed: warned about once */
  double shown;   /* dun_clock() of the last line */
  double time;    /* t at the step before, for the estimate of what remains */
  double stepped; /* dun_clock() of the step before */
};

/* Rank 0 opens FILE.progress.jsonl and writes the rows that the table already has (after a
 * restart). */
void dun_progress_open(struct dun_context *context, struct dun_progress *progress, const char *file,
                       const struct dun_table *steps);
void dun_progress_close(struct dun_progress *progress);

/* Rank 0 appends the table's last row as one JSON object. */
void dun_progress_row(struct dun_context *context, struct dun_progress *progress,
                      const struct dun_table *steps);

/* Rank 0's line; `force` shows it even if the last one was a moment ago.  `elapsed`: seconds. */
void dun_progress_show(struct dun_context *context, struct dun_progress *progress,
                       const struct dun_run *run, double elapsed, int force);

/* "1:02:03", "4:05" or "6.7 s". */
const char *dun_seconds_text(double seconds, char *text, size_t size);

#endif
