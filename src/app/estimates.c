#include "app/estimates.h"
#include "app/number.h"
#include "evidence/second.h"
#include <math.h>

/* Over the replicates: log of the mean Z, its error, and what else a line shows. */
struct mean {
  double log_z, error, ess, draws, shape;
  long long made, counted;
};

/* A table that was read begins with the number of its row. */
static const double *row_of(const struct dun_table *table, long long row)
{
  return table->cells.value + row * table->columns + table->columns - DUN_EVIDENCE_COLUMNS;
}

static int is_usable(const double *row)
{
  return row[DUN_EVIDENCE_ESTIMATOR] == DUN_ESTIMATE_MIXTURE
             ? dun_second_counts(row)
             : !isnan(row[DUN_EVIDENCE_LOG_EVIDENCE]);
}

static void add(struct mean *mean, const double *row)
{
  mean->made += row[DUN_EVIDENCE_ESTIMATOR] == DUN_ESTIMATE_MIXTURE && row[DUN_EVIDENCE_DRAWS] > 0;
  if (!is_usable(row))
    return;
  mean->counted++;
  mean->ess += row[DUN_EVIDENCE_ESS];
  mean->draws += row[DUN_EVIDENCE_DRAWS];
  mean->shape = fmax(mean->shape, row[DUN_EVIDENCE_SHAPE]);
  mean->log_z = fmax(mean->log_z, row[DUN_EVIDENCE_LOG_EVIDENCE]);
}

static struct mean mean_of(const struct dun_table *table, enum dun_estimator estimator)
{
  struct mean mean = {.log_z = -INFINITY, .shape = -INFINITY};
  double sum = 0, square = 0;
  for (long long i = 0; i < dun_table_rows(table); i++)
    if (row_of(table, i)[DUN_EVIDENCE_ESTIMATOR] == estimator)
      add(&mean, row_of(table, i));
  for (long long i = 0; i < dun_table_rows(table); i++) {
    const double *row = row_of(table, i);
    if (row[DUN_EVIDENCE_ESTIMATOR] != estimator || !is_usable(row))
      continue;
    double z = exp(row[DUN_EVIDENCE_LOG_EVIDENCE] - mean.log_z), e = z * row[DUN_EVIDENCE_ERROR];
    sum += z;
    square += e * e;
  }
  mean.log_z += log(sum / (double)mean.counted);
  mean.error = sqrt(square) / sum;
  return mean;
}

void dun_estimates_second(const struct dun_table *table, double *log_evidence, double *error)
{
  *log_evidence = *error = NAN;
  if (table->columns < DUN_EVIDENCE_COLUMNS)
    return;
  struct mean second = mean_of(table, DUN_ESTIMATE_MIXTURE);
  if (second.counted == 0)
    return;
  *log_evidence = second.log_z;
  *error = second.error;
}

void dun_estimates_tell(struct dun_text *out, const struct dun_table *table, double error)
{
  if (table->columns < DUN_EVIDENCE_COLUMNS)
    return;
  struct mean second = mean_of(table, DUN_ESTIMATE_MIXTURE);
  struct mean path = mean_of(table, DUN_ESTIMATE_THERMODYNAMIC);
  struct dun_number number = dun_number_of(second.log_z, second.error, NAN);
  if (second.counted > 0)
    dun_text_add(out,
                 "second       %s ± %s from %.0f draws of a fitted mixture, worth %.0f, Pareto "
                 "shape %.2f%s\n",
                 number.value, number.error, second.draws, second.ess, second.shape,
                 second.error < error   ? "; the smaller error"
                 : second.error > error ? "; the larger error"
                                        : "");
  else if (second.made > 0)
    dun_text_add(out, "second       none: the fitted mixture's draws are worth too little\n");
  if (path.counted > 0 && path.error < .5)
    dun_text_add(
        out, "over t       %.3f by thermodynamic integration, the times' distances count %.2g\n",
        path.log_z, path.error);
}
