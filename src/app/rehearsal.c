#include "app/rehearsal.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "parallel/sum.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* A later place in the run, by the method's own count. */
struct place {
  double seconds, share;
};

struct rehearsal {
  struct dun_assembly assembly;
  double began, budget;
  struct place middle, last; /* when half of the budget was over, and at the end */
  int64_t steps;
  double steps_end; /* seconds, when the last step was completed */
};

static double share_of(const struct dun_run *run)
{
  return run->method->progress ? run->method->progress(run->method_self, run) : NAN;
}

/* Rank 0's clock decides for all. */
static int is_over(struct dun_context *context, struct rehearsal *r, int answer)
{
  int64_t micro = context->rank == 0 ? (int64_t)(1e6 * (dun_clock() - r->began)) : 0;
  int code = dun_sum_integers(context, 0, 1, &micro);
  if (code < 0)
    return code;
  if (answer == DUN_TICK_STEP) {
    r->steps = r->assembly.run.now.step;
    r->steps_end = 1e-6 * (double)micro;
  }
  r->last = (struct place){1e-6 * (double)micro, share_of(&r->assembly.run)};
  if (r->last.seconds < .5 * r->budget)
    r->middle = r->last;
  return r->last.seconds >= r->budget;
}

/* Ticks of the method and then of each finish, as the driver makes them; 1: to the end. */
static int go_through(struct dun_context *context, struct rehearsal *r)
{
  struct dun_run *run = &r->assembly.run;
  int stage = 0, over = 0;
  int code = dun_agree(context, run->method->start(context, run->method_self, run));
  while (code >= 0 && !over && stage <= r->assembly.finishes.count) {
    const struct dun_part *part = stage > 0 ? &r->assembly.finishes.part[stage - 1] : NULL;
    if (part)
      code = ((const struct dun_finish *)part->type)->advance(context, part->self, run);
    else
      code = run->method->advance(context, run->method_self, run);
    run->tick++;
    stage += code == DUN_TICK_DONE;
    if (code >= 0)
      over = code = is_over(context, r, code);
  }
  return code < 0 ? code : stage > r->assembly.finishes.count;
}

static double whole(const struct rehearsal *r, int complete)
{
  double rate = (r->last.seconds - r->middle.seconds) / (r->last.share - r->middle.share);
  if (complete)
    return r->last.seconds;
  if (!(r->last.share > 0))
    return NAN;
  if (!(r->last.share > r->middle.share))
    rate = r->last.seconds / r->last.share;
  return r->last.seconds + rate * (1 - r->last.share);
}

static int perform(struct dun_context *context, struct rehearsal *r,
                   struct dun_rehearsal *rehearsal)
{
  struct dun_run *run = &r->assembly.run;
  int code = dun_assembly_allocate(context, &r->assembly);
  if (code < 0)
    return code;
  r->began = dun_clock();
  int complete = go_through(context, r);
  if (complete < 0)
    return complete;
  *rehearsal = (struct dun_rehearsal){
      .particles = run->options.particles,
      .share = complete ? 1 : r->last.share,
      .seconds = whole(r, complete),
      .steps = r->steps,
      .step = r->steps > 0 ? r->steps_end / (double)r->steps : r->last.seconds,
  };
  return 0;
}

int dun_rehearse(struct dun_context *context, const struct dun_arguments *arguments,
                 long long particles, long long tile, double budget,
                 struct dun_rehearsal *rehearsal)
{
  char number[2][48];
  enum dun_level level = context->log.level;
  struct dun_arguments changed = *arguments;
  struct rehearsal *r = dun_allocate(1, sizeof *r);
  changed.set = dun_allocate(arguments->sets + 2, sizeof *changed.set);
  int code = dun_agree(context, r && changed.set ? 0 : DUN_ERROR_MEMORY);
  if (code < 0)
    goto out;
  snprintf(number[0], sizeof number[0], "run.particles=%lld", particles);
  snprintf(number[1], sizeof number[1], "run.tile=%lld", tile);
  for (int i = 0; i < arguments->sets; i++)
    changed.set[i] = arguments->set[i];
  changed.set[changed.sets++] = number[0];
  changed.set[changed.sets++] = number[1];
  r->budget = budget;
  context->log.level = DUN_QUIET; /* it was all said before */
  code = dun_assemble(context, &r->assembly, &changed);
  if (code >= 0)
    code = perform(context, r, rehearsal);
  dun_assembly_free(&r->assembly);
  context->log.level = level;
out:
  DUN_FREE(changed.set);
  dun_free(r);
  return code;
}
