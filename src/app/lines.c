#include "app/lines.h"
#include "app/number.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { CELLS = 9 + 2 * (1 + DUN_QUANTILES), CELL = 128, LEAST_NAME = 16 };

/* What stands in the cells of a line, and how wide the columns are. */
struct row {
  int count;
  char cell[CELLS][CELL];
};
struct widths {
  int of[CELLS];
};

static void add(struct row *row, const char *text)
{
  snprintf(row->cell[row->count++], CELL, "%s", text);
}

static void add_number(struct row *row, double value, double error, double spread)
{
  struct dun_number number = dun_number_of(value, error, spread);
  add(row, number.value);
  add(row, number.error);
}

static void add_plain(struct row *row, const char *format, double value)
{
  char text[DUN_NUMBER_TEXT];
  add(row, dun_number_print(text, format, value));
}

static void fill(struct row *row, const struct dun_summary_line *line, int mixing, int draws)
{
  row->count = 0;
  add(row, line->name);
  add_number(row, line->mean, line->error, line->deviation);
  add_plain(row, "%.4g", line->deviation);
  if (mixing) {
    add_plain(row, "%.4f", line->rhat);
    if (mixing & DUN_LINES_NESTED)
      add_plain(row, "%.4f", line->nested);
    add_plain(row, "%.0f", line->ess_bulk);
    add_plain(row, "%.0f", line->ess_folded);
    add_plain(row, "%.0f", line->ess_tail);
  }
  for (int q = 0; q < DUN_QUANTILES && draws; q++)
    add_number(row, line->quantile[q].value, line->quantile[q].error, line->deviation);
}

static void fill_headings(struct row *row, int mixing, int draws, const double *probability)
{
  row->count = 0;
  add(row, "parameter");
  add(row, "mean");
  add(row, "error");
  add(row, "deviation");
  if (mixing) {
    add(row, "R-hat");
    if (mixing & DUN_LINES_NESTED)
      add(row, "nested");
    add(row, "bulk ESS");
    add(row, "folded");
    add(row, "tail ESS");
  }
  for (int q = 0; q < DUN_QUANTILES && draws; q++) {
    add_plain(row, "%.0f%%", 100 * probability[q]);
    add(row, "error");
  }
}

/* Characters, not bytes: names may be in any language. */
static int length_of(const char *text)
{
  int length = 0;
  for (; *text; text++)
    length += ((unsigned char)*text & 0xc0) != 0x80;
  return length;
}

static void widen(struct widths *widths, const struct row *row)
{
  for (int c = 0; c < row->count; c++) {
    int length = length_of(row->cell[c]);
    widths->of[c] = length > widths->of[c] ? length : widths->of[c];
  }
}

/* An error stands behind its value. */
static int is_error(int cell, int mixing)
{
  int first = mixing & DUN_LINES_NESTED ? 9 : mixing ? 8 : 4;
  return cell == 2 || (cell > first && (cell - first) % 2 == 1);
}

static void tell_row(struct dun_text *out, const struct row *row, const struct widths *widths,
                     int mixing)
{
  for (int c = 0; c < row->count; c++) {
    int padding = widths->of[c] - length_of(row->cell[c]);
    dun_text_add(out, "%s", c == 0 ? "" : is_error(c, mixing) ? " ± " : "  ");
    if (c == 0)
      dun_text_add(out, "%s%*s", row->cell[c], padding, "");
    else
      dun_text_add(out, "%*s%s", padding, "", row->cell[c]);
  }
  dun_text_add(out, "\n");
}

void dun_lines_tell(struct dun_text *out, const struct dun_summary_line *line, int64_t count,
                    int mixing, int draws, const double probability[DUN_QUANTILES])
{
  struct widths widths = {.of = {LEAST_NAME}};
  struct row row, headings;
  fill_headings(&headings, mixing, draws, probability);
  widen(&widths, &headings);
  for (int64_t i = 0; i < count; i++) {
    fill(&row, &line[i], mixing, draws);
    widen(&widths, &row);
  }
  tell_row(out, &headings, &widths, mixing);
  for (int64_t i = 0; i < count; i++) {
    fill(&row, &line[i], mixing, draws);
    tell_row(out, &row, &widths, mixing);
  }
}
