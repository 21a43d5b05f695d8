/* What tests of result files share: a run whose draws are known by their numbers, a folder, and all
 * that is written at the end. */
#ifndef DUNLIN_TESTS_RESULT_CASE_H
#define DUNLIN_TESTS_RESULT_CASE_H

#include "base/error.h"
#include "base/memory.h"
#include "check.h"
#include "io/result_read.h"
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

#endif
