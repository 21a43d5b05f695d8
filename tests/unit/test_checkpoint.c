/* Checkpoints: written at one number of ranks and read at another, damaged in every way, on disks
 * that are full. */
/* ranks: 1 2 3 */
#include "base/error.h"
#include "base/memory.h"
#include "check.h"
#include "io/checkpoint.h"
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PARTICLES = 150000, TILE = 7 };

struct object {
  int64_t counter, pair[2];
  double number;
  struct dun_numbers list, empty;
};

static const struct dun_state object_state[] = {{.name = "counter",
                                                 .type = DUN_STATE_INTEGER,
                                                 .offset = offsetof(struct object, counter),
                                                 .count = 0}, /* taken for 1 */
                                                {.name = "pair",
                                                 .type = DUN_STATE_INTEGER,
                                                 .offset = offsetof(struct object, pair),
                                                 .count = 2,
                                                 .least = -100,
                                                 .most = INT64_MAX},
                                                {.name = "number",
                                                 .type = DUN_STATE_NUMBER,
                                                 .offset = offsetof(struct object, number),
                                                 .count = 1},
                                                {.name = "list",
                                                 .type = DUN_STATE_NUMBERS,
                                                 .offset = offsetof(struct object, list),
                                                 .count = 0},
                                                {.name = "empty",
                                                 .type = DUN_STATE_NUMBERS,
                                                 .offset = offsetof(struct object, empty),
                                                 .count = 0},
                                                {0}};

/* A small run: a population and two objects. */
struct world {
  struct dun_population population;
  struct object object[2];
  struct dun_stateful objects[2];
  struct dun_checkpoint checkpoint;
};

static char folder[64], file[96];

static void world_init(struct world *w, struct dun_context *context, int64_t particles)
{
  static const struct dun_column columns[] = {
      {.name = "x", .type = DUN_F64, .width = 3, .flags = DUN_SAVED | DUN_MOVES},
      {.name = "root", .type = DUN_I64, .width = 1, .flags = DUN_SAVED},
      {.name = "scratch", .type = DUN_F64, .width = 2},
      {.name = "small", .type = DUN_F32, .width = 1, .flags = DUN_SAVED},
      {.name = "count", .type = DUN_I32, .width = 2, .flags = DUN_SAVED},
      {.name = "mark", .type = DUN_I8, .width = 1, .flags = DUN_SAVED}};
  memset(w, 0, sizeof *w);
  dun_population_init(&w->population, dun_tiles_of(particles, TILE, context->rank, context->size));
  for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
    CHECK(dun_population_declare(&w->population, columns[i]) != NULL);
  CHECK(dun_population_allocate(&w->population) == 0);
  for (int i = 0; i < 2; i++) {
    snprintf(w->objects[i].name, sizeof w->objects[i].name, i ? "probe %d" : "method", i);
    w->objects[i].rows = object_state;
    w->objects[i].self = &w->object[i];
  }
  w->checkpoint = (struct dun_checkpoint){.file = file,
                                          .identity = 77,
                                          .objects = w->objects,
                                          .object_count = 2,
                                          .population = &w->population};
}

static void world_free(struct world *w)
{
  for (int i = 0; i < 2; i++) {
    dun_free(w->object[i].list.value);
    dun_free(w->object[i].empty.value);
  }
  dun_population_free(&w->population);
}

/* Number `j` of the particle with global index `i`; `version` tells generations apart. */
static double value_of(int column, int64_t i, int j, int version)
{
  return (double)((i * 31 + j * 7 + column * 13 + version) % 101);
}

/* Calls `visit` for every number of every saved column. */
static int64_t each_number(struct world *w, int version, int set)
{
  const struct dun_tiles *tiles = &w->population.tiles;
  int64_t wrong = 0;
  for (int c = 0; c < w->population.columns; c++) {
    struct dun_column *column = &w->population.column[c];
    if (!(column->flags & DUN_SAVED))
      continue;
    for (int64_t k = 0; k < tiles->local * column->width; k++) {
      double value =
          value_of(c, tiles->first + k / column->width, (int)(k % column->width), version);
#define NUMBER(type)                                                                               \
  do {                                                                                             \
    if (set)                                                                                       \
      ((type *)column->data)[k] = (type)value;                                                     \
    wrong += ((type *)column->data)[k] != (type)value;                                             \
  } while (0)
      switch (column->type) {
      case DUN_F64: NUMBER(double); break;
      case DUN_F32: NUMBER(float); break;
      case DUN_I64: NUMBER(int64_t); break;
      case DUN_I32: NUMBER(int32_t); break;
      case DUN_I8: NUMBER(int8_t); break;
      }
    }
  }
  return wrong;
}

static void world_fill(struct world *w, int version)
{
  each_number(w, version, 1);
  for (int i = 0; i < 2; i++) {
    struct object *o = &w->object[i];
    o->counter = 1000 * i + version;
    o->pair[0] = -version;
    o->pair[1] = INT64_MAX - i;
    o->number = .1 * version + i;
    dun_free(o->list.value);
    o->list = (struct dun_numbers){5 + version, dun_allocate(5 + version, sizeof(double))};
    for (int k = 0; k < 5 + version; k++)
      o->list.value[k] = k + .5 * i;
  }
}

static int world_is(struct world *w, int version)
{
  int64_t wrong = each_number(w, version, 0);
  for (int i = 0; i < 2; i++) {
    const struct object *o = &w->object[i];
    wrong += o->counter != 1000 * i + version || o->pair[0] != -version ||
             o->pair[1] != INT64_MAX - i || o->number != .1 * version + i ||
             o->list.count != 5 + version || o->empty.count != 0;
    for (int k = 0; k < 5 + version && wrong == 0; k++)
      wrong += o->list.value[k] != k + .5 * i;
  }
  return wrong == 0;
}

static void make_folder(void)
{
  if (test_context.rank == 0) {
    strcpy(folder, "/tmp/dunlin-checkpoint-XXXXXX");
    CHECK(mkdtemp(folder) != NULL);
  }
  dun_broadcast(&test_context, folder, sizeof folder, 0);
  snprintf(file, sizeof file, "%s/mix.h5", folder);
}

static void remove_folder(void)
{
  char command[128];
  MPI_Barrier(test_context.comm);
  snprintf(command, sizeof command, "rm -r '%s'", folder);
  if (test_context.rank == 0)
    CHECK(system(command) == 0);
  MPI_Barrier(test_context.comm);
}

static const char *name_of(int slot)
{
  static char name[128];
  snprintf(name, sizeof name, "%s/mix.%d.checkpoint", folder, slot);
  return name;
}

static int64_t size_of(int slot)
{
  struct stat status;
  return stat(name_of(slot), &status) < 0 ? -1 : status.st_size;
}

static int entries(void)
{
  char command[160];
  int count = -1;
  snprintf(command, sizeof command, "ls -A '%s' | wc -l", folder);
  FILE *pipe = popen(command, "r");
  if (pipe) {
    if (fscanf(pipe, "%d", &count) != 1)
      count = -1;
    pclose(pipe);
  }
  return count;
}

static int is_about(const char *words)
{
  if (strstr(dun_error_text(), words))
    return 1;
  fprintf(stderr, "expected: %s\nfound:    %s\n", words, dun_error_text());
  return 0;
}

/* Writes `version` as the run's next generation. */
static int write_version(struct world *w, int version)
{
  world_fill(w, version);
  return dun_checkpoint_write(&test_context, &w->checkpoint);
}

static void test_round_trip(void)
{
  struct world w, other;
  struct dun_context part;
  MPI_Comm comm;
  make_folder();
  world_init(&w, &test_context, PARTICLES);
  CHECK(dun_checkpoint_read(&test_context, &w.checkpoint) == 0);
  CHECK(write_version(&w, 1) == 0 && size_of(0) > PARTICLES * 45 && size_of(1) < 0);
  CHECK(write_version(&w, 2) == 0 && size_of(1) > PARTICLES * 45);
  CHECK(write_version(&w, 3) == 0);
  MPI_Barrier(test_context.comm);
  if (test_context.rank == 0)
    CHECK(entries() == 2);
  world_fill(&w, 0);
  CHECK(dun_checkpoint_read(&test_context, &w.checkpoint) == 1 && world_is(&w, 3));

  /* the last rank alone and the others together: two other numbers of ranks */
  MPI_Comm_split(test_context.comm, test_context.rank == test_context.size - 1, 0, &comm);
  CHECK(dun_context_init(&part, comm, DUN_WARNINGS) == 0);
  world_init(&other, &part, PARTICLES);
  CHECK(dun_checkpoint_read(&part, &other.checkpoint) == 1 && world_is(&other, 3));
  world_free(&other);
  dun_context_free(&part);
  MPI_Comm_free(&comm);

  /* the newest goes, the one before it is there */
  MPI_Barrier(test_context.comm);
  if (test_context.rank == 0)
    CHECK(unlink(name_of(0)) == 0);
  CHECK(dun_checkpoint_read(&test_context, &w.checkpoint) == 1 && world_is(&w, 2));
  if (test_context.rank == 0)
    dun_checkpoint_remove(file, NULL);
  MPI_Barrier(test_context.comm);
  CHECK(dun_checkpoint_read(&test_context, &w.checkpoint) == 0);
  world_free(&w);
  remove_folder();
}

/* More ranks than tiles. */
static void test_few(void)
{
  struct world w;
  make_folder();
  world_init(&w, &test_context, 1);
  CHECK(write_version(&w, 4) == 0);
  world_fill(&w, 0);
  CHECK(dun_checkpoint_read(&test_context, &w.checkpoint) == 1 && world_is(&w, 4));
  world_free(&w);
  remove_folder();
}

static void test_others(void)
{
  struct world w;
  make_folder();
  world_init(&w, &test_context, 100);
  CHECK(write_version(&w, 1) == 0 && write_version(&w, 2) == 0);
  w.checkpoint.identity = 78;
  CHECK(dun_checkpoint_read(&test_context, &w.checkpoint) == DUN_ERROR_INPUT);
  CHECK(is_about("belongs to another input"));
  /* a new run's checkpoints replace the other's and are the newest */
  CHECK(write_version(&w, 3) == 0);
  CHECK(dun_checkpoint_read(&test_context, &w.checkpoint) == 1 && world_is(&w, 3));
  CHECK(write_version(&w, 4) == 0);
  CHECK(dun_checkpoint_read(&test_context, &w.checkpoint) == 1 && world_is(&w, 4));
  CHECK(write_version(&w, 5) == 0);
  /* the same input, but other states or another population */
  w.checkpoint.object_count = 1;
  CHECK(dun_checkpoint_read(&test_context, &w.checkpoint) == DUN_ERROR_INPUT);
  CHECK(is_about("holds other columns or states"));
  world_free(&w);
  world_init(&w, &test_context, 101);
  w.checkpoint.identity = 78;
  CHECK(dun_checkpoint_read(&test_context, &w.checkpoint) == DUN_ERROR_INPUT);
  world_free(&w);
  remove_folder();
}

/* ---- damage ------------------------------------------------------------------------------ */

/* Rank 0 changes a byte; the others wait. */
static void flip(int slot, int64_t place, int bit)
{
  MPI_Barrier(test_context.comm);
  if (test_context.rank == 0) {
    FILE *bytes = fopen(name_of(slot), "r+b");
    if (bytes) {
      fseek(bytes, place, SEEK_SET);
      int byte = fgetc(bytes);
      fseek(bytes, place, SEEK_SET);
      fputc(byte ^ (1 << bit), bytes);
      fclose(bytes);
    } else
      CHECK(!"the file is there");
  }
  MPI_Barrier(test_context.comm);
}

/* Every flipped bit of the newest file is found, and the older one taken. */
static void test_flips(void)
{
  struct world w;
  enum { FLIPS = 60 };
  int64_t memory = dun_memory_in_use();
  make_folder();
  world_init(&w, &test_context, 3000);
  CHECK(write_version(&w, 1) == 0 && write_version(&w, 2) == 0);
  test_context.log.level = DUN_QUIET;
  int64_t size = size_of(1);
  for (int i = 0; i < FLIPS; i++) {
    /* the header's fields, then places all over the file */
    int64_t place = i < 14 ? 8 * i : (size - 1) * (i - 14) / (FLIPS - 15);
    flip(1, place, i % 8);
    world_fill(&w, 0);
    CHECK(dun_checkpoint_read(&test_context, &w.checkpoint) == 1);
    CHECK(world_is(&w, 1));
    flip(1, place, i % 8);
  }
  world_fill(&w, 0);
  CHECK(dun_checkpoint_read(&test_context, &w.checkpoint) == 1 && world_is(&w, 2));
  test_context.log.level = DUN_WARNINGS;
  world_free(&w);
  remove_folder();
  CHECK(dun_memory_in_use() == memory);
}

static void damage(int slot, const char *how)
{
  char command[512];
  MPI_Barrier(test_context.comm);
  snprintf(command, sizeof command, how, name_of(slot));
  if (test_context.rank == 0)
    CHECK(system(command) == 0);
  MPI_Barrier(test_context.comm);
}

static void test_damage(void)
{
  static const struct {
    const char *how, *words;
  } cases[] = {
      {"truncate -s 0 '%s'", "has 0 bytes: it is cut off or no checkpoint"},
      {"truncate -s 500 '%s'", "has 500 bytes, expected"},
      {"truncate -s -1 '%s'", "it is cut off"},
      {"truncate -s +100 '%s'", " bytes, expected "},
      {"head -c 10000 /dev/zero > '%s'", "is no checkpoint, or one of an earlier version"},
      {"printf '\\003' | dd of='%s' bs=1 seek=16 conv=notrunc status=none",
       "has format version 3, this program reads 2"},
      {"rm '%1$s'; mkfifo '%1$s'", "mix.1.checkpoint' is no regular file"},
      {"rm '%1$s'; mkdir '%1$s'", "mix.1.checkpoint' "},
  };
  struct world w;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    make_folder();
    world_init(&w, &test_context, 500);
    CHECK(write_version(&w, 1) == 0 && write_version(&w, 2) == 0);
    damage(1, cases[i].how);
    test_context.log.level = DUN_QUIET;
    CHECK(dun_checkpoint_read(&test_context, &w.checkpoint) == 1 && world_is(&w, 1));
    damage(0, "truncate -s 100 '%s'");
    world_fill(&w, 9);
    CHECK(dun_checkpoint_read(&test_context, &w.checkpoint) == DUN_ERROR_INPUT);
    CHECK(is_about("No checkpoint of '") && is_about("Remove the files to start afresh."));
    damage(0, "rm '%s'");
    CHECK(dun_checkpoint_read(&test_context, &w.checkpoint) == DUN_ERROR_INPUT);
    CHECK(is_about(cases[i].words));
    test_context.log.level = DUN_WARNINGS;
    world_free(&w);
    remove_folder();
  }
}

/* What its row excludes is no value of a checkpoint, though all digests are right. */
static void test_bounds(void)
{
  struct world w;
  for (int i = 0; i < 3; i++) {
    make_folder();
    world_init(&w, &test_context, 500);
    CHECK(write_version(&w, 1) == 0);
    world_fill(&w, 2);
    int64_t *value = i == 0 ? &w.object[1].counter : &w.object[1].pair[0];
    *value = i == 0 ? -1 : i == 1 ? -101 : -100;
    CHECK(dun_checkpoint_write(&test_context, &w.checkpoint) == 0);
    test_context.log.level = DUN_QUIET;
    CHECK(dun_checkpoint_read(&test_context, &w.checkpoint) == 1);
    test_context.log.level = DUN_WARNINGS;
    CHECK(i == 2 ? w.object[1].pair[0] == -100 : world_is(&w, 1));
    world_free(&w);
    remove_folder();
  }
}

/* ---- no room ----------------------------------------------------------------------------- */

/* Files of this process cannot grow beyond `bytes`: a full disk for one rank. */
static void limit(rlim_t bytes)
{
  struct rlimit now;
  signal(SIGXFSZ, SIG_IGN);
  getrlimit(RLIMIT_FSIZE, &now);
  now.rlim_cur = bytes;
  setrlimit(RLIMIT_FSIZE, &now);
}

static void test_full_disk(void)
{
  struct world w;
  int64_t memory = dun_memory_in_use();
  make_folder();
  world_init(&w, &test_context, PARTICLES);
  CHECK(write_version(&w, 1) == 0);
  for (int rank = 0; rank < test_context.size; rank++) {
    world_fill(&w, 2);
    if (test_context.rank == rank)
      limit(100000);
    CHECK(dun_checkpoint_write(&test_context, &w.checkpoint) == DUN_ERROR_FILE);
    if (test_context.rank == rank)
      limit(RLIM_INFINITY);
    CHECK(is_about("File too large"));
    MPI_Barrier(test_context.comm);
    if (test_context.rank == 0)
      CHECK(entries() == 1); /* the old one, and nothing half-written */
    CHECK(dun_checkpoint_read(&test_context, &w.checkpoint) == 1 && world_is(&w, 1));
  }
  CHECK(write_version(&w, 2) == 0); /* the run has gone on */
  CHECK(dun_checkpoint_read(&test_context, &w.checkpoint) == 1 && world_is(&w, 2));
  world_free(&w);
  remove_folder();
  CHECK(dun_memory_in_use() == memory);
}

static void test_no_folder(void)
{
  struct world w;
  make_folder();
  remove_folder();
  world_init(&w, &test_context, 100);
  CHECK(write_version(&w, 1) == DUN_ERROR_FILE && is_about("No such file or directory"));
  CHECK(dun_checkpoint_read(&test_context, &w.checkpoint) == 0);
  world_free(&w);
}

static void test_leftovers(void)
{
  struct world w;
  make_folder();
  world_init(&w, &test_context, 100);
  damage(0, "echo half > '%s.tmp'");
  CHECK(dun_checkpoint_read(&test_context, &w.checkpoint) == 0);
  MPI_Barrier(test_context.comm);
  if (test_context.rank == 0)
    CHECK(entries() == 0);
  world_free(&w);
  remove_folder();
}

TEST_MAIN({"round_trip", test_round_trip}, {"few", test_few}, {"others", test_others},
          {"bounds", test_bounds}, {"flips", test_flips}, {"damage", test_damage},
          {"full_disk", test_full_disk}, {"no_folder", test_no_folder},
          {"leftovers", test_leftovers})
