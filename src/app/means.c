/* Means of a sweep's table over seeds, and the two tables on their way to people. */
#include "app/collect.h"
#include "app/number.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/tell.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* ---- members that differ by their seeds ---------------------------------------------------- */

static int is_seed(const struct dun_plan *plan, int option)
{
  return !strcmp(plan->members.option[option].path, "run.seed");
}

/* All but the seed as one text; labels may hold anything but a zero byte. */
static char *key_of(const struct dun_plan *plan, int member)
{
  struct dun_text key = {0};
  for (int i = 0; i < plan->members.varied; i++)
    if (!is_seed(plan, i))
      dun_text_add(&key, "%s\n", dun_plan_label(plan, member, i));
  return key.text ? key.text : dun_copy_text("");
}

/* The group of each member, from 0 in the order of their first members; their count, or < 0. */
static int find_groups(const struct dun_plan *plan, int *group)
{
  int members = plan->members.count, groups = 0;
  char **key = dun_allocate(members, sizeof *key);
  for (int i = 0; i < members && key && groups >= 0; i++) {
    char *own = key_of(plan, i);
    int found = 0;
    while (own && found < groups && strcmp(key[found], own) != 0)
      found++;
    group[i] = found;
    if (found == groups && own)
      key[groups++] = own;
    else
      dun_free(own);
    groups = own ? groups : -1;
  }
  for (int i = 0; i < members && key; i++)
    dun_free(key[i]);
  groups = key ? groups : -1;
  dun_free(key);
  return groups < 0 ? dun_fail(DUN_ERROR_MEMORY, "no memory for the means") : groups;
}

/* ---- means --------------------------------------------------------------------------------- */

struct mean {
  double count, mean, squares;
};

static void add(struct mean *m, double value)
{
  double off = value - m->mean;
  m->count++;
  m->mean += off / m->count;
  m->squares += off * (value - m->mean);
}

static double error_of(const struct mean *m)
{
  return m->count > 1 ? sqrt(m->squares / (m->count - 1) / m->count) : NAN;
}

static int counts(const struct dun_sheet *members, int64_t member)
{
  const struct dun_sheet_column *state = dun_sheet_find(members, "state");
  const char *word = state && state->text ? state->text[member] : NULL;
  return word && (!strcmp(word, "done") || !strcmp(word, "budget"));
}

static void put_mean(struct dun_sheet *sheet, int64_t row, const struct dun_sheet_column *column,
                     const struct mean *m)
{
  char name[200];
  dun_sheet_number(sheet, row, column->rank, column->name, m->count > 0 ? m->mean : NAN);
  snprintf(name, sizeof name, "%s_standard_error", column->name);
  dun_sheet_number(sheet, row, column->rank, name, error_of(m));
  snprintf(name, sizeof name, "%s_count", column->name);
  dun_sheet_number(sheet, row, column->rank, name, m->count);
}

static void put_means(const struct dun_sheet *members, const int *group, struct dun_sheet *sheet,
                      struct mean *mean)
{
  for (int c = 0; c < members->columns; c++) {
    const struct dun_sheet_column *column = &members->column[c];
    if (!column->number || column->rank < DUN_RANK_RESULT)
      continue;
    memset(mean, 0, (size_t)sheet->rows * sizeof *mean);
    for (int64_t i = 0; i < members->rows; i++)
      if (counts(members, i) && !isnan(column->number[i]))
        add(&mean[group[i]], column->number[i]);
    for (int64_t row = 0; row < sheet->rows; row++)
      put_mean(sheet, row, column, &mean[row]);
  }
}

static void put_group(const struct dun_plan *plan, struct dun_sheet *sheet, int64_t row, int member)
{
  for (int i = 0; i < plan->members.varied; i++)
    if (!is_seed(plan, i))
      dun_sheet_text(sheet, row, DUN_RANK_MEMBER, plan->members.option[i].path,
                     dun_plan_label(plan, member, i));
}

static void put_groups(const struct dun_plan *plan, const struct dun_sheet *members,
                       const int *group, struct dun_sheet *sheet, struct mean *mean)
{
  int64_t next = 0;
  struct mean *done = mean;
  for (int i = 0; i < plan->members.count; i++)
    if (group[i] == next)
      put_group(plan, sheet, next++, i);
  for (int i = 0; i < plan->members.count; i++) {
    done[group[i]].count++;
    done[group[i]].mean += counts(members, i);
  }
  for (int64_t row = 0; row < sheet->rows; row++) {
    dun_sheet_number(sheet, row, DUN_RANK_STATE, "members", done[row].count);
    dun_sheet_number(sheet, row, DUN_RANK_STATE, "done", done[row].mean);
  }
}

int dun_collect_means(const struct dun_plan *plan, const struct dun_sheet *members,
                      struct dun_sheet *sheet)
{
  int *group = dun_allocate(plan->members.count, sizeof *group);
  int groups = group ? find_groups(plan, group) : DUN_ERROR_MEMORY;
  dun_sheet_init(sheet, groups > 0 ? groups : 0);
  struct mean *mean = groups > 0 ? dun_allocate(groups, sizeof *mean) : NULL;
  if (mean) {
    put_groups(plan, members, group, sheet, mean);
    put_means(members, group, sheet, mean);
    dun_sheet_order(sheet);
  }
  dun_free(group);
  dun_free(mean);
  if (groups >= 0 && (!mean || sheet->failed))
    return dun_fail(DUN_ERROR_MEMORY, "no memory for the means");
  return groups < 0 ? groups : 0;
}

/* ---- for people ---------------------------------------------------------------------------- */

static double cell(const struct dun_sheet *sheet, int64_t row, const char *name, const char *end)
{
  char full[200];
  snprintf(full, sizeof full, "%s%s", name, end);
  const struct dun_sheet_column *column = dun_sheet_find(sheet, full);
  return column && column->number ? column->number[row] : NAN;
}

static void tell_mean(struct dun_text *out, const struct dun_sheet *sheet, int64_t row,
                      const char *name)
{
  double mean = cell(sheet, row, name, ""), error = cell(sheet, row, name, "_standard_error");
  struct dun_number number = dun_number_of(mean, error, fabs(mean));
  char text[2 * DUN_NUMBER_TEXT + 8];
  if (isnan(mean))
    snprintf(text, sizeof text, "-");
  else if (isnan(error))
    snprintf(text, sizeof text, "%s", number.value);
  else
    snprintf(text, sizeof text, "%s ± %s", number.value, number.error);
  dun_text_add(out, "%*s%s", 22 - (int)strlen(text) + (strstr(text, "±") ? 1 : 0), "", text);
}

static void tell_means(const struct dun_plan *plan, const struct dun_sheet *sheet)
{
  static const char *const name[] = {"log_evidence", "log_evidence_z", "effective_sample_size",
                                     "rhat", "evaluations"};
  static const char *const head[] = {"log Z", "z", "ESS", "R-hat", "evaluations"};
  struct dun_text out = {0};
  dun_text_add(&out, "done  ");
  for (size_t i = 0; i < sizeof head / sizeof *head; i++)
    dun_text_add(&out, "%22s", head[i]);
  dun_text_add(&out, "  mean ± standard error over run.seed of\n");
  for (int64_t row = 0; row < sheet->rows; row++) {
    char done[32];
    int told = 0;
    snprintf(done, sizeof done, "%.0f/%.0f", cell(sheet, row, "done", ""),
             cell(sheet, row, "members", ""));
    dun_text_add(&out, "%-6s", done);
    for (size_t i = 0; i < sizeof name / sizeof *name; i++)
      tell_mean(&out, sheet, row, name[i]);
    dun_text_add(&out, "  ");
    for (int i = 0; i < plan->members.varied; i++) {
      const struct dun_sheet_column *column =
          is_seed(plan, i) ? NULL : dun_sheet_find(sheet, plan->members.option[i].path);
      if (column && column->text)
        dun_text_add(&out, "%s%s=%s", told++ ? ", " : "", column->name, column->text[row]);
    }
    dun_text_add(&out, told ? "\n" : "all members\n");
  }
  dun_tell(stdout, "%s", out.text && !out.failed ? out.text : "");
  fflush(stdout);
  dun_text_free(&out);
}

/* ---- files --------------------------------------------------------------------------------- */

static int ends_with(const char *file, const char *end)
{
  size_t length = strlen(file), tail = strlen(end);
  return length > tail && !strcmp(file + length - tail, end);
}

/* FILE.csv becomes FILE.means.csv. */
static void name_means(const char *file, struct dun_text *name)
{
  dun_text_add(name, "%.*s.means.csv", (int)(strlen(file) - strlen(".csv")), file);
}

static int check_csv(const char *file)
{
  struct dun_text means = {0};
  struct stat status;
  int there = 0;
  name_means(file, &means);
  if (means.failed)
    return DUN_ERROR_MEMORY;
  there = stat(means.text, &status) == 0 && !S_ISREG(status.st_mode);
  dun_text_free(&means);
  return dun_sheet_is_foreign_csv(file, "member") || there;
}

int dun_collect_check(const struct dun_arguments *arguments)
{
  const char *file = arguments->collect;
  int is_csv = ends_with(file, ".csv");
  if (!is_csv && !ends_with(file, ".h5"))
    return dun_fail(DUN_ERROR_INPUT, "--collect: found '%s', expected FILE.csv or FILE.h5", file);
  int foreign = is_csv ? check_csv(file) : dun_sheet_is_foreign_hdf(file, "members");
  if (foreign < 0)
    return foreign;
  if (foreign && !arguments->overwrite)
    return dun_fail(DUN_ERROR_INPUT,
                    "--collect: %s is there and is no table of a sweep; --overwrite replaces it",
                    file);
  return 0;
}

static int write_files(const char *file, const struct dun_sheet *members,
                       const struct dun_sheet *means)
{
  static const char *const name[] = {"members", "means"};
  const struct dun_sheet *const sheet[] = {members, means};
  struct dun_text second = {0};
  if (!ends_with(file, ".csv"))
    return dun_sheet_write_hdf(2, name, sheet, file);
  name_means(file, &second);
  int code = second.failed ? dun_fail(DUN_ERROR_MEMORY, "no memory for the means") : 0;
  if (code == 0)
    code = dun_sheet_write_csv(members, file);
  if (code == 0)
    code = dun_sheet_write_csv(means, second.text);
  dun_text_free(&second);
  return code;
}

int dun_collect(const struct dun_plan *plan)
{
  struct dun_sheet members = {0}, means = {0};
  int code = dun_collect_members(plan, &members);
  if (code >= 0)
    code = dun_collect_means(plan, &members, &means);
  if (code >= 0)
    code = write_files(plan->arguments->collect, &members, &means);
  if (code >= 0)
    tell_means(plan, &means);
  dun_sheet_free(&members);
  dun_sheet_free(&means);
  return code;
}
