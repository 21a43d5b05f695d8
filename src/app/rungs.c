#include "app/rungs.h"
#include "app/number.h"
#include <math.h>

struct ends {
  double replicates, rungs, barrier, trips, least, most;
};

/* The first row of the ladder whose last row is `last`: what a file says of it may be no number. */
static long long first_row(const struct dun_table *table, long long last)
{
  double rung = dun_table_cell(table, last, "rung");
  return rung >= 0 && rung <= (double)last ? last - (long long)rung : last;
}

static void add_rejections(const struct dun_table *table, long long last, struct ends *ends)
{
  for (long long row = first_row(table, last); row < last; row++) {
    double rejection = dun_table_cell(table, row, "rejection");
    ends->least = rejection < ends->least ? rejection : ends->least;
    ends->most = rejection > ends->most ? rejection : ends->most;
  }
}

static struct ends find_ends(const struct dun_table *table)
{
  struct ends ends = {.least = 1};
  for (long long row = 0; row < dun_table_rows(table); row++) {
    if (!dun_table_ends(table, row, "replicate"))
      continue;
    ends.replicates++;
    ends.rungs = dun_table_cell(table, row, "rung") + 1;
    ends.barrier += dun_table_cell(table, row, "barrier");
    ends.trips += dun_table_cell(table, row, "round_trips");
    add_rejections(table, row, &ends);
  }
  return ends;
}

static void tell_rung(struct dun_text *out, const struct dun_table *table, long long row)
{
  double rejection = dun_table_cell(table, row, "rejection");
  char text[2][DUN_NUMBER_TEXT];
  dun_text_add(out, "  %4.0f %12.6g %11s", dun_table_cell(table, row, "rung"),
               dun_table_cell(table, row, "time"),
               dun_number_print(text[0], "%.4g", dun_table_cell(table, row, "step_size")));
  if (isnan(rejection))
    dun_text_add(out, " %10s", "");
  else
    dun_text_add(out, " %9.1f%%", 100 * rejection);
  dun_text_add(out, " %9s %12s\n",
               dun_number_print(text[0], "%.3f", dun_table_cell(table, row, "barrier")),
               dun_number_print(text[1], "%.7g", dun_table_cell(table, row, "log_evidence")));
}

void dun_rungs_tell(struct dun_text *out, const struct dun_table *table, int all)
{
  long long last = dun_table_rows(table) - 1;
  struct ends ends = find_ends(table);
  if (last < 0)
    return;
  char barrier[DUN_NUMBER_TEXT], trips[DUN_NUMBER_TEXT];
  dun_text_add(out, "rungs        %.0f, barrier %s, %s round trips", ends.rungs,
               dun_number_print(barrier, "%.3f", ends.barrier / ends.replicates),
               dun_number_print(trips, "%.0f", ends.trips));
  if (ends.least <= ends.most)
    dun_text_add(out, ", rejections of swaps %.0f%% to %.0f%%\n", 100 * ends.least,
                 100 * ends.most);
  else
    dun_text_add(out, ", no rejection of a swap is known\n");
  if (!all)
    return;
  dun_text_add(out, "  %4s %12s %11s %10s %9s %12s\n", "rung", "time", "step size", "rejection",
               "barrier", "log Z");
  for (long long row = first_row(table, last); row <= last; row++)
    tell_rung(out, table, row);
}
