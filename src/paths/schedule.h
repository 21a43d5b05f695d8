/* Times 0 = t_0 < ... < t_n = 1: adaptive, fixed, or read from an earlier result. */
#ifndef DUNLIN_PATHS_SCHEDULE_H
#define DUNLIN_PATHS_SCHEDULE_H

#include "dunlin/target.h"
#include "numerics/spacing.h"
#include "parallel/context.h"

enum dun_schedule_type { DUN_SCHEDULE_ADAPTIVE, DUN_SCHEDULE_FIXED, DUN_SCHEDULE_FILE };

struct dun_schedule {
  /* options */
  int type;
  double conditional_ess; /* share of the particles that the next weights leave effective, (0, 1) */
  long long steps;
  int spacing;  /* enum dun_spacing_type */
  double power; /* t_k = (k/n)^power */
  double start; /* t_1 of logarithmic spacing */
  char *file;   /* a result file with /trace/steps */

  /* made by init */
  struct dun_numbers times; /* of fixed and file: t_1 .. t_n, the last exactly 1; owned */
};

/* Rows of the section `schedule:`, for a path's own option rows. */
extern const struct dun_option dun_schedule_options[];

/* Collective.  Reads or computes the times. */
int dun_schedule_init(struct dun_context *context, struct dun_schedule *schedule);
void dun_schedule_free(struct dun_schedule *schedule);

/* Of a schedule that is not adaptive: the first time above t, at most 1. */
double dun_schedule_after(const struct dun_schedule *schedule, double t);

#endif
