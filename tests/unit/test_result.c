/* Result files: draws of every rank in their places, tables and texts, resumption, full disks, and
 * reading back, also what is damaged.  Leaves its file as $DUNLIN_KEEP for
 * tests/contract/test_result_file.py. */
/* ranks: 1 2 3 */
#include "base/error.h"
#include "base/memory.h"
#include "check.h"
#include "data/result_array.h"
#include "io/result_read.h"
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PARTICLES = 1000, DIMENSION = 4, TILE = 8, DRAWS = 300, CHAINS = 2 };

/* ---- a run ------------------------------------------------------------------------------- */

static double point(const void *self, const double *x, double *gradient)
{
  (void)self;
  (void)gradient;
  return -x[0];
}

static int parameters(const void *self, int capacity, struct dun_parameter *parameter)
{
  static const struct dun_parameter known[] = {
      {.name = "mu", .doc = "the mean"},
      {.name = "theta", .rank = 1, .shape = {3}},
      {.name = "S", .rank = 2, .shape = {2, 3}, .doc = "a matrix"}};
  (void)self;
  for (int i = 0; i < 3 && i < capacity; i++)
    parameter[i] = known[i];
  return 3;
}

/* mu, theta[3], S[2][3]: number k is x[0] + k / 16. */
static void constrain(const void *self, const double *x, double *theta)
{
  (void)self;
  for (int k = 0; k < 10; k++)
    theta[k] = x[0] + k / 16.;
}

static const struct dun_target target = {
    .type = {DUN_TYPE(struct dun_target), .name = "test", .doc = "A test."},
    .dimension = DIMENSION,
    .point = point,
    .parameters = parameters,
    .constrain = constrain};

static void coefficients(const void *self, double t, double *coefficient)
{
  (void)self;
  coefficient[0] = 1 - t;
  coefficient[1] = t;
}

static const struct dun_path path = {
    .type = {DUN_TYPE(struct dun_path), .name = "line", .doc = "A line."},
    .affine = 1,
    .parts = 2,
    .part_name = {"base", "target"},
    .coefficients = coefficients};

static struct dun_run run;
static struct dun_evaluator *evaluator;
static char folder[64], file[128];

static void run_init(struct dun_context *context)
{
  static const struct dun_column columns[] = {
      {.name = "x", .type = DUN_F64, .width = DIMENSION, .flags = DUN_SAVED},
      {.name = "part_lp", .type = DUN_F64, .width = 2},
      {.name = "logw", .type = DUN_F64, .width = 1, .flags = DUN_OUTPUT, .doc = "log weight"},
      {.name = "root", .type = DUN_I64, .width = 1, .flags = DUN_OUTPUT, .unit = "index"},
      {.name = "speed", .type = DUN_F32, .width = 2, .flags = DUN_OUTPUT},
      {.name = "mark", .type = DUN_I8, .width = 1, .flags = DUN_OUTPUT}};
  memset(&run, 0, sizeof run);
  run.target = &target;
  run.path = &path;
  evaluator = dun_allocate(1, sizeof *evaluator);
  run.evaluator = evaluator;
  CHECK(dun_evaluator_init(evaluator, &target, NULL) == 0);
  dun_population_init(&run.population, dun_tiles_of(PARTICLES, TILE, context->rank, context->size));
  for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
    CHECK(dun_population_declare(&run.population, columns[i]) != NULL);
  CHECK(dun_population_allocate(&run.population) == 0);
  run.x = dun_population_find(&run.population, "x");
}

/* Particle i of chain c: x[0] = i + c / 4, so that theta's number k is i + c / 4 + k / 16. */
static void run_fill(int chain)
{
  const struct dun_tiles *tiles = &run.population.tiles;
#define DATA(name, type) ((type *)dun_population_find(&run.population, name)->data)
  for (int64_t i = 0; i < tiles->local; i++) {
    int64_t global = tiles->first + i;
    DATA("x", double)[i * DIMENSION] = (double)global + chain / 4.;
    DATA("part_lp", double)[2 * i] = -1e300;
    DATA("part_lp", double)[2 * i + 1] = -(double)global - chain;
    DATA("logw", double)[i] = .5;
    DATA("root", int64_t)[i] = global / 2;
    DATA("speed", float)[2 * i + 1] = (float)global;
    DATA("mark", int8_t)[i] = (int8_t)(global % 3);
  }
#undef DATA
}

static void run_free(void)
{
  dun_population_free(&run.population);
  dun_evaluator_free(evaluator);
  DUN_FREE(evaluator);
}

static void make_folder(void)
{
  if (test_context.rank == 0) {
    strcpy(folder, "/tmp/dunlin-result-XXXXXX");
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

static int is_about(const char *words)
{
  if (strstr(dun_error_text(), words))
    return 1;
  fprintf(stderr, "expected: %s\nfound:    %s\n", words, dun_error_text());
  return 0;
}

static int is_there(const char *suffix)
{
  char name[160];
  struct stat status;
  snprintf(name, sizeof name, "%s%s", file, suffix);
  return stat(name, &status) == 0;
}

/* ---- writing ----------------------------------------------------------------------------- */

static char long_text[200000];

static int finish(struct dun_result *result)
{
  struct dun_table steps, empty, marks;
  static const struct dun_attribute attributes[] = {
      {.name = "log_evidence", .type = DUN_ATTRIBUTE_NUMBER, .number = -2.5},
      {.name = "population_hash", .type = DUN_ATTRIBUTE_TEXT, .text = "00ff"},
      {.name = "created_at", .type = DUN_ATTRIBUTE_TEXT, .text = "2024-01-01T00:00:00Z"},
      {.name = "inference_library", .type = DUN_ATTRIBUTE_TEXT, .text = "dunlin"},
      {.name = "evaluations", .type = DUN_ATTRIBUTE_INTEGER, .integer = (int64_t)1 << 60},
      {.name = "nothing", .type = DUN_ATTRIBUTE_TEXT, .text = ""}};
  static const struct dun_attribute provenances[] = {
      {.name = "input", .type = DUN_ATTRIBUTE_TEXT, .text = long_text},
      {.name = "commit", .type = DUN_ATTRIBUTE_TEXT, .text = "abc\xc3\xa4"},
      {.name = "none", .type = DUN_ATTRIBUTE_TEXT, .text = ""},
      {.name = "ranks", .type = DUN_ATTRIBUTE_INTEGER, .integer = 3},
      {.name = "seconds", .type = DUN_ATTRIBUTE_NUMBER, .number = 1.5}};
  memset(long_text, 'x', sizeof long_text - 1);
  memcpy(long_text, "run: {seed: 1}\n", 15);
  CHECK(dun_table_init(&steps, 3) == 0 && dun_table_init(&empty, 1) == 0 &&
        dun_table_init(&marks, 1) == 0);
  strcpy(steps.column[0].name, "step");
  strcpy(steps.column[1].name, "time");
  strcpy(steps.column[1].unit, "s/s");
  strcpy(steps.column[1].doc, "The time t.");
  strcpy(steps.column[2].name, "ess");
  strcpy(empty.column[0].name, "value");
  strcpy(marks.column[0].name, "a/b");
  for (int i = 0; i < 5; i++) {
    CHECK(dun_table_add(&steps, (double[]){i, i / 4., i == 2 ? NAN : 1000 - i}) == 0);
    CHECK(dun_table_add(&marks, (double[]){i * i}) == 0);
  }
  const struct dun_named_table tables[] = {{"/trace/steps", "step", &steps},
                                           {"/trace/empty", "look", &empty},
                                           {"/trace/marks", "look", &marks}};
  int status =
      dun_result_finish(&test_context, result, attributes, 6, provenances, 5, tables, 3, NULL);
  dun_table_free(&steps);
  dun_table_free(&empty);
  dun_table_free(&marks);
  return status;
}

/* A whole result under `file`. */
static void write_result(uint64_t identity)
{
  struct dun_result result;
  CHECK(dun_result_begin(&test_context, &result, file, identity, &run, CHAINS, DRAWS, 0) == 0);
  CHECK(is_there(".part") && !is_there(".part.new"));
  for (int chain = CHAINS - 1; chain >= 0; chain--) {
    run_fill(chain);
    CHECK(dun_result_population(&test_context, &result, &run, chain) == 0);
  }
  CHECK(dun_result_exists(&test_context, file, identity) == 0);
  CHECK(finish(&result) == 0);
  MPI_Barrier(test_context.comm);
  CHECK(is_there("") && !is_there(".part"));
  dun_result_free(&result);
  dun_result_free(&result);
}

/* ---- reading back ------------------------------------------------------------------------ */

static void check_draws(struct dun_result_file *f)
{
  static double out[CHAINS * DRAWS];
  const struct dun_result_shape *S = dun_result_find(f, 0, "S");
  const struct dun_result_shape *lp = dun_result_find(f, 1, "lp");
  char name[128];
  CHECK(S && S->chains == CHAINS && S->draws == DRAWS && S->width == 6 && S->axes == 2 &&
        S->shape[1] == 3);
  CHECK(lp && lp->axes == 0 && lp->width == 1 && !dun_result_find(f, 0, "lp"));
  if (!S || !lp)
    return;
  dun_result_component_name(S, 5, name);
  CHECK(!strcmp(name, "S[1,2]"));
  dun_result_component_name(lp, 0, name);
  CHECK(!strcmp(name, "lp"));
  for (int component = 0; component < 6; component++) {
    CHECK(dun_result_component(f, S, component, out) == 0);
    for (int i = 0; i < CHAINS * DRAWS; i++)
      CHECK(out[i] ==
            (double)(i % DRAWS * PARTICLES / DRAWS) + i / DRAWS / 4. + (4 + component) / 16.);
  }
  CHECK(dun_result_component(f, lp, 0, out) == 0);
  for (int i = 0; i < CHAINS * DRAWS; i++)
    CHECK(out[i] == -(double)(i % DRAWS * PARTICLES / DRAWS) - i / DRAWS);
  CHECK(dun_result_component(f, dun_result_find(f, 1, "speed"), 1, out) == 0 && out[299] == 996);
  CHECK(dun_result_component(f, dun_result_find(f, 1, "root"), 0, out) == 0 && out[299] == 498);
  CHECK(dun_result_component(f, dun_result_find(f, 1, "mark"), 0, out) == 0 && out[298] == 993 % 3);
  CHECK(dun_result_component(f, dun_result_find(f, 1, "log_weight"), 0, out) == 0 && out[7] == .5);
  CHECK(dun_result_component(f, S, 6, out) == DUN_ERROR_INPUT && is_about("has no component 6"));
}

static void check_values(struct dun_result_file *f)
{
  const struct dun_attribute *value =
      dun_attribute_find(f->attribute, f->attributes, "log_evidence");
  struct dun_table table;
  CHECK(value && value->type == DUN_ATTRIBUTE_NUMBER && value->number == -2.5);
  value = dun_attribute_find(f->attribute, f->attributes, "evaluations");
  CHECK(value && value->type == DUN_ATTRIBUTE_INTEGER && value->integer == (int64_t)1 << 60);
  value = dun_attribute_find(f->attribute, f->attributes, "identity");
  CHECK(value && !strcmp(value->text, "00000000000000ab"));
  value = dun_attribute_find(f->provenance, f->provenances, "input");
  CHECK(value && !strcmp(value->text, long_text));
  value = dun_attribute_find(f->provenance, f->provenances, "seconds");
  CHECK(value && value->number == 1.5 && f->provenances == 5);
  value = dun_attribute_find(f->provenance, f->provenances, "none");
  CHECK(value && !*value->text);
  CHECK(f->tables == 3 && !strcmp(f->table[0], "steps"));
  CHECK(dun_result_table(f, "steps", &table) == 0);
  CHECK(table.columns == 3 && dun_table_rows(&table) == 5 && !strcmp(table.column[1].name, "time"));
  CHECK(!strcmp(table.column[1].unit, "s/s") && !strcmp(table.column[1].doc, "The time t."));
  CHECK(table.cells.value[3 * 4 + 1] == 1 && isnan(table.cells.value[3 * 2 + 2]));
  dun_table_free(&table);
  CHECK(dun_result_table(f, "marks", &table) == 0);
  CHECK(table.columns == 2 && !strcmp(table.column[1].name, "a_b") && table.cells.value[9] == 16);
  dun_table_free(&table);
  CHECK(dun_result_table(f, "empty", &table) == 0 && dun_table_rows(&table) == 0);
  dun_table_free(&table);
  CHECK(dun_result_table(f, "gone", &table) == DUN_ERROR_INPUT && is_about("/trace/gone"));
}

static void check_array(void)
{
  struct dun_numbers numbers;
  CHECK(dun_result_array(&test_context, file, "/trace/steps/time", &numbers) == 0);
  CHECK(numbers.count == 5 && numbers.value[3] == .75);
  dun_free(numbers.value);
  CHECK(dun_result_array(&test_context, file, "/trace/steps/tmie", &numbers) == DUN_ERROR_INPUT);
  CHECK(is_about("mix.h5' has no '/trace/steps/tmie'."));
  CHECK(dun_result_array(&test_context, file, "/trace", &numbers) == DUN_ERROR_INPUT);
  CHECK(is_about("is a group, expected numbers"));
  CHECK(dun_result_array(&test_context, file, "/posterior/S", &numbers) == DUN_ERROR_INPUT);
  CHECK(is_about("has 4 axes, expected a list of numbers"));
  CHECK(dun_result_array(&test_context, file, "/provenance/input", &numbers) == DUN_ERROR_INPUT);
  CHECK(is_about("holds no numbers"));
  CHECK(dun_result_array(&test_context, "/no/such.h5", "/x", &numbers) == DUN_ERROR_INPUT);
  CHECK(is_about("'/no/such.h5' cannot be opened: No such file or directory."));
  CHECK(!numbers.value);
}

static void test_round_trip(void)
{
  int64_t memory = dun_memory_in_use();
  struct dun_result_file f;
  char command[400];
  const char *keep = getenv("DUNLIN_KEEP");
  make_folder();
  run_init(&test_context);
  write_result(0xab);
  CHECK(dun_result_exists(&test_context, file, 0xab) == 1);
  CHECK(dun_result_exists(&test_context, file, 0xac) == 2);
  CHECK(dun_result_exists(&test_context, folder, 0xab) == 2);
  CHECK(dun_result_open(&f, file) == 0);
  if (f.handle >= 0) {
    check_draws(&f);
    check_values(&f);
  }
  dun_result_close(&f);
  dun_result_close(&f);
  check_array();
  snprintf(command, sizeof command, "cp '%s' '%s'", file, keep ? keep : "/dev/null");
  if (test_context.rank == 0 && keep)
    CHECK(system(command) == 0);
  run_free();
  remove_folder();
  CHECK(dun_memory_in_use() == memory);
}

/* Draws of before stay when the same input goes on, also at another layout of ranks. */
static void test_resume(void)
{
  static double out[CHAINS * DRAWS];
  struct dun_result result;
  struct dun_result_file f;
  make_folder();
  run_init(&test_context);
  CHECK(dun_result_begin(&test_context, &result, file, 7, &run, CHAINS, DRAWS, 1) == 1);
  run_fill(0);
  CHECK(dun_result_population(&test_context, &result, &run, 0) == 0);
  dun_result_free(&result);
  CHECK(dun_result_begin(&test_context, &result, file, 7, &run, CHAINS, DRAWS, 1) == 0);
  run_fill(1);
  CHECK(dun_result_population(&test_context, &result, &run, 1) == 0);
  CHECK(dun_result_population(&test_context, &result, &run, 2) == DUN_ERROR_FILE);
  CHECK(finish(&result) == 0);
  dun_result_free(&result);
  CHECK(dun_result_open(&f, file) == 0);
  CHECK(dun_result_component(&f, dun_result_find(&f, 0, "mu"), 0, out) == 0);
  CHECK(out[299] == 996 && out[300 + 299] == 996.25);
  dun_result_close(&f);
  /* another input, another layout, a damaged file: afresh */
  CHECK(dun_result_begin(&test_context, &result, file, 7, &run, CHAINS, DRAWS, 0) == 0);
  dun_result_free(&result);
  CHECK(dun_result_begin(&test_context, &result, file, 8, &run, CHAINS, DRAWS, 1) == 1);
  dun_result_free(&result);
  CHECK(dun_result_begin(&test_context, &result, file, 8, &run, CHAINS, DRAWS + 1, 1) == 1);
  dun_result_free(&result);
  MPI_Barrier(test_context.comm);
  char part[160];
  snprintf(part, sizeof part, "%s.part", file);
  if (test_context.rank == 0)
    CHECK(truncate(part, 3000) == 0);
  CHECK(dun_result_begin(&test_context, &result, file, 8, &run, CHAINS, DRAWS + 1, 1) == 1);
  dun_result_free(&result);
  run_free();
  remove_folder();
}

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
  struct dun_result result;
  make_folder();
  run_init(&test_context);
  run_fill(0);
  if (test_context.rank == 0)
    limit(20000);
  CHECK(dun_result_begin(&test_context, &result, file, 7, &run, CHAINS, DRAWS, 0) ==
        DUN_ERROR_FILE);
  CHECK(is_about("mix.h5.part.new' needs 0.") && is_about("File too large"));
  limit(RLIM_INFINITY);
  dun_result_free(&result);
  MPI_Barrier(test_context.comm);
  CHECK(!is_there(".part") && !is_there(".part.new"));
  for (int rank = 0; rank < test_context.size; rank++) {
    CHECK(dun_result_begin(&test_context, &result, file, 7, &run, CHAINS, DRAWS, 0) == 0);
    if (test_context.rank == rank)
      limit(20000);
    CHECK(dun_result_population(&test_context, &result, &run, 1) == DUN_ERROR_FILE);
    CHECK(is_about("mix.h5.part' cannot be written: File too large"));
    limit(RLIM_INFINITY);
    dun_result_free(&result);
  }
  CHECK(dun_result_begin(&test_context, &result, file, 7, &run, CHAINS, DRAWS, 1) == 0);
  if (test_context.rank == 0)
    limit(20000);
  CHECK(finish(&result) == DUN_ERROR_FILE && is_about("mix.h5.part' needs"));
  limit(RLIM_INFINITY);
  CHECK(!is_there(""));
  CHECK(finish(&result) == 0); /* there is room again */
  dun_result_free(&result);
  run_free();
  remove_folder();
}

static void test_names(void)
{
  struct dun_result result;
  run_init(&test_context);
  CHECK(dun_result_begin(&test_context, &result, "/no/such/folder/mix.h5", 7, &run, 1, 10, 0) ==
        DUN_ERROR_FILE);
  CHECK(is_about("'/no/such/folder/mix.h5.part.new' cannot be created: No such file"));
  dun_result_free(&result);
  CHECK(dun_result_begin(&test_context, &result, "/tmp", 7, &run, 1, 10, 0) == DUN_ERROR_FILE);
  CHECK(is_about("'/tmp' is a folder"));
  dun_result_free(&result);
  run_free();
}

/* ---- damage ------------------------------------------------------------------------------ */

/* Reads all there is to read; nothing may crash. */
static int read_all(const char *name)
{
  struct dun_result_file f;
  int status = dun_result_open(&f, name);
  for (int i = 0; i < f.variables && status == 0; i++) {
    const struct dun_result_shape *v = &f.variable[i];
    double *out = dun_allocate(v->chains * v->draws, sizeof *out);
    for (int64_t k = 0; out && k < v->width && k < 10; k++)
      dun_result_component(&f, v, k, out);
    dun_free(out);
  }
  for (int i = 0; i < f.tables && status == 0; i++) {
    struct dun_table table;
    if (dun_result_table(&f, f.table[i], &table) == 0)
      dun_table_free(&table);
  }
  dun_result_close(&f);
  return status;
}

/* Rank 0: the file with `count` bytes changed from `place` on, or cut off there. */
static void write_damaged(const char *bytes, int64_t size, int64_t place, int cut, unsigned change)
{
  char name[160];
  snprintf(name, sizeof name, "%s.damaged", file);
  FILE *f = fopen(name, "wb");
  CHECK(f && fwrite(bytes, 1, (size_t)(cut ? place : size), f) == (size_t)(cut ? place : size));
  if (f && !cut) {
    fseek(f, place, SEEK_SET);
    fputc(bytes[place] ^ (int)change, f);
  }
  if (f)
    fclose(f);
}

static void test_damage(void)
{
  char name[160], *bytes;
  int refused = 0;
  int64_t memory = dun_memory_in_use();
  make_folder();
  run_init(&test_context);
  write_result(0xab);
  snprintf(name, sizeof name, "%s.damaged", file);
  FILE *f = fopen(file, "rb");
  CHECK(f != NULL);
  fseek(f, 0, SEEK_END);
  int64_t size = ftell(f);
  rewind(f);
  bytes = malloc((size_t)size);
  CHECK(fread(bytes, 1, (size_t)size, f) == (size_t)size);
  fclose(f);
  for (int i = 0; i < 400 && test_context.rank == 0; i++) {
    int cut = i % 8 == 0;
    write_damaged(bytes, size, cut ? size * i / 400 : (i * 7919L * 61) % size, cut, 1u << i % 8);
    refused += read_all(name) < 0;
  }
  /* the first kilobytes hold most of what HDF5 goes by */
  for (int i = 0; i < 400 && test_context.rank == 0; i++) {
    write_damaged(bytes, size, 10 * i, 0, i % 2 ? 0xff : 0x40);
    refused += read_all(name) < 0;
  }
  CHECK(test_context.rank || refused > 50);
  free(bytes);
  CHECK(read_all("/etc/passwd") < 0 && is_about("'/etc/passwd' is not an HDF5 file."));
  CHECK(read_all(folder) < 0 && is_about("is no regular file"));
  run_free();
  remove_folder();
  CHECK(dun_memory_in_use() == memory);
}

TEST_MAIN({"round_trip", test_round_trip}, {"resume", test_resume}, {"full_disk", test_full_disk},
          {"names", test_names}, {"damage", test_damage})
