#include "app/record.h"
#include "base/error.h"
#include "base/memory.h"
#include "parallel/sum.h"
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

/* ---- state --------------------------------------------------------------------------------- */

#define DRIVER(name_, type_, member_, count_)                                                      \
  {                                                                                                \
    .name = name_, .type = type_, .offset = offsetof(struct dun_driver, member_), .count = count_  \
  }
#define INTEGER(name_, member_) DRIVER(name_, DUN_STATE_INTEGER, member_, 1)
#define FLAG(name_, member_)    DUN_STATE_UP_TO(1, name_, offsetof(struct dun_driver, member_))
#define WORDS(name_, member_, count_)                                                              \
  {                                                                                                \
    .name = name_, .type = DUN_STATE_INTEGER, .offset = offsetof(struct dun_driver, member_),      \
    .count = count_, .least = INT64_MIN, .most = INT64_MAX                                         \
  }

enum { DIAGNOSIS_WORDS = sizeof(struct dun_stored_diagnosis) / sizeof(int64_t) };

static const struct dun_state driver_state[] = {
    FLAG("started", started),
    DUN_STATE_UP_TO(DUN_MAX_FINISHES, "finishing", offsetof(struct dun_driver, finishing)),
    FLAG("seconding", seconding),
    INTEGER("rows", rows),
    INTEGER("counted", counted),
    INTEGER("for_method", for_method),
    INTEGER("for_draws", for_draws),
    INTEGER("evaluations", before.evaluations),
    INTEGER("gradients", before.gradients),
    INTEGER("nans", before.nans),
    INTEGER("nans_aside", before.nans_aside),
    INTEGER("bytes_sent", before.bytes_sent),
    INTEGER("collectives", before.collectives),
    INTEGER("memory", before.memory),
    DRIVER("seconds", DUN_STATE_NUMBER, before.seconds, DUN_PHASES),
    DRIVER("wall", DUN_STATE_NUMBER, before.wall, 1),
    DRIVER("processor", DUN_STATE_NUMBER, before.processor, 1),
    WORDS("blas", blas, 1),
    FLAG("other_bits", other_bits),
    INTEGER("lost", lost),
    DRIVER("steps", DUN_STATE_NUMBERS, steps.cells, 1),
    DRIVER("replicates", DUN_STATE_NUMBERS, replicates.cells, 1),
    WORDS("diagnosis", stored, DIAGNOSIS_WORDS),
    {0},
};

#define RUN(name_, type_, member_)                                                                 \
  {                                                                                                \
    .name = name_, .type = type_, .offset = offsetof(struct dun_run, member_), .count = 1          \
  }
#define NOW(name_) RUN(#name_, DUN_STATE_NUMBER, now.name_)

static const struct dun_state run_state[] = {
    RUN("tick", DUN_STATE_INTEGER, tick),
    RUN("replicate", DUN_STATE_INTEGER, replicate),
    RUN("members", DUN_STATE_INTEGER, kept.members),
    RUN("draws", DUN_STATE_INTEGER, kept.draws),
    DUN_STATE_UP_TO(1, "began", offsetof(struct dun_run, kept.began)),
    RUN("warmed", DUN_STATE_INTEGER, kept.warmed),
    RUN("step", DUN_STATE_INTEGER, now.step),
    {.name = "time",
     .type = DUN_STATE_NUMBER,
     .offset = offsetof(struct dun_run, now.time),
     .count = 1,
     .most = 1},
    NOW(ess),
    NOW(acceptance),
    NOW(log_evidence),
    NOW(log_evidence_error),
    NOW(log_likelihood_mean),
    NOW(log_likelihood_variance),
    NOW(moves),
    NOW(autocorrelation),
    NOW(never_moved),
    NOW(step_size),
    NOW(leapfrogs),
    NOW(roots),
    NOW(pareto_k),
    NOW(error_roots),
    {0},
};

static int make_room(struct dun_driver *driver)
{
  int room = 2 * driver->objects_room + 16;
  struct dun_stateful *larger = dun_allocate(room, sizeof *larger);
  if (!larger)
    return DUN_ERROR_MEMORY;
  if (driver->objects)
    memcpy(larger, driver->object, (size_t)driver->objects * sizeof *larger);
  dun_free(driver->object);
  driver->object = larger;
  driver->objects_room = room;
  return 0;
}

static int add_object(struct dun_driver *driver, const char *place, const char *name,
                      const struct dun_state *rows, void *self)
{
  if (!rows)
    return 0;
  if (driver->objects == driver->objects_room && make_room(driver) < 0)
    return DUN_ERROR_MEMORY;
  struct dun_stateful *object = &driver->object[driver->objects++];
  snprintf(object->name, sizeof object->name, "%.90s%s%.64s", place, *name ? " " : "", name);
  object->rows = rows;
  object->self = self;
  return 0;
}

static int add_part(void *driver, const char *place, struct dun_part *part)
{
  return add_object(driver, place, part->type->name, part->type->state, part->self);
}

static int list_objects(struct dun_driver *driver)
{
  struct dun_assembly *assembly = driver->assembly;
  int code = add_object(driver, "run", "", run_state, &assembly->run);
  if (code >= 0)
    code = add_object(driver, "driver", "", driver_state, driver);
  if (code >= 0)
    code = add_object(driver, "second", "", dun_second_state, &driver->second);
  if (code >= 0)
    code = add_object(driver, "sweep", "", dun_sweep_state, &assembly->run.sweep);
  for (int h = 0; h < DUN_HALVES && assembly->kernel.type && code >= 0; h++)
    code = add_object(driver, "adaptation", h ? "2" : "", dun_adaptation_state,
                      &assembly->run.adaptation[h]);
  return code < 0 ? code : dun_assembly_walk(assembly, add_part, driver);
}

struct dun_checkpoint dun_record_checkpoint(struct dun_driver *driver)
{
  return (struct dun_checkpoint){.file = driver->assembly->file,
                                 .identity = driver->assembly->identity,
                                 .objects = driver->object,
                                 .object_count = driver->objects,
                                 .population = &driver->assembly->run.population,
                                 .ended = driver->assembly->run.replicate ==
                                          driver->assembly->run.options.replicates};
}

/* ---- tables -------------------------------------------------------------------------------- */

static const struct dun_table_column step_column[] = {
    {"replicate", "", "Number of the population, from 0."},
    {"step", "", "Completed steps of the method."},
    {"time", "", "Time on the path."},
    {"ess", "", "Effective sample size of the weights, before selection."},
    {"acceptance", "", "Mean acceptance of the step's last sweep."},
    {"log_evidence", "", "Log of the normalising constant at this time."},
    {"log_evidence_error", "", "Its standard error by ancestor."},
    {"log_likelihood_mean", "", "Mean of d log pi_t / dt under the weights before the step."},
    {"log_likelihood_variance", "", "Its variance."},
    {"moves", "", "Sweeps in this step."},
    {"autocorrelation", "", "Of the log density over the step's moves."},
    {"never_moved", "", "Share of the particles that no move of this step displaced."},
    {"step_size", "", "Of the kernel, in units of the metric."},
    {"leapfrogs", "", "Length of a trajectory."},
    {"roots", "", "Distinct ancestors at the start."},
    {"pareto_k", "", "Shape of a generalised Pareto law fitted to the step's largest weights."},
    {"error_roots", "", "Equal ancestors on which the error of log Z rests."},
    {"evaluations", "", "Points at which the target was evaluated so far, over all ranks."},
    {"seconds", "s", "Wall time so far."},
};
enum { STEP_COLUMNS = sizeof step_column / sizeof *step_column };

static const struct dun_table_column replicate_column[DUN_REPLICATE_COLUMNS] = {
    [DUN_REPLICATE_NUMBER] = {"replicate", "", "Number of the population, from 0."},
    [DUN_REPLICATE_LOG_EVIDENCE] = {"log_evidence", "", "Log of the normalising constant."},
    [DUN_REPLICATE_ERROR] = {"log_evidence_error", "", "Its standard error by ancestor."},
    [DUN_REPLICATE_ESS] = {"ess", "", "Least (deviation / error of the mean)^2 of the parameters."},
    [DUN_REPLICATE_KISH] = {"kish_ess", "", "Kish's effective sample size of the last weights."},
    [DUN_REPLICATE_ROOTS] = {"roots", "", "Distinct ancestors at the start."},
    [DUN_REPLICATE_STEPS] = {"steps", "", "Steps of the method."},
    [DUN_REPLICATE_ACCEPTANCE] = {"acceptance", "", "Mean acceptance of the last sweep."},
    [DUN_REPLICATE_HASH_HIGH] = {"hash_high", "", "Upper 32 bits of the population's hash."},
    [DUN_REPLICATE_HASH_LOW] = {"hash_low", "", "Lower 32 bits of the population's hash."},
};

int dun_record_init(struct dun_driver *driver)
{
  int code = dun_table_make(&driver->steps, step_column, STEP_COLUMNS);
  if (code >= 0)
    code = dun_table_make(&driver->replicates, replicate_column, DUN_REPLICATE_COLUMNS);
  if (code >= 0)
    code = dun_second_init(&driver->second);
  return code < 0 ? code : list_objects(driver);
}

void dun_record_free(struct dun_driver *driver)
{
  dun_table_free(&driver->steps);
  dun_table_free(&driver->replicates);
  dun_second_free(&driver->second);
  DUN_FREE(driver->object);
}

int dun_record_step(struct dun_driver *driver)
{
  const struct dun_run *run = &driver->assembly->run;
  const struct dun_now *now = &run->now;
  double row[STEP_COLUMNS] = {
      (double)run->replicate,
      (double)now->step,
      now->time,
      now->ess,
      now->acceptance,
      now->log_evidence,
      now->log_evidence_error,
      now->log_likelihood_mean,
      now->log_likelihood_variance,
      now->moves,
      now->autocorrelation,
      now->never_moved,
      now->step_size,
      now->leapfrogs,
      now->roots,
      now->pareto_k,
      now->error_roots,
      (double)(driver->before.evaluations + driver->stop.evaluations_done),
      dun_record_elapsed(driver),
  };
  driver->rows = now->step;
  return dun_table_add(&driver->steps, row);
}

/* ---- costs --------------------------------------------------------------------------------- */

double dun_record_elapsed(const struct dun_driver *driver)
{
  return driver->before.wall + dun_clock() - driver->beginning.clock;
}

/* Of user and system, all threads. */
static double processor_seconds(void)
{
  struct rusage usage;
  if (getrusage(RUSAGE_SELF, &usage))
    return 0;
  return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         1e-6 * (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

/* A process may have made other runs before.  Where the kernel refuses, the peak is theirs too. */
void dun_record_begin(struct dun_context *context, struct dun_beginning *beginning)
{
  FILE *file = fopen("/proc/self/clear_refs", "we");
  if (file) {
    fputs("5", file); /* forget the largest resident set */
    fclose(file);
  }
  dun_timers_switch(&context->timers, context->timers.now); /* books the time up to here */
  beginning->clock = dun_clock();
  beginning->processor = processor_seconds();
  memcpy(beginning->seconds, context->timers.seconds, sizeof beginning->seconds);
  beginning->bytes_sent = context->bytes_sent;
  beginning->collectives = context->collectives;
}

static int64_t peak_memory(void)
{
  struct rusage usage;
  return getrusage(RUSAGE_SELF, &usage) == 0 ? (int64_t)usage.ru_maxrss * 1024 : 0;
}

int dun_record_cost(struct dun_context *context, struct dun_driver *driver)
{
  enum {
    EVALUATIONS,
    GRADIENTS,
    NANS,
    NANS_ASIDE,
    BYTES,
    COLLECTIVES,
    PROCESSOR,
    PHASE,
    COUNT = PHASE + DUN_PHASES
  };
  const struct dun_evaluator *evaluator = &driver->assembly->evaluator;
  const struct dun_cost *before = &driver->before;
  const struct dun_beginning *start = &driver->beginning;
  struct dun_cost *cost = &driver->cost;
  double most[2] = {(double)peak_memory(), 0};
  int64_t value[COUNT];
  int code;

  dun_timers_switch(&context->timers, context->timers.now); /* books the time up to here */
  most[1] = context->rank == 0 ? dun_clock() - start->clock : 0;
  value[EVALUATIONS] = evaluator->evaluations;
  value[GRADIENTS] = evaluator->gradients;
  value[NANS] = evaluator->nans;
  value[NANS_ASIDE] = evaluator->nans_aside;
  value[BYTES] = context->bytes_sent - start->bytes_sent;
  value[COLLECTIVES] = context->collectives - start->collectives;
  value[PROCESSOR] = (int64_t)((processor_seconds() - start->processor) * 1e9);
  for (int p = 0; p < DUN_PHASES; p++)
    value[PHASE + p] = (int64_t)((context->timers.seconds[p] - start->seconds[p]) * 1e9);
  if ((code = dun_sum_integers(context, 0, COUNT, value)) < 0 ||
      (code = dun_max(context, 0, 2, most)) < 0)
    return code;
  cost->evaluations = before->evaluations + value[EVALUATIONS];
  cost->gradients = before->gradients + value[GRADIENTS];
  cost->nans = before->nans + value[NANS];
  cost->nans_aside = before->nans_aside + value[NANS_ASIDE];
  cost->bytes_sent = before->bytes_sent + value[BYTES];
  cost->collectives = before->collectives + value[COLLECTIVES];
  cost->memory = (int64_t)most[0] > before->memory ? (int64_t)most[0] : before->memory;
  for (int p = 0; p < DUN_PHASES; p++)
    cost->seconds[p] = before->seconds[p] + (double)value[PHASE + p] * 1e-9 / context->size;
  cost->wall = before->wall + most[1];
  cost->processor = before->processor + (double)value[PROCESSOR] * 1e-9;
  return 0;
}
