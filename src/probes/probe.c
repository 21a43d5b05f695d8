#include "probes/probe.h"
#include "base/error.h"
#include "base/memory.h"
#include "population/weights.h"
#include <math.h>
#include <string.h>

static const struct dun_table_column place[] = {
    {"step", "", "Completed steps of the method."},
    {"time", "", "Time on the path."},
    {"replicate", "", "Number of the population, from 0."},
};
enum { PLACE = sizeof place / sizeof *place };

int dun_probe_columns(struct dun_probe_head *head, const struct dun_table_column *columns,
                      int count)
{
  int status = dun_table_init(&head->table, PLACE + count);
  if (status < 0)
    return status;
  memcpy(head->table.column, place, sizeof place);
  memcpy(head->table.column + PLACE, columns, (size_t)count * sizeof *columns);
  return 0;
}

enum { MOST_VALUES = 16 };

int dun_probe_row(struct dun_probe_head *head, const struct dun_run *run, int count,
                  const double *value)
{
  double row[PLACE + MOST_VALUES] = {(double)run->now.step, run->now.time, (double)run->replicate};
  memcpy(row + PLACE, value, (size_t)count * sizeof *value);
  return dun_table_add(&head->table, row);
}

int dun_probe_weighted(struct dun_context *context, const struct dun_run *run, int m,
                       void (*function)(void *data, int64_t local_tile, double *f), void *data,
                       double *mean, double *deviation, double *error)
{
  struct dun_weights weights = {0};
  int status = dun_weights_compute(context, &run->population, run->logw, &weights);

  if (status >= 0)
    status = dun_weighted_moments(context, &run->population, run->root, run->logw, &weights, m,
                                  function, data, mean, deviation, error);
  for (int j = 0; j < m && status >= 0; j++) /* one ancestor leaves rounding, which is no error */
    if (deviation[j] > 0 && error[j] < 1e-9 * deviation[j])
      error[j] = NAN;
  dun_weights_free(&weights);
  return status;
}

int dun_probe_kept(struct dun_context *context, const struct dun_run *run, double **value)
{
  *value = dun_allocate(run->kept.chains.local * run->kept.draws, sizeof **value);
  return dun_agree(context, *value ? 0 : DUN_ERROR_MEMORY);
}
