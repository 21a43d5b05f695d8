/* The program: the only place that knows MPI_COMM_WORLD. */
#include "app/arguments.h"
#include "app/last_words.h"
#include "app/stop.h"
#include "base/tell.h"
#include "dunlin/dunlin.h"
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int leaving, ending; /* with that code */
static pid_t self;

/* A target that calls exit would end the run with its own exit code, and nothing would tell that
 * there is no result; HDF5 does so where it has no memory.  Children tell their parent by it. */
static void refuse_exit(void)
{
  if (getpid() != self)
    return;
  dun_last_words_exit();
  if (leaving)
    return;
  fputs("dunlin: the program was ended by exit from within, by a target or a library without "
        "memory: there is no result\n",
        stderr);
  _exit(1);
}

/* Libraries of targets find this one in the place of the C library's. */
_Noreturn void _exit(int code)
{
  dun_last_words_exit();
  if (getpid() == self && leaving)
    code = ending;
  else if (getpid() == self && code == 0) {
    static const char text[] = "dunlin: the program was ended by _exit from within, by a thread or "
                               "a library: there is no result\n";
    code = write(STDERR_FILENO, text, sizeof text - 1) > 0 ? 1 : 2;
  }
  syscall(SYS_exit_group, code);
  __builtin_unreachable();
}

_Noreturn void _Exit(int code)
{
  _exit(code);
}

/* A library that cleans up may call it again, with another code. */
_Noreturn void exit(int code)
{
  void (*next)(int) = NULL;
  void *symbol = dlsym(RTLD_NEXT, "exit");
  memcpy(&next, &symbol, sizeof next);
  if (next && !(leaving && getpid() == self))
    next(code);
  _exit(code);
}

/* An answer that nobody could read is none. */
static int answered(int code)
{
  leaving = 1;
  if (fflush(stdout) || ferror(stdout) || dun_tell_cut_short()) {
    fputs("dunlin: the answer could not be written to the end\n", stderr);
    code = code ? code : 1;
  }
  ending = code;
  return dun_last_words_leave(code);
}

int main(int argc, char **argv)
{
  int code, size, done;
  dun_stop_catch(); /* a warning may come at once, and no late one may end what is complete */
  self = getpid();
  if (atexit(refuse_exit) || at_quick_exit(refuse_exit)) {
    fputs("dunlin: no memory\n", stderr);
    return 1;
  }
  done = dunlin_local(argc, argv, &code);
  /* A process that leaves before MPI starts makes the launcher kill the others, even the one that
   * has the complaint to print, or wait for ever: under a launcher all go on and leave together. */
  if (done && dun_launcher_size() == 1)
    return answered(code);
  MPI_Init(&argc, &argv);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  if (size == 1 && dun_launcher_size() > 1) {
    if (dun_launcher_rank() == 0)
      dun_tell(stderr,
               "dunlin: the launcher started %d processes, but this one's MPI knows only itself: "
               "start with the mpirun of the MPI library that dunlin was built with, or with "
               "srun --mpi=pmix\n",
               dun_launcher_size());
    code = 2;
  } else if (done) {
    int accord = dunlin_agree(MPI_COMM_WORLD, argc, argv);
    code = accord ? accord : code;
  } else {
    code = dunlin_run(MPI_COMM_WORLD, argc, argv, NULL);
  }
  dun_last_words_done(code);
  MPI_Finalize();
  return answered(code);
}
