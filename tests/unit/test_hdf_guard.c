/* ranks: 1 */
/* What reads a stranger's file runs in two other processes first, and here if it survived both. */
#include "base/error.h"
#include "base/memory.h"
#include "check.h"
#include "data/hdf_guard.h"
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { CALLS = 3, LARGE = 512 << 20 };
enum fault { NONE, DIES, EXITS, STARVES, LISTS };

/* Shared with the other processes. */
static struct seen {
  int calls, rehearsing[CALLS];
  uintptr_t address[CALLS]; /* of what each allocates */
} * seen;

struct reader {
  enum fault fault;
  int at; /* the call that has the fault */
};

static int read_something(void *self)
{
  const struct reader *reader = self;
  int call = seen->calls++;
  char *block = malloc(1000);
  seen->rehearsing[call] = dun_hdf_rehearsing();
  seen->address[call] = (uintptr_t)block;
  free(block);
  if (call == reader->at && reader->fault == DIES)
    raise(SIGSEGV);
  if (call == reader->at && reader->fault == EXITS)
    _exit(71);
  if (call == reader->at && reader->fault == STARVES) {
    void *large = malloc(LARGE);
    free(large);
    return large ? 0 : DUN_ERROR_MEMORY;
  }
  if (reader->fault == LISTS) {
    void *large = dun_hdf_allocate(LARGE, 1);
    dun_free(large);
    return large ? 5 : DUN_ERROR_MEMORY;
  }
  return 5;
}

static int guarded(const char *file, enum fault fault, int at)
{
  struct reader reader = {fault, at};
  memset(seen, 0, sizeof *seen);
  return dun_hdf_guarded(file, DUN_ERROR_INPUT, read_something, &reader);
}

static void the_reader_runs_elsewhere_first(void)
{
  char file[] = "/tmp/dunlin-guard-XXXXXX";
  int bytes = mkstemp(file);
  seen = mmap(NULL, sizeof *seen, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  CHECK(bytes >= 0 && seen != MAP_FAILED);
  close(bytes);
  CHECK(guarded(file, NONE, 0) == 5 && seen->calls == 3);
  CHECK(seen->rehearsing[0] && seen->rehearsing[1] && !seen->rehearsing[2]);
  CHECK(seen->address[1] == seen->address[2]);
  CHECK(guarded(file, LISTS, 0) == 5 && seen->calls == 3);
  for (int at = 0; at < 2; at++) {
    CHECK(guarded(file, DIES, at) == DUN_ERROR_INPUT && seen->calls == at + 1);
    CHECK(strstr(dun_error_text(), "does not survive"));
    CHECK(guarded(file, EXITS, at) == DUN_ERROR_INPUT && seen->calls == at + 1);
    CHECK(guarded(file, STARVES, at) == DUN_ERROR_INPUT && seen->calls == at + 1);
    CHECK(strstr(dun_error_text(), "more memory than its size explains"));
  }
  CHECK(guarded("/nowhere", NONE, 0) == 5 && seen->calls == 1); /* who opens it will tell */
  munmap(seen, sizeof *seen);
  unlink(file);
}

TEST_MAIN({"the_reader_runs_elsewhere_first", the_reader_runs_elsewhere_first})
