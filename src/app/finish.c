#include "app/finish.h"
#include "app/budget.h"
#include "app/diagnosis.h"
#include "app/promises.h"
#include "app/provenance.h"
#include "app/record.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/scalar.h"
#include "data/learned.h"
#include "methods/tails.h"
#include "population/pointwise.h"
#include "population/selection.h"
#include "version.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

/* ---- a replicate --------------------------------------------------------------------------- */

/* How many independent draws would know the means of the parameters as well: the least
 * (deviation / error)^2, at most Kish's effective sample size of the weights, which knows nothing
 * of common ancestors. */
static int effective(struct dun_context *context, const struct dun_run *run, double *ess)
{
  int outputs = run->kept.outputs;
  struct dun_probe_moments *moments = dun_allocate(outputs, sizeof *moments);
  int status = dun_agree(context, moments ? 0 : DUN_ERROR_MEMORY);
  if (status >= 0)
    status = dun_probe_output_moments(context, run, moments);
  *ess = run->now.ess;
  for (int i = 0; i < outputs && status >= 0; i++) {
    double ratio = moments[i].deviation / moments[i].error;
    if (moments[i].deviation > 0 && !(ratio * ratio >= *ess))
      *ess = ratio * ratio;
  }
  dun_free(moments);
  return status;
}

static int add_row(struct dun_driver *driver, uint64_t hash, double ess)
{
  const struct dun_run *run = &driver->assembly->run;
  const struct dun_now *now = &run->now;
  return dun_table_add(&driver->replicates,
                       (double[DUN_REPLICATE_COLUMNS]){
                           [DUN_REPLICATE_NUMBER] = (double)run->replicate,
                           [DUN_REPLICATE_LOG_EVIDENCE] = now->log_evidence,
                           [DUN_REPLICATE_ERROR] = now->log_evidence_error,
                           [DUN_REPLICATE_ESS] = ess,
                           [DUN_REPLICATE_KISH] = now->ess,
                           [DUN_REPLICATE_ROOTS] = now->roots,
                           [DUN_REPLICATE_STEPS] = (double)now->step,
                           [DUN_REPLICATE_ACCEPTANCE] = now->acceptance,
                           [DUN_REPLICATE_HASH_HIGH] = (double)(hash >> 32),
                           [DUN_REPLICATE_HASH_LOW] = (double)(hash & UINT32_MAX),
                       });
}

/* A last selection makes the population equally weighted; what was reported is of the one before
 * it. */
static int write_population(struct dun_context *context, struct dun_driver *driver)
{
  struct dun_run *run = &driver->assembly->run;
  struct dun_weights weights = {0};
  enum dun_phase left = dun_timers_switch(&context->timers, DUN_PHASE_SELECT);
  int code = dun_weights_compute(context, &run->population, run->logw, &weights);
  if (code >= 0)
    code = dun_select(context, &run->population, run->logw, &weights, DUN_SYSTEMATIC,
                      dun_run_address(run, DUN_PURPOSE_DRAWS));
  dun_weights_free(&weights);
  dun_timers_switch(&context->timers, DUN_PHASE_OUTPUT);
  if (code >= 0)
    code = dun_result_population(context, &driver->result, run, run->replicate);
  dun_timers_switch(&context->timers, left);
  return code;
}

static int write_draws(struct dun_context *context, struct dun_driver *driver)
{
  if (driver->assembly->run.kept.due == 0)
    return write_population(context, driver);
  enum dun_phase left = dun_timers_switch(&context->timers, DUN_PHASE_OUTPUT);
  int code = dun_result_flush(context, &driver->result);
  dun_timers_switch(&context->timers, left);
  return code;
}

void dun_finish_merge(struct dun_driver *driver, const struct dun_diagnosis *one)
{
  const struct dun_run *run = &driver->assembly->run;
  dun_diagnosis_merge(&driver->stored.diagnosis, one,
                      run->options.replicates > 1 ? run->replicate : -1);
}

void dun_finish_diagnose(struct dun_driver *driver)
{
  struct dun_run *run = &driver->assembly->run;
  struct dun_diagnosis diagnosis = {0};
  if (driver->seconding) {
    dun_tails_diagnose(&driver->steps, &diagnosis);
    dun_second_diagnose(&driver->second, &diagnosis);
  } else if (driver->finishing > 0) {
    const struct dun_part *part = &driver->assembly->finishes.part[driver->finishing - 1];
    const struct dun_finish *finish = (const struct dun_finish *)part->type;
    for (int i = 0; finish->settles[i]; i++)
      dun_diagnosis_settle(&driver->stored.diagnosis, finish->settles[i], finish->type.name);
    if (finish->diagnose)
      finish->diagnose(part->self, run, &diagnosis);
  } else if (run->method->diagnose) {
    run->method->diagnose(run->method_self, run, &diagnosis);
  }
  dun_finish_merge(driver, &diagnosis);
}

/* What was seen of the outputs. */
static void diagnose_outputs(struct dun_driver *driver)
{
  struct dun_run *run = &driver->assembly->run;
  struct dun_diagnosis diagnosis = {0};
  if (run->kept.due > 0)
    run->now.ess = dun_diagnosis_chains(&diagnosis, driver);
  dun_diagnosis_letters(&diagnosis, driver);
  dun_diagnosis_tails(&diagnosis, driver);
  dun_finish_merge(driver, &diagnosis);
}

int dun_finish_replicate(struct dun_context *context, struct dun_driver *driver)
{
  struct dun_run *run = &driver->assembly->run;
  uint64_t hash;
  double ess;
  int code = dun_population_hash(context, &run->population, &hash);
  if (code < 0)
    return code;
  diagnose_outputs(driver);
  ess = run->now.ess;
  if (run->kept.due == 0 && run->logw && (code = effective(context, run, &ess)) < 0)
    return code;
  code = dun_agree(context, add_row(driver, hash, ess));
  return code < 0 ? code : write_draws(context, driver);
}

/* ---- all of them --------------------------------------------------------------------------- */

static double cell(const struct dun_table *table, long long row, int column)
{
  return table->cells.value[row * table->columns + column];
}

struct sums {
  double mean, square;         /* of Z_r relative to the largest, and of its deviations */
  double error;                /* sum of (Z_r e_r)^2 */
  double log_mean, log_square; /* of log Z_r */
  double reported;             /* mean of e_r^2 */
  double ess, kish, top;
};

static struct sums first_pass(const struct dun_table *table, long long count)
{
  struct sums s = {.top = -INFINITY};
  for (long long r = 0; r < count; r++)
    s.top = fmax(s.top, cell(table, r, DUN_REPLICATE_LOG_EVIDENCE));
  for (long long r = 0; r < count; r++) {
    double log_z = cell(table, r, DUN_REPLICATE_LOG_EVIDENCE);
    double e = cell(table, r, DUN_REPLICATE_ERROR), z = dun_scalar_exp(log_z - s.top);
    s.mean += z / (double)count;
    s.log_mean += log_z / (double)count;
    s.error += z * e * z * e;
    s.reported += e * e / (double)count;
    s.ess += cell(table, r, DUN_REPLICATE_ESS);
    s.kish += cell(table, r, DUN_REPLICATE_KISH);
  }
  return s;
}

struct dun_evidence dun_finish_evidence(const struct dun_driver *driver)
{
  const struct dun_table *table = &driver->replicates;
  long long count = dun_table_rows(table);
  double n = (double)count;
  struct sums s = first_pass(table, count);
  for (long long r = 0; r < count; r++) {
    double log_z = cell(table, r, DUN_REPLICATE_LOG_EVIDENCE), z = dun_scalar_exp(log_z - s.top);
    s.square += (z - s.mean) * (z - s.mean);
    s.log_square += (log_z - s.log_mean) * (log_z - s.log_mean);
  }
  return (struct dun_evidence){
      .log_evidence =
          count == 1 ? cell(table, 0, DUN_REPLICATE_LOG_EVIDENCE) : s.top + dun_scalar_log(s.mean),
      .error = sqrt(s.error) / (n * s.mean),
      .spread = count > 1 ? sqrt(s.square / (n * (n - 1))) / s.mean : NAN,
      .excess = count > 1 && s.reported > 0 ? s.log_square / (n - 1) / s.reported : NAN,
      .ess = s.ess,
      .kish = s.kish,
  };
}

uint64_t dun_finish_hash(const struct dun_driver *driver)
{
  const struct dun_table *table = &driver->replicates;
  long long count = dun_table_rows(table);
  uint64_t all = 0;
  for (long long r = 0; r < count; r++) {
    uint64_t hash = (uint64_t)cell(table, r, DUN_REPLICATE_HASH_HIGH) << 32 |
                    (uint64_t)cell(table, r, DUN_REPLICATE_HASH_LOW);
    all = r == 0 ? hash : (all ^ hash) * UINT64_C(0x9e3779b97f4a7c15) + (all >> 29);
  }
  return all;
}

enum { MAX_TABLES = DUN_MAX_PROBES + DUN_MAX_FINISHES + 4 };

static void add_table(int *count, char group[][64], struct dun_named_table *table,
                      const struct dun_part *part, const struct dun_table *cells)
{
  snprintf(group[*count], 64, "/trace/%s", part->type->name);
  table[*count] = (struct dun_named_table){group[*count], "row", cells};
  ++*count;
}

static int list_tables(const struct dun_driver *driver, char group[][64],
                       struct dun_named_table *table)
{
  const struct dun_assembly *assembly = driver->assembly;
  const struct dun_method *method = assembly->run.method;
  const struct dun_table *own = method->table ? method->table(assembly->method.self) : NULL;
  int count = 0;
  table[count++] = (struct dun_named_table){"/trace/steps", "step", &driver->steps};
  table[count++] = (struct dun_named_table){"/trace/replicates", "replicate", &driver->replicates};
  table[count++] = (struct dun_named_table){"/trace/evidence", "row", &driver->second.table};
  if (own)
    add_table(&count, group, table, &assembly->method, own);
  for (int i = 0; i < assembly->probes.count; i++)
    add_table(&count, group, table, &assembly->probes.part[i],
              &dun_probe_head(&assembly->probes.part[i])->table);
  for (int i = 0; i < assembly->finishes.count; i++) {
    const struct dun_finish_head *head = assembly->finishes.part[i].self;
    add_table(&count, group, table, &assembly->finishes.part[i], &head->table);
  }
  return count;
}

#define NUMBER(name_, value_)                                                                      \
  {                                                                                                \
    .name = name_, .type = DUN_ATTRIBUTE_NUMBER, .number = value_                                  \
  }
#define WHOLE(name_, value_)                                                                       \
  {                                                                                                \
    .name = name_, .type = DUN_ATTRIBUTE_INTEGER, .integer = value_                                \
  }
#define TEXT(name_, value_)                                                                        \
  {                                                                                                \
    .name = name_, .type = DUN_ATTRIBUTE_TEXT, .text = value_                                      \
  }

static int is_deterministic(const struct dun_driver *driver)
{
  const struct dun_run *run = &driver->assembly->run;
  return !driver->other_bits && !driver->assembly->tables.loose &&
         (!run->method->deterministic || run->method->deterministic(run->method_self));
}

static int add_learned(void *list, const char *place, struct dun_part *part)
{
  if (!dun_learned_is(part->type->state))
    return 0;
  return dun_learned_add(list, place, part->type->name, part->type->state, part->self);
}

/* Of the last replicate; of methods that cross-fit, of the first half.  Step sizes that belong to
 * chains and not to all are none that another run could begin at. */
static int list_learned(struct dun_driver *driver, struct dun_learned_list *list)
{
  struct dun_assembly *assembly = driver->assembly;
  struct dun_run *run = &assembly->run;
  int code = 0;
  *list = (struct dun_learned_list){.target = run->target->type.name,
                                    .options = run->evaluator->options,
                                    .dimension = run->evaluator->dimension};
  if (run->kernel && !run->sweep.step_size)
    code = dun_learned_add(list, "kernel", run->kernel->type.name, dun_adaptation_state,
                           &run->adaptation[0]);
  return code < 0 ? code : dun_assembly_walk(assembly, add_learned, list);
}

/* Of chains, evaluations for each of the effective draws of the scalar that has the fewest; NAN of
 * others, and where a budget ended the run. */
static double price_of(const struct dun_driver *driver, const struct dun_evidence *evidence,
                       int64_t evaluations)
{
  int chains = driver->assembly->run.kept.due > 0 && !driver->cut && driver->for_draws > 0;
  return chains ? (double)evaluations / evidence->ess : NAN;
}

/* Rank 0. */
static int draw_prior(struct dun_driver *driver)
{
  const struct dun_assembly *assembly = driver->assembly;
  struct dun_result *result = &driver->result;
  int64_t draws = assembly->output.prior_draws, outputs = result->outputs;
  if (draws == 0)
    return 0;
  result->prior = dun_allocate(draws * outputs, sizeof *result->prior);
  result->prior_draws = draws;
  return result->prior ? dun_prior_draws(assembly->run.evaluator,
                                         (uint64_t)assembly->run.options.seed, draws, result->prior)
                       : DUN_ERROR_MEMORY;
}

static int write_result(struct dun_context *context, struct dun_driver *driver,
                        const struct dun_evidence *evidence)
{
  char group[MAX_TABLES][64], hash[17], created[32];
  struct dun_named_table table[MAX_TABLES];
  struct dun_text lines = {0};
  const struct dun_diagnosis *diagnosis = &driver->stored.diagnosis;
  struct dun_provenance provenance = {0};
  struct dun_learned_list learned;
  const struct dun_target *target = driver->assembly->run.target;
  double truth =
      target->log_evidence ? target->log_evidence(driver->assembly->evaluator.self) : NAN;
  int tables = list_tables(driver, group, table), code;
  snprintf(hash, sizeof hash, "%016" PRIx64, dun_finish_hash(driver));
  dun_clock_text(created, sizeof created);
  dun_diagnosis_lines(diagnosis, &lines);
  struct dun_attribute attribute[] = {
      NUMBER("log_evidence", evidence->log_evidence),
      NUMBER("log_evidence_error", evidence->error),
      NUMBER("log_evidence_spread", evidence->spread),
      NUMBER("log_evidence_truth", truth),
      NUMBER("effective_sample_size", evidence->ess),
      NUMBER("kish_effective_sample_size", evidence->kish),
      TEXT("population_hash", hash),
      WHOLE("deterministic", is_deterministic(driver)),
      WHOLE("cut_short", driver->cut),
      TEXT("diagnosis", dun_verdict_word(dun_diagnosis_level(diagnosis))),
      TEXT("diagnosis_details", lines.text),
      WHOLE("evaluations", driver->cost.evaluations),
      NUMBER("evaluations_per_effective_draw", price_of(driver, evidence, driver->for_method)),
      NUMBER("evaluations_per_effective_draw_sampling",
             price_of(driver, evidence, driver->for_draws)),
      TEXT("created_at", created),
      TEXT("inference_library", "dunlin"),
      TEXT("inference_library_version", DUN_VERSION),
  };
  code = lines.failed ? dun_fail(DUN_ERROR_MEMORY, "no memory for the diagnosis") : 0;
  if (code >= 0)
    code = dun_provenance_make(&provenance, context, driver);
  int listed = list_learned(driver, &learned);
  code = code < 0 ? code : listed;
  if (code >= 0 && context->rank == 0)
    code = draw_prior(driver);
  code = dun_agree(context, code);
  if (code >= 0)
    code = dun_result_finish(context, &driver->result, attribute,
                             (int)(sizeof attribute / sizeof *attribute), provenance.attribute,
                             provenance.count, table, tables, &learned);
  dun_learned_free(&learned);
  dun_provenance_free(&provenance);
  dun_text_free(&lines);
  return code;
}

/* What is wrong on the disk is told while there are checkpoints.  The draws of a run that a budget
 * ended: of its whole replicates, or of the first one's chains as far as they came. */
static int verify_draws(struct dun_context *context, struct dun_driver *driver)
{
  struct dun_result *result = &driver->result;
  const struct dun_run *run = &driver->assembly->run;
  int64_t draws = dun_assembly_draws(driver->assembly);
  int64_t chains = run->kept.due > 0 ? run->kept.chains.total : 1; /* there may be room for more */
  if (!driver->cut)
    return dun_result_verify(context, result, run, run->options.replicates * chains, 0);
  if (draws < result->draws)
    return dun_result_verify(context, result, run, 0, draws);
  int code = dun_result_flush(context, result);
  int64_t done = dun_table_rows(&driver->replicates) * chains;
  return code < 0 ? code : dun_result_verify(context, result, run, done, run->kept.draws);
}

int dun_finish_run(struct dun_context *context, struct dun_driver *driver)
{
  struct dun_evidence evidence = dun_finish_evidence(driver);
  int code;
  dun_timers_switch(&context->timers, DUN_PHASE_OUTPUT);
  if ((code = dun_record_cost(context, driver)) < 0 ||
      (code = dun_promises_again(context, driver->assembly)) < 0 ||
      (code = verify_draws(context, driver)) < 0)
    return code;
  if (driver->other_bits < driver->assembly->other_bits)
    driver->other_bits = driver->assembly->other_bits;
  dun_diagnosis_run(&driver->stored.diagnosis, driver, &evidence);
  if ((code = dun_budget_shorten(context, driver)) < 0)
    return code;
  if ((code = write_result(context, driver, &evidence)) < 0)
    return code;
  if (context->rank == 0)
    dun_checkpoint_remove(driver->assembly->file, NULL);
  return 0;
}
