/* Results and other HDF5 files of strangers, by everything that reads them.  HDF5 itself may die of
 * one in the process that reads it first, but then nowhere else. */
#include "app/draws.h"
#include "app/source.h"
#include "app/summary.h"
#include "base/error.h"
#include "base/memory.h"
#include "data/hdf.h"
#include "data/learned.h"
#include "data/result_array.h"
#include "fuzz/fuzz.h"
#include "fuzz/hdf5.h"
#include "io/result.h"
#include "io/sheet.h"
#include "kernels/adaptation.h"
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* HDF5 keeps some memory for later, and what is compressed unpacks to 1100 times its size. */
enum { FLOOR_ONE = 8 << 20, FLOOR_ALL = 24 << 20, PACKED = 1100 };

static char name[64];

/* ---- the process that reads first ---------------------------------------------------------- */

__attribute__((weak)) void __sanitizer_set_death_callback(void (*callback)(void));
/* The library's own leaks on its ways out of errors are not ours. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
  return "leak:libhdf5\n";
}

static void die(void)
{
  signal(SIGABRT, SIG_DFL);
  abort();
}

/* What a sanitizer finds there is a death by signal, as it would be without it; and so is what goes
 * beyond the measure, as the system's own limit leaves the sanitizer too much. */
static void in_child(void)
{
  if (__sanitizer_set_death_callback)
    __sanitizer_set_death_callback(die);
}

/* ---- readers ------------------------------------------------------------------------------- */

static void summarise(int json)
{
  struct dun_text out = {0};
  dun_summary(&out, name, json);
  dun_text_free(&out);
}

static void read_draws(const char *what)
{
  struct dun_draws draws;
  if (dun_draws_open(&draws, what) >= 0) {
    double *out = dun_allocate(draws.n, sizeof *out);
    for (int64_t j = 0; out && j < draws.coordinates && j < 4; j++)
      dun_draws_read(&draws, j, out);
    dun_free(out);
  }
  dun_draws_close(&draws);
}

static void load_learned(struct dun_context *context)
{
  struct dun_adaptation adaptation = {0};
  struct dun_learned learned = {
      .place = "kernel", .rows = dun_adaptation_state, .self = &adaptation};
  for (int d = 1; d <= 2; d++) {
    learned.type = d == 1 ? "rwm" : "hmc";
    dun_learned_load(context, name, &learned, d);
  }
  dun_adaptation_free(&adaptation);
}

static void read_numbers(struct dun_context *context)
{
  static const char *const place[] = {"/x", "/trace/steps/time", "/posterior/x"};
  struct dun_numbers numbers;
  const struct dun_parameter two = {.name = "x", .rank = 1, .shape = {2}};
  double out[6];
  int64_t draws;
  for (int i = 0; i < 3; i++) {
    if (dun_result_array(context, name, place[i], &numbers) >= 0)
      dun_free(numbers.value);
    dun_result_points(context, name, place[i], &two, 3, 2, out, &draws);
  }
}

static void find_source(struct dun_context *context)
{
  struct dun_source source = {0};
  dun_source_read(context, name, &source);
  dun_source_free(&source);
  dun_result_exists(context, name, 1);
  dun_sheet_is_foreign_hdf(name, "members");
}

static void read_array(void)
{
  char array[80];
  snprintf(array, sizeof array, "%s:/x", name);
  read_draws(array);
}

enum { PARTS = 6, ALL = PARTS };

/* Each of the readers has processes of its own, which take most of the time. */
static void read_part(int part)
{
  struct dun_context context;
  dun_context_alone(&context, DUN_QUIET);
  if (part == 0 || part == ALL)
    summarise(0);
  if (part == 1 || part == ALL)
    summarise(1);
  if (part == 2 || part == ALL)
    read_draws(name);
  if (part == 3 || part == ALL)
    read_array();
  if (part == 4 || part == ALL) {
    load_learned(&context);
    read_numbers(&context);
  }
  if (part == 5 || part == ALL)
    find_source(&context);
}

/* ---- cases --------------------------------------------------------------------------------- */

static void remove_file(void)
{
  unlink(name);
}

static void write_file(const uint8_t *bytes, size_t size)
{
  if (!*name) {
    snprintf(name, sizeof name, "/dev/shm/dunlin-fuzz-%ld.h5", (long)getpid());
    atexit(remove_file);
    pthread_atfork(NULL, NULL, in_child);
  }
  FILE *file = fopen(name, "wb");
  if (!file || fwrite(bytes, 1, size, file) != size || fclose(file))
    abort();
}

size_t LLVMFuzzerMutate(uint8_t *bytes, size_t size, size_t room) __attribute__((weak));
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t size, size_t room, unsigned seed);
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t size, size_t room, unsigned seed)
{
  if (seed % 16 == 0 && LLVMFuzzerMutate)
    return LLVMFuzzerMutate(bytes, size, room);
  return fuzz_hdf5_change(bytes, size, room, seed);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
  int fuzzing = LLVMFuzzerMutate != NULL;
  unsigned sum = 0; /* the same reader for the same case */
  for (size_t i = 0; i < size; i++)
    sum = 31 * sum + bytes[i];
  write_file(bytes, size);
  fuzz_measure(size, PACKED * size + FLOOR_ONE, 3 * PACKED * size + FLOOR_ALL);
  read_part(fuzzing ? (int)(sum % PARTS) : ALL);
  fuzz_measured();
  return 0;
}
