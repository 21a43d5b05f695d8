#include "app/diagnosis.h"
#include "base/memory.h"
#include "numerics/mixing.h"
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

void dun_diagnosis_settle(struct dun_diagnosis *all, const char *name, const char *finish)
{
  struct dun_verdict *held = find(all, name);
  if (!held)
    return;
  held->level = DUN_GOOD;
  snprintf(held->text, sizeof held->text,
           "what kernel and path left behind may be biased; finish %s replaced it", finish);
}

/* ---- chains -------------------------------------------------------------------------------- */

static const struct dun_table *table_of(const struct dun_driver *driver, const char *name)
{
  const struct dun_assembly *assembly = driver->assembly;
  for (int i = 0; i < assembly->probes.count; i++)
    if (!strcmp(assembly->probes.part[i].type->name, name))
      return &dun_probe_head(&assembly->probes.part[i])->table;
  return NULL;
}

/* The largest (sign 1) or smallest (sign -1) value of a column over the last `count` rows that is
 * not NaN; *index says in which of them. */
static double worst_of(const struct dun_table *table, const char *name, int count, double sign,
                       int *index)
{
  long long first = dun_table_rows(table) - count;
  double worst = NAN;
  *index = 0;
  for (int c = 0; c < table->columns; c++)
    for (int i = 0; i < count && !strcmp(table->column[c].name, name); i++) {
      double value = table->cells.value[(first + i) * table->columns + c];
      if (!isnan(value) && !(sign * value <= sign * worst)) {
        worst = value;
        *index = i;
      }
    }
  return worst;
}

enum { CAPACITY = 64 }; /* of parameters with names; later ones have a number */

struct scalar_name {
  char text[96];
};

static int64_t entries_of(const struct dun_parameter *parameter)
{
  int64_t entries = 1;
  for (int a = 0; a < parameter->rank; a++)
    entries *= parameter->shape[a];
  return entries;
}

/* Such as "image[3,5]", of an entry among those of all output parameters. */
static struct scalar_name name_of(const struct dun_driver *driver, int64_t entry)
{
  struct dun_parameter parameter[CAPACITY];
  struct scalar_name name;
  int64_t number = entry;
  int count = dun_evaluator_parameters(driver->assembly->run.evaluator, CAPACITY, parameter), i = 0;
  for (; i < count && i < CAPACITY && entry >= entries_of(&parameter[i]); i++)
    entry -= entries_of(&parameter[i]);
  snprintf(name.text, sizeof name.text, "number %lld", (long long)number);
  if (i >= count || i >= CAPACITY)
    return name;
  int length = snprintf(name.text, sizeof name.text, "%.32s", parameter[i].name);
  int64_t below = entries_of(&parameter[i]);
  for (int a = 0; a < parameter[i].rank; a++) {
    below /= parameter[i].shape[a];
    const char *label = a == 0 && parameter[i].label ? parameter[i].label[entry / below] : NULL;
    if (label && strlen(label) < 40)
      length += snprintf(name.text + length, sizeof name.text - (size_t)length, "[%s", label);
    else
      length += snprintf(name.text + length, sizeof name.text - (size_t)length, "%s%lld",
                         a ? "," : "[", (long long)(entry / below));
    entry %= below;
  }
  if (parameter[i].rank > 0)
    snprintf(name.text + length, sizeof name.text - (size_t)length, "]");
  return name;
}

/* How many of the last `count` values of a column are NaN, but for those of constants unless NULL;
 * *first is the first of them. */
static int unknown_of(const struct dun_table *table, const char *name, int count,
                      const signed char *constant, int *first)
{
  int unknown = 0;
  for (int i = 0; i < count; i++)
    if (isnan(dun_table_cell(table, dun_table_rows(table) - count + i, name)) &&
        !(constant && constant[i])) {
      *first = unknown == 0 ? i : *first;
      unknown++;
    }
  return unknown;
}

/* The least effective sample size of a kind, and of which scalar. */
struct least {
  double size;
  int at;
};

static struct least least_of(const struct dun_table *table, const char *name, int count)
{
  struct least least;
  least.size = worst_of(table, name, count, -1, &least.at);
  return least;
}

/* Chains whose moves go from side to side know the middle of a law better than its width. */
static double least_effective(const struct dun_table *table, int count)
{
  double bulk = least_of(table, "ess_bulk", count).size;
  double folded = least_of(table, "ess_folded", count).size;
  double tail = least_of(table, "ess_tail", count).size;
  double less = folded < bulk ? folded : bulk;
  return tail < less ? tail : less;
}

static void judge_effective(struct dun_diagnosis *diagnosis, const struct dun_driver *driver,
                            const struct dun_table *table, int count)
{
  struct least bulk = least_of(table, "ess_bulk", count);
  struct least folded = least_of(table, "ess_folded", count);
  struct least tail = least_of(table, "ess_tail", count);
  int enough = bulk.size >= 400 && tail.size >= 400 && !(folded.size < 400);
  dun_diagnose(diagnosis, "effective draws", enough ? DUN_GOOD : DUN_DOUBTFUL,
               "the least effective sample sizes of a scalar are %.0f in the bulk (%s), "
               "%.0f of distances from the median (%s) and %.0f in the tails (%s)%s",
               bulk.size, name_of(driver, bulk.at).text, folded.size,
               name_of(driver, folded.at).text, tail.size, name_of(driver, tail.at).text,
               enough ? "" : ": below 400 R-hat and errors are guesses");
}

static const char *advice(double rhat, const struct dun_kept *kept)
{
  if (kept->chains.total == 1)
    return rhat > 1.01 ? ": the halves of the one chain do not agree; let it run longer"
                       : ": of the halves of one chain, which tell nothing of modes that it missed";
  if (rhat > 1.01 && dun_mixing_by_chain(kept->chains.total, kept->draws))
    return ": the chains have not met, or are too short for R-hat: let them run longer, or begin "
           "in "
           "superchains";
  return rhat > 1.01 ? ": the chains have not met; let them run longer" : "";
}

/* Where every chain began for itself. */
static void judge_chains(struct dun_diagnosis *diagnosis, const struct dun_driver *driver,
                         const struct dun_table *table, int count)
{
  const struct dun_kept *kept = &driver->assembly->run.kept;
  int at, first, unknown = unknown_of(table, "rhat", count, NULL, &first);
  double rhat = worst_of(table, "rhat", count, 1, &at);
  enum dun_verdict_level least = kept->chains.total == 1 ? DUN_DOUBTFUL : DUN_GOOD;
  dun_diagnose(diagnosis, "mixing",
               rhat > 1.1    ? DUN_BAD
               : rhat > 1.01 ? DUN_DOUBTFUL
                             : least,
               "R-hat of the %d scalars is at most %.4f (%s)%s", count - unknown, rhat,
               name_of(driver, at).text, advice(rhat, kept));
}

/* What a scalar's superchains say. */
struct superchains {
  int at; /* which scalar */
  double rhat, floor, deviations;
  enum dun_verdict_level level;
};

/* Nested R-hat that chance alone explains is good if chance would hide little.  Superchains that
 * differ by more than 4 standard deviations have not forgotten their starts. */
static enum dun_verdict_level level_of(const struct superchains *s)
{
  double excess = 1 + s->rhat * s->rhat - s->floor * s->floor;
  if (s->rhat <= 1.01 || (s->deviations <= 4 && s->floor <= 1.01) || isnan(s->rhat))
    return DUN_GOOD;
  return s->deviations > 4 && excess > 1.1 * 1.1 ? DUN_BAD : DUN_DOUBTFUL;
}

static struct superchains worst_superchains(const struct dun_table *table, int count)
{
  struct superchains worst = {.at = -1};
  for (int i = 0; i < count; i++) {
    long long row = dun_table_rows(table) - count + i;
    struct superchains one = {.at = i,
                              .rhat = dun_table_cell(table, row, "rhat_nested"),
                              .floor = dun_table_cell(table, row, "nested_floor"),
                              .deviations = dun_table_cell(table, row, "nested_deviations")};
    one.level = level_of(&one);
    if (worst.at < 0 || one.level > worst.level ||
        (one.level == worst.level && !(one.rhat <= worst.rhat) && !isnan(one.rhat)))
      worst = one;
  }
  return worst;
}

/* Whether single chains forget more slowly than their warm-up allows.  Superchains whose chains
 * fell into modes at random have forgotten where they began, and nested R-hat is good, though no
 * chain goes from mode to mode and the shares are those of the starts.  After W sweeps a hundredth
 * of a start is left where correlations fall within W / 5 of them; the halves of n draws then have
 * an R-hat of at most sqrt(1 + 6 (W / 5) / n). */
static int forget_too_slowly(double rhat, const struct dun_kept *kept)
{
  double most = 1 + 1.2 * (double)kept->warmed / (double)kept->draws;
  return kept->warmed > 0 && rhat > 1.01 && rhat * rhat > most;
}

/* What R-hat of the single chains says counts too; of short ones, what it says against the
 * warm-up. */
static void judge_superchains(struct dun_diagnosis *diagnosis, const struct dun_driver *driver,
                              const struct dun_table *table, int count)
{
  const struct dun_kept *kept = &driver->assembly->run.kept;
  int unused;
  double rhat = worst_of(table, "rhat", count, 1, &unused);
  struct superchains worst = worst_superchains(table, count);
  int is_short = isnan(rhat) || dun_mixing_by_chain(kept->chains.total, kept->draws);
  int is_slow = is_short && forget_too_slowly(rhat, kept);
  enum dun_verdict_level single = is_slow                    ? DUN_DOUBTFUL
                                  : is_short || rhat <= 1.01 ? DUN_GOOD
                                  : rhat > 1.1               ? DUN_BAD
                                                             : DUN_DOUBTFUL;
  const char *what = worst.level != DUN_GOOD && worst.deviations > 4
                         ? ": they have not forgotten their starts"
                     : worst.level != DUN_GOOD ? ": there are too few chains to tell"
                     : is_slow                 ? ": they forget too slowly for so short a warm-up"
                     : single != DUN_GOOD      ? ": the single chains have not met"
                                               : "";
  dun_diagnose(diagnosis, "mixing", worst.level > single ? worst.level : single,
               "nested R-hat of %lld superchains is at most %.4f (%s), %.4f by chance alone, from "
               "which it is %.1f deviations; R-hat of the single chains is %.4f%s",
               (long long)kept->superchains, worst.rhat, name_of(driver, worst.at).text,
               worst.floor, worst.deviations, rhat, what);
}

/* Scalars without R-hat: those that are one number at all points are nobody's fault. */
static void judge_constants(struct dun_diagnosis *diagnosis, const struct dun_driver *driver,
                            const struct dun_table *table, int count)
{
  const char *kind = driver->assembly->run.kept.superchains > 1 ? "rhat_nested" : "rhat";
  signed char *constant = dun_allocate(count, sizeof *constant);
  int first = 0, unknown = unknown_of(table, kind, count, NULL, &first), odd = unknown;
  if (constant && dun_evaluator_constants(driver->assembly->run.evaluator, constant) >= 0)
    odd = unknown_of(table, kind, count, constant, &first);
  dun_free(constant);
  if (odd > 0)
    dun_diagnose(diagnosis, "constants", DUN_DOUBTFUL,
                 "%d of %d scalars have no R-hat, %s for one: they never change, or are no numbers",
                 odd, count, name_of(driver, first).text);
  else
    dun_diagnose(diagnosis, "constants", DUN_GOOD,
                 "%d of %d scalars are the same number at all points, %s for one", unknown, count,
                 name_of(driver, first).text);
}

static void judge_mixing(struct dun_diagnosis *diagnosis, const struct dun_driver *driver,
                         const struct dun_table *table, int count)
{
  const struct dun_kept *kept = &driver->assembly->run.kept;
  const char *kind = kept->superchains > 1 ? "rhat_nested" : "rhat";
  int first = 0, unknown = unknown_of(table, kind, count, NULL, &first);
  if (unknown == count) {
    int few = kept->draws < 4 && kept->superchains < 2;
    dun_diagnose(diagnosis, "mixing", few ? DUN_DOUBTFUL : DUN_BAD, "R-hat is not known: %s",
                 few ? "there are less than 4 draws of each chain"
                     : "none of the scalars changes, or they are no numbers");
    return;
  }
  if (kept->superchains > 1)
    judge_superchains(diagnosis, driver, table, count);
  else
    judge_chains(diagnosis, driver, table, count);
  if (unknown > 0)
    judge_constants(diagnosis, driver, table, count);
  judge_effective(diagnosis, driver, table, count);
}

/* How many independent draws the rarer of two values rests on: n p (1 - p), where D^2 =
 * R^2 p (1 - p) is the variance, R the values' distance, and n = D^2 / error^2 the effective
 * number. */
static double rarer_of(const struct dun_table *table, long long row, double range)
{
  double deviation = dun_table_cell(table, row, "deviation") / range;
  double error = dun_table_cell(table, row, "error") / range, variance = deviation * deviation;
  return variance < 1e-12 ? 0 : variance * variance / (error * error);
}

void dun_diagnosis_letters(struct dun_diagnosis *diagnosis, const struct dun_driver *driver)
{
  enum { FEW = 10 };
  const struct dun_evaluator *e = driver->assembly->run.evaluator;
  const struct dun_table *table = table_of(driver, "moments");
  if (!e->letters || e->target->constrain || !table || dun_table_rows(table) < e->outputs)
    return;
  double range = dun_evaluator_letter(e, e->letters - 1) - dun_evaluator_letter(e, 0);
  double least = INFINITY;
  int at = 0, few = 0;
  for (int i = 0; i < e->outputs; i++) {
    double found = rarer_of(table, dun_table_rows(table) - e->outputs + i, range);
    few += found < FEW;
    if (found < least) {
      least = found;
      at = i;
    }
  }
  dun_diagnose(diagnosis, "rare letters", few ? DUN_DOUBTFUL : DUN_GOOD,
               "the rarer letters of %s rest on %.3g independent draws%s", name_of(driver, at).text,
               least, few ? ": fewer than 10, errors are too small" : "");
}

/* Of how many scalars the shape leaves a sum without error, and which is the worst. */
static int heavy(const struct dun_driver *driver, const char *name, int outputs, double *worst,
                 int *at)
{
  const struct dun_table *table = table_of(driver, "moments");
  int count = 0;
  *worst = worst_of(table, name, outputs, 1, at);
  for (long long row = dun_table_rows(table) - outputs; row < dun_table_rows(table); row++)
    count += !dun_probe_has_error(dun_table_cell(table, row, name));
  return count;
}

void dun_diagnosis_tails(struct dun_diagnosis *diagnosis, const struct dun_driver *driver)
{
  int outputs = driver->assembly->run.kept.outputs, at;
  const struct dun_table *table = table_of(driver, "moments");
  if (!table || dun_table_rows(table) < outputs)
    return;
  double worst;
  int means = heavy(driver, "tail", outputs, &worst, &at);
  int squares = heavy(driver, "square_tail", outputs, &worst, &at);
  if (squares > 0)
    dun_diagnose(
        diagnosis, "heavy tails", DUN_GOOD,
        "deviations of %d scalars have no error, nor means of %d: of %s a few far draws "
        "decide the mean square, whose tail may have the Pareto shape %.2f; quantiles are known",
        squares, means, name_of(driver, at).text, worst);
}

double dun_diagnosis_chains(struct dun_diagnosis *diagnosis, const struct dun_driver *driver)
{
  const struct dun_table *table = table_of(driver, "rhat");
  int count = driver->assembly->run.kept.outputs;
  if (!table || dun_table_rows(table) < count)
    return NAN;
  judge_mixing(diagnosis, driver, table, count);
  return least_effective(table, count);
}

/* ---- the run ------------------------------------------------------------------------------- */

/* What a warm-up, or a trajectory that had run away, meets far out is no part of any draw, unless
 * it is so much that there may be no way around it. */
static void judge_nans(struct dun_diagnosis *all, const struct dun_cost *cost)
{
  double n = cost->evaluations > 0 ? (double)cost->evaluations : 1;
  int64_t met = cost->nans - cost->nans_aside;
  enum dun_verdict_level level = (double)met / n > .01          ? DUN_BAD
                                 : met > 0                      ? DUN_DOUBTFUL
                                 : (double)cost->nans / n > .05 ? DUN_DOUBTFUL
                                                                : DUN_GOOD;
  char aside[80] = "";
  if (cost->nans_aside > 0)
    snprintf(aside, sizeof aside,
             "; %lld of them while warming up or by trajectories that ran away",
             (long long)cost->nans_aside);
  dun_diagnose(
      all, "nan", level,
      "%lld of %lld log densities or gradients were NaN: the former were counted as outside, "
      "the latter as 0%s",
      (long long)cost->nans, (long long)cost->evaluations, aside);
}

/* `excess` times (R - 1) is about chi-square with R - 1 degrees of freedom if the errors are
 * right; for two replicates the limits are passed by chance once in 45 and once in 2000 runs. */
static void judge_spread(struct dun_diagnosis *all, long long replicates,
                         const struct dun_evidence *evidence)
{
  double freedom = (double)(replicates - 1), deviations;
  enum dun_verdict_level level;
  if (replicates > 1 && isnan(evidence->excess) && evidence->spread > 1e-9)
    dun_diagnose(all, "spread", DUN_DOUBTFUL,
                 "the replicates report errors of log Z that are 0 or not known; by their spread "
                 "it is %.3g",
                 evidence->spread);
  if (replicates < 2 || isnan(evidence->excess))
    return;
  deviations = (evidence->excess - 1) * freedom / sqrt(2 * freedom);
  level = deviations > 8 ? DUN_BAD : deviations > 3 ? DUN_DOUBTFUL : DUN_GOOD;
  dun_diagnose(all, "spread", level,
               "log Z of the replicates spreads by %.3g times what their reported errors say%s",
               sqrt(evidence->excess),
               level == DUN_GOOD ? "" : ": modes may be missed, or the errors be too small");
}

/* A finish that has begun is not cut. */
static void judge_budget(struct dun_diagnosis *all, const struct dun_driver *driver)
{
  double budget = driver->assembly->run.options.evaluations;
  if (budget > 0 && !driver->cut && (double)driver->cost.evaluations > budget)
    dun_diagnose(all, "budget", DUN_GOOD,
                 "the run is whole, but its last part went on to %lld evaluations, beyond "
                 "run.evaluations, %.6g",
                 (long long)driver->cost.evaluations, budget);
}

/* Only told where it was seen. */
static void judge_bits(struct dun_diagnosis *all, int64_t other_bits)
{
  if (other_bits)
    dun_diagnose(all, "same bits", other_bits > 1 ? DUN_BAD : DUN_DOUBTFUL,
                 "the target gave other %s for the same point when it was asked again",
                 other_bits > 1 ? "log densities, not only other bits," : "bits");
}

/* Only told where some were. */
static void judge_lost(struct dun_diagnosis *all, int64_t lost)
{
  if (lost > 0)
    dun_diagnose(all, "lost draws", DUN_BAD,
                 "%lld numbers of the draws were damaged in the file before a restart, and are NaN "
                 "or 0",
                 (long long)lost);
}

void dun_diagnosis_run(struct dun_diagnosis *all, const struct dun_driver *driver,
                       const struct dun_evidence *evidence)
{
  judge_nans(all, &driver->cost);
  judge_bits(all, driver->other_bits);
  judge_lost(all, driver->lost);
  judge_budget(all, driver);
  judge_spread(all, dun_table_rows(&driver->replicates), evidence);
}

int dun_diagnosis_is_sound(const struct dun_diagnosis *diagnosis)
{
  const int capacity = (int)(sizeof diagnosis->verdict / sizeof *diagnosis->verdict);
  int sound = diagnosis->count >= 0 && diagnosis->count <= capacity;
  for (int i = 0; sound && i < diagnosis->count; i++) {
    const struct dun_verdict *verdict = &diagnosis->verdict[i];
    sound = (int)verdict->level >= DUN_GOOD && verdict->level <= DUN_BAD &&
            memchr(verdict->name, 0, sizeof verdict->name) &&
            memchr(verdict->text, 0, sizeof verdict->text);
  }
  return sound;
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
