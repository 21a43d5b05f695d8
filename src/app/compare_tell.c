#include "app/compare_tell.h"
#include "app/json.h"
#include "app/number.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/scalar.h"
#include "numerics/scores.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { QUANTILES = DUN_CONTRAST_QUANTILES, OF_COORDINATE = 2 + QUANTILES, MOST_LINES = 20 };
#define USUAL_LIMIT 4

/* A difference by its name. */
struct named {
  char what[160];
  double errors; /* not negative, or NAN: not known */
};

/* ---- all differences in one list ------------------------------------------------------------- */

static int64_t count_of(const struct dun_comparison *c)
{
  return c->side[0].coordinates * OF_COORDINATE + c->metrics + c->modes.rows + (c->modes.rows > 0);
}

static void name_coordinate(const struct dun_comparison *c, int64_t j, char name[128])
{
  if (c->side[0].label[j][0])
    snprintf(name, 128, "%s", c->side[0].label[j]);
  else
    snprintf(name, 128, "[%lld]", (long long)j);
}

static struct named *list_differences(const struct dun_comparison *c)
{
  struct named *all = dun_allocate(count_of(c), sizeof *all), *at = all;
  for (int64_t j = 0; all && j < c->side[0].coordinates; j++) {
    const struct dun_contrasts *contrasts = &c->coordinate[j];
    char name[128];
    name_coordinate(c, j, name);
    at->errors = fabs(contrasts->mean.errors);
    snprintf(at++->what, sizeof at->what, "mean of %s", name);
    at->errors = fabs(contrasts->deviation.errors);
    snprintf(at++->what, sizeof at->what, "deviation of %s", name);
    for (int q = 0; q < QUANTILES; q++) {
      at->errors = fabs(contrasts->quantile[q].errors);
      snprintf(at++->what, sizeof at->what, "%g%% quantile of %s",
               100 * dun_contrast_probability[q], name);
    }
  }
  for (int m = 0; all && m < c->metrics; m++) {
    at->errors = isnan(c->metric[m].errors) ? NAN : fmax(c->metric[m].errors, 0);
    snprintf(at++->what, sizeof at->what, "%s", c->metric[m].name);
  }
  for (long long k = 0; all && k < c->modes.rows; k++) {
    at->errors = fabs(c->share[k].errors);
    snprintf(at++->what, sizeof at->what, "share of mode %lld", k);
  }
  if (all && c->modes.rows > 0) {
    at->errors = fabs(c->coverage.errors);
    snprintf(at->what, sizeof at->what, "mode coverage");
  }
  return all;
}

/* The largest first, what is not known last. */
static int larger(const void *a, const void *b)
{
  double x = ((const struct named *)a)->errors, y = ((const struct named *)b)->errors;
  if (isnan(x) || isnan(y))
    return isnan(x) - isnan(y);
  return (x < y) - (x > y);
}

/* What chance alone reaches in so many comparisons in one case of a hundred, by Student's law for
 * as many draws as the lesser set is worth (Wallace 1959, Ann. Math. Stat. 30, 1124), and no less
 * than the usual limit. */
static double limit_of(int64_t comparisons, double worth)
{
  double z = dun_normal_quantile(1 - .005 / (double)comparisons), free = fmax(worth - 1, 1);
  double scale = free - 2. / 3 + .1 / free;
  double limit = sqrt(free * (dun_scalar_exp(z * z * (free - 5. / 6) / (scale * scale)) - 1));
  return fmax(limit, USUAL_LIMIT);
}

/* ---- as text --------------------------------------------------------------------------------- */

static void tell_sides(struct dun_text *out, const struct dun_comparison *c)
{
  char text[DUN_NUMBER_TEXT];
  for (int k = 0; k < 2; k++) {
    const struct dun_draws *side = &c->side[k];
    dun_text_add(out, "%c  %s: %lld%s draws", 'A' + k, side->name, (long long)side->n,
                 side->weight ? " weighted" : "");
    if (side->chains > 1)
      dun_text_add(out, " of %lld chains", (long long)side->chains);
    if (side->left_out)
      dun_text_add(out, ", %d columns left out", side->left_out);
    dun_text_add(out, ", %s; worth %s\n", dun_draws_assumption(side),
                 dun_number_print(text, "%.0f", c->worth[k]));
  }
}

/* ± and in errors, of one coordinate. */
static void tell_coordinate(struct dun_text *out, const struct dun_comparison *c, int64_t j)
{
  const struct dun_contrasts *all = &c->coordinate[j];
  char name[128], text[DUN_NUMBER_TEXT];
  name_coordinate(c, j, name);
  dun_text_add(out, "%-16.40s", name);
  for (int k = 0; k < 2; k++) {
    struct dun_number mean =
        dun_number_of(all->mean.value[k], all->mean.error[k], all->deviation.value[k]);
    struct dun_number spread =
        dun_number_of(all->deviation.value[k], all->deviation.error[k], all->deviation.value[k]);
    dun_text_add(out, " %11s ± %-8s %9s", mean.value, mean.error, spread.value);
  }
  dun_text_add(out, " %8s", dun_number_print(text, "%.1f", all->mean.errors));
  dun_text_add(out, " %8s", dun_number_print(text, "%.1f", all->deviation.errors));
  for (int q = 0; q < QUANTILES; q++)
    dun_text_add(out, " %6s", dun_number_print(text, "%.1f", all->quantile[q].errors));
  dun_text_add(out, "\n");
}

static double worst_of(const struct dun_contrasts *c)
{
  double worst = fmax(fabs(c->mean.errors), fabs(c->deviation.errors));
  for (int q = 0; q < QUANTILES; q++)
    worst = fmax(worst, fabs(c->quantile[q].errors));
  return worst;
}

/* All of them, or, of many, those that differ most, in their order. */
static void tell_coordinates(struct dun_text *out, const struct dun_comparison *c)
{
  int64_t d = c->side[0].coordinates, told = 0;
  double least = -1;
  if (d > MOST_LINES) {
    double top[MOST_LINES] = {0};
    for (int64_t j = 0; j < d; j++) {
      double worst = worst_of(&c->coordinate[j]);
      int at = MOST_LINES - 1;
      for (; at >= 0 && worst > top[at]; at--)
        if (at < MOST_LINES - 1)
          top[at + 1] = top[at];
      if (at < MOST_LINES - 1)
        top[at + 1] = worst;
    }
    least = top[MOST_LINES - 1];
  }
  dun_text_add(out, "\n%-16s %22s %11s %20s %11s  in errors: mean deviation  5%%    50%%    95%%\n",
               "coordinate", "mean of A", "deviation", "mean of B", "deviation");
  for (int64_t j = 0; j < d && told < MOST_LINES; j++)
    if (worst_of(&c->coordinate[j]) >= least) {
      tell_coordinate(out, c, j);
      told++;
    }
  if (d > told)
    dun_text_add(out, "... and %lld more, which differ less (--json has them all)\n",
                 (long long)(d - told));
}

static void tell_metrics(struct dun_text *out, const struct dun_comparison *c,
                         const struct dun_arguments *arguments)
{
  char value[DUN_NUMBER_TEXT], chance[DUN_NUMBER_TEXT], bound[DUN_NUMBER_TEXT];
  char errors[DUN_NUMBER_TEXT];
  if (!arguments->metrics)
    return;
  if (!c->metrics) {
    dun_text_add(out, "\nNo distances: a set is worth less than ten independent draws.\n");
    return;
  }
  dun_text_add(out, "\ndistances of %lld draws of A from %lld of B, spread evenly%s\n",
               (long long)c->size[0], (long long)c->size[1],
               arguments->standardise ? ", in standard deviations of B" : "");
  dun_text_add(out, "%-16s %11s %11s %11s %8s\n", "", "found", "by chance", "95% below", "errors");
  for (int m = 0; m < c->metrics; m++)
    dun_text_add(out, "%-16s %11s %11s %11s %8s   %s\n", c->metric[m].name,
                 dun_number_print(value, "%.4g", c->metric[m].value),
                 dun_number_print(chance, "%.4g", c->metric[m].chance),
                 dun_number_print(bound, "%.4g", c->metric[m].bound),
                 dun_number_print(errors, "%.1f", c->metric[m].errors), c->metric[m].what);
}

static void tell_modes(struct dun_text *out, const struct dun_comparison *c)
{
  char text[DUN_NUMBER_TEXT];
  if (!c->modes.rows)
    return;
  dun_text_add(out, "\nmode coverage    %.4f ± %.4f in A, %.4f ± %.4f in B, errors %s\n",
               c->coverage.value[0], c->coverage.error[0], c->coverage.value[1],
               c->coverage.error[1], dun_number_print(text, "%.1f", c->coverage.errors));
  for (long long k = 0; k < c->modes.rows && k < MOST_LINES; k++)
    dun_text_add(out, "share of mode %-4lld %8.4f %8.4f, errors %s\n", k, c->share[k].value[0],
                 c->share[k].value[1], dun_number_print(text, "%.1f", c->share[k].errors));
  if (c->modes.rows > MOST_LINES)
    dun_text_add(out, "... and %lld more modes (--json has them all)\n",
                 c->modes.rows - MOST_LINES);
}

static void tell_verdict(struct dun_text *out, const struct named *all, int64_t count, double limit)
{
  int64_t beyond = 0;
  while (beyond < count && all[beyond].errors > limit)
    beyond++;
  if (beyond == 0) {
    dun_text_add(out, "\nno difference: the largest of %lld is %.1f errors, %s\n", (long long)count,
                 count && !isnan(all[0].errors) ? all[0].errors : 0., count ? all[0].what : "");
    return;
  }
  dun_text_add(out, "\nthe sets differ: %lld of %lld comparisons by more than %.1f errors\n",
               (long long)beyond, (long long)count, limit);
  for (int64_t i = 0; i < beyond && i < MOST_LINES; i++)
    dun_text_add(out, "  %-32s %.1f%s\n", all[i].what, all[i].errors,
                 isinf(all[i].errors) ? " (it never changes, and is not the same)" : "");
  if (beyond > MOST_LINES)
    dun_text_add(out, "  ... and %lld more\n", (long long)(beyond - MOST_LINES));
}

/* ---- as JSON --------------------------------------------------------------------------------- */

/* JSON has no infinite number, and null is what is not known. */
static void add_errors(struct dun_text *out, const char *before, const char *name, double errors)
{
  dun_json_number(out, before, name, isinf(errors) ? copysign(1e308, errors) : errors);
}

static void add_contrast(struct dun_text *out, const char *before, const char *name,
                         const struct dun_contrast *c)
{
  dun_text_add(out, "%s\"%s\": {", before, name);
  dun_json_number(out, "", "a", c->value[0]);
  dun_json_number(out, ", ", "a_error", c->error[0]);
  dun_json_number(out, ", ", "b", c->value[1]);
  dun_json_number(out, ", ", "b_error", c->error[1]);
  add_errors(out, ", ", "errors", c->errors);
  dun_text_add(out, "}");
}

static void add_side(struct dun_text *out, const struct dun_comparison *c, int k)
{
  const struct dun_draws *side = &c->side[k];
  dun_text_add(out, "%s", k ? ",\n \"b\": {" : ",\n \"a\": {");
  dun_json_text(out, "", "file", side->name);
  dun_json_number(out, ", ", "draws", (double)side->n);
  dun_json_number(out, ", ", "chains", (double)side->chains);
  dun_json_text(out, ", ", "assumed", dun_draws_assumption(side));
  dun_json_number(out, ", ", "worth", c->worth[k]);
  dun_json_number(out, ", ", "points", (double)c->size[k]);
  dun_text_add(out, "}");
}

static void add_coordinates(struct dun_text *out, const struct dun_comparison *c)
{
  static const char *const name[QUANTILES] = {"quantile_5", "quantile_50", "quantile_95"};
  dun_text_add(out, ",\n \"coordinates\": [");
  for (int64_t j = 0; j < c->side[0].coordinates; j++) {
    char label[128];
    name_coordinate(c, j, label);
    dun_json_text(out, j ? ",\n  {" : "\n  {", "name", label);
    add_contrast(out, ", ", "mean", &c->coordinate[j].mean);
    add_contrast(out, ", ", "deviation", &c->coordinate[j].deviation);
    for (int q = 0; q < QUANTILES; q++)
      add_contrast(out, ", ", name[q], &c->coordinate[j].quantile[q]);
    dun_text_add(out, "}");
  }
  dun_text_add(out, "]");
}

static void add_metrics(struct dun_text *out, const struct dun_comparison *c)
{
  dun_text_add(out, ",\n \"metrics\": [");
  for (int m = 0; m < c->metrics; m++) {
    dun_json_text(out, m ? ",\n  {" : "\n  {", "name", c->metric[m].name);
    dun_json_number(out, ", ", "value", c->metric[m].value);
    dun_json_number(out, ", ", "chance", c->metric[m].chance);
    dun_json_number(out, ", ", "bound", c->metric[m].bound);
    add_errors(out, ", ", "errors", c->metric[m].errors);
    dun_text_add(out, "}");
  }
  dun_text_add(out, "]");
  if (!c->modes.rows)
    return;
  add_contrast(out, ",\n ", "mode_coverage", &c->coverage);
  dun_text_add(out, ",\n \"modes\": [");
  for (long long k = 0; k < c->modes.rows; k++)
    add_contrast(out, k ? "},\n  {" : "\n  {", "share", &c->share[k]);
  dun_text_add(out, "}]");
}

static void tell_json(struct dun_text *out, const struct dun_comparison *c, const struct named *all,
                      int64_t count, double limit)
{
  dun_text_add(out, "{\"comparisons\": %lld", (long long)count);
  dun_json_number(out, ",\n ", "limit", limit);
  add_errors(out, ",\n ", "largest", count ? all[0].errors : NAN);
  add_side(out, c, 0);
  add_side(out, c, 1);
  dun_text_add(out, ",\n \"differ\": [");
  for (int64_t i = 0; i < count && all[i].errors > limit; i++) {
    dun_json_text(out, i ? ",\n  {" : "\n  {", "what", all[i].what);
    add_errors(out, ", ", "errors", all[i].errors);
    dun_text_add(out, "}");
  }
  dun_text_add(out, "]");
  add_coordinates(out, c);
  add_metrics(out, c);
  dun_text_add(out, "}\n");
}

/* ---- both ------------------------------------------------------------------------------------ */

int dun_comparison_tell(struct dun_text *out, const struct dun_comparison *c,
                        const struct dun_arguments *arguments)
{
  struct named *all = list_differences(c);
  int64_t count = count_of(c), known = 0;
  if (!all)
    return DUN_ERROR_MEMORY;
  qsort(all, (size_t)count, sizeof *all, larger);
  while (known < count && !isnan(all[known].errors))
    known++;
  double limit = limit_of(known > 0 ? known : 1, fmin(c->worth[0], c->worth[1]));
  if (arguments->json) {
    tell_json(out, c, all, known, limit);
  } else {
    tell_sides(out, c);
    tell_coordinates(out, c);
    tell_metrics(out, c, arguments);
    tell_modes(out, c);
    tell_verdict(out, all, known, limit);
  }
  int fails = arguments->fail_above >= 0 && known > 0 && all[0].errors > arguments->fail_above;
  dun_free(all);
  return fails;
}
