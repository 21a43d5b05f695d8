/* Errors, memory, text, tables, log, clock and types. */
#include "base/error.h"
#include "base/memory.h"
#include "base/table.h"
#include "base/text.h"
#include "base/type.h"
#include "check.h"
#include <limits.h>

/* ---- errors ------------------------------------------------------------------------------ */

static void errors(void)
{
  for (int code = -10; code < 0; code++) {
    const char *meaning = dun_error_meaning(code);
    CHECK((meaning != NULL) == (code >= DUN_ERROR_INPUT));
    CHECK(!meaning || (strlen(meaning) > 10 && meaning[strlen(meaning) - 1] == '.'));
    CHECK(dun_exit_code(code) == (code == DUN_ERROR_INPUT ? 2 : 1));
  }
  CHECK(dun_error_meaning(0) == NULL);
  CHECK(dun_exit_code(0) == 0 && dun_exit_code(3) == 0);
  CHECK(dun_fail(DUN_ERROR_FILE, "%s: line %d", "a.csv", 7) == DUN_ERROR_FILE);
  CHECK(strcmp(dun_error_text(), "a.csv: line 7") == 0);
  dun_fail(DUN_ERROR_INPUT, "input: %s", dun_error_text());
  CHECK(strcmp(dun_error_text(), "input: a.csv: line 7") == 0);
  char longest[5000];
  memset(longest, 'x', sizeof longest - 1);
  longest[sizeof longest - 1] = 0;
  dun_fail(DUN_ERROR_INPUT, "%s", longest);
  CHECK(strlen(dun_error_text()) > 1000 && strlen(dun_error_text()) < sizeof longest);
}

/* ---- memory ------------------------------------------------------------------------------ */

static int all_zero(const char *block, int64_t bytes)
{
  for (int64_t i = 0; i < bytes; i++)
    if (block[i])
      return 0;
  return 1;
}

/* Several blocks at a time, so that the next ones get used memory back. */
static void use_blocks(int64_t size)
{
  enum { BLOCKS = 20 };
  char *block[BLOCKS];
  int64_t before = dun_memory_in_use();
  for (int i = 0; i < BLOCKS; i++) {
    block[i] = dun_allocate(size, 1);
    CHECK(block[i] && (uintptr_t)block[i] % DUN_ALIGNMENT == 0);
    CHECK(all_zero(block[i], size));
    CHECK(dun_block_bytes(block[i]) == size);
    CHECK(dun_memory_in_use() == before + (i + 1) * size);
    CHECK(dun_memory_peak() >= before + (i + 1) * size);
    memset(block[i], 0xff, (size_t)size);
  }
  for (int i = 0; i < BLOCKS; i++) {
    DUN_FREE(block[i]);
    CHECK(block[i] == NULL);
    DUN_FREE(block[i]);
  }
  CHECK(dun_memory_in_use() == before);
}

static void memory(void)
{
  static const int64_t sizes[] = {0, 1, 63, 64, 65, 4096, 2097151, 2097152, 5000001};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
    for (int again = 0; again < 2; again++)
      use_blocks(sizes[i]);
  CHECK(dun_block_bytes(NULL) == 0);
}

static void memory_refused(void)
{
  int64_t before = dun_memory_in_use();
  CHECK(dun_allocate(-1, 8) == NULL);
  CHECK(dun_allocate(INT64_MAX, 1) == NULL);
  CHECK(dun_allocate(INT64_MAX / 4, 8) == NULL);
  CHECK(dun_allocate(1, SIZE_MAX) == NULL);
  dun_fail(DUN_ERROR_FILE, "another");
  CHECK(dun_allocate(INT64_MAX / 16, 8) == NULL);
  CHECK(strstr(dun_error_text(), "memory") != NULL);
  CHECK(dun_memory_in_use() == before);
}

static void copied_text(void)
{
  char *copy = dun_copy_text("dunlin");
  CHECK(copy && strcmp(copy, "dunlin") == 0);
  dun_free(copy);
  CHECK(dun_copy_text(NULL) == NULL);
}

/* ---- numbers in text --------------------------------------------------------------------- */

static void integers(void)
{
  static const struct {
    const char *text;
    long long value;
  } good[] = {{"65536", 65536},
              {"65_536", 65536},
              {"6e4", 60000},
              {"6E+4", 60000},
              {"1.5e3", 1500},
              {"-3", -3},
              {"+3", 3},
              {"0", 0},
              {"-0", 0},
              {"0.0", 0},
              {"7.0", 7},
              {"0.5e1", 5},
              {"100e-2", 1},
              {"0e999999999999999999999999", 0},
              {"1_000_000", 1000000},
              {"9223372036854775807", LLONG_MAX},
              {"9223372036854775.807e3", LLONG_MAX},
              {"922337203685477580700e-2", LLONG_MAX},
              {"-9223372036854775808", LLONG_MIN},
              {"1000000000000000000000000e-20", 10000}};
  static const char *const bad[] = {"",
                                    " ",
                                    "5.7",
                                    "12abc",
                                    "1__0",
                                    "010",
                                    "-010",
                                    "00",
                                    "_1",
                                    "1_",
                                    "1_e3",
                                    "1e_3",
                                    "1e3_",
                                    "1._5e3",
                                    "1_.5e3",
                                    "1e",
                                    "e3",
                                    ".",
                                    ".e3",
                                    "-",
                                    "+",
                                    "--3",
                                    "+-3",
                                    " 3",
                                    "3 ",
                                    "0x10",
                                    "inf",
                                    "nan",
                                    "1e-1",
                                    "1.5",
                                    "1e3.0",
                                    "1,000",
                                    "true",
                                    "1e400",
                                    "15e-1",
                                    "1e19",
                                    "1.0e3e",
                                    "9.3e18",
                                    "3\n",
                                    "1e99999999999999999999",
                                    "1e-99999999999999999999",
                                    "9223372036854775808",
                                    "-9223372036854775809",
                                    "92233720368547758070",
                                    "1.00000000000000000000000000001e3"};
  for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
    long long value = -77;
    int status = dun_text_integer(good[i].text, &value);
    if (status != 0 || value != good[i].value)
      fprintf(stderr, "\"%s\": %d, %lld\n", good[i].text, status, value);
    CHECK(status == 0 && value == good[i].value);
  }
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    long long value = -77;
    int status = dun_text_integer(bad[i], &value);
    if (status != -1)
      fprintf(stderr, "\"%s\": %d, %lld\n", bad[i], status, value);
    CHECK(status == -1 && value == -77);
  }
  CHECK(dun_text_integer(NULL, &(long long){0}) == -1);
}

static void real_numbers(void)
{
  static const struct {
    const char *text;
    double value;
  } good[] = {{"1", 1},
              {"-2.5e-3", -2.5e-3},
              {"1_000.25", 1000.25},
              {".5", .5},
              {"5.", 5},
              {"1e308", 1e308},
              {"0.1", .1},
              {"007", 7},
              {"4.9e-324", 4.9e-324},
              {"1e-400", 0},
              {"-0", -0.0},
              {"1E5", 1e5}};
  static const char *const bad[] = {"",    ".",     "e5",    "1e",  "1e400", "-1e400", "inf",
                                    "nan", "0x1p3", "1_",    "_1",  "1__0",  "1 ",     " 1",
                                    "1,5", "1.5.2", "1e5.5", "1d5", "1f",    "--1",    "infinity"};
  for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
    double value = -77;
    CHECK(dun_text_number(good[i].text, &value) == 0 && value == good[i].value);
  }
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    double value = -77;
    int status = dun_text_number(bad[i], &value);
    if (status != -1)
      fprintf(stderr, "\"%s\": %d, %g\n", bad[i], status, value);
    CHECK(status == -1 && value == -77);
  }
  CHECK(dun_text_number(NULL, &(double){0}) == -1);
}

/* Long texts are refused or read, never cut. */
static void long_numbers(void)
{
  char text[4000];
  double value = 0;
  long long whole = 0;
  memset(text, '0', sizeof text);
  text[0] = '1';
  memcpy(text + 800, "e-799", 6);
  CHECK(dun_text_number(text, &value) == 0 && value == 1);
  CHECK(dun_text_integer(text, &whole) == 0 && whole == 1);
  memset(text, '9', sizeof text);
  text[sizeof text - 1] = 0;
  CHECK(dun_text_number(text, &value) == -1);
  CHECK(dun_text_integer(text, &whole) == -1);
}

static void flags_and_durations(void)
{
  static const struct {
    const char *text;
    double seconds;
  } good[] = {{"90", 90},    {"90s", 90},    {"20min", 1200}, {"3h", 10800},
              {"1d", 86400}, {"1.5h", 5400}, {"0", 0},        {"1e3s", 1000}};
  static const char *const bad[] = {"",        "s",      "-1", "-1h", "1m",  "1 h", "1hour",
                                    "1h30min", "1e308d", "h1", "inf", "nan", "1H"};
  int flag = -1;
  double seconds;
  CHECK(dun_text_flag("true", &flag) == 0 && flag == 1);
  CHECK(dun_text_flag("false", &flag) == 0 && flag == 0);
  CHECK(dun_text_flag("True", &flag) == -1 && dun_text_flag("yes", &flag) == -1);
  CHECK(dun_text_flag("1", &flag) == -1 && dun_text_flag("", &flag) == -1);
  CHECK(dun_text_flag(NULL, &flag) == -1 && dun_text_duration(NULL, &seconds) == -1);
  for (size_t i = 0; i < sizeof good / sizeof *good; i++)
    CHECK(dun_text_duration(good[i].text, &seconds) == 0 && seconds == good[i].seconds);
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    CHECK(dun_text_duration(bad[i], &seconds) == -1);
}

/* ---- words ------------------------------------------------------------------------------- */

static void words(void)
{
  char word[8];
  CHECK(dun_words_find("first|second|third", "first") == 0);
  CHECK(dun_words_find("first|second|third", "third") == 2);
  CHECK(dun_words_find("first|second|third", "thir") == -1);
  CHECK(dun_words_find("first|second|third", "third2") == -1);
  CHECK(dun_words_find("first|second", "first|second") == -1);
  CHECK(dun_words_find("first", "") == -1);
  CHECK(dun_words_find("", "first") == -1 && dun_words_find(NULL, "first") == -1);
  CHECK(dun_words_get("first|second", 1, word, sizeof word) == 0 && strcmp(word, "second") == 0);
  CHECK(dun_words_get("first|second", 2, word, sizeof word) == -1);
  CHECK(dun_words_get("first|second", -1, word, sizeof word) == -1);
  CHECK(dun_words_get("first|seventh1", 1, word, sizeof word) == -1); /* does not fit */
  CHECK(dun_words_get("", 0, word, sizeof word) == -1);
  CHECK(dun_words_get(NULL, 0, word, sizeof word) == -1);
}

static void distances(void)
{
  char a[101], b[101];
  CHECK(dun_text_distance("gaussian", "gaussian") == 0);
  CHECK(dun_text_distance("gausian", "gaussian") == 1);
  CHECK(dun_text_distance("guassian", "gaussian") == 1);
  CHECK(dun_text_distance("", "abc") == 3 && dun_text_distance("abc", "") == 3);
  CHECK(dun_text_distance("kitten", "sitting") == 3);
  CHECK(dun_text_distance("", "") == 0);
  memset(a, 'a', sizeof a);
  memset(b, 'a', sizeof b);
  a[100] = b[100] = 0;
  CHECK(dun_text_distance(a, b) == 0);
  b[99] = 'b';
  CHECK(dun_text_distance(a, b) == 100);
  a[63] = b[62] = 0;
  CHECK(dun_text_distance(a, b) == 1);
}

/* ---- growing text ------------------------------------------------------------------------ */

static void growing_text(void)
{
  struct dun_text text = {0};
  int64_t before = dun_memory_in_use();
  for (int i = 0; i < 1000; i++)
    dun_text_add(&text, "%d,", i % 10);
  CHECK(!text.failed && text.length == 2000 && strlen(text.text) == 2000);
  CHECK(strncmp(text.text, "0,1,2,3,", 8) == 0);
  dun_text_free(&text);
  CHECK(text.text == NULL && text.length == 0);
  dun_text_free(&text);
  CHECK(dun_memory_in_use() == before);
}

static void check_json(const char *raw, const char *escaped)
{
  struct dun_text text = {0};
  dun_text_add(&text, "%s", "");
  dun_text_add_json(&text, raw);
  if (strcmp(text.text, escaped))
    fprintf(stderr, "%s, not %s\n", text.text, escaped);
  CHECK(strcmp(text.text, escaped) == 0);
  dun_text_free(&text);
}

static void json(void)
{
  check_json("", "");
  check_json("a\"b\\c\n\t\x01\x7f", "a\\\"b\\\\c\\n\\u0009\\u0001\\u007f");
  check_json("µ ≤ 𝒩 %s", "µ ≤ 𝒩 %s");
  check_json("\xff"
             "a",
             "\\ufffd"
             "a");               /* no UTF-8 */
  check_json("\xc3", "\\ufffd"); /* cut off */
  check_json("\xe2\x89", "\\ufffd\\ufffd");
  check_json("\xc0\x80", "\\ufffd\\ufffd");            /* overlong */
  check_json("\xed\xa0\x80", "\\ufffd\\ufffd\\ufffd"); /* a surrogate */
  check_json("\xf4\x90\x80\x80", "\\ufffd\\ufffd\\ufffd\\ufffd");
}

static void json_numbers(void)
{
  static const struct {
    double value;
    const char *text;
  } known[] = {
      {0, "0"},          {1, "1"},      {-2.5, "-2.5"},     {.1, "0.1"},
      {1e300, "1e+300"}, {NAN, "null"}, {INFINITY, "null"}, {1. / 3, "0.3333333333333333"}};
  uint64_t state = 5;
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
    struct dun_text text = {0};
    dun_text_add_number(&text, known[i].value);
    CHECK(strcmp(text.text, known[i].text) == 0);
    dun_text_free(&text);
  }
  for (int i = 0; i < 2000; i++) {
    struct dun_text text = {0};
    double value, back;
    state = state * 6364136223846793005u + 1442695040888963407u;
    memcpy(&value, &state, sizeof value);
    if (!isfinite(value))
      continue;
    dun_text_add_number(&text, value);
    CHECK(dun_text_number(text.text, &back) == 0 && memcmp(&value, &back, sizeof back) == 0);
    dun_text_free(&text);
  }
}

/* ---- tables ------------------------------------------------------------------------------ */

static void tables(void)
{
  enum { ROWS = 1000 };
  struct dun_table table;
  int64_t before = dun_memory_in_use();
  CHECK(dun_table_init(&table, 3) == 0 && dun_table_rows(&table) == 0);
  for (int i = 0; i < ROWS; i++)
    CHECK(dun_table_add(&table, (const double[]){i, 2 * i, 3 * i}) == 0);
  CHECK(dun_table_rows(&table) == ROWS && table.cells.count == 3 * ROWS);
  for (int i = 0; i < ROWS; i++)
    for (int j = 0; j < 3; j++)
      CHECK(table.cells.value[3 * i + j] == (j + 1) * i);
  dun_table_free(&table);
  dun_table_free(&table);
  CHECK(dun_memory_in_use() == before);
}

/* A restart puts a block of just the right length in the place of the table's own. */
static void tables_after_restart(void)
{
  struct dun_table table;
  CHECK(dun_table_init(&table, 2) == 0);
  for (int i = 0; i < 5; i++)
    dun_table_add(&table, (const double[]){i, i});
  dun_free(table.cells.value);
  table.cells = (struct dun_numbers){.count = 4, .value = dun_allocate(4, sizeof(double))};
  for (int i = 0; i < 100; i++)
    CHECK(dun_table_add(&table, (const double[]){i, -i}) == 0);
  CHECK(dun_table_rows(&table) == 102);
  CHECK(table.cells.value[4] == 0 && table.cells.value[203] == -99);
  dun_table_free(&table);
}

/* ---- log and clock ----------------------------------------------------------------------- */

static void say(struct dun_log *log)
{
  dun_note(log, "note %d", 1);
  dun_warn(log, "warning %d", 2);
  dun_progress(log, "progress %d", 3);
  dun_progress(log, "progress %d", 4);
  dun_note(log, "end");
}

static void check_log(enum dun_level level, int rank, int terminal, const char *expected)
{
  struct dun_log log;
  char text[256];
  dun_log_init(&log, rank, level);
  log.stream = tmpfile();
  log.terminal = terminal;
  CHECK(log.stream != NULL);
  if (!log.stream)
    return;
  say(&log);
  rewind(log.stream);
  text[fread(text, 1, sizeof text - 1, log.stream)] = 0;
  fclose(log.stream);
  CHECK(strcmp(text, expected) == 0);
}

static void logs(void)
{
  check_log(DUN_NOTES, 0, 0, "note 1\nwarning: warning 2\nprogress 3\nprogress 4\nend\n");
  check_log(DUN_NOTES, 0, 1,
            "note 1\nwarning: warning 2\n\rprogress 3\033[K\rprogress 4\033[K\nend\n");
  check_log(DUN_NOTES, 3, 0, "warning (rank 3): warning 2\n");
  check_log(DUN_WARNINGS, 0, 0, "warning: warning 2\n");
  check_log(DUN_QUIET, 0, 0, "");
}

static void clocks(void)
{
  struct dun_timers timers;
  char text[32];
  double before = dun_clock();
  dun_timers_start(&timers, DUN_PHASE_SETUP);
  CHECK(dun_timers_switch(&timers, DUN_PHASE_MOVE) == DUN_PHASE_SETUP);
  CHECK(dun_timers_switch(&timers, DUN_PHASE_LOOK) == DUN_PHASE_MOVE);
  double sum = 0, after = dun_clock();
  for (int phase = 0; phase < DUN_PHASES; phase++) {
    CHECK(timers.seconds[phase] >= 0 && strlen(dun_phase_name(phase)) > 3);
    sum += timers.seconds[phase];
  }
  CHECK(sum <= after - before && timers.seconds[DUN_PHASE_LOOK] == 0);
  dun_clock_text(text, sizeof text);
  CHECK(strlen(text) == 20 && text[10] == 'T' && text[19] == 'Z');
  dun_clock_text(text, 3);
  CHECK(text[0] == 0);
}

/* ---- types ------------------------------------------------------------------------------- */

static void types(void)
{
  for (int kind = 0; kind < DUN_KINDS; kind++) {
    const struct dun_type *const *types_of = dun_registry(kind);
    CHECK(strlen(dun_kind_name(kind)) > 3);
    CHECK(dun_type_find(kind, "no such type") == NULL && dun_type_find(kind, "") == NULL);
    CHECK(dun_type_nearest(kind, "zzzzzzzzzzzzzzzzzzzz") == NULL);
    for (int i = 0; types_of[i]; i++) {
      const char *name = types_of[i]->name;
      char longer[80];
      snprintf(longer, sizeof longer, "%sx", name);
      CHECK(i == 0 || strcmp(types_of[i - 1]->name, name) < 0);
      CHECK(dun_type_find(kind, name) == types_of[i]);
      CHECK(dun_type_nearest(kind, name) == name);
      CHECK(dun_type_nearest(kind, longer) != NULL);
    }
  }
}

TEST_MAIN({"errors", errors}, {"memory", memory}, {"memory refused", memory_refused},
          {"copied text", copied_text}, {"integers", integers}, {"real numbers", real_numbers},
          {"long numbers", long_numbers}, {"flags and durations", flags_and_durations},
          {"words", words}, {"distances", distances}, {"growing text", growing_text},
          {"JSON", json}, {"JSON numbers", json_numbers}, {"tables", tables},
          {"tables after a restart", tables_after_restart}, {"logs", logs}, {"clocks", clocks},
          {"types", types})
