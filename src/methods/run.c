#include "methods/run.h"
#include "base/error.h"
#include "base/text.h"
#include "fields/field.h"
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

struct dun_address dun_run_address(const struct dun_run *run, enum dun_purpose purpose)
{
  return (struct dun_address){.seed = (uint64_t)run->options.seed,
                              .purpose = (uint16_t)purpose,
                              .replicate = (uint16_t)run->replicate,
                              .step = (uint32_t)run->tick};
}

int dun_run_evaluate(struct dun_context *context, struct dun_run *run, double t, int64_t tiles)
{
  int64_t before = run->evaluator->infinities;
  int status = dun_sweep_evaluate(context, &run->sweep, t, tiles);
  if ((status >= 0 || status == DUN_INTERRUPTED) && run->evaluator->infinities > before)
    status = dun_fail(DUN_ERROR_NUMERIC, "target %s has a log density of +inf at a first draw",
                      run->target->type.name);
  return dun_agree(context, status);
}

void dun_diagnose_survivors(struct dun_diagnosis *diagnosis, const struct dun_run *run,
                            int64_t killed)
{
  double survivors = (double)(run->options.particles - killed);
  if (killed > 0)
    dun_diagnose(diagnosis, "survivors", dun_verdict_above(-survivors, -100, -20),
                 "%.0f of %lld first draws lie inside the target's support%s", survivors,
                 run->options.particles,
                 survivors > 100 ? "" : ": too few to show all of it; take a base that fits it");
}

void dun_diagnose_origins(struct dun_diagnosis *diagnosis, const struct dun_run *run,
                          double missing)
{
  int is_map = run->path && dun_path_is_map(run->path, run->path_self);
  if (missing > 0)
    dun_diagnose(
        diagnosis, "origins", dun_verdict_above(missing / run->now.log_evidence_error, .5, 1),
        "path %s %s, which has walls: log Z is too low by about %.2g; take %spath geometric",
        run->path->type.name,
        is_map ? "brings no particle to parts of the target's support"
               : "counts no way that leaves the target's support between the ends of pieces",
        missing, is_map ? "map: true, or " : "one piece, or ");
}

void dun_diagnose(struct dun_diagnosis *diagnosis, const char *name, enum dun_verdict_level level,
                  const char *format, ...)
{
  const int capacity = (int)(sizeof diagnosis->verdict / sizeof *diagnosis->verdict);
  va_list arguments;

  if (diagnosis->count == capacity)
    return;
  struct dun_verdict *verdict = &diagnosis->verdict[diagnosis->count++];
  snprintf(verdict->name, sizeof verdict->name, "%s", name);
  verdict->level = level;
  va_start(arguments, format);
  vsnprintf(verdict->text, sizeof verdict->text, format, arguments);
  va_end(arguments);
  dun_text_tell_nan(verdict->text, sizeof verdict->text, "unknown");
}

void dun_diagnose_learned(struct dun_diagnosis *diagnosis, const struct dun_field *field,
                          const void *self)
{
  char sentence[sizeof diagnosis->verdict->text];
  const char *name =
      field->remark ? field->remark(self, (struct dun_message){sentence, sizeof sentence}) : NULL;
  if (field->gives && (field->gives(self) & DUN_FIELD_LEARNED))
    dun_diagnose(diagnosis, "field", DUN_DOUBTFUL,
                 "field %s tells means that were learned: how far they are off is not known",
                 field->type.name);
  if (name)
    dun_diagnose(diagnosis, name, DUN_DOUBTFUL, "%s", sentence);
}

enum dun_verdict_level dun_verdict_above(double value, double doubtful, double bad)
{
  return value >= bad ? DUN_BAD : !(value < doubtful) ? DUN_DOUBTFUL : DUN_GOOD;
}

struct dun_column *dun_run_column(struct dun_run *run, const char *name, enum dun_column_type type,
                                  int width, unsigned flags, const char *doc)
{
  struct dun_column column = {
      .name = name, .type = type, .width = width, .flags = flags | DUN_SAVED, .doc = doc};
  return dun_population_declare(&run->population, column);
}

void dun_run_begin_chains(struct dun_run *run, double chains)
{
  run->now = (struct dun_now){.ess = chains,
                              .roots = chains,
                              .acceptance = NAN,
                              .log_evidence = NAN,
                              .log_evidence_error = NAN,
                              .error_roots = NAN,
                              .log_likelihood_mean = NAN,
                              .log_likelihood_variance = NAN,
                              .autocorrelation = NAN,
                              .never_moved = NAN,
                              .pareto_k = NAN};
}

void dun_run_members(const struct dun_context *context, struct dun_run *run, int64_t members)
{
  run->kept.members = members;
  run->kept.chains =
      dun_tiles_of(run->options.particles / members, 1, context->rank, context->size);
}

void dun_run_equal_weights(struct dun_run *run)
{
  const struct dun_tiles *tiles = &run->population.tiles;
  for (int64_t i = 0; i < tiles->local; i++) {
    dun_f64(run->logw)[i] = 0;
    dun_i64(run->root)[i] = tiles->first + i;
  }
}

void dun_run_begin_particles(struct dun_run *run)
{
  dun_run_begin_chains(run, (double)run->options.particles);
  dun_run_equal_weights(run);
}

void dun_run_bury(const struct dun_run *run, int64_t tile, int n, double *x, double *broken)
{
  int64_t first = tile * run->population.tiles.tile, d = run->evaluator->dimension;
  for (int l = 0; l < DUN_LANES; l++)
    broken[l] = 0;
  for (int l = 0; l < n; l++) {
    int finite = 1;
    for (int64_t j = 0; j < d; j++)
      finite &= isfinite(x[j * DUN_LANES + l]) != 0;
    for (int64_t j = 0; j < d && !finite; j++)
      x[j * DUN_LANES + l] = 0;
    if (!finite)
      dun_f64(run->logw)[first + l] = -INFINITY;
    broken[l] = !finite;
  }
}
