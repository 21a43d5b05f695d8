#include "app/driver.h"
#include "app/budget.h"
#include "app/diagnosis.h"
#include "app/finish.h"
#include "app/record.h"
#include "app/surroundings.h"
#include "app/tile_size.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/memory.h"
#include "numerics/linear.h"
#include "parallel/sum.h"
#include <string.h>

/* ---- between two ticks --------------------------------------------------------------------- */

static int look(struct dun_context *context, struct dun_driver *driver, int at_end)
{
  struct dun_assembly *assembly = driver->assembly;
  const struct dun_run *run = &assembly->run;
  enum dun_phase left = dun_timers_switch(&context->timers, DUN_PHASE_LOOK);
  int code = 0;
  for (int i = 0; i < assembly->probes.count && code >= 0; i++) {
    const struct dun_probe *probe = (const struct dun_probe *)assembly->probes.part[i].type;
    long long every = dun_probe_head(&assembly->probes.part[i])->every;
    int seen = every > 0 && run->now.step % every == 0;
    /* At the end all probes look that have not just done so. */
    if (at_end ? !seen : seen)
      code = probe->look(context, assembly->probes.part[i].self, run);
  }
  dun_timers_switch(&context->timers, left);
  return code;
}

static int synchronise(struct dun_context *context, struct dun_driver *driver)
{
  return dun_stop_sync(context, &driver->stop, driver->assembly->evaluator.evaluations,
                       driver->before.evaluations);
}

/* A step was completed: its row, its line, the probes. */
static int step(struct dun_context *context, struct dun_driver *driver)
{
  const struct dun_run *run = &driver->assembly->run;
  double elapsed = dun_record_elapsed(driver);
  int code = dun_record_step(driver);
  if ((code = dun_agree(context, code)) < 0)
    return code;
  dun_progress_row(context, &driver->progress, &driver->steps);
  dun_progress_show(context, &driver->progress, run, elapsed, run->now.step <= 1);
  return look(context, driver, 0);
}

/* A failed checkpoint does not end the run: the older one is untouched.  Of a run that has ended it
 * holds no more than what the result is made of. */
static int checkpoint(struct dun_context *context, struct dun_driver *driver)
{
  enum dun_phase left = dun_timers_switch(&context->timers, DUN_PHASE_CHECKPOINT);
  double began = dun_clock();
  struct dun_checkpoint all = dun_record_checkpoint(driver);
  struct dun_cost before = driver->before;
  int code = dun_result_flush(context, &driver->result); /* what is kept is not saved again */
  if (code >= 0)
    code = dun_record_cost(context, driver);
  if (code >= 0)
    code = dun_result_seal(context, &driver->result, &driver->assembly->run, &all.draws);
  driver->before = driver->cost; /* what is saved is what a restart starts from */
  if (code >= 0)
    code = dun_checkpoint_write(context, &all);
  driver->before = before;
  dun_free(all.draws.bytes);
  dun_stop_checkpointed(context, &driver->stop, dun_clock() - began);
  dun_timers_switch(&context->timers, left);
  if (code < 0 && context->rank == 0)
    dun_warn(&context->log, "no checkpoint: %s", dun_error_text());
  return code;
}

static int stop_early(struct dun_context *context, struct dun_driver *driver, int interrupted,
                      const char *advice)
{
  const struct dun_run *run = &driver->assembly->run;
  int code = checkpoint(context, driver);
  if (code < 0)
    return code;
  dun_progress_show(context, &driver->progress, run, dun_record_elapsed(driver), 1);
  return dun_fail(DUN_RUN_STOPPED,
                  "stopped early, since %s, %s step %lld%s: a checkpoint of %s is written, and "
                  "--restart goes on from it%s",
                  dun_stop_text(driver->stop.reason), interrupted ? "in the tick behind" : "after",
                  (long long)run->now.step, run->options.replicates > 1 ? " of this replicate" : "",
                  driver->assembly->file, advice);
}

/* In the midst of a tick.  Where the clocks of the ranks do not agree that it is time, it is; where
 * none says so a checkpoint was overdue, and the tick goes on. */
static int interrupt(struct dun_context *context, struct dun_driver *driver)
{
  enum { DONE, WISHED, COUNT };
  const struct dun_pass *pass = &driver->assembly->run.sweep.pass;
  int64_t value[COUNT] = {
      [DONE] = driver->ticks + pass->pieces + pass->answers.count,
      [WISHED] = dun_interrupt_wished(&context->interrupt),
  };
  int code = synchronise(context, driver);
  if (code < 0 || (code = dun_sum_integers(context, 0, COUNT, value)) < 0)
    return code;
  if (!value[WISHED] && driver->stop.reason == DUN_STOP_NOT) {
    checkpoint(context, driver);
    return 0;
  }
  if (driver->stop.reason == DUN_STOP_NOT)
    driver->stop.reason = DUN_STOP_TIME;
  return stop_early(context, driver, 1,
                    value[DONE] > 0 || driver->stop.reason != DUN_STOP_TIME
                        ? ""
                        : "; but nothing was completed since this start, and nothing will be "
                          "in the same time: give it more, or begin anew with a smaller "
                          "run.tile");
}

/* ---- the loop ------------------------------------------------------------------------------ */

static struct dun_part *finish_part(struct dun_driver *driver)
{
  return &driver->assembly->finishes.part[driver->finishing - 1];
}

static const struct dun_finish *finish_at_work(struct dun_driver *driver)
{
  return (const struct dun_finish *)finish_part(driver)->type;
}

/* It counts no tick: finishes have the random numbers that they have without it. */
static int second_tick(struct dun_context *context, struct dun_driver *driver)
{
  enum dun_phase left = dun_timers_switch(&context->timers, DUN_PHASE_SECOND);
  int code = dun_second_advance(context, &driver->second, &driver->assembly->run, &driver->steps);
  dun_timers_switch(&context->timers, left);
  return code;
}

static int tick(struct dun_context *context, struct dun_driver *driver)
{
  struct dun_run *run = &driver->assembly->run;
  int code = 0;
  if (!driver->started) {
    run->tick = 0;
    run->now = (struct dun_now){0};
    run->kept.draws = run->kept.began = run->kept.warmed = 0;
    driver->rows = 0;
    driver->finishing = driver->seconding = 0;
    dun_second_start(&driver->second);
    code = dun_agree(context, run->method->start(context, run->method_self, run));
    driver->started = 1;
  }
  driver->moving = !driver->seconding && driver->finishing == 0;
  driver->drawing = run->kept.began;
  if (code >= 0 && driver->seconding)
    return second_tick(context, driver);
  if (code >= 0 && driver->finishing == 0)
    code = run->method->advance(context, run->method_self, run);
  else if (code >= 0)
    code = finish_at_work(driver)->advance(context, finish_part(driver)->self, run);
  dun_surroundings_restore(context, run->target->type.name);
  if (code == DUN_INTERRUPTED)
    return code; /* this tick is made again */
  dun_pass_forget(&run->sweep.pass);
  run->tick++;
  return code;
}

static int end_replicate(struct dun_context *context, struct dun_driver *driver)
{
  struct dun_run *run = &driver->assembly->run;
  int code = look(context, driver, 1);
  if (code >= 0)
    code = dun_finish_replicate(context, driver);
  dun_progress_show(context, &driver->progress, run, dun_record_elapsed(driver), 1);
  run->replicate++;
  run->kept.draws = 0;
  driver->started = 0;
  return code;
}

/* The method, or a finish, has done its work: behind the method the second estimate is made, then
 * the next finish takes over, or the replicate ends. */
static int hand_over(struct dun_context *context, struct dun_driver *driver)
{
  dun_finish_diagnose(driver);
  if (driver->finishing == 0 && !driver->seconding) {
    driver->seconding = 1;
    return 0;
  }
  driver->seconding = 0;
  if (driver->finishing == driver->assembly->finishes.count)
    return end_replicate(context, driver);
  driver->finishing++;
  return 0;
}

/* The budget is used up.  A finish that has begun is not cut, since it leaves nothing by halves. */
static int cut_short(struct dun_context *context, struct dun_driver *driver)
{
  int code = dun_budget_end(context, driver);
  if (code < 0 || driver->assembly->run.replicate > 0)
    return code;
  return end_replicate(context, driver);
}

static int keep(struct dun_context *context, struct dun_driver *driver)
{
  enum dun_phase left = dun_timers_switch(&context->timers, DUN_PHASE_OUTPUT);
  int code = dun_result_draw(context, &driver->result, driver->assembly->run.kept.draws - 1);
  dun_timers_switch(&context->timers, DUN_PHASE_SECOND);
  if (code >= 0)
    code = dun_second_keep(context, &driver->second, &driver->assembly->run);
  dun_timers_switch(&context->timers, left);
  return code;
}

/* What the tick calls for; the method's answer is `answer`. */
static int after_tick(struct dun_context *context, struct dun_driver *driver, int answer)
{
  const struct dun_run *run = &driver->assembly->run;
  int new_row = run->now.step > driver->rows;
  int64_t counted = driver->counted;
  int code = synchronise(context, driver);
  driver->counted = driver->before.evaluations + driver->stop.evaluations_done;
  driver->for_method += driver->moving ? driver->counted - counted : 0;
  driver->for_draws += driver->moving && driver->drawing ? driver->counted - counted : 0;
  driver->ticks++;
  if (code >= 0 && answer == DUN_TICK_DRAW)
    code = keep(context, driver);
  if (code >= 0 && (answer == DUN_TICK_STEP || (answer != DUN_TICK_GOING && new_row)))
    code = step(context, driver);
  if (code >= 0 && answer == DUN_TICK_DONE)
    code = hand_over(context, driver);
  if (code < 0 || run->replicate == run->options.replicates)
    return code;
  if (driver->stop.spent && (driver->finishing == 0 || answer == DUN_TICK_DONE))
    return cut_short(context, driver);
  if (driver->stop.reason != DUN_STOP_NOT)
    return stop_early(context, driver, 0, "");
  if (driver->stop.checkpoint)
    checkpoint(context, driver);
  return 0;
}

static int loop(struct dun_context *context, struct dun_driver *driver)
{
  const struct dun_run *run = &driver->assembly->run;
  int code = 0;
  while (code == 0 && !driver->cut && run->replicate < run->options.replicates) {
    int answer = tick(context, driver);
    code = answer == DUN_INTERRUPTED ? interrupt(context, driver)
           : answer < 0              ? answer
                                     : after_tick(context, driver, answer);
  }
  return code;
}

/* ---- beginning and end --------------------------------------------------------------------- */

/* The kernels of BLAS may differ in their last bits between processors. */
static int agree_on_blas(struct dun_context *context, int64_t own)
{
  double pair[2] = {(double)(own & 0xffffffff), -(double)(own & 0xffffffff)};
  int code = dun_max(context, 0, 2, pair);
  if (code >= 0 && pair[0] != -pair[1] && context->rank == 0)
    dun_warn(&context->log, "the ranks run on different processors, for which BLAS has different "
                            "kernels: the last bits may depend on the ranks");
  return code;
}

static int restore(void *data, const char *place, struct dun_part *part)
{
  (void)data;
  (void)place;
  return part->type->restore ? part->type->restore(part->self) : 0;
}

static int kernel_fits(const struct dun_assembly *assembly)
{
  int fits = 1;
  for (int h = 0; h < DUN_HALVES && assembly->kernel.type; h++)
    fits &= dun_adaptation_fits(&assembly->run.adaptation[h], assembly->evaluator.dimension);
  return fits;
}

static int tables_are_whole(struct dun_driver *driver)
{
  struct dun_assembly *assembly = driver->assembly;
  const struct dun_run *run = &assembly->run;
  const struct dun_table *own = run->method->table ? run->method->table(run->method_self) : NULL;
  int whole = dun_table_is_whole(&driver->steps) && dun_table_is_whole(&driver->replicates) &&
              dun_table_is_whole(&driver->second.table) && (!own || dun_table_is_whole(own));
  for (int i = 0; i < assembly->probes.count; i++)
    whole &= dun_table_is_whole(&dun_probe_head(&assembly->probes.part[i])->table);
  for (int i = 0; i < assembly->finishes.count; i++)
    whole &= dun_table_is_whole(&dun_finish_head(&assembly->finishes.part[i])->table);
  return whole;
}

/* Ancestors of particles are particles. */
static int roots_are_particles(const struct dun_run *run)
{
  const struct dun_tiles *tiles = &run->population.tiles;
  int sound = 1;
  for (int64_t i = 0; run->root && i < tiles->local; i++)
    sound &= dun_i64(run->root)[i] >= 0 && dun_i64(run->root)[i] < tiles->total;
  return sound;
}

/* What a replicate has of chains, there is room for. */
static int members_fit(const struct dun_run *run)
{
  int64_t members = run->kept.members, particles = run->options.particles;
  return members > 0 && members <= particles && particles % members == 0 &&
         particles / members <= run->kept.room;
}

/* A checkpoint in which numbers do not belong together was made by nobody's run. */
static int check_restored(struct dun_driver *driver, int ended)
{
  const struct dun_run *run = &driver->assembly->run;
  int64_t replicates = run->options.replicates, finishes = driver->assembly->finishes.count;
  if (run->replicate >= 0 && run->replicate <= replicates && members_fit(run) &&
      run->kept.draws >= 0 && run->kept.draws <= run->kept.due && driver->finishing >= 0 &&
      driver->finishing <= finishes && ended == (run->replicate == replicates) &&
      dun_table_rows(&driver->replicates) == run->replicate &&
      dun_diagnosis_is_sound(&driver->stored.diagnosis) && kernel_fits(driver->assembly) &&
      dun_second_is_sound(&driver->second, driver->assembly->evaluator.dimension) &&
      tables_are_whole(driver) && (ended || roots_are_particles(run)))
    return 0;
  return dun_fail(DUN_ERROR_INPUT, "The checkpoint of '%s' is no checkpoint of such a run.",
                  driver->assembly->file);
}

/* What making the parts took is in the count of the checkpoint. */
static void forget_making(struct dun_evaluator *evaluator)
{
  evaluator->evaluations = evaluator->gradients = 0;
  evaluator->nans = evaluator->nans_aside = evaluator->infinities = 0;
}

/* Returns 1 if the run goes on from a checkpoint; what it knows of the draws' file is the
 * caller's. */
static int restart(struct dun_context *context, struct dun_driver *driver,
                   struct dun_checkpoint_draws *sealed)
{
  struct dun_run *run = &driver->assembly->run;
  struct dun_checkpoint all = dun_record_checkpoint(driver);
  int64_t blas = driver->blas;
  int code;
  if (!driver->assembly->arguments->restart)
    return 0;
  code = dun_checkpoint_read(context, &all);
  *sealed = all.draws;
  if (code < 0)
    return code;
  if (code == 0) {
    if (!context->log.is_many)
      dun_note(&context->log, "no checkpoint of %s: the run starts afresh", all.file);
    return 0;
  }
  forget_making(&driver->assembly->evaluator);
  code = check_restored(driver, all.ended);
  if (code >= 0)
    code = dun_assembly_walk(driver->assembly, restore, NULL);
  if ((code = dun_agree(context, code)) < 0)
    return code;
  dun_run_members(context, run, run->kept.members);
  dun_note(&context->log, "goes on from a checkpoint: step %lld, time %.4g%s",
           (long long)run->now.step, run->now.time,
           run->options.replicates > 1 ? " of this replicate" : "");
  if (driver->blas != blas && context->rank == 0)
    dun_warn(&context->log, "the checkpoint was made with BLAS kernels for another processor: the "
                            "last bits may differ from those of a run without restart");
  driver->blas = blas;
  return 1;
}

static double saved_bytes(const struct dun_population *population)
{
  double bytes = 0;
  for (int i = 0; i < population->columns; i++) {
    const struct dun_column *column = &population->column[i];
    if (column->flags & DUN_SAVED)
      bytes += (double)dun_column_size(column->type) * column->width;
  }
  return bytes * (double)population->tiles.total;
}

/* What is not there any more is not made up, and never passed over in silence. */
static void tell_lost(struct dun_context *context, struct dun_driver *driver, int64_t lost)
{
  driver->lost += lost;
  if (lost > 0 && context->rank == 0)
    dun_warn(&context->log,
             "%s was damaged while the run did not go on: %lld numbers of the draws in it do not "
             "have their checksums and are NaN now (0 where they are whole)",
             driver->result.part, (long long)lost);
}

/* The file of the draws, of a new run or of one that goes on. */
static int open_draws(struct dun_context *context, struct dun_driver *driver,
                      const struct dun_checkpoint_draws *sealed)
{
  struct dun_assembly *assembly = driver->assembly;
  struct dun_run *run = &assembly->run;
  int64_t chains = dun_assembly_chains(assembly), draws = dun_assembly_draws(assembly), lost = 0;
  int code = sealed->bytes
                 ? dun_result_resume(context, &driver->result, assembly->file, assembly->identity,
                                     run, chains, draws, sealed, &lost)
                 : dun_result_begin(context, &driver->result, assembly->file, assembly->identity,
                                    run, chains, draws, assembly->arguments->overwrite);
  if (code >= 0 && run->kept.due > 0)
    code = dun_result_chains(context, &driver->result, run);
  tell_lost(context, driver, lost);
  return code;
}

static int begin(struct dun_context *context, struct dun_driver *driver, double began)
{
  struct dun_assembly *assembly = driver->assembly;
  struct dun_run *run = &assembly->run;
  struct dun_checkpoint_draws sealed = {0};
  int code = dun_agree(context, dun_record_init(driver));
  driver->blas = (int64_t)dun_digest(0, dun_blas_kernels(), (int64_t)strlen(dun_blas_kernels()));
  driver->stop.time_limit = run->options.time_limit;
  driver->stop.evaluations = assembly->arguments->stop_after;
  driver->stop.budget = run->options.evaluations;
  driver->stop.checkpoint_every = assembly->output.checkpoint_every;
  if (code < 0 || (code = agree_on_blas(context, driver->blas)) < 0)
    return code;
  code = restart(context, driver, &sealed);
  if (driver->other_bits < assembly->other_bits)
    driver->other_bits = assembly->other_bits;
  if (code >= 0)
    code = open_draws(context, driver, &sealed);
  dun_free(sealed.bytes);
  if (code < 0)
    return code;
  dun_tile_size_warn(context, run);
  dun_progress_open(context, &driver->progress, assembly->file, &driver->steps);
  dun_stop_begin(context, &driver->stop, began, saved_bytes(&run->population));
  return 0;
}

/* Draws are kept for a restart; a file without any is of no use. */
static void clean_up(struct dun_context *context, struct dun_driver *driver)
{
  const struct dun_run *run = &driver->assembly->run;
  if (context->rank == 0 && run->replicate == 0 && run->kept.draws == 0)
    dun_result_discard(&driver->result);
}

int dun_driver_run(struct dun_context *context, struct dun_driver *driver,
                   struct dun_assembly *assembly, double began,
                   const struct dun_beginning *beginning)
{
  int code;
  memset(driver, 0, sizeof *driver);
  driver->assembly = assembly;
  driver->beginning = *beginning;
  code = begin(context, driver, began);
  if (code >= 0)
    code = loop(context, driver);
  dun_stop_end(context);
  if (code == DUN_RUN_DONE) {
    if (!driver->cut) /* from here on until the result has its name, this is the run */
      checkpoint(context, driver);
    code = dun_finish_run(context, driver);
  }
  driver->finished = code == DUN_RUN_DONE;
  if (code < 0)
    clean_up(context, driver);
  return code;
}

void dun_driver_free(struct dun_driver *driver)
{
  dun_progress_close(&driver->progress);
  dun_result_free(&driver->result);
  dun_record_free(driver);
}
