#include "app/collect.h"
#include "app/diagnosis.h"
#include "app/ends.h"
#include "app/estimates.h"
#include "app/standing.h"
#include "base/error.h"
#include "base/type.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* A member's row and what it is made of. */
struct row {
  struct dun_sheet *sheet;
  int64_t row;
  struct dun_result_file file;
};

static void put(struct row *r, int rank, const char *name, double value)
{
  dun_sheet_number(r->sheet, r->row, rank, name, value);
}

static double root_of(const struct row *r, const char *name)
{
  return dun_attribute_number(dun_attribute_find(r->file.attribute, r->file.attributes, name));
}

static double provenance_of(const struct row *r, const char *name)
{
  return dun_attribute_number(dun_attribute_find(r->file.provenance, r->file.provenances, name));
}

static const char *text_of(const struct row *r, const char *name)
{
  return dun_attribute_text(dun_attribute_find(r->file.attribute, r->file.attributes, name));
}

/* ---- what a result says -------------------------------------------------------------------- */

static void put_evidence(struct row *r)
{
  double value = root_of(r, "log_evidence"), error = root_of(r, "log_evidence_error");
  double truth = root_of(r, "log_evidence_truth");
  put(r, DUN_RANK_RESULT, "log_evidence", value);
  put(r, DUN_RANK_RESULT, "log_evidence_error", error);
  put(r, DUN_RANK_RESULT, "log_evidence_truth", truth);
  put(r, DUN_RANK_RESULT, "log_evidence_z", error > 0 ? (value - truth) / error : NAN);
}

/* The sentences of the worst verdicts; of a good one nothing needs to be said. */
static void put_diagnosis(struct row *r)
{
  struct dun_diagnosis diagnosis = {0};
  struct dun_text text = {0};
  dun_diagnosis_parse(&diagnosis, text_of(r, "diagnosis_details"));
  enum dun_verdict_level worst = dun_diagnosis_level(&diagnosis);
  for (int i = 0; i < diagnosis.count; i++)
    if (worst > DUN_GOOD && diagnosis.verdict[i].level == worst)
      dun_text_add(&text, "%s%s: %s", text.length ? "; " : "", diagnosis.verdict[i].name,
                   diagnosis.verdict[i].text);
  dun_sheet_text(r->sheet, r->row, DUN_RANK_RESULT, "verdict", text_of(r, "diagnosis"));
  dun_sheet_text(r->sheet, r->row, DUN_RANK_RESULT, "diagnosis", text.text);
  r->sheet->failed |= text.failed;
  dun_text_free(&text);
}

static int put_second(struct row *r)
{
  struct dun_table table;
  double value, error;
  int code = dun_result_table_if(&r->file, "evidence", &table);
  if (code < 0)
    return code;
  dun_estimates_second(&table, &value, &error);
  put(r, DUN_RANK_RESULT, "second_log_evidence", value);
  put(r, DUN_RANK_RESULT, "second_log_evidence_error", error);
  dun_table_free(&table);
  return 0;
}

static int put_mixing(struct row *r)
{
  struct dun_table table;
  int code = dun_result_table_if(&r->file, "rhat", &table);
  if (code < 0)
    return code;
  put(r, DUN_RANK_RESULT, "effective_sample_size", root_of(r, "effective_sample_size"));
  put(r, DUN_RANK_RESULT, "rhat", dun_ends_worst(&table, "rhat", 1));
  dun_table_free(&table);
  return 0;
}

static void put_modes(struct row *r, const struct dun_table *table)
{
  struct dun_modes_end end = dun_ends_modes(table);
  if (end.modes > 0) {
    put(r, DUN_RANK_PROBE, "modes.hit", end.hit);
    put(r, DUN_RANK_PROBE, "modes.total_variation", end.variation);
    put(r, DUN_RANK_PROBE, "modes.outside", end.outside);
  }
}

static int is_place(const char *column)
{
  return !strcmp(column, "row") || !strcmp(column, "step") || !strcmp(column, "time") ||
         !strcmp(column, "replicate") || !strcmp(column, "index");
}

/* Of probes with a row for each parameter only what has a worst one is a number of the run. */
static void put_columns(struct row *r, const char *probe, const struct dun_table *table)
{
  int single = dun_ends_are_single(table), is_ess = !strcmp(probe, "ess");
  for (int c = 0; c < table->columns && (single || is_ess); c++) {
    const char *column = table->column[c].name;
    char name[160];
    snprintf(name, sizeof name, "%s.%s", probe, column);
    if (!is_place(column))
      put(r, DUN_RANK_PROBE, name,
          single ? dun_ends_mean(table, column) : dun_ends_worst(table, column, -1));
  }
}

static int put_probe(struct row *r, const char *probe)
{
  struct dun_table table;
  int code = dun_result_table_if(&r->file, probe, &table);
  if (code >= 0 && !strcmp(probe, "modes"))
    put_modes(r, &table);
  else if (code >= 0 && strcmp(probe, "moments") != 0 && strcmp(probe, "rhat") != 0)
    put_columns(r, probe, &table);
  dun_table_free(&table);
  return code;
}

static int put_probes(struct row *r)
{
  int code = 0;
  for (int i = 0; i < r->file.tables && code >= 0; i++)
    if (dun_type_find(DUN_KIND_PROBE, r->file.table[i]))
      code = put_probe(r, r->file.table[i]);
  return code;
}

static void put_cost(struct row *r)
{
  static const struct {
    const char *name, *place;
    int rank;
  } cost[] = {
      {"evaluations", "evaluations", DUN_RANK_RESULT},
      {"gradients", "gradients", DUN_RANK_RESULT},
      {"wall_seconds", "seconds", DUN_RANK_MACHINE},
      {"processor_seconds", "processor_seconds", DUN_RANK_MACHINE},
      {"memory_bytes", "peak_memory_bytes", DUN_RANK_MACHINE},
      {"sent_bytes", "bytes_sent", DUN_RANK_MACHINE},
      {"ranks", "ranks", DUN_RANK_MACHINE},
  };
  for (size_t i = 0; i < sizeof cost / sizeof *cost; i++)
    put(r, cost[i].rank, cost[i].name, provenance_of(r, cost[i].place));
}

static int put_result(struct row *r)
{
  put_evidence(r);
  int code = put_second(r);
  put_diagnosis(r);
  if (code >= 0)
    code = put_mixing(r);
  put_cost(r);
  dun_sheet_text(r->sheet, r->row, DUN_RANK_RESULT, "population_hash",
                 text_of(r, "population_hash"));
  return code < 0 ? code : put_probes(r);
}

/* ---- rows ---------------------------------------------------------------------------------- */

static void put_member(const struct dun_plan *plan, struct dun_sheet *sheet, int member)
{
  char identity[20];
  snprintf(identity, sizeof identity, "%016llx", (unsigned long long)plan->identity[member]);
  dun_sheet_number(sheet, member, DUN_RANK_MEMBER, "member", member + 1);
  dun_sheet_text(sheet, member, DUN_RANK_MEMBER, "identity", identity);
  for (int i = 0; i < plan->members.varied; i++)
    dun_sheet_text(sheet, member, DUN_RANK_MEMBER, plan->members.option[i].path,
                   dun_plan_label(plan, member, i));
}

static void collect_member(const struct dun_plan *plan, struct dun_sheet *sheet, int member)
{
  struct row r = {.sheet = sheet, .row = member, .file = {.handle = -1}};
  struct dun_text result = {0}, reason = {0};
  put_member(plan, sheet, member);
  dun_plan_file(plan, member, ".h5", &result);
  enum dun_standing standing =
      result.failed ? DUN_STANDING_MISSING
                    : dun_standing_of(result.text, plan->identity[member], &r.file, &reason);
  if (r.file.handle >= 0 && put_result(&r) < 0) {
    standing = DUN_STANDING_FAILED;
    dun_sheet_clear(sheet, member, DUN_RANK_RESULT);
    dun_text_add(&reason, "%s", dun_error_text());
  }
  dun_result_close(&r.file);
  dun_sheet_text(sheet, member, DUN_RANK_STATE, "state", dun_standing_word(standing));
  dun_sheet_text(sheet, member, DUN_RANK_STATE, "reason", reason.text);
  sheet->failed |= result.failed || reason.failed;
  dun_text_free(&result);
  dun_text_free(&reason);
}

int dun_collect_members(const struct dun_plan *plan, struct dun_sheet *sheet)
{
  dun_sheet_init(sheet, plan->members.count);
  struct row none = {.sheet = sheet, .file = {.handle = -1}};
  put_result(&none); /* also of a sweep of which nothing is done the table has its columns */
  for (int i = 0; i < plan->members.count; i++)
    collect_member(plan, sheet, i);
  dun_sheet_order(sheet);
  return sheet->failed ? dun_fail(DUN_ERROR_MEMORY, "no memory for the table") : 0;
}
