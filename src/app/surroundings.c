#include "app/surroundings.h"
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

static const int watched[] = {SIGHUP,  SIGINT,  SIGILL,  SIGABRT, SIGBUS,  SIGFPE,
                              SIGUSR1, SIGSEGV, SIGUSR2, SIGALRM, SIGTERM, SIGXCPU};
enum { WATCHED = sizeof watched / sizeof *watched };

static struct {
  int folder; /* an open one; 0: nothing is kept */
  dev_t device;
  ino_t number;
  struct sigaction handler[WATCHED];
  sigset_t blocked;
} kept;

void dun_surroundings_keep(void)
{
  struct stat status;
  if (kept.folder > 0)
    close(kept.folder);
  kept.folder = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (kept.folder > 0 && fstat(kept.folder, &status) == 0) {
    kept.device = status.st_dev;
    kept.number = status.st_ino;
  }
  for (int i = 0; i < WATCHED; i++)
    sigaction(watched[i], NULL, &kept.handler[i]);
  pthread_sigmask(SIG_SETMASK, NULL, &kept.blocked);
}

static int restore_folder(void)
{
  struct stat status;
  if (kept.folder <= 0)
    return 0;
  if (stat(".", &status) == 0 && status.st_dev == kept.device && status.st_ino == kept.number)
    return 0;
  return fchdir(kept.folder) == 0;
}

static int restore_handlers(void)
{
  int changed = 0;
  for (int i = 0; i < WATCHED; i++) {
    struct sigaction now;
    sigaction(watched[i], NULL, &now);
    if (now.sa_handler == kept.handler[i].sa_handler)
      continue;
    sigaction(watched[i], &kept.handler[i], NULL);
    changed = 1;
  }
  return changed;
}

static int restore_blocked(void)
{
  sigset_t now;
  int changed = 0;
  pthread_sigmask(SIG_SETMASK, NULL, &now);
  for (int i = 0; i < WATCHED; i++)
    changed |= sigismember(&now, watched[i]) != sigismember(&kept.blocked, watched[i]);
  if (changed)
    pthread_sigmask(SIG_SETMASK, &kept.blocked, NULL);
  return changed;
}

void dun_surroundings_restore(struct dun_context *context, const char *target)
{
  if (restore_folder())
    dun_warn(&context->log, "target %s changes the working folder: it is put back", target);
  if (restore_handlers())
    dun_warn(&context->log, "target %s changes handlers of signals: they are put back", target);
  if (restore_blocked())
    dun_warn(&context->log, "target %s blocks signals: they are let through again", target);
}
