#include "app/progress.h"
#include "app/number.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"
#include "io/durable.h"
#include <errno.h>
#include <math.h>
#include <string.h>

/* ---- FILE.progress.jsonl ------------------------------------------------------------------- */

static void warn_once(struct dun_context *context, struct dun_progress *progress)
{
  if (!progress->failed)
    dun_warn(&context->log, "%s: cannot be written (%s); the run goes on without it",
             progress->name ? progress->name : "progress", strerror(errno));
  progress->failed = 1;
}

static void write_row(struct dun_context *context, struct dun_progress *progress,
                      const struct dun_table *steps, long long row)
{
  struct dun_text line = {0};
  const double *cell = steps->cells.value + row * steps->columns;
  for (int c = 0; c < steps->columns; c++) {
    dun_text_add(&line, "%s\"%s\": ", c ? ", " : "{", steps->column[c].name);
    dun_text_add_number(&line, cell[c]);
  }
  dun_text_add(&line, "}\n");
  if (line.failed)
    errno = ENOMEM;
  if (line.failed ||
      fwrite(line.text, 1, (size_t)line.length, progress->rows) < (size_t)line.length)
    warn_once(context, progress);
  dun_text_free(&line);
}

static void flush(struct dun_context *context, struct dun_progress *progress)
{
  if (fflush(progress->rows))
    warn_once(context, progress);
}

/* A new file: what a link of that name points to is not touched. */
static FILE *open_rows(const char *name)
{
  int file = dun_durable_create(name, 0);
  if (file >= 0)
    file = dun_durable_open(name, 1);
  FILE *rows = file >= 0 ? fdopen(file, "w") : NULL;
  if (file >= 0 && !rows)
    dun_fail(dun_durable_close(file, name, 0, DUN_ERROR_MEMORY), "no memory for '%s'.", name);
  return rows;
}

void dun_progress_open(struct dun_context *context, struct dun_progress *progress, const char *file,
                       const struct dun_table *steps)
{
  struct dun_text name = {0};
  progress->shown = progress->stepped = dun_clock();
  if (context->rank != 0)
    return;
  dun_text_add(&name, "%s.progress.jsonl", file);
  progress->name = name.text;
  if (!(progress->rows = name.failed ? NULL : open_rows(name.text))) {
    dun_warn(&context->log, "%s  The run goes on without it.", dun_error_text());
    progress->failed = 1;
    return;
  }
  for (long long row = 0; row < dun_table_rows(steps); row++)
    write_row(context, progress, steps, row);
  flush(context, progress);
}

void dun_progress_close(struct dun_progress *progress)
{
  if (progress->rows)
    fclose(progress->rows);
  progress->rows = NULL;
  DUN_FREE(progress->name);
}

void dun_progress_row(struct dun_context *context, struct dun_progress *progress,
                      const struct dun_table *steps)
{
  if (!progress->rows || progress->failed)
    return;
  write_row(context, progress, steps, dun_table_rows(steps) - 1);
  flush(context, progress);
}

/* ---- the line ------------------------------------------------------------------------------ */

const char *dun_seconds_text(double seconds, char *text, size_t size)
{
  int known = seconds >= 0 && seconds < 1e15;
  long long whole = known ? (long long)(seconds + .5) : 0;
  if (!known)
    snprintf(text, size, "unknown time");
  else if (seconds < 60)
    snprintf(text, size, "%.1f s", seconds);
  else if (whole < 3600)
    snprintf(text, size, "%lld:%02lld", whole / 60, whole % 60);
  else
    snprintf(text, size, "%lld:%02lld:%02lld", whole / 3600, whole / 60 % 60, whole % 60);
  return text;
}

/* Times of a tempering run grow by about the same factor from step to step. */
static double remaining(const struct dun_progress *progress, const struct dun_run *run, double now)
{
  double t = run->now.time, before = progress->time;
  if (!(before > 0 && t > before && t < 1))
    return NAN;
  return log(1 / t) / log(t / before) * (now - progress->stepped);
}

static void compose(struct dun_text *line, const struct dun_progress *progress,
                    const struct dun_run *run, double elapsed)
{
  const struct dun_now *now = &run->now;
  double left = remaining(progress, run, dun_clock());
  char text[32];
  if (run->options.replicates > 1)
    dun_text_add(line, "replicate %lld/%lld  ", (long long)run->replicate + 1,
                 run->options.replicates);
  if (now->pilot < now->pilots)
    dun_text_add(line, "pilot move %lld of %lld  ", (long long)now->pilot, (long long)now->pilots);
  dun_text_add(line, "step %lld  t %.4g", (long long)now->step, now->time);
  if (!isnan(now->ess))
    dun_text_add(line, "  ESS %.3g", now->ess);
  if (!isnan(now->acceptance))
    dun_text_add(line, "  acceptance %.2f", now->acceptance);
  if (now->loss > 0)
    dun_text_add(line, "  loss %.4g", now->loss);
  if (now->log_evidence_error > 0) {
    struct dun_number number = dun_number_of(now->log_evidence, now->log_evidence_error, NAN);
    dun_text_add(line, "  log Z %s ± %s", number.value, number.error);
  }
  dun_text_add(line, "  %s", dun_seconds_text(elapsed, text, sizeof text));
  if (left > 0)
    dun_text_add(line, "  about %s left", dun_seconds_text(left, text, sizeof text));
}

void dun_progress_show(struct dun_context *context, struct dun_progress *progress,
                       const struct dun_run *run, double elapsed, int force)
{
  double now = dun_clock(), between = context->log.terminal ? .1 : 10;
  if ((force && !context->log.is_many) || now - progress->shown >= between) {
    struct dun_text line = {0};
    compose(&line, progress, run, elapsed);
    if (!line.failed)
      dun_progress(&context->log, "%s", line.text);
    dun_text_free(&line);
    progress->shown = now;
  }
  progress->time = run->now.time;
  progress->stepped = now;
}
