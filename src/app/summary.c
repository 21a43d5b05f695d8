#include "app/summary.h"
#include "app/diagnosis.h"
#include "app/ends.h"
#include "app/estimates.h"
#include "app/json.h"
#include "app/lines.h"
#include "app/number.h"
#include "app/progress.h"
#include "app/quantiles.h"
#include "app/rungs.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/tell.h"
#include "data/hdf_guard.h"
#include "io/result_read.h"
#include "numerics/mixing.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { QUANTILES = DUN_QUANTILES, BRIEF = 10 };
static const double probability[QUANTILES] = {.05, .5, .95};

struct summary {
  struct dun_result_file file;
  struct dun_table replicates, steps, moments, rhat, mode, rungs, estimates;
  int64_t count;                 /* numbers in all output parameters */
  struct dun_summary_line *line; /* [count] */
  int with_draws;                /* quantiles are there */

  struct dun_modes_end modes;
};

/* ---- reading ------------------------------------------------------------------------------- */

static const struct dun_attribute *root_of(const struct summary *s, const char *name)
{
  return dun_attribute_find(s->file.attribute, s->file.attributes, name);
}

static const struct dun_attribute *provenance_of(const struct summary *s, const char *name)
{
  return dun_attribute_find(s->file.provenance, s->file.provenances, name);
}

static int name_lines(struct summary *s)
{
  int64_t at = 0;
  for (int v = 0; v < s->file.variables; v++)
    s->count += s->file.variable[v].statistic ? 0 : s->file.variable[v].width;
  s->line = dun_hdf_allocate(s->count, sizeof *s->line);
  if (!s->line)
    return DUN_ERROR_MEMORY;
  for (int v = 0; v < s->file.variables; v++) {
    const struct dun_result_shape *variable = &s->file.variable[v];
    for (int64_t c = 0; c < variable->width && !variable->statistic; c++) {
      struct dun_summary_line *line = &s->line[at++];
      dun_result_component_name(variable, c, line->name);
      line->mean = line->error = line->deviation = NAN;
      line->rhat = line->nested = NAN;
    }
  }
  return 0;
}

/* ---- means --------------------------------------------------------------------------------- */

/* One number's last moments over the replicates: how many, their mean, the sum of their errors'
 * squares, and that of squares about the mean, which keeps its digits far from 0. */
struct sums {
  double replicates, mean, error, squares;
};

static void add_moments(const struct summary *s, long long last, struct sums *sums)
{
  const struct dun_table *m = &s->moments;
  for (int64_t i = 0; i < s->count; i++) {
    long long row = last - s->count + 1 + i;
    double mean = dun_table_cell(m, row, "mean"), error = dun_table_cell(m, row, "error");
    double deviation = dun_table_cell(m, row, "deviation"), before = sums[i].replicates++;
    double off = mean - sums[i].mean;
    /* one ancestor has left rounding only, as have numbers that are all the same */
    int alone = !(error > 1e-9 * deviation) || !dun_spread_is_real(mean, deviation);
    sums[i].mean += off / sums[i].replicates;
    sums[i].error += alone ? NAN : error * error;
    sums[i].squares += deviation * deviation + off * off * before / sums[i].replicates;
  }
}

static int has_mixing(const struct summary *s)
{
  return dun_table_rows(&s->rhat) > 0;
}

/* Columns of the lines. */
static int mixing_of(const struct summary *s)
{
  int flags = has_mixing(s) ? DUN_LINES_MIXING : 0;
  for (int64_t i = 0; i < s->count && flags; i++)
    flags |= isnan(s->line[i].nested) ? 0 : DUN_LINES_NESTED;
  return flags;
}

static void add_mixing(struct summary *s, long long last)
{
  for (int64_t i = 0; i < s->count; i++) {
    struct dun_summary_line *line = &s->line[i];
    long long row = last - s->count + 1 + i;
    double rhat = dun_table_cell(&s->rhat, row, "rhat");
    double nested = dun_table_cell(&s->rhat, row, "rhat_nested");
    line->rhat = rhat > line->rhat || isnan(line->rhat) ? rhat : line->rhat;
    line->nested = nested > line->nested || isnan(line->nested) ? nested : line->nested;
    line->ess_folded += dun_table_cell(&s->rhat, row, "ess_folded");
    line->ess_bulk += dun_table_cell(&s->rhat, row, "ess_bulk");
    line->ess_tail += dun_table_cell(&s->rhat, row, "ess_tail");
  }
}

static void read_mixing(struct summary *s)
{
  for (long long row = s->count - 1; row < dun_table_rows(&s->rhat) && s->count > 0; row++)
    if (dun_table_ends(&s->rhat, row, "replicate"))
      add_mixing(s, row);
}

/* The last rows of each replicate are those of its end; replicates count alike, as the chains in
 * the draws do. */
static int read_moments(struct summary *s)
{
  long long rows = dun_table_rows(&s->moments);
  struct sums *sums = dun_hdf_allocate(s->count, sizeof *sums);
  if (!sums)
    return DUN_ERROR_MEMORY;
  for (long long row = s->count - 1; row < rows && s->count > 0; row++) {
    if (dun_table_ends(&s->moments, row, "replicate"))
      add_moments(s, row, sums);
  }
  for (int64_t i = 0; i < s->count && sums[i].replicates > 0; i++) {
    double n = sums[i].replicates, deviation = sqrt(sums[i].squares / n);
    s->line[i].mean = sums[i].mean;
    s->line[i].error = sqrt(sums[i].error) / n;
    s->line[i].deviation = dun_spread_is_real(sums[i].mean, deviation) ? deviation : 0;
  }
  dun_free(sums);
  return 0;
}

/* ---- quantiles ----------------------------------------------------------------------------- */

struct draws {
  int64_t chains, draws;
  double *value, *sorted, *root; /* root: NULL where the file has none */
  int by_chain;                  /* a chain's draws count as those of one ancestor */
};

static int draws_init(const struct summary *s, struct draws *draws)
{
  const struct dun_result_shape *root = dun_result_find(&s->file, 1, "root");
  const struct dun_result_shape *first = s->file.variable;
  int64_t count = first->chains * first->draws;
  *draws = (struct draws){.chains = first->chains, .draws = first->draws};
  draws->value = dun_allocate(count, sizeof *draws->value);
  draws->sorted = dun_allocate(count, sizeof *draws->sorted);
  if (!draws->value || !draws->sorted)
    return DUN_ERROR_MEMORY;
  draws->by_chain = has_mixing(s) && dun_mixing_by_chain(draws->chains, draws->draws);
  if (draws->by_chain) {
    draws->root = dun_allocate(count, sizeof *draws->root);
    return draws->root ? 0 : DUN_ERROR_MEMORY;
  }
  if (!root || root->width != 1 || root->chains * root->draws != count)
    return 0;
  draws->root = dun_allocate(count, sizeof *draws->root);
  return draws->root ? dun_result_component(&s->file, root, 0, draws->root) : DUN_ERROR_MEMORY;
}

/* Draws of a chain hang together: their number is the effective one, of the bulk for the median, of
 * the tails for the others. */
static void correct_errors(struct dun_summary_line *line, double draws)
{
  for (int q = 0; q < QUANTILES; q++) {
    double ess = line->quantile[q].probability == .5 ? line->ess_bulk : line->ess_tail;
    line->quantile[q].error *= sqrt(draws / ess);
  }
}

static int quantiles_of(const struct summary *s, const struct dun_result_shape *variable,
                        int64_t component, struct draws *draws, struct dun_summary_line *line)
{
  int code;
  if (variable->chains != draws->chains || variable->draws != draws->draws)
    return dun_fail(DUN_ERROR_INPUT, "%s: /posterior/%s has another number of draws than the rest",
                    s->file.name, variable->name);
  if ((code = dun_result_component(&s->file, variable, component, draws->value)) < 0)
    return code;
  for (int q = 0; q < QUANTILES; q++)
    line->quantile[q].probability = probability[q];
  dun_quantiles(draws->chains, draws->draws, draws->value, draws->root, draws->sorted, QUANTILES,
                line->quantile);
  if (has_mixing(s) && !draws->by_chain)
    correct_errors(line, (double)(draws->chains * draws->draws));
  return 0;
}

static int read_draws(struct summary *s)
{
  struct draws draws = {0};
  int64_t at = 0;
  int code = s->count > 0 ? draws_init(s, &draws) : 0;
  for (int v = 0; v < s->file.variables && code >= 0; v++) {
    const struct dun_result_shape *variable = &s->file.variable[v];
    for (int64_t c = 0; c < variable->width && !variable->statistic && code >= 0; c++)
      code = quantiles_of(s, variable, c, &draws, &s->line[at++]);
  }
  DUN_FREE(draws.value);
  DUN_FREE(draws.sorted);
  DUN_FREE(draws.root);
  s->with_draws = code >= 0;
  return code;
}

static void summary_free(struct summary *s)
{
  dun_table_free(&s->replicates);
  dun_table_free(&s->steps);
  dun_table_free(&s->moments);
  dun_table_free(&s->rhat);
  dun_table_free(&s->mode);
  dun_table_free(&s->rungs);
  dun_table_free(&s->estimates);
  DUN_FREE(s->line);
  dun_result_close(&s->file);
}

struct reading {
  struct summary *summary;
  const char *file;
};

/* All but the draws. */
static int read_tables(void *self)
{
  struct reading *reading = self;
  struct summary *s = reading->summary;
  int code = dun_result_open_within(&s->file, reading->file);
  if (code >= 0)
    code = dun_result_table_if(&s->file, "replicates", &s->replicates);
  if (code >= 0)
    code = dun_result_table_if(&s->file, "steps", &s->steps);
  if (code >= 0)
    code = dun_result_table_if(&s->file, "moments", &s->moments);
  if (code >= 0)
    code = dun_result_table_if(&s->file, "rhat", &s->rhat);
  if (code >= 0)
    code = dun_result_table_if(&s->file, "modes", &s->mode);
  if (code >= 0)
    code = dun_result_table_if(&s->file, "tempering", &s->rungs);
  if (code >= 0)
    code = dun_result_table_if(&s->file, "evidence", &s->estimates);
  if (code >= 0)
    code = name_lines(s);
  if (code >= 0)
    code = read_moments(s);
  if (code >= 0)
    read_mixing(s);
  if (code >= 0)
    s->modes = dun_ends_modes(&s->mode);
  if (code >= 0 && dun_hdf_rehearsing())
    dun_result_rehearse(&s->file);
  return code;
}

static int summary_read(struct summary *s, const char *file, int with_draws)
{
  struct reading reading = {s, file};
  int code = dun_hdf_guarded(file, DUN_ERROR_INPUT, read_tables, &reading);
  return code >= 0 && with_draws ? read_draws(s) : code;
}

/* ---- as text ------------------------------------------------------------------------------- */

static void tell_evidence(struct dun_text *out, const struct summary *s)
{
  double log_evidence = dun_attribute_number(root_of(s, "log_evidence"));
  double error = dun_attribute_number(root_of(s, "log_evidence_error"));
  double spread = dun_attribute_number(root_of(s, "log_evidence_spread"));
  long long replicates = dun_table_rows(&s->replicates);
  struct dun_number number = dun_number_of(log_evidence, error, NAN);
  char text[DUN_NUMBER_TEXT];
  if (isnan(log_evidence)) /* the method gives none */
    return;
  if (isnan(error))
    dun_text_add(out, "log Z        %s, with an error that is not known\n", number.value);
  else
    dun_text_add(out, "log Z        %s ± %s (it covers the modes that were found)\n", number.value,
                 number.error);
  if (replicates > 1)
    dun_text_add(out, "replicates   %lld; by their spread the error is %s\n", replicates,
                 isnan(spread) ? "not known" : dun_number_print(text, "%.2g", spread));
}

static void tell_diagnosis(struct dun_text *out, const struct summary *s)
{
  struct dun_diagnosis diagnosis = {0};
  dun_diagnosis_parse(&diagnosis, dun_attribute_text(root_of(s, "diagnosis_details")));
  dun_text_add(out, "diagnosis    %s\n", dun_attribute_text(root_of(s, "diagnosis")));
  for (int i = 0; i < diagnosis.count; i++) {
    const struct dun_verdict *verdict = &diagnosis.verdict[i];
    dun_text_add(out, "  %-17s %-8s %s\n", verdict->name, dun_verdict_word(verdict->level),
                 verdict->text);
  }
}

static double mean_acceptance(const struct summary *s)
{
  long long rows = dun_table_rows(&s->steps), counted = 0;
  double sum = 0;
  for (long long row = 0; row < rows; row++) {
    double acceptance = dun_table_cell(&s->steps, row, "acceptance");
    if (!isnan(acceptance)) {
      sum += acceptance;
      counted++;
    }
  }
  return counted ? sum / (double)counted : NAN;
}

static void tell_run(struct dun_text *out, const struct summary *s)
{
  double acceptance = mean_acceptance(s),
         ess = dun_attribute_number(root_of(s, "effective_sample_size"));
  double kish = dun_attribute_number(root_of(s, "kish_effective_sample_size"));
  char text[DUN_NUMBER_TEXT], hit[DUN_NUMBER_TEXT], variation[DUN_NUMBER_TEXT];
  char outside[DUN_NUMBER_TEXT];
  dun_text_add(out, "ESS          %s",
               isnan(ess) ? "not known" : dun_number_print(text, "%.4g", ess));
  if (kish > ess)
    dun_text_add(out, ", of the least known parameter; Kish's, of the weights alone, %s",
                 dun_number_print(text, "%.4g", kish));
  dun_text_add(out, "\n");
  dun_text_add(out, "steps        %lld", dun_table_rows(&s->steps));
  if (!isnan(acceptance))
    dun_text_add(out, ", mean acceptance %.3f", acceptance);
  if (s->modes.modes > 0)
    dun_text_add(out, "\nmodes        %s of %.0f hit, total variation %s, outside %s",
                 dun_number_print(hit, "%.4g", s->modes.hit), s->modes.modes,
                 dun_number_print(variation, "%.3f", s->modes.variation),
                 dun_number_print(outside, "%.3f", s->modes.outside));
  dun_text_add(out, "\nhash         %s\n", dun_attribute_text(root_of(s, "population_hash")));
}

static void tell_lines(struct dun_text *out, const struct summary *s, int64_t most)
{
  dun_text_add(out, "\n");
  dun_lines_tell(out, s->line, s->count < most ? s->count : most, mixing_of(s), s->with_draws,
                 probability);
  if (s->count > most)
    dun_text_add(out, "... and %lld more: dunlin summary %s\n", (long long)(s->count - most),
                 s->file.name);
  dun_text_add(out, "\n");
}

static void tell_cost(struct dun_text *out, const struct summary *s)
{
  char text[32], number[4][DUN_NUMBER_TEXT];
  double ranks = dun_attribute_number(provenance_of(s, "ranks"));
  dun_text_add(
      out, "cost         %s evaluations, %s on %s rank%s, %s MB sent, %s MB peak\n",
      dun_number_print(number[0], "%.4g", dun_attribute_number(provenance_of(s, "evaluations"))),
      dun_seconds_text(dun_attribute_number(provenance_of(s, "seconds")), text, sizeof text),
      dun_number_print(number[1], "%.0f", ranks), ranks == 1 ? "" : "s",
      dun_number_print(number[2], "%.3g",
                       dun_attribute_number(provenance_of(s, "bytes_sent")) * 1e-6),
      dun_number_print(number[3], "%.3g",
                       dun_attribute_number(provenance_of(s, "peak_memory_bytes")) * 1e-6));
  double price = dun_attribute_number(root_of(s, "evaluations_per_effective_draw"));
  double sampling = dun_attribute_number(root_of(s, "evaluations_per_effective_draw_sampling"));
  if (!isnan(price))
    dun_text_add(
        out, "             %s evaluations for each effective draw, %s without the warm-up\n",
        dun_number_print(number[0], "%.3g", price), dun_number_print(number[1], "%.3g", sampling));
  dun_text_add(out, "            ");
  for (int p = 0; p < DUN_PHASES; p++) {
    char name[48];
    snprintf(name, sizeof name, "seconds_%s", dun_phase_name(p));
    dun_text_add(out, "%s %s %s s", p ? "," : "", dun_phase_name(p),
                 dun_number_print(number[0], "%.3g", dun_attribute_number(provenance_of(s, name))));
  }
  dun_text_add(out, "\nfile         %s\n", s->file.name);
}

static void tell(struct dun_text *out, const struct summary *s, int64_t most)
{
  if (dun_attribute_number(root_of(s, "cut_short")) == 1)
    dun_text_add(out, "cut short    run.evaluations were used up: see the verdict budget\n");
  tell_evidence(out, s);
  dun_estimates_tell(out, &s->estimates, dun_attribute_number(root_of(s, "log_evidence_error")));
  tell_diagnosis(out, s);
  tell_run(out, s);
  dun_rungs_tell(out, &s->rungs, s->with_draws);
  tell_lines(out, s, most);
  tell_cost(out, s);
}

/* ---- as JSON ------------------------------------------------------------------------------- */

static void add_diagnosis(struct dun_text *out, const struct summary *s)
{
  struct dun_diagnosis diagnosis = {0};
  dun_diagnosis_parse(&diagnosis, dun_attribute_text(root_of(s, "diagnosis_details")));
  dun_json_text(out, ",\n ", "diagnosis", dun_attribute_text(root_of(s, "diagnosis")));
  dun_text_add(out, ",\n \"verdicts\": [");
  for (int i = 0; i < diagnosis.count; i++) {
    const struct dun_verdict *verdict = &diagnosis.verdict[i];
    dun_json_text(out, i ? ",\n  {" : "\n  {", "name", verdict->name);
    dun_json_text(out, ", ", "level", dun_verdict_word(verdict->level));
    dun_json_text(out, ", ", "text", verdict->text);
    dun_text_add(out, "}");
  }
  dun_text_add(out, "]");
}

/* A table's rows as objects. */
static void add_table(struct dun_text *out, const char *name, const struct dun_table *table)
{
  dun_text_add(out, ",\n \"%s\": [", name);
  for (long long row = 0; row < dun_table_rows(table); row++) {
    for (int c = 0; c < table->columns; c++)
      dun_json_number(out,
                      c     ? ", "
                      : row ? ",\n  {"
                            : "\n  {",
                      table->column[c].name, table->cells.value[row * table->columns + c]);
    dun_text_add(out, "}");
  }
  dun_text_add(out, "]");
}

static void add_lines(struct dun_text *out, const struct summary *s)
{
  dun_text_add(out, ",\n \"parameters\": [");
  for (int64_t i = 0; i < s->count; i++) {
    const struct dun_summary_line *line = &s->line[i];
    dun_json_text(out, i ? ",\n  {" : "\n  {", "name", line->name);
    dun_json_number(out, ", ", "mean", line->mean);
    dun_json_number(out, ", ", "mean_error", line->error);
    dun_json_number(out, ", ", "deviation", line->deviation);
    if (has_mixing(s)) {
      dun_json_number(out, ", ", "rhat", line->rhat);
      dun_json_number(out, ", ", "rhat_nested", line->nested);
      dun_json_number(out, ", ", "ess_bulk", line->ess_bulk);
      dun_json_number(out, ", ", "ess_folded", line->ess_folded);
      dun_json_number(out, ", ", "ess_tail", line->ess_tail);
    }
    dun_text_add(out, ", \"quantiles\": [");
    for (int q = 0; q < QUANTILES; q++) {
      dun_json_number(out, q ? ", {" : "{", "probability", line->quantile[q].probability);
      dun_json_number(out, ", ", "value", line->quantile[q].value);
      dun_json_number(out, ", ", "error", line->quantile[q].error);
      dun_text_add(out, "}");
    }
    dun_text_add(out, "]}");
  }
  dun_text_add(out, "]");
}

static void add_cost(struct dun_text *out, const struct summary *s)
{
  static const char *const name[] = {"evaluations",       "nans",  "bytes_sent", "collectives",
                                     "peak_memory_bytes", "ranks", "seconds"};
  dun_text_add(out, ",\n \"cost\": {");
  for (size_t i = 0; i < sizeof name / sizeof *name; i++)
    dun_json_number(out, i ? ", " : "", name[i], dun_attribute_number(provenance_of(s, name[i])));
  for (int p = 0; p < DUN_PHASES; p++) {
    char phase[48];
    snprintf(phase, sizeof phase, "seconds_%s", dun_phase_name(p));
    dun_json_number(out, ", ", phase, dun_attribute_number(provenance_of(s, phase)));
  }
  dun_text_add(out, "}");
}

static void tell_json(struct dun_text *out, const struct summary *s)
{
  dun_json_text(out, "{", "file", s->file.name);
  dun_json_number(out, ",\n ", "log_evidence", dun_attribute_number(root_of(s, "log_evidence")));
  dun_json_number(out, ",\n ", "log_evidence_error",
                  dun_attribute_number(root_of(s, "log_evidence_error")));
  dun_json_number(out, ",\n ", "log_evidence_spread",
                  dun_attribute_number(root_of(s, "log_evidence_spread")));
  dun_json_number(out, ",\n ", "effective_sample_size",
                  dun_attribute_number(root_of(s, "effective_sample_size")));
  dun_json_number(out, ",\n ", "kish_effective_sample_size",
                  dun_attribute_number(root_of(s, "kish_effective_sample_size")));
  dun_json_number(out, ",\n ", "evaluations_per_effective_draw",
                  dun_attribute_number(root_of(s, "evaluations_per_effective_draw")));
  dun_json_number(out, ",\n ", "evaluations_per_effective_draw_sampling",
                  dun_attribute_number(root_of(s, "evaluations_per_effective_draw_sampling")));
  dun_json_number(out, ",\n ", "acceptance", mean_acceptance(s));
  dun_json_number(out, ",\n ", "steps", (double)dun_table_rows(&s->steps));
  dun_json_text(out, ",\n ", "population_hash", dun_attribute_text(root_of(s, "population_hash")));
  dun_text_add(out, ",\n \"deterministic\": %s",
               dun_attribute_number(root_of(s, "deterministic")) == 1 ? "true" : "false");
  dun_text_add(out, ",\n \"cut_short\": %s",
               dun_attribute_number(root_of(s, "cut_short")) == 1 ? "true" : "false");
  if (s->modes.modes > 0) {
    dun_json_number(out, ",\n \"modes\": {", "count", s->modes.modes);
    dun_json_number(out, ", ", "hit", s->modes.hit);
    dun_json_number(out, ", ", "total_variation", s->modes.variation);
    dun_json_number(out, ", ", "outside", s->modes.outside);
    dun_text_add(out, "}");
  }
  add_diagnosis(out, s);
  add_table(out, "replicates", &s->replicates);
  add_table(out, "evidence", &s->estimates);
  if (dun_table_rows(&s->rungs) > 0)
    add_table(out, "rungs", &s->rungs);
  add_lines(out, s);
  add_cost(out, s);
  dun_text_add(out, "}\n");
}

/* ---- both ---------------------------------------------------------------------------------- */

int dun_summary(struct dun_text *out, const char *file, int json)
{
  struct summary s = {0};
  int code = summary_read(&s, file, 1);
  if (code >= 0 && json)
    tell_json(out, &s);
  else if (code >= 0)
    tell(out, &s, INT64_MAX);
  summary_free(&s);
  return code < 0 ? code : 0;
}

int dun_summary_brief(const char *file)
{
  struct summary s = {0};
  struct dun_text out = {0};
  int code = summary_read(&s, file, 0);
  if (code >= 0)
    tell(&out, &s, BRIEF);
  if (code >= 0)
    dun_tell(stdout, "%s", out.text ? out.text : "");
  fflush(stdout);
  dun_text_free(&out);
  summary_free(&s);
  return code < 0 ? code : 0;
}
