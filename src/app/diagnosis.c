#include "app/diagnosis.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static struct dun_verdict *find(struct dun_diagnosis *diagnosis, const char *name)
{
  for (int i = 0; i < diagnosis->count; i++) {
    if (!strcmp(diagnosis->verdict[i].name, name))
      return &diagnosis->verdict[i];
  }
  return NULL;
}

static void tell(struct dun_diagnosis *all, const struct dun_verdict *verdict, int64_t replicate)
{
  if (replicate < 0)
    dun_diagnose(all, verdict->name, verdict->level, "%s", verdict->text);
  else
    dun_diagnose(all, verdict->name, verdict->level, "replicate %lld: %s", (long long)replicate + 1,
                 verdict->text);
}

void dun_diagnosis_merge(struct dun_diagnosis *all, const struct dun_diagnosis *one,
                         int64_t replicate)
{
  for (int i = 0; i < one->count; i++) {
    const struct dun_verdict *verdict = &one->verdict[i];
    struct dun_verdict *held = find(all, verdict->name);
    if (!held) {
      tell(all, verdict, replicate);
    } else if (verdict->level > held->level) {
      struct dun_diagnosis single = {0};
      tell(&single, verdict, replicate);
      *held = single.verdict[0];
    }
  }
}

static void judge_nans(struct dun_diagnosis *all, const struct dun_cost *cost)
{
  double share = cost->evaluations > 0 ? (double)cost->nans / (double)cost->evaluations : 0;
  enum dun_verdict_level level = cost->nans == 0 ? DUN_GOOD : share > .01 ? DUN_BAD : DUN_DOUBTFUL;
  dun_diagnose(all, "nan", level, "%lld of %lld log densities were NaN and counted as outside",
               (long long)cost->nans, (long long)cost->evaluations);
}

/* `excess` times (R - 1) is about chi-square with R - 1 degrees of freedom if the errors are
 * right; for two replicates the limits are passed by chance once in 45 and once in 2000 runs. */
static void judge_spread(struct dun_diagnosis *all, long long replicates,
                         const struct dun_evidence *evidence)
{
  double freedom = (double)(replicates - 1), deviations;
  enum dun_verdict_level level;
  if (replicates < 2 || isnan(evidence->excess))
    return;
  deviations = (evidence->excess - 1) * freedom / sqrt(2 * freedom);
  level = deviations > 8 ? DUN_BAD : deviations > 3 ? DUN_DOUBTFUL : DUN_GOOD;
  dun_diagnose(all, "spread", level,
               "log Z of the replicates spreads by %.3g times what their reported errors say%s",
               sqrt(evidence->excess),
               level == DUN_GOOD ? "" : ": modes may be missed, or the errors be too small");
}

void dun_diagnosis_run(struct dun_diagnosis *all, const struct dun_driver *driver,
                       const struct dun_evidence *evidence)
{
  judge_nans(all, &driver->cost);
  judge_spread(all, driver->assembly->run.options.replicates, evidence);
}

enum dun_verdict_level dun_diagnosis_level(const struct dun_diagnosis *diagnosis)
{
  enum dun_verdict_level worst = DUN_GOOD;
  for (int i = 0; i < diagnosis->count; i++) {
    if (diagnosis->verdict[i].level > worst)
      worst = diagnosis->verdict[i].level;
  }
  return worst;
}

const char *dun_verdict_word(enum dun_verdict_level level)
{
  static const char *const word[] = {
      [DUN_GOOD] = "good", [DUN_DOUBTFUL] = "doubtful", [DUN_BAD] = "bad"};
  return word[level];
}

void dun_diagnosis_lines(const struct dun_diagnosis *diagnosis, struct dun_text *lines)
{
  for (int i = 0; i < diagnosis->count; i++) {
    const struct dun_verdict *verdict = &diagnosis->verdict[i];
    dun_text_add(lines, "%s: %s: %s\n", verdict->name, dun_verdict_word(verdict->level),
                 verdict->text);
  }
}

static void parse_line(struct dun_diagnosis *diagnosis, const char *line, size_t length)
{
  char name[48], level[16], text[256];
  int start = 0;
  snprintf(text, sizeof text, "%.*s", (int)length, line);
  if (sscanf(text, "%47[^:]: %15[a-z]: %n", name, level, &start) < 2 || start == 0)
    return;
  for (int i = DUN_GOOD; i <= DUN_BAD; i++) {
    if (!strcmp(level, dun_verdict_word(i)))
      dun_diagnose(diagnosis, name, i, "%.*s", (int)length - start, line + start);
  }
}

void dun_diagnosis_parse(struct dun_diagnosis *diagnosis, const char *lines)
{
  while (*lines) {
    size_t length = strcspn(lines, "\n");
    parse_line(diagnosis, lines, length);
    lines += length + (lines[length] != 0);
  }
}
