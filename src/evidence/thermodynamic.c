#include "evidence/second.h"
#include <math.h>

static int is_first(const struct dun_table *steps, long long row)
{
  return row == 0 ||
         dun_table_cell(steps, row - 1, "replicate") != dun_table_cell(steps, row, "replicate");
}

/* A row's mean is that at the time of the row before. */
double dun_thermodynamic(const struct dun_table *steps, double *correction)
{
  long long last = dun_table_rows(steps) - 1, row = last;
  double next_mean = NAN, next_variance = NAN, sum = 0, more = 0;
  *correction = NAN;
  if (row < 0 || is_first(steps, row)) /* one time alone */
    return NAN;
  for (; row >= 0 && !is_first(steps, row); row--) {
    double mean = dun_table_cell(steps, row, "log_likelihood_mean");
    double variance = dun_table_cell(steps, row, "log_likelihood_variance");
    double dt = dun_table_cell(steps, row, "time") - dun_table_cell(steps, row - 1, "time");
    if (row == last) {
      sum = dt * mean;
      more = .5 * dt * dt * variance;
    } else {
      sum += .5 * dt * (mean + next_mean);
      more -= dt * dt / 12 * (next_variance - variance);
    }
    next_mean = mean;
    next_variance = variance;
  }
  *correction = fabs(more);
  return sum + more + dun_table_cell(steps, row, "log_evidence");
}
