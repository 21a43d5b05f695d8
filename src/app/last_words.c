#include "app/last_words.h"
#include "base/guard.h"
#include "base/tell.h"
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const struct {
  int number;
  const char *name;
} crash[] = {
    {SIGSEGV, "segmentation fault: memory that is not there, or a stack that is full"},
    {SIGBUS, "bus error: memory behind the end of a file"},
    {SIGFPE, "arithmetic fault: a whole number divided by 0"},
    {SIGILL, "illegal instruction: built for another processor"},
    {SIGABRT, "abort: a failed assertion, damaged memory, or an exception that nobody caught"},
};
enum { CRASHES = sizeof crash / sizeof *crash };

enum { SENTENCE = 1024, HURRY = 10, END = 5 /* seconds */ };

/* What handlers can reach. */
static struct {
  const struct dun_context *context; /* NULL: nobody watches */
  MPI_Comm comm; /* the context's, which may be gone with the stack that it lay on */
  int size;
  char who[32];                 /* "dunlin: rank 3: " */
  const char *file, *sentence;  /* NULL: none */
  volatile int64_t calls;       /* of the guard, at the last look */
  volatile sig_atomic_t waited; /* looks since it changed */
  volatile sig_atomic_t limit, hurried;
  struct sigaction before[CRASHES], alarm;
  pthread_key_t end; /* of the program's own thread, where it knows_end */
  int knows_end;
  int code; /* of the exit, when all is done */
} watch;

/* ---- the sentence ------------------------------------------------------------------------ */

/* Only what is allowed in handlers: no printf. */
static void add(char *text, const char *more)
{
  size_t length = strlen(text), room = SENTENCE - 1 - length, size = strlen(more);
  memcpy(text + length, more, size < room ? size : room);
  text[length + (size < room ? size : room)] = 0;
}

static void note(const char *text)
{
  const int flags = O_WRONLY | O_APPEND | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW;
  int file = watch.file ? open(watch.file, flags) : -1;
  if (file < 0)
    return;
  ssize_t put = write(file, text, strlen(text));
  (void)put; /* then there is no reason, and the member has ended without a word */
  close(file);
}

static void tell(char text[SENTENCE], const char *detail)
{
  add(text, ": ");
  add(text, detail);
  note(text + strlen(watch.who));
  add(text, "\n");
  add(text, watch.sentence ? watch.sentence : "");
  dun_clean(text);
  if (write(STDERR_FILENO, text, strlen(text)) < 0)
    return;
}

static void say(const char *what, const char *detail)
{
  char text[SENTENCE] = "";
  add(text, watch.who);
  if (dun_guarded.function) {
    add(text, "target ");
    add(text, dun_guarded.target);
    add(text, what);
    add(text, "`");
    add(text, dun_guarded.function);
    add(text, "`");
  } else {
    add(text, what);
  }
  tell(text, detail);
}

static void say_of_thread(const char *detail)
{
  char text[SENTENCE] = "";
  add(text, watch.who);
  add(text, "a thread that target ");
  add(text, dun_guarded.target ? dun_guarded.target : "");
  add(text, " or another library began has crashed");
  tell(text, detail);
}

/* Other ranks may wait for this one; should MPI hang itself, the alarm ends the process. */
static _Noreturn void leave(void)
{
  sigset_t all;
  dun_guarded.function = NULL;
  signal(SIGALRM, SIG_DFL);
  sigfillset(&all);
  sigdelset(&all, SIGALRM);
  sigprocmask(SIG_SETMASK, &all, NULL);
  alarm(5);
  if (watch.context && watch.comm != MPI_COMM_NULL && watch.size > 1)
    MPI_Abort(watch.comm, 1);
  _exit(1);
}

static void on_trespass(const char *detail)
{
  say(" wrote outside of its arrays in ", detail);
  leave();
}

static int is_own_thread(void)
{
  return (pid_t)syscall(SYS_gettid) == getpid();
}

/* ---- handlers ---------------------------------------------------------------------------- */

/* What whoever caught the crash before would do, a trace of calls or a core file, done by a copy of
 * this process, which gets three seconds for it. */
static void leave_trace(int which)
{
  const struct timespec moment = {.tv_nsec = 10000000};
  pid_t copy = (pid_t)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL); /* no locks are taken */
  if (copy == 0) {
    sigaction(crash[which].number, &watch.before[which], NULL);
    syscall(SYS_kill, syscall(SYS_getpid), crash[which].number);
    syscall(SYS_exit_group, 1);
  }
  for (int i = 0; copy > 0 && i < 300 && waitpid(copy, NULL, WNOHANG) == 0; i++)
    nanosleep(&moment, NULL);
  if (copy > 0)
    kill(copy, SIGKILL);
}

/* Libraries crash, too: HDF5 does where memory is refused to it. */
static void on_crash(int number)
{
  int which = 0;
  while (which < CRASHES - 1 && crash[which].number != number)
    which++;
  if (!is_own_thread()) {
    say_of_thread(crash[which].name);
    leave();
  }
  if (dun_guarded.function) {
    say(" crashed in ", crash[which].name);
    leave();
  }
  say("the program crashed outside of any target", crash[which].name);
  leave_trace(which);
  leave();
}

static void on_crash_at_the_end(int number)
{
  (void)number;
  syscall(SYS_exit_group, watch.code);
}

static void on_alarm_at_the_end(int number)
{
  static const char text[] = "dunlin: a library does not come back from its end, and is not waited "
                             "for: all that was to be done is done\n";
  (void)number;
  if (write(STDERR_FILENO, text, sizeof text - 1) >= 0)
    syscall(SYS_exit_group, watch.code);
  syscall(SYS_exit_group, watch.code);
}

/* Of threads; the program's own ends by exit, unless somebody ends it as a thread.  The others
 * would go on for ever, and nobody would tell. */
static void on_end_of_thread(void *unused)
{
  (void)unused;
  if (is_own_thread())
    dun_last_words_exit();
}

static void on_alarm(int number)
{
  (void)number;
  int same = dun_guarded.function && dun_guarded.calls == watch.calls;
  watch.calls = dun_guarded.calls;
  watch.waited = same ? watch.waited + 1 : 0;
  if (same && watch.limit > 0 && watch.waited >= watch.limit) {
    say(" did not come back from ", "target.timeout is over, and there is no result");
    leave();
  }
  if (same && watch.hurried && watch.waited >= HURRY) {
    say(" did not come back from ", "the program was asked to end, and ends without it");
    leave();
  }
  alarm(1);
}

void dun_last_words_note(const char *file, const char *sentence)
{
  watch.file = file;
  watch.sentence = sentence;
}

void dun_last_words_hurry(void)
{
  if (!watch.context || watch.hurried)
    return;
  watch.hurried = 1;
  watch.waited = 0;
  watch.calls = dun_guarded.calls;
  alarm(1);
}

void dun_last_words_limit(double seconds)
{
  watch.limit = seconds > 0 ? (int)(seconds < 1e9 ? seconds : 1e9) + 1 : 0;
  watch.waited = 0;
  watch.calls = dun_guarded.calls;
  if (watch.context && (watch.limit || watch.hurried))
    alarm(1);
}

void dun_last_words_exit(void)
{
  if (!dun_guarded.function)
    return;
  say(" ended the program in ", "there is no result");
  leave();
}

/* ---- begin and end ----------------------------------------------------------------------- */

void dun_last_words_begin(const struct dun_context *context)
{
  static char room[1 << 18];
  stack_t stack = {.ss_sp = room, .ss_size = sizeof room};
  struct sigaction action = {.sa_handler = on_crash, .sa_flags = SA_ONSTACK | SA_NODEFER};
  watch.context = context;
  watch.comm = context->comm;
  watch.size = context->size;
  watch.hurried = 0;
  snprintf(watch.who, sizeof watch.who, "dunlin: rank %d: ", context->rank);
  sigaltstack(&stack, NULL);
  sigemptyset(&action.sa_mask);
  for (int i = 0; i < CRASHES; i++)
    sigaction(crash[i].number, &action, &watch.before[i]);
  action.sa_handler = on_alarm;
  action.sa_flags = SA_RESTART;
  sigaction(SIGALRM, &action, &watch.alarm);
  watch.knows_end = watch.knows_end || pthread_key_create(&watch.end, on_end_of_thread) == 0;
  if (watch.knows_end)
    pthread_setspecific(watch.end, &watch);
  dun_guard_end_by(on_trespass);
  dun_last_words_limit(0);
}

void dun_last_words_end(void)
{
  stack_t none = {.ss_flags = SS_DISABLE};
  if (!watch.context)
    return;
  alarm(0);
  if (watch.knows_end)
    pthread_setspecific(watch.end, NULL);
  dun_guard_end_by(NULL);
  for (int i = 0; i < CRASHES; i++)
    sigaction(crash[i].number, &watch.before[i], NULL);
  sigaction(SIGALRM, &watch.alarm, NULL);
  sigaltstack(&none, NULL);
  watch.context = NULL;
}

void dun_last_words_done(int code)
{
  struct sigaction action = {.sa_handler = on_crash_at_the_end};
  watch.code = code;
  sigemptyset(&action.sa_mask);
  for (int i = 0; i < CRASHES; i++)
    sigaction(crash[i].number, &action, NULL);
}

int dun_last_words_leave(int code)
{
  struct sigaction action = {.sa_handler = on_alarm_at_the_end};
  sigset_t one;
  watch.code = code;
  sigemptyset(&action.sa_mask);
  sigaction(SIGALRM, &action, NULL);
  sigemptyset(&one);
  sigaddset(&one, SIGALRM);
  pthread_sigmask(SIG_UNBLOCK, &one, NULL);
  alarm(END);
  return code;
}
