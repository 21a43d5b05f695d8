#include "app/ends.h"
#include <math.h>

/* The row that ends a replicate is the one of no mode; those of its modes stand before it. */
struct dun_modes_end dun_ends_modes(const struct dun_table *table)
{
  struct dun_modes_end end = {0};
  double replicates = 0;
  for (long long row = 0; row < dun_table_rows(table); row++) {
    if (!dun_table_ends(table, row, "replicate"))
      continue;
    end.outside += dun_table_cell(table, row, "share");
    end.variation += .5 * dun_table_cell(table, row, "share");
    replicates++;
    for (long long k = row - 1; dun_table_cell(table, k, "mode") >= 0; k--) {
      double share = dun_table_cell(table, k, "share"), due = dun_table_cell(table, k, "due");
      end.modes++;
      end.hit += dun_table_cell(table, k, "hit");
      end.variation += .5 * fabs(share - due);
    }
  }
  double count = replicates > 0 ? replicates : 1;
  end.modes /= count;
  end.hit /= count;
  end.outside /= count;
  end.variation /= count;
  return end;
}

/* Of one look at the particles. */
static int is_same_look(const struct dun_table *table, long long one, long long other)
{
  return dun_table_cell(table, one, "replicate") == dun_table_cell(table, other, "replicate") &&
         dun_table_cell(table, one, "step") == dun_table_cell(table, other, "step");
}

double dun_ends_worst(const struct dun_table *table, const char *column, double sign)
{
  double worst = NAN;
  for (long long row = 0; row < dun_table_rows(table); row++) {
    if (!dun_table_ends(table, row, "replicate"))
      continue;
    for (long long k = row; is_same_look(table, k, row); k--) {
      double value = dun_table_cell(table, k, column);
      if (!isnan(value) && !(sign * value <= sign * worst))
        worst = value;
    }
  }
  return worst;
}

int dun_ends_are_single(const struct dun_table *table)
{
  for (long long row = 1; row < dun_table_rows(table); row++)
    if (is_same_look(table, row - 1, row))
      return 0;
  return 1;
}

double dun_ends_mean(const struct dun_table *table, const char *column)
{
  double sum = 0, count = 0;
  for (long long row = 0; row < dun_table_rows(table); row++) {
    if (!dun_table_ends(table, row, "replicate"))
      continue;
    sum += dun_table_cell(table, row, column);
    count++;
  }
  return count > 0 ? sum / count : NAN;
}
