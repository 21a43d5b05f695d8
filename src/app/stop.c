#include "app/stop.h"
#include "app/last_words.h"
#include "base/clock.h"
#include "parallel/groups.h"
#include "parallel/sum.h"
#include <signal.h>
#include <string.h>

/* The one variable that a handler can reach. */
static volatile sig_atomic_t signal_seen;

/* What batch systems, limits and terminals warn with. */
static const int asking[] = {SIGUSR1, SIGUSR2, SIGTERM, SIGXCPU, SIGHUP};
enum { ASKING = sizeof asking / sizeof *asking };
static struct sigaction before[ASKING];
static int caught; /* so many times */

static void on_signal(int number)
{
  signal_seen = number;
  if (number == SIGTERM)
    dun_last_words_hurry();
}

void dun_stop_catch(void)
{
  struct sigaction action;
  if (caught++)
    return;
  signal_seen = 0;
  memset(&action, 0, sizeof action);
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  for (int i = 0; i < ASKING; i++) {
    sigaction(asking[i], &action, &before[i]);
    if (asking[i] == SIGHUP && before[i].sa_handler == SIG_IGN)
      sigaction(SIGHUP, &before[i], NULL); /* nohup */
  }
}

void dun_stop_release(void)
{
  if (!caught || --caught)
    return;
  for (int i = 0; i < ASKING; i++)
    sigaction(asking[i], &before[i], NULL);
}

void dun_stop_decline(void)
{
  int last = caught == 1;
  dun_stop_release();
  if (last && signal_seen)
    raise(signal_seen);
}

int dun_stop_asked(void)
{
  return signal_seen != 0;
}

/* Seconds until a checkpoint has to be begun. */
static double seconds_left(const struct dun_stop *stop, double now)
{
  return stop->time_limit - (now - stop->began) - stop->checkpoint_seconds - stop->end_seconds;
}

/* When passes pause for a checkpoint that is overdue, since a tick takes longer than it should. */
static void set_due(struct dun_context *context, const struct dun_stop *stop)
{
  double every = stop->checkpoint_every, grace = .1 * every < 1 ? .1 * every : 1;
  context->interrupt.due = every > 0 ? stop->last_checkpoint + every + grace : 0;
}

/* A limit that is over before anything was done can only stop behind the first tick. */
void dun_stop_begin(struct dun_context *context, struct dun_stop *stop, double began,
                    double saved_bytes)
{
  const double bytes_per_second = 2e8; /* a slow file system, flush included */
  double now = dun_clock();
  stop->began = began;
  stop->last_sync = stop->last_checkpoint = now;
  stop->checkpoint_seconds = .5 + saved_bytes / bytes_per_second;
  stop->end_seconds = now - began < 1 ? now - began : 1; /* MPI comes and goes equally fast */
  double left = seconds_left(stop, now);
  context->interrupt = (struct dun_interrupt){
      .signal = &signal_seen,
      .limit = stop->time_limit > 0 && left > 0 ? now + left : 0,
  };
  set_due(context, stop);
}

void dun_stop_end(struct dun_context *context)
{
  context->interrupt = (struct dun_interrupt){0};
}

/* Passes over the particles look at the clock themselves: what counts is the time since then. */
static void note_stretch(struct dun_stop *stop, double looked, double now)
{
  double since = looked > stop->last_sync ? looked : stop->last_sync, seconds = now - since;
  stop->longest = seconds > stop->longest * .97 ? seconds : stop->longest * .97;
  stop->last_sync = now;
}

int dun_stop_sync(struct dun_context *context, struct dun_stop *stop, int64_t evaluations,
                  int64_t earlier)
{
  enum { SIGNAL, TIME, LEFT, CHECKPOINT, EVALUATIONS, COUNT };
  int64_t value[COUNT] = {
      [SIGNAL] = signal_seen || dun_groups_told(context->groups), [EVALUATIONS] = evaluations};
  int code;
  if (context->rank == 0) {
    double now = dun_clock(), left = seconds_left(stop, now);
    note_stretch(stop, context->interrupt.last, now);
    value[TIME] = stop->time_limit > 0 && left <= stop->longest;
    value[LEFT] = stop->time_limit > 0 ? (int64_t)(1e9 * left) : 0;
    value[CHECKPOINT] = now - stop->last_checkpoint >= stop->checkpoint_every;
  }
  if ((code = dun_sum_integers(context, 0, COUNT, value)) < 0)
    return code;
  context->interrupt.limit = stop->time_limit > 0 ? dun_clock() + 1e-9 * (double)value[LEFT] : 0;
  stop->evaluations_done = value[EVALUATIONS];
  stop->checkpoint = value[CHECKPOINT] != 0;
  stop->reason = value[SIGNAL] ? DUN_STOP_SIGNAL : value[TIME] ? DUN_STOP_TIME : DUN_STOP_NOT;
  double all = (double)(value[EVALUATIONS] + earlier);
  if (!stop->reason && stop->evaluations > 0 && all >= stop->evaluations)
    stop->reason = DUN_STOP_EVALUATIONS;
  stop->spent = stop->budget > 0 && all >= stop->budget;
  return 0;
}

void dun_stop_checkpointed(struct dun_context *context, struct dun_stop *stop, double seconds)
{
  stop->checkpoint_seconds = seconds;
  stop->last_checkpoint = stop->last_sync = dun_clock();
  set_due(context, stop);
}

const char *dun_stop_text(enum dun_stop_reason reason)
{
  static const char *const text[] = {
      [DUN_STOP_NOT] = "not asked to",
      [DUN_STOP_SIGNAL] = "a signal asked for it",
      [DUN_STOP_TIME] = "the time limit is near",
      [DUN_STOP_EVALUATIONS] = "the limit on evaluations is reached",
  };
  return text[reason];
}
