/* Users' shared libraries: sound ones are loaded, all others are refused with words, none
 * crashes. */
#include "base/error.h"
#include "check.h"
#include "targets/library.h"
#include <sys/stat.h>
#include <unistd.h>

static char folder[64];

static const char *built(const char *name)
{
  static char path[4096];
  const char *build = getenv("DUNLIN_BUILD");
  snprintf(path, sizeof path, "%s/tests/user_target/%s.so", build ? build : "build/release", name);
  return path;
}

static void refuse(const char *file, const char *words)
{
  const struct dun_target *target = dun_library_load(file);
  if (target || !strstr(dun_error_text(), words) || !strstr(dun_error_text(), file)) {
    fprintf(stderr, "%s: %s; expected '%s'\n", file, target ? "was accepted" : dun_error_text(),
            words);
    test_bad++;
  }
}

static void test_sound(void)
{
  const struct dun_target *target = dun_library_load(built("funnel_point"));
  const double x[2] = {0, 0};
  CHECK(target != NULL);
  if (target) {
    long long dimension = 2; /* the whole of its own struct */
    double gradient[2];
    CHECK(!strcmp(target->type.name, "funnel_point"));
    CHECK(target->type.size == sizeof dimension);
    CHECK(target->dimension_of(&dimension) == 2);
    CHECK_NEAR(target->point(&dimension, x, gradient), -log(3) - log(2 * acos(-1)), 1e-14);
    CHECK_NEAR(gradient[0], -0.5, 0);
  }
  target = dun_library_load(built("smallest"));
  CHECK(target && target->dimension == 2);
}

static void test_wrong(void)
{
  refuse(built("other_abi"), "compile it again");
  refuse(built("other_size"), "DUN_TYPE");
  refuse(built("other_symbol"), "does not define dun_target_other_symbol");
  refuse(built("no_density"), "exactly one of");
  refuse(built("no_dimension"), "dimension");
  refuse(built("no_table"), "not a `const struct dun_target`");
  refuse(built("a_function"), "not a `const struct dun_target`");
  refuse(built("wild_option"), "option 'wild'");
  refuse(built("missing_function"), "dun_nobody_defines_this");
}

/* Writes the first `size` bytes of a file into the test's folder, under another name. */
static const char *copy_of(const char *file, const char *name, long size)
{
  static char path[256];
  FILE *from = fopen(file, "rb"), *to;
  snprintf(path, sizeof path, "%s/%s", folder, name);
  to = fopen(path, "wb");
  CHECK(from && to);
  for (int c; from && to && size-- > 0 && (c = fgetc(from)) != EOF;)
    fputc(c, to);
  if (from)
    fclose(from);
  if (to)
    fclose(to);
  return path;
}

static long size_of(const char *file)
{
  struct stat about;
  return stat(file, &about) == 0 ? (long)about.st_size : 0;
}

static void test_damaged(void)
{
  char whole[4096];
  long size;
  snprintf(whole, sizeof whole, "%s", built("smallest"));
  size = size_of(whole);
  CHECK(size > 4096);
  refuse(copy_of(whole, "smallest.so", 0), "not a shared library");
  refuse(copy_of(whole, "smallest.so", 40), "not a shared library");
  refuse(copy_of(whole, "smallest.so", 100), "damaged or cut short");
  refuse(copy_of(whole, "smallest.so", 4096), "damaged or cut short");
  refuse(copy_of(whole, "smallest.so", size / 2), "damaged or cut short");
  refuse(folder, "");
  refuse("/nowhere/mine.so", "No such file");
  refuse(copy_of(whole, "my-target.so", size), "letters, digits and _");
  refuse(copy_of(whole, ".so", size), "letters, digits and _");
}

static void test_names(void)
{
  char before[4096];
  long size = size_of(built("smallest"));
  CHECK(dun_library_load(copy_of(built("smallest"), "libsmallest.so.1", size)) != NULL);
  copy_of(built("smallest"), "smallest.so", size);
  CHECK(getcwd(before, sizeof before) && chdir(folder) == 0);
  CHECK(dun_library_load("smallest.so") != NULL); /* not looked for in the system's folders */
  CHECK(chdir(before) == 0);
}

static void test_control_register(void)
{
  unsigned before = __builtin_ia32_stmxcsr();
  volatile double small = 1e-310;
  CHECK(dun_library_load(built("flushing")) != NULL);
  CHECK(__builtin_ia32_stmxcsr() == before);
  CHECK(small / 2 > 0);
  __builtin_ia32_ldmxcsr(before);
}

static double one_point(const void *self, const double *x, double *gradient)
{
  (void)self;
  (void)x;
  (void)gradient;
  return 0;
}

static void refuse_table(struct dun_target target, const char *words)
{
  CHECK(dun_target_check(&target, "here") < 0);
  if (!strstr(dun_error_text(), words)) {
    fprintf(stderr, "%s; expected '%s'\n", dun_error_text(), words);
    test_bad++;
  }
}

static void set_up_prior(const void *self, const double *uniform, const double *normal, double *x)
{
  (void)self;
  (void)uniform;
  (void)normal;
  (void)x;
}

static void test_tables(void)
{
  static const struct dun_option endless[] = {
      {.name = "inner", .type = DUN_SECTION, .doc = "Itself.", .rows = endless}, {0}};
  const struct dun_target good = {
      .type = {DUN_TYPE(struct dun_target), .name = "good", .doc = "Good."},
      .dimension = 1,
      .point = one_point};
  struct dun_target t = good;
  CHECK(dun_target_check(&good, "here") == 0);
  t.type.name = NULL;
  refuse_table(t, "name");
  t = good, t.type.name = "two words";
  refuse_table(t, "name");
  t = good, t.type.doc = NULL;
  refuse_table(t, "doc");
  t = good, t.dimension = -1;
  refuse_table(t, "negative");
  t = good, t.draw_normals = -2;
  refuse_table(t, "draw_normals");
  t = good, t.draw_prior = set_up_prior;
  refuse_table(t, "prior");
  t = good, t.constrain = (void (*)(const void *, const double *, double *))1;
  refuse_table(t, "constrain");
  t = good, t.type.options = endless, t.type.size = 8;
  refuse_table(t, "does not end");
}

/* One folder for this process; leftovers are removed at the end. */
static void test_folder(void)
{
  static int made;
  char path[256];
  const char *const names[] = {"smallest.so", "my-target.so", ".so", "libsmallest.so.1"};
  if (!made) {
    strcpy(folder, "/tmp/dunlin_library_XXXXXX");
    CHECK(mkdtemp(folder) != NULL);
    made = 1;
    return;
  }
  for (int i = 0; i < 4; i++) {
    snprintf(path, sizeof path, "%s/%s", folder, names[i]);
    unlink(path);
  }
  CHECK(rmdir(folder) == 0);
}

TEST_MAIN({"folder", test_folder}, {"sound", test_sound}, {"wrong", test_wrong},
          {"damaged", test_damaged}, {"names", test_names},
          {"control_register", test_control_register}, {"tables", test_tables},
          {"folder_again", test_folder})
