#include "app/check_target.h"
#include "app/child.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/tell.h"
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const double patience = 10; /* seconds for one call, if --time-limit does not say */

/* ---- the child --------------------------------------------------------------------------- */

static void rest(void)
{
  struct timespec pause = {0, 2000000};
  nanosleep(&pause, NULL);
}

/* Waits for the child as long as it goes from call to call.  1: it was killed, since one call took
 * too long; its status else. */
static int watch(struct dun_child *child, pid_t process, double limit, int *status)
{
  long long seen = -1;
  double since = dun_clock();
  for (;;) {
    pid_t ended = waitpid(process, status, WNOHANG);
    if (ended == process || (ended < 0 && errno != EINTR))
      return 0;
    if (child->place.count != seen) {
      seen = child->place.count;
      since = dun_clock();
    } else if (dun_clock() - since > limit) {
      kill(process, SIGKILL);
      waitpid(process, status, 0);
      return 1;
    }
    rest();
  }
}

/* A function's name is set off; where the child is else is said in words. */
static void tell_where(const struct dun_child *child, char *where, size_t size)
{
  const char *function = child->place.function;
  if (!function || !*function)
    function = "dunlin";
  snprintf(where, size, strchr(function, ' ') ? "%s" : "`%s`", function);
}

static void tell_end(struct dun_child *child, int late, double limit, int status)
{
  char where[64];
  if (child->done && !late)
    return;
  tell_where(child, where, sizeof where);
  child->code = DUN_ERROR_INPUT;
  if (late)
    snprintf(child->sentence, sizeof child->sentence,
             "%s does not come back within %.4g s: an endless loop? (--time-limit allows a call "
             "more time)",
             where, limit);
  else
    dun_crash_tell(&child->crash, status, where, child->sentence, sizeof child->sentence);
}

/* Forks a child that tries the target, and waits for it. */
static struct dun_child *run_child(const struct dun_arguments *arguments, int bits_only)
{
  double limit = arguments->time_limit > 0 ? arguments->time_limit : patience;
  struct dun_child *child =
      mmap(NULL, sizeof *child, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  int status = 0;
  if (child == MAP_FAILED)
    return NULL;
  fflush(NULL);
  pid_t process = fork();
  if (process == 0) {
    dun_crash_catch(&child->crash);
    dun_child_work(child, arguments, bits_only);
    child->done = 1;
    _exit(0);
  }
  if (process > 0) {
    int late = watch(child, process, limit, &status);
    tell_end(child, late, limit, status);
    return child;
  }
  munmap(child, sizeof *child);
  return NULL;
}

/* Another process gives the same bits at the same points. */
static int compare_processes(const struct dun_arguments *arguments, struct dun_child *child)
{
  struct dun_child *other;
  if (child->code < 0 || child->findings.other_bits)
    return 0;
  if (!(other = run_child(arguments, 1)))
    return DUN_ERROR_MEMORY;
  if (other->code < 0) {
    child->code = other->code;
    snprintf(child->sentence, sizeof child->sentence, "%.4000s, in a second process",
             other->sentence);
  } else if (other->bits != child->bits) {
    dun_find(&child->findings, DUN_FINDING_TOLD,
             "`%s` gives other bits for the same points in another process: no run of it can be "
             "repeated",
             child->layout);
  }
  munmap(other, sizeof *other);
  return 0;
}

/* ---- what it found ----------------------------------------------------------------------- */

/* Findings go to `out`, if there is one; returns the exit code. */
static int tell_findings(FILE *out, const char *file, const struct dun_child *child)
{
  int code = 0;
  for (int i = 0; i < child->findings.count; i++) {
    const struct dun_finding *finding = &child->findings.finding[i];
    int refused = finding->level == DUN_FINDING_REFUSED;
    if (out)
      dun_tell(out, "dunlin: %s: %s\n", file, finding->text);
    code = refused ? 2 : code ? code : 1;
  }
  if (child->code == 0)
    return code;
  /* A sentence of the loader or of a complaint names its place itself. */
  if (out && strstr(child->sentence, file))
    dun_tell(out, "dunlin: %s\n", child->sentence);
  else if (out)
    dun_tell(out, "dunlin: %s: %s\n", file, child->sentence);
  return child->code == DUN_ERROR_INPUT ? 2 : 1;
}

static void tell_time(const char *what, double seconds)
{
  if (seconds < 1e-4)
    dun_tell(stdout, "%s %.4g ns", what, 1e9 * seconds);
  else
    dun_tell(stdout, "%s %.4g ms (%.3g ns)", what, 1e3 * seconds, 1e9 * seconds);
}

static const char *advice_for_point(double seconds, int dimension)
{
  double each = 1e9 * seconds / dimension;
  if (seconds > 1e-4)
    return "`point` is right for a target as slow as this; run.tile: 8 or less spreads its points "
           "over more ranks";
  if (dimension >= 8 && each > .3 * dimension)
    return "if most of the time goes into products with a matrix, `rows` lets BLAS take 64 points "
           "at once";
  return "for plain arithmetic `columns` is often 4 to 8 times as fast: its loops over 64 points "
         "become vectors";
}

static const char *advice_for(const struct dun_child *child)
{
  double seconds = child->gradient > child->density ? child->gradient : child->density;
  if (!strcmp(child->layout, "point"))
    return advice_for_point(seconds, child->dimension);
  if (!strcmp(child->layout, "rows"))
    return "`rows` is right for products with a matrix by BLAS; for plain arithmetic `columns` is "
           "often faster";
  if (64 * seconds > .1)
    return "`columns` always evaluates 64 points: for a target as slow as this, `point` with "
           "run.tile: 8 or less uses more ranks";
  return "`columns` is the fastest layout for plain arithmetic; look at what the compiler makes of "
         "its loops (-O3 -march=native -fopt-info-vec)";
}

static void tell_good(const char *file, const struct dun_child *child, int code)
{
  dun_tell(stdout, "%s: target %s in %d dimension%s, by %s\n", file, child->name, child->dimension,
           child->dimension > 1 ? "s" : "", child->layout);
  dun_tell(stdout, "promises: tried at %d points", child->points);
  if (child->draws > 0)
    dun_tell(stdout, " and %d draws", child->draws);
  dun_tell(stdout, "%s\n", code ? ", not all are kept" : ", all kept");
  if (child->thrifty)
    dun_tell(stdout,
             "left out: other lanes and numbers of points%s, since evaluations are so slow\n",
             child->thrifty > 1 ? ", the same bits when asked again" : "");
  tell_time("speed:", child->density);
  dun_tell(stdout, " per evaluation of the log density");
  if (isfinite(child->gradient)) {
    tell_time(",", child->gradient);
    dun_tell(stdout, " with its gradient");
  }
  dun_tell(stdout, "\nlayout: %s\n", advice_for(child));
}

int dun_check_target(const struct dun_arguments *arguments)
{
  const char *file = arguments->operand[0];
  struct dun_child *child = run_child(arguments, 0);
  int code = child ? compare_processes(arguments, child) : DUN_ERROR_MEMORY;
  if (code < 0) {
    dun_tell(stderr, "dunlin: %s: no process to try it in: %s\n", file, strerror(errno));
    return 1;
  }
  /* Under a launcher each process tries it, so that all know the exit code, and one tells. */
  code = tell_findings(dun_launcher_rank() > 0 ? NULL : stderr, file, child);
  if (code < 2 && child->code == 0 && dun_launcher_rank() == 0)
    tell_good(file, child, code);
  munmap(child, sizeof *child);
  return fflush(stdout) ? 1 : code;
}
