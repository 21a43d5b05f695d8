/* Checkpoints: a run that was stopped goes on from one that somebody changed, with digests that are
 * right unless the case says otherwise.  A case is a list of changes, not a file: so it says the
 * same of every build. */
#include "base/digest.h"
#include "dunlin/dunlin.h"
#include "fuzz/fuzz.h"
#include "io/checkpoint_file.h"
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FLOOR_ONE = 8 << 20, FLOOR_ALL = 24 << 20 }; /* what a run takes that nobody has forged */
enum { SCENES = 15, CHANGE = 14, MOST_CHANGES = 8 };

/* Every method, and a finish: small runs that stop in their middle. */
#define RUN(particles_) "run: {seed: 7, particles: " particles_ ", tile: 8}\n"
#define NORMAL          "target: {type: gaussian, dimension: 2}\n"
#define MODES           "target: {type: gaussian_mixture, means: [[-2], [2]], scales: [.5, .5]}\n"
#define TEXTURE         "target: {type: coloured_texture, side: 4, colours: [[1], [-1]]}\n"
#define TEMPERED        "path: {type: geometric, base: {type: gaussian, scale: 3}}\n"
static const char *const input[SCENES] = {
    "run: {seed: 7, particles: 40, tile: 8, replicates: 2}\n" NORMAL TEMPERED
    "kernel: {type: rwm}\nmethod: {type: smc}\nprobes: [{type: moments}]\n",
    RUN("16") NORMAL "path: {type: constant, start: {scale: 2}}\n"
                     "kernel: {type: hmc}\nmethod: {type: langevin, warmup: 30, draws: 8}\n",
    RUN("16") NORMAL TEMPERED
    "kernel: {type: rwm}\nmethod: {type: tempering, temperatures: 4, warmup: 12, draws: 8}\n",
    RUN("64") MODES
    "method: {type: flow, process: {type: interpolant, scale: 2}, field: {type: exact},\n"
    "         grid: {steps: 20}}\n",
    RUN("64") NORMAL TEMPERED
    "kernel: {type: rwm}\nmethod: {type: smc}\nfinish: [{type: fit_and_reweight}]\n",
    RUN("64") MODES "method: {type: psld, grid: {type: quadratic, evaluations: 20}}\n",
    RUN("64") MODES "method: {type: exact}\nprobes: [{type: modes}, {type: energy_distance}]\n",
    RUN("64") NORMAL "path: {type: geometric, base: {type: fitted, scale: 2, pilot_moves: 5}}\n"
                     "kernel: {type: hmc, metric: dense}\nmethod: {type: smc}\n",
    RUN("64") MODES "method: {type: localization, observation: {type: gaussian}}\n",
    RUN("64") MODES "method: {type: localization, observation: {type: gaussian}, first: 0.2,\n"
                    "  begin: {moves: 1}, steps: 10, field: {type: mcmc, chains: 2, moves: 2,\n"
                    "  warm_up: 1}}\n",
    RUN("64") MODES "path: {type: localized, steps: 6, spread: 2, field: {type: mcmc, chains: 1,\n"
                    "  moves: 2, warm_up: 1}}\nmethod: {type: smc, moves_per_step: 0}\n",
    RUN("24") TEXTURE
    "method: {type: localization, observation: {type: linear, average: 1},\n"
    "         field: {type: window, radius: 1}, final: mean, steps: 20, keep: 9}\n",
    RUN("64") MODES "method: {type: train, network: {type: mlp, widths: [8]}, lessons:\n"
                    "  {steps: 400, batch: 16, every: 20, examples: {count: 99, held_back: 40}}}\n",
    RUN("64") MODES "method: {type: train, network: {type: convolution, widths: [5], height: 1},\n"
                    "  lessons: {steps: 100, batch: 16, every: 20, examples: {count: 99,\n"
                    "  held_back: 40}}}\n",
    RUN("16") NORMAL "path: {type: controlled, base: {scale: 2}, steps: 4, pieces: 2}\n"
                     "kernel: {type: hmc, leapfrog_steps: 2}\n"
                     "method: {type: scld, steps: 6, width: 3, batches: 3, every: 2}\n",
};

struct bytes {
  char *at;
  size_t size;
};

static struct scene {
  struct bytes checkpoint, part;
} scene[SCENES];

static struct bytes load(const char *name)
{
  struct bytes bytes = {0};
  FILE *file = fopen(name, "rb");
  if (!file)
    return bytes;
  fseek(file, 0, SEEK_END);
  bytes.size = (size_t)ftell(file);
  rewind(file);
  bytes.at = malloc(bytes.size + 1);
  if (!bytes.at || fread(bytes.at, 1, bytes.size, file) != bytes.size)
    abort();
  fclose(file);
  return bytes;
}

static void store(const char *name, const char *at, size_t size)
{
  FILE *file = fopen(name, "wb");
  if (!file || fwrite(at, 1, size, file) != size || fclose(file))
    abort();
}

static void clear(void)
{
  static const char *const name[] = {
      "r.h5",           "r.h5.part",          "r.h5.part.new",       "r.0.checkpoint",
      "r.1.checkpoint", "r.0.checkpoint.tmp", "r.h5.progress.jsonl", "r.1.checkpoint.tmp"};
  for (size_t i = 0; i < sizeof name / sizeof *name; i++)
    unlink(name[i]);
}

static int run(int which, char *word, char *more)
{
  char file[24];
  snprintf(file, sizeof file, "%d.yaml", which);
  char *argv[] = {"dunlin",  "run",        file, "--output", "r.h5",
                  "--quiet", "--no-check", word, more,       NULL};
  return dunlin_run(MPI_COMM_WORLD, more ? 9 : 8, argv, NULL);
}

/* A run that stops in its middle. */
static void make_scene(int which)
{
  char name[16];
  snprintf(name, sizeof name, "%d.yaml", which);
  store(name, input[which], strlen(input[which]));
  for (int evaluations = 1600; evaluations >= 25 && !scene[which].checkpoint.at; evaluations /= 2) {
    char words[32] = "--time-limit=0.001"; /* of what evaluates nothing */
    if (evaluations >= 50)
      snprintf(words, sizeof words, "--stop-after=%d", evaluations);
    clear();
    if (run(which, "--overwrite", words) != 85)
      continue;
    scene[which].part = load("r.h5.part");
    scene[which].checkpoint = load("r.0.checkpoint");
    if (!scene[which].checkpoint.at)
      scene[which].checkpoint = load("r.1.checkpoint");
  }
  if (!scene[which].checkpoint.at)
    fprintf(stderr, "fuzz: scene %d does not stop\n", which), abort();
}

static char folder[] = "/dev/shm/dunlin-fuzz-XXXXXX";
static int here;

static void enter(void)
{
  if (chdir(folder))
    abort();
}

static void leave(void)
{
  clear();
  if (fchdir(here))
    abort();
}

static void remove_folder(void)
{
  for (int i = 0; i < SCENES; i++) {
    char name[48];
    snprintf(name, sizeof name, "%s/%d.yaml", folder, i);
    unlink(name);
    free(scene[i].checkpoint.at);
    free(scene[i].part.at);
  }
  rmdir(folder);
}

/* Memory that MPI keeps until the end of the program is none of ours. */
void __lsan_disable(void) __attribute__((weak));
void __lsan_enable(void) __attribute__((weak));
int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
  here = open(".", O_RDONLY);
  if (here < 0 || !mkdtemp(folder))
    abort();
  if (__lsan_disable)
    __lsan_disable();
  setenv("OMPI_MCA_opal_signal", "", 1); /* signals are the fuzzer's */
  MPI_Init(argc, argv);
  atexit(remove_folder);
  enter();
  for (int i = 0; i < SCENES; i++)
    make_scene(i);
  leave();
  if (__lsan_enable)
    __lsan_enable();
  return 0;
}

const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
  return "leak:libmpi\nleak:libopen-\nleak:libhwloc\nleak:libhdf5\nleak:libevent\nleak:libpmix\n"
         "leak:mca_\n";
}

/* Sums of columns are all 0, there and here, so that columns may hold anything. */
void __wrap_dun_checkpoint_sums(const struct dun_checkpoint *checkpoint,
                                const struct dun_saved *saved, int64_t *sum);
void __wrap_dun_checkpoint_sums(const struct dun_checkpoint *checkpoint,
                                const struct dun_saved *saved, int64_t *sum)
{
  (void)checkpoint;
  memset(sum, 0, (size_t)(saved->columns * saved->blocks) * sizeof *sum);
}

/* The fuzzer's alarm ends a case that takes too long: nobody else may set one. */
void __wrap_dun_last_words_begin(const struct dun_context *context);
void __wrap_dun_last_words_begin(const struct dun_context *context)
{
  (void)context;
}

/* ---- changes ----------------------------------------------------------------------------- */

struct forged {
  struct dun_checkpoint_header header;
  char *bytes; /* of the whole file */
  size_t size;
  int over; /* nothing is where it was: no more changes */
};

static int64_t word_at(const struct forged *f, size_t at)
{
  int64_t word;
  memcpy(&word, f->bytes + at, 8);
  return word;
}

/* The place of a row's count, of the first row behind the last one. */
static size_t find_row(const struct forged *f, unsigned number)
{
  size_t end = sizeof f->header + f->header.states, at, rows = 0;
  for (at = sizeof f->header; at < end; at += 8 + 8 * (size_t)word_at(f, at))
    rows++;
  number = rows ? number % (unsigned)rows : 0;
  for (at = sizeof f->header; number > 0; number--)
    at += 8 + 8 * (size_t)word_at(f, at);
  return at;
}

/* What nobody would have written there; most kinds are the value itself. */
static int64_t odd_value(unsigned kind, int64_t value, int64_t old)
{
  static const double number[] = {-1, 0, 1e300, -1e300, 4294967296., .5, 1e18, 2};
  const union {
    uint64_t word;
    int64_t value;
  } nan = {.word = 0x7ff8000000000000u}, infinity = {.word = 0x7ff0000000000000u};
  int64_t word;
  switch (kind % 8) {
  case 0: return -1 - value % 4;
  case 1: return (int64_t)((uint64_t)1 << (value & 63));
  case 2: return old + value % 16;
  case 3: return value & 1 ? nan.value : infinity.value;
  case 4: memcpy(&word, &number[value & 7], 8); return word;
  case 5: return value & 255;
  default: return value;
  }
}

static void change_row(struct forged *f, unsigned row, unsigned element, unsigned kind,
                       int64_t value)
{
  size_t at = find_row(f, row);
  int64_t count = word_at(f, at);
  for (int64_t i = 0; i < count; i++) {
    int64_t word = odd_value(kind, value, word_at(f, at + 8 + 8 * (size_t)i));
    if (element == 0xffff || element % (uint64_t)count == (uint64_t)i)
      memcpy(f->bytes + at + 8 + 8 * i, &word, 8);
  }
}

static void shorten_row(struct forged *f, unsigned row)
{
  size_t at = find_row(f, row);
  int64_t count = word_at(f, at) - 1;
  if (count < 0)
    return;
  memcpy(f->bytes + at, &count, 8);
  at += 8 + 8 * (size_t)count;
  memmove(f->bytes + at, f->bytes + at + 8, f->size - at - 8);
  f->size -= 8;
  f->header.states -= 8;
  f->header.size -= 8;
}

static void change(struct forged *f, const uint8_t *b)
{
  unsigned row = b[1] | (unsigned)b[2] << 8, element = b[3] | (unsigned)b[4] << 8;
  size_t draws = sizeof f->header + f->header.states;
  int64_t value;
  memcpy(&value, b + 6, 8);
  switch (b[0] % 8) {
  case 0: shorten_row(f, row); break;
  case 1: /* a count, the draws' bytes, or a word of a column */
    if (element % 4 == 0)
      memcpy(f->bytes + find_row(f, row), &value, 8);
    else if (element % 4 == 1 && f->header.draws >= 8)
      memcpy(f->bytes + draws + 8 * (row % (f->header.draws / 8)), &value, 8);
    else if (f->size >= draws + 8)
      memcpy(f->bytes + f->size - 8 - 8 * (row % ((f->size - draws) / 8)), &value, 8);
    f->over = 1;
    break;
  case 2:
    memcpy((char *)&f->header + 16 + 8 * (row % 10), &value, 8);
    f->over = 1;
    break;
  default: change_row(f, row, element, b[5], value);
  }
}

static void seal(struct forged *f, int how)
{
  struct dun_checkpoint_header *header = &f->header;
  size_t columns = (size_t)header->columns < 64 ? (size_t)header->columns : 64;
  size_t blocks = ((size_t)header->particles + DUN_CHECKPOINT_BLOCK - 1) / DUN_CHECKPOINT_BLOCK;
  size_t front = header->states + header->draws + 8 * columns * (blocks & 0xffff);
  if (front <= f->size - sizeof *header && !(how & 1))
    header->front = dun_digest(header->identity, f->bytes + sizeof *header, (int64_t)front);
  if (!(how & 2))
    header->own =
        dun_digest(header->version, header, (int64_t)offsetof(struct dun_checkpoint_header, own));
  memcpy(f->bytes, header, sizeof *header);
}

/* ---- cases --------------------------------------------------------------------------------- */

static void go_on(int which, const uint8_t *changes, size_t count, int how)
{
  const struct scene *s = &scene[which];
  struct forged f = {.size = s->checkpoint.size, .bytes = malloc(s->checkpoint.size)};
  if (!f.bytes)
    abort();
  memcpy(f.bytes, s->checkpoint.at, f.size);
  memcpy(&f.header, f.bytes, sizeof f.header);
  for (size_t i = 0; i < count && !f.over; i++)
    change(&f, changes + CHANGE * i);
  seal(&f, how);
  store("r.0.checkpoint", f.bytes, f.size);
  store("r.h5.part", s->part.at, s->part.size);
  free(f.bytes);
}

static int restart(int which, char *limit)
{
  fuzz_measure(scene[which].checkpoint.size, FLOOR_ONE, FLOOR_ALL);
  int code = run(which, "--restart", limit);
  fuzz_measured();
  if (code != 0 && code != 1 && code != 2 && code != 85)
    abort();
  return code;
}

/* Most cases that are taken for what they say go on by a tick only: the rest of a run takes a
 * hundred times as long as reading.  The first ones go to their ends, so that what is found is
 * found again. */
static int goes_to_its_end(void)
{
  static int64_t taken;
  return taken++ % 16 == 0 || taken < 16;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
  size_t count = size < 2 + CHANGE ? 0 : (size - 2) / CHANGE;
  if (count < 1)
    return 0;
  int which = bytes[0] % SCENES;
  enter();
  go_on(which, bytes + 2, count < MOST_CHANGES ? count : MOST_CHANGES,
        bytes[1] % 16 ? 0 : bytes[1] / 16);
  int code = restart(which, "--stop-after=1");
  if (code == 85 && goes_to_its_end())
    restart(which, NULL);
  leave();
  return 0;
}
