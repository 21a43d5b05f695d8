/* Result files: draws of every rank in their places, tables and texts, and reading back, also what
 * is damaged.  Leaves its file as $DUNLIN_KEEP for tests/contract/test_result_file.py. */
/* ranks: 1 2 3 */
#include "data/result_array.h"
#include "result_case.h"

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

TEST_MAIN({"round_trip", test_round_trip}, {"names", test_names}, {"damage", test_damage})
