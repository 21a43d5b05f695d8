#include "evidence/second.h"
#include <math.h>

double dun_thermodynamic(const struct dun_table *steps, double *correction)
{
  long long last = dun_table_rows(steps) - 1;
  double replicate = dun_table_cell(steps, last, "replicate"), sum = 0;
  double next_mean = NAN, next_variance = NAN, more = 0;
  /* a row's mean is that at the time of the row before */
  for (long long row = last; row >= 0; row--) {
    int first = row == 0 || dun_table_cell(steps, row - 1, "replicate") != replicate;
    double mean = dun_table_cell(steps, row, "log_likelihood_mean");
    double variance = dun_table_cell(steps, row, "log_likelihood_variance");
    double dt =
        dun_table_cell(steps, row, "time") - (first ? 0 : dun_table_cell(steps, row - 1, "time"));
    if (row == last) {
      sum = dt * mean;
      more = .5 * dt * dt * variance;
    } else {
      sum += .5 * dt * (mean + next_mean);
      more -= dt * dt / 12 * (next_variance - variance);
    }
    next_mean = mean;
    next_variance = variance;
    if (first)
      break;
  }
  *correction = fabs(more);
  return sum + more;
}
