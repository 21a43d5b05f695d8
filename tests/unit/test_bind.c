/* From inputs to structs: values, defaults, complaints, files, types, identity. */
/* ranks: 1 2 3 */
#include "base/memory.h"
#include "check.h"
#include "io/bind.h"
#include <sys/stat.h>
#include <unistd.h>

struct inner {
  int type;
  double rate;
};

struct options {
  long long count, cap;
  double number, step, seconds;
  int flag, choice;
  char *text, *optional, *file;
  struct dun_numbers list;
  struct dun_matrix matrix;
  struct dun_data data;
  struct inner inner;
  double only_grid, deep;
};

#define ROW(member_) .name = #member_, .offset = offsetof(struct options, member_)
static const struct dun_option inner_rows[] = {{.name = "type",
                                                .type = DUN_CHOICE,
                                                .offset = offsetof(struct inner, type),
                                                .initial = "slow",
                                                .words = "slow|fast"},
                                               {.name = "rate",
                                                .type = DUN_NUMBER,
                                                .offset = offsetof(struct inner, rate),
                                                .when = "type=fast"},
                                               {0}};
static const struct dun_option rows[] = {
    {ROW(count), .type = DUN_INTEGER, .minimum = 1, .maximum = 100, .unit = "particles",
     .doc = "How many."},
    {ROW(cap), .type = DUN_INTEGER, .initial = "auto", .words = "auto|none", .minimum = 0,
     .maximum = 9},
    {ROW(number), .type = DUN_NUMBER, .initial = "0.25"},
    {ROW(step), .type = DUN_NUMBER, .initial = "adapt", .words = "adapt", .minimum = 1e-3,
     .maximum = 1e300},
    {ROW(seconds), .type = DUN_DURATION, .initial = "90s"},
    {ROW(flag), .type = DUN_FLAG, .initial = "false"},
    {ROW(choice), .type = DUN_CHOICE, .initial = "given", .words = "given|grid|forty"},
    {ROW(text), .type = DUN_TEXT, .initial = "plain"},
    {ROW(optional), .type = DUN_TEXT, .initial = ""},
    {ROW(file), .type = DUN_FILE, .initial = ""},
    {ROW(list), .type = DUN_NUMBERS, .initial = "[1, 2]", .minimum = -5, .maximum = 5},
    {ROW(matrix), .type = DUN_MATRIX, .initial = ""},
    {ROW(data), .type = DUN_DATA, .initial = ""},
    {ROW(inner), .type = DUN_SECTION, .initial = "", .rows = inner_rows},
    {ROW(only_grid), .type = DUN_NUMBER, .initial = "3", .when = "choice=grid|forty"},
    {ROW(deep), .type = DUN_NUMBER, .initial = "4", .when = "choice=grid"},
    {0}};

static struct dun_input input;
static struct dun_binder binder;
static struct options options;

/* Binds the section `s` of a text as if it had come from file `name`; returns the complaints. */
static const char *bind_from(const char *name, const char *text)
{
  struct dun_complaints complaints = {0};
  memset(&options, 0, sizeof options);
  CHECK(dun_input_parse(&input, name, text, (int64_t)strlen(text), &complaints) == 0);
  CHECK(complaints.count == 0);
  dun_complaints_free(&complaints);
  dun_binder_init(&binder, &test_context, &input);
  dun_bind_rows(&binder, dun_node_find(&input.root, "s"), "s", 1, 0, rows, &options);
  return binder.complaints.text.text ? binder.complaints.text.text : "";
}

static const char *bind(const char *text)
{
  return bind_from("run.yaml", text);
}

static void done(void)
{
  dun_binder_free(&binder);
  dun_input_free(&input);
}

/* Rank 0's text is everybody's. */
static void check_same(const char *text)
{
  int64_t length = (int64_t)strlen(text);
  char *first = strdup(text);
  dun_broadcast(&test_context, &length, sizeof length, 0);
  CHECK(length == (int64_t)strlen(text));
  first = realloc(first, (size_t)length + 1);
  dun_broadcast(&test_context, first, length, 0);
  CHECK(!memcmp(first, text, strlen(text)));
  free(first);
}

static void test_values(void)
{
  const char *complaints =
      bind("s: {count: 1e2, cap: none, number: -1.5e-3, step: 0.5, seconds: 20min, flag: true,\n"
           "    choice: grid, text: 'two words', list: 3, matrix: [[1, 2], [3, 4]],\n"
           "    inner: {type: fast, rate: 7}, only_grid: 8}\n");
  CHECK(!*complaints);
  CHECK(options.count == 100 && options.cap == -2 && options.number == -1.5e-3);
  CHECK(options.step == .5 && options.seconds == 1200 && options.flag == 1);
  CHECK(options.choice == 1 && !strcmp(options.text, "two words") && !options.optional);
  CHECK(options.list.count == 1 && options.list.value[0] == 3);
  CHECK(options.matrix.rows == 2 && options.matrix.columns == 2 && options.matrix.value[2] == 3);
  CHECK(options.inner.type == 1 && options.inner.rate == 7);
  CHECK(options.only_grid == 8 && options.deep == 4 && !options.data.bytes && !options.file);
  if (getenv("SHOW"))
    puts(binder.effective.text);
  CHECK(!strcmp(binder.effective.text, "s.count: 100\ns.cap: none\ns.number: -0.0015\n"
                                       "s.step: 0.5\ns.seconds: 1200s\ns.flag: true\n"
                                       "s.choice: grid\ns.text: \"two words\"\ns.list: [3]\n"
                                       "s.matrix: [[1, 2], [3, 4]]\ns.inner.type: fast\n"
                                       "s.inner.rate: 7\ns.only_grid: 8\ns.deep: 4\n"));
  done();
}

static void test_defaults(void)
{
  const char *complaints = bind("s: {count: 5}\n");
  CHECK(!*complaints);
  CHECK(options.cap == -1 && options.number == .25 && options.step == -1 && options.seconds == 90 &&
        !options.flag && options.choice == 0);
  CHECK(!strcmp(options.text, "plain") && options.list.count == 2 && options.list.value[1] == 2);
  CHECK(options.only_grid == 3 && options.deep == 4); /* set, though they have no meaning here */
  CHECK(options.inner.type == 0 && options.inner.rate == 0 && options.matrix.rows == 0);
  CHECK(!strstr(binder.effective.text, "only_grid") && !strstr(binder.effective.text, "rate"));
  CHECK(strstr(binder.effective.text, "s.cap: auto\n"));
  done();
  complaints = bind("t: {}\n"); /* no section at all */
  CHECK(strstr(complaints, "run.yaml:1:1: s.count: found nothing, expected a whole number from 1 "
                           "to 100 (particles): How many."));
  CHECK(binder.complaints.count == 1 && options.number == .25);
  done();
}

static void test_complaints(void)
{
  static const struct {
    const char *text, *complaint;
    int count;
  } cases[] = {
      {"{count: 0}", "s.count: found '0', expected a whole number from 1 to 100 (particles)", 1},
      {"{count: 1.5}", "run.yaml:1:12: s.count: found '1.5', expected a whole number", 1},
      {"{count: 12abc}", "s.count: found '12abc', expected a whole number", 1},
      {"{count: 010}", "s.count: found '010', expected a whole number", 1},
      {"{count: '5'}", "s.count: found '5' in quotes, expected a whole number", 1},
      {"{count: }", "s.count: found nothing, expected a whole number", 1},
      {"{count: [5]}", "s.count: found a list of 1, expected a whole number", 1},
      {"{count: 5, cap: aut}",
       "s.cap: found 'aut', expected a whole number from 0 to 9 or auto or none (did you mean "
       "'auto'?)",
       1},
      {"{count: 5, number: 1e999}", "s.number: found '1e999', expected a number", 1},
      {"{count: 5, number: nan}", "s.number: found 'nan', expected a number", 1},
      {"{count: 5, step: 0}", "expected a number of at least 0.001 or adapt", 1},
      {"{count: 5, seconds: 3 weeks}", "s.seconds: found '3 weeks', expected a duration such as",
       1},
      {"{count: 5, flag: yes}", "s.flag: found 'yes', expected true or false", 1},
      {"{count: 5, flag: 'true'}", "s.flag: found 'true' in quotes", 1},
      {"{count: 5, choice: gird}",
       "s.choice: found 'gird', expected one of given, grid or forty (did you mean 'grid'?)", 1},
      {"{count: 5, text: {a: 1}}", "s.text: found a mapping, expected a text", 1},
      {"{count: 5, text: }", "s.text: found nothing, expected a text", 1},
      {"{count: 5, list: [1, x, 9]}",
       "run.yaml:1:25: s.list[1]: found 'x', expected a number from -5 to 5\n"
       "run.yaml:1:28: s.list[2]: found '9', expected a number from -5 to 5\n",
       2},
      {"{count: 5, list: []}", "s.list: found a list of 0, expected a number or a list", 1},
      {"{count: 5, list: {a: 1}}", "s.list: found a mapping, expected a number or a list", 1},
      {"{count: 5, list: 77}", "s.list: found '77', expected a number or a list of numbers from",
       1},
      {"{count: 5, matrix: [[1, 2], [3]]}",
       "s.matrix[1]: found a list of 1, expected 2 as in the first one", 1},
      {"{count: 5, matrix: [1, 2]}", "s.matrix: found a list of 2, expected a list of lists", 1},
      {"{count: 5, matrix: [[], []]}", "expected a list of lists", 1},
      {"{count: 5, matrix: [[1, a]]}", "s.matrix[0][1]: found 'a', expected a number", 1},
      {"{count: 5, matrix: 3}", "s.matrix: found '3', expected a list of lists", 1},
      {"{count: 5, inner: 3}", "s.inner: found '3', expected a mapping of options", 1},
      {"{count: 5, inner: {type: fast}}", "s.inner.rate: found nothing, expected a number", 1},
      {"{count: 5, inner: {rate: 5}}",
       "s.inner.rate: found a value, expected none: it has a meaning only with type: fast", 1},
      {"{count: 5, inner: {tipe: slow}}",
       "s.inner: found 'tipe', expected the name of an option "
       "(did you mean 'type'?)",
       1},
      {"{count: 5, only_grid: 5}",
       "s.only_grid: found a value, expected none: it has a meaning only with choice: grid/forty",
       1},
      {"{count: 5, choice: forty, deep: 5}", "it has a meaning only with choice: grid", 1},
      {"{count: 5, conut: 5}",
       "run.yaml:1:15: s: found 'conut', expected the name of an option "
       "(did you mean 'count'?)",
       1},
      {"{count: 5, zzzzzzzzz: 5}",
       "expected the name of an option: count, cap, number, step, seconds", 1},
      {"[1]", "run.yaml:1:4: s: found a list of 1, expected a mapping of options", 1},
      {"{numbr: 5, number: x, flag: 3}", "s.count: found nothing", 4},
  };
  int64_t memory = dun_memory_in_use();
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char text[256];
    snprintf(text, sizeof text, "s: %s\n", cases[i].text);
    const char *found = bind(text);
    int good = strstr(found, cases[i].complaint) && binder.complaints.count == cases[i].count;
    if (!good)
      fprintf(stderr, "%s\nexpected: %s\nfound:    %s\n", text, cases[i].complaint, found);
    CHECK(good);
    check_same(found);
    done();
  }
  CHECK(dun_memory_in_use() == memory);
}

/* ---- files ------------------------------------------------------------------------------- */

static char folder[64];

static void write_file(const char *name, const char *content)
{
  char path[128];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  FILE *file = fopen(path, "w");
  if (file) {
    fputs(content, file);
    fclose(file);
  }
}

/* Rank 0 makes a folder with files; its name is everybody's. */
static void make_folder(void)
{
  char path[128];
  if (test_context.rank == 0) {
    strcpy(folder, "/tmp/dunlin-bind-XXXXXX");
    CHECK(mkdtemp(folder) != NULL);
    snprintf(path, sizeof path, "%s/data", folder);
    mkdir(path, 0777);
    write_file("here.csv", "1,2\n");
    write_file("data/there.csv", "3,4,5\n");
    write_file("data/here.csv", "not this one\n");
    write_file("nothing.csv", "");
  }
  dun_broadcast(&test_context, folder, sizeof folder, 0);
}

static void remove_folder(void)
{
  char command[128];
  MPI_Barrier(test_context.comm);
  snprintf(command, sizeof command, "rm -r '%s'", folder);
  if (test_context.rank == 0)
    CHECK(system(command) == 0);
}

/* Binds as if the input lay in the folder, with folder/data as the data folder. */
static const char *bind_file(const char *text)
{
  char name[128], data[128];
  snprintf(name, sizeof name, "%s/run.yaml", folder);
  snprintf(data, sizeof data, "%s/data", folder);
  setenv("DUNLIN_DATA", data, 1);
  const char *complaints = bind_from(name, text);
  check_same(complaints);
  return complaints;
}

static void test_files(void)
{
  char expected[512];
  make_folder();
  CHECK(!*bind_file("s: {count: 1, data: here.csv, file: there.csv}\n"));
  CHECK(options.data.size == 4 && !strcmp(options.data.bytes, "1,2\n"));
  snprintf(expected, sizeof expected, "%s/here.csv", folder);
  CHECK(options.data.path && !strcmp(options.data.path, expected));
  snprintf(expected, sizeof expected, "%s/data/there.csv", folder);
  CHECK(options.file && !strcmp(options.file, expected));
  CHECK(strstr(binder.effective.text, "s.file: there.csv\n"));
  done();
  snprintf(expected, sizeof expected,
           "/run.yaml:1:21: s.data: There is no file 'gone.csv': looked for '%s/gone.csv' and "
           "'%s/data/gone.csv'.",
           folder, folder);
  CHECK(strstr(bind_file("s: {count: 1, data: gone.csv}\n"), expected) && !options.data.bytes);
  done();
  CHECK(strstr(bind_file("s: {count: 1, data: nothing.csv}\n"), "/nothing.csv' is empty."));
  done();
  CHECK(strstr(bind_file("s: {count: 1, data: data}\n"), "/data' is a folder, expected a file."));
  done();
  CHECK(strstr(bind_file("s: {count: 1, file: /dev/null}\n"), "'/dev/null' is a device"));
  done();
  CHECK(strstr(bind_file("s: {count: 1, file: /no/such/file}\n"),
               "There is no file '/no/such/file': looked for '/no/such/file'."));
  done();
  CHECK(!*bind_file("s: {count: 1, file: \"\"}\n") && !options.file);
  done();
  unsetenv("DUNLIN_DATA");
  remove_folder();
}

static uint64_t identity_of(const char *text)
{
  bind_file(text);
  CHECK(binder.complaints.count == 0);
  uint64_t identity = dun_binder_identity(&binder), first = identity;
  dun_broadcast(&test_context, &first, sizeof first, 0);
  CHECK(identity == first);
  done();
  return identity;
}

static void test_identity(void)
{
  make_folder();
  uint64_t base = identity_of("s: {count: 5, number: 0.25, data: here.csv}\n");
  CHECK(identity_of("# same\ns: {data: here.csv,\n    count: 5}\n") == base);
  CHECK(identity_of("s: {count: 6, data: here.csv}\n") != base);
  CHECK(identity_of("s: {count: 5}\n") != base);
  MPI_Barrier(test_context.comm);
  if (test_context.rank == 0)
    write_file("here.csv", "1,3\n");
  CHECK(identity_of("s: {count: 5, data: here.csv}\n") != base);

  static const struct dun_option run_rows[] = {
      {ROW(count), .type = DUN_INTEGER},
      {.name = "time_limit", .type = DUN_DURATION, .offset = offsetof(struct options, seconds)},
      {.name = "evaluations", .type = DUN_NUMBER, .offset = offsetof(struct options, number)},
      {0}};
  uint64_t identity[5];
  static const char *const texts[] = {"run: {count: 1, time_limit: 1h, evaluations: 5}\n",
                                      "run: {count: 1, time_limit: 2h, evaluations: 5}\n",
                                      "run: {count: 2, time_limit: 1h, evaluations: 5}\n",
                                      "run: {count: 1, time_limit: 1h, evaluations: 6}\n",
                                      "run: {count: 1, time_limit: 1h, evaluations: 0}\n"};
  for (int i = 0; i < 5; i++) {
    bind(texts[i]);
    dun_complaints_free(&binder.complaints);
    dun_text_free(&binder.effective);
    dun_bind_rows(&binder, dun_node_find(&input.root, "run"), "run", 1, 0, run_rows, &options);
    dun_bind_rows(&binder, NULL, "output", 1, 0, inner_rows, &options.inner);
    CHECK(binder.complaints.count == 0 && strstr(binder.effective.text, "output.type: slow\n"));
    identity[i] = dun_binder_identity(&binder);
    done();
  }
  CHECK(identity[0] == identity[1] && identity[0] != identity[2]);
  CHECK(identity[0] != identity[3] && identity[0] != identity[4]);
  remove_folder();
}

/* ---- types ------------------------------------------------------------------------------- */

static const struct dun_type *bind_type(const char *text, void **self)
{
  bind_file(text);
  dun_complaints_free(&binder.complaints);
  dun_text_free(&binder.effective);
  const struct dun_type *type =
      dun_bind_type(&binder, dun_node_find(&input.root, "target"), "target", DUN_KIND_TARGET, self);
  check_same(binder.complaints.text.text ? binder.complaints.text.text : "");
  return type;
}

static int complains(const char *expected)
{
  const char *found = binder.complaints.text.text ? binder.complaints.text.text : "";
  if (strstr(found, expected))
    return 1;
  fprintf(stderr, "expected: %s\nfound:    %s\n", expected, found);
  return 0;
}

static void test_types(void)
{
  void *self;
  make_folder();
  const struct dun_type *type = bind_type("target: {type: gaussian, dimension: 3}\n", &self);
  CHECK(type && !strcmp(type->name, "gaussian") && self && binder.complaints.count == 0);
  CHECK(strstr(binder.effective.text, "target.type: gaussian\ntarget.dimension: 3\n"));
  dun_object_free(type, &self);
  dun_object_free(type, &self);
  CHECK(!self);
  done();
  static const struct {
    const char *text, *complaint;
  } cases[] = {
      {"target: {type: gausian, dimension: 3}\n",
       "/run.yaml:1:16: target.type: found 'gausian', expected the name of a target (did you mean "
       "'gaussian'?)"},
      {"target: {type: qqqqqqqqqqqqq}\n", "target.type: found 'qqqqqqqqqqqqq', expected one of: "},
      {"target: {dimension: 3}\n", "target.type: found nothing, expected one of: "},
      {"target: {type: [gaussian]}\n", "target.type: found a list of 1, expected one of: "},
      {"target: gaussian\n", "target: found 'gaussian', expected a mapping {type: NAME, ...}"},
      {"run: {}\n", "target: found nothing, expected a mapping {type: NAME, ...}"},
      {"target: {type: gaussian, dimension: 3, dimensoin: 4}\n",
       "target: found 'dimensoin', expected the name of an option (did you mean 'dimension'?)"},
      {"target: {type: gaussian, dimension: 0}\n", "target.dimension: found '0', expected"},
      {"target: {type: library}\n", "target.file: found nothing, expected the name of a file"},
      {"target: {type: library, file: gone.so}\n", "There is no file 'gone.so': looked for"},
      {"target: {type: library, file: here.csv}\n", "target.file: "},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    CHECK(!bind_type(cases[i].text, &self) && !self && binder.complaints.count == 1);
    CHECK(complains(cases[i].complaint));
    done();
  }
  remove_folder();
}

static const char library_source[] =
    "#include <dunlin/target.h>\n"
    "struct own { double scale; };\n"
    "static double point(const void *self, const double *x, double *gradient)\n"
    "{ const struct own *own = self; (void)gradient; return -x[0] * x[0] * own->scale; }\n"
    "static const struct dun_option options[] = {\n"
    "  {.name = \"scale\", .type = DUN_NUMBER, .offset = offsetof(struct own, scale) + EXTRA,\n"
    "   .initial = \"2\", .doc = \"Scale.\"}, {0}};\n"
    "const struct dun_target dun_target_mine = {\n"
    "  .type = {DUN_TYPE(struct dun_target), .name = \"mine\", .doc = \"Mine.\",\n"
    "           .size = sizeof(struct own), .options = options},\n"
    "  .dimension = 1, .point = point};\n";

static int compile(const char *flags)
{
  char command[512];
  int status = 0;
  if (test_context.rank == 0) {
    const char *source = getenv("DUNLIN_SOURCE");
    write_file("mine.c", library_source);
    snprintf(command, sizeof command,
             "cc -shared -fPIC %s -I '%s/include' -o '%s/mine.so' '%s/mine.c'", flags,
             source ? source : ".", folder, folder);
    status = system(command);
  }
  dun_broadcast(&test_context, &status, sizeof status, 0);
  return status;
}

static void test_library(void)
{
  void *self;
  int64_t memory = dun_memory_in_use();
  make_folder();
  CHECK(compile("-DEXTRA=0") == 0);
  const struct dun_type *type =
      bind_type("target: {type: library, file: mine.so, scale: 5}\n", &self);
  CHECK(complains("") && type && !strcmp(type->name, "mine") && self && *(double *)self == 5);
  CHECK(strstr(binder.effective.text,
               "target.type: library\ntarget.file: mine.so\ntarget.scale: 5\n"));
  uint64_t identity = dun_binder_identity(&binder);
  dun_object_free(type, &self);
  done();
  CHECK(!bind_type("target: {type: library, file: mine.so, sclae: 5}\n", &self));
  CHECK(complains("found 'sclae', expected the name of an option (did you mean 'scale'?)"));
  CHECK(identity != dun_binder_identity(&binder));
  done();
  remove_folder();
  make_folder(); /* another path: the loader would give the library that is loaded */
  CHECK(compile("-DEXTRA=1000000") == 0);
  CHECK(!bind_type("target: {type: library, file: mine.so, scale: 5}\n", &self));
  CHECK(complains("option 'scale': it lies outside"));
  done();
  remove_folder();
  CHECK(dun_memory_in_use() == memory);
}

static void test_unknown(void)
{
  bind("s: {count: 1}\ntaget: {}\nrun: {}\n");
  dun_bind_unknown(&binder, &input.root, "", "run|target|s");
  CHECK(complains("run.yaml:2:1: found 'taget', expected the name of a section (did you mean "
                  "'target'?)"));
  CHECK(binder.complaints.count == 1);
  done();
}

TEST_MAIN({"values", test_values}, {"defaults", test_defaults}, {"complaints", test_complaints},
          {"files", test_files}, {"identity", test_identity}, {"types", test_types},
          {"library", test_library}, {"unknown", test_unknown})
