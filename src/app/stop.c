#include "app/stop.h"
#include "base/clock.h"
#include "parallel/sum.h"
#include <signal.h>
#include <string.h>

/* The one variable that a handler can reach. */
static volatile sig_atomic_t signal_seen;
static struct sigaction before_usr1, before_term;
static int caught;

static void on_signal(int number)
{
  signal_seen = number;
}

void dun_stop_catch(void)
{
  struct sigaction action;
  if (caught)
    return;
  memset(&action, 0, sizeof action);
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  sigaction(SIGUSR1, &action, &before_usr1);
  sigaction(SIGTERM, &action, &before_term);
  signal_seen = 0;
  caught = 1;
}

void dun_stop_release(void)
{
  if (!caught)
    return;
  sigaction(SIGUSR1, &before_usr1, NULL);
  sigaction(SIGTERM, &before_term, NULL);
  caught = 0;
}

void dun_stop_begin(struct dun_stop *stop, double began, double saved_bytes)
{
  const double bytes_per_second = 2e8; /* a slow file system, flush included */
  stop->began = began;
  stop->last_sync = stop->last_checkpoint = dun_clock();
  stop->checkpoint_seconds = .1 + saved_bytes / bytes_per_second;
}

static int out_of_time(const struct dun_stop *stop, double now)
{
  return stop->time_limit > 0 &&
         now - stop->began + stop->longest + stop->checkpoint_seconds >= stop->time_limit;
}

int dun_stop_sync(struct dun_context *context, struct dun_stop *stop, int64_t evaluations,
                  int64_t before)
{
  enum { SIGNAL, TIME, CHECKPOINT, EVALUATIONS, COUNT };
  int64_t value[COUNT] = {[SIGNAL] = signal_seen != 0, [EVALUATIONS] = evaluations};
  int code;
  if (context->rank == 0) {
    double now = dun_clock(), seconds = now - stop->last_sync;
    stop->longest = seconds > stop->longest * .97 ? seconds : stop->longest * .97;
    value[TIME] = out_of_time(stop, now);
    value[CHECKPOINT] = now - stop->last_checkpoint >= stop->checkpoint_every;
    stop->last_sync = now;
  }
  if ((code = dun_sum_integers(context, 0, COUNT, value)) < 0)
    return code;
  stop->evaluations_done = value[EVALUATIONS];
  stop->checkpoint = value[CHECKPOINT] != 0;
  stop->reason = value[SIGNAL] ? DUN_STOP_SIGNAL : value[TIME] ? DUN_STOP_TIME : DUN_STOP_NOT;
  if (!stop->reason && stop->evaluations > 0 &&
      (double)(value[EVALUATIONS] + before) >= stop->evaluations)
    stop->reason = DUN_STOP_EVALUATIONS;
  return 0;
}

void dun_stop_checkpointed(struct dun_stop *stop, double seconds)
{
  stop->checkpoint_seconds = seconds;
  stop->last_checkpoint = stop->last_sync = dun_clock();
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
