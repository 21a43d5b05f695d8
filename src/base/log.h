/* Lines for people, from one rank; warnings from any. */
#ifndef DUNLIN_BASE_LOG_H
#define DUNLIN_BASE_LOG_H

#include <stdio.h>

enum dun_level { DUN_QUIET, DUN_WARNINGS, DUN_NOTES };

struct dun_log {
  FILE *stream;         /* stderr */
  enum dun_level level; /* what is printed */
  int rank;             /* notes come from rank 0 only; warnings carry the rank when it is not 0 */
  int terminal;         /* the stream is a terminal: progress rewrites its line */
  int line_open;        /* a progress line is on the terminal, to be ended before other output */
  int is_many;          /* what is shown is one of many runs: seldom, unless on a terminal */
  char before[128];     /* what stands before its progress; "": nothing */
};

void dun_log_init(struct dun_log *log, int rank, enum dun_level level);
void dun_note(struct dun_log *log, const char *format, ...) __attribute__((format(printf, 2, 3)));
void dun_warn(struct dun_log *log, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Rank 0's progress: rewrites the line on a terminal, prints a line otherwise. */
void dun_progress(struct dun_log *log, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
