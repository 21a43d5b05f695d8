/* Numbers from comma-separated text: what is read, and what is refused with which words. */
#include "base/error.h"
#include "base/memory.h"
#include "check.h"
#include "data/csv.h"

static struct dun_data data_of(char *path, const char *text, long long size)
{
  struct dun_data data = {.path = path, .size = size};
  data.bytes = dun_allocate(size + 1, 1);
  memcpy(data.bytes, text, (size_t)size);
  return data;
}

static char file_name[] = "t.csv";

/* Parses; checks the shape and all values; the names are "a|b|..." or "" for none. */
static void accept(const char *text, long long rows, int columns, const char *names,
                   const double *value)
{
  struct dun_csv csv;
  struct dun_data data = data_of(file_name, text, (long long)strlen(text));
  int status = dun_csv_parse(&csv, &data);
  char all[256] = "";
  if (status < 0 || csv.rows != rows || csv.columns != columns) {
    fprintf(stderr, "'%s': %s\n", text, status < 0 ? dun_error_text() : "wrong shape");
    CHECK(status == 0 && csv.rows == rows && csv.columns == columns);
    goto out;
  }
  for (long long i = 0; i < rows * columns; i++)
    CHECK(csv.value[i] == value[i]);
  for (int j = 0; j < columns; j++) {
    strcat(all, csv.name[j]);
    strcat(all, j < columns - 1 ? "|" : "");
  }
  CHECK(!strcmp(all, names));
out:
  dun_csv_free(&csv);
  dun_csv_free(&csv);
  DUN_FREE(data.bytes);
}

/* Parsing fails, and the message holds each of the words. */
static void refuse(const char *text, long long size, const char *first, const char *second)
{
  struct dun_csv csv;
  struct dun_data data = data_of(file_name, text, size);
  int status = dun_csv_parse(&csv, &data);
  const char *message = dun_error_text();
  if (status != DUN_ERROR_INPUT || !strstr(message, first) || !strstr(message, second)) {
    fprintf(stderr, "'%s' gave %d: %s; expected '%s' and '%s'\n", text, status,
            status < 0 ? message : "-", first, second);
    test_bad++;
  }
  dun_csv_free(&csv);
  DUN_FREE(data.bytes);
}

static void refuse_text(const char *text, const char *first, const char *second)
{
  refuse(text, (long long)strlen(text), first, second);
}

static const double six[] = {1, 2, 3, 4, 5, 6};

static void test_shapes(void)
{
  accept("1,2,3\n4,5,6\n", 2, 3, "||", six);
  accept("1,2,3\n4,5,6", 2, 3, "||", six);
  accept("1,2,3\r\n4,5,6\r\n", 2, 3, "||", six);
  accept("1 2 3\n4 5 6\n", 2, 3, "||", six);
  accept("  1   2\t3  \n 4 5 6 \n\n \n", 2, 3, "||", six);
  accept("\xef\xbb\xbf"
         "1,2\n3,4\n5,6\n",
         3, 2, "|", six);
  accept("1\n2\n3\n", 3, 1, "", six);
  accept("1", 1, 1, "", six);
  accept(" 1 , 2 ,3\n4,5, 6\n", 2, 3, "||", six);
}

static void test_headers(void)
{
  accept("a,b,c\n1,2,3\n4,5,6\n", 2, 3, "a|b|c", six);
  accept("a b\n1 2\n3 4\n", 2, 2, "a|b", six);
  accept("\"\",\"data x\",\"say \"\"y\"\"\"\n\"1\",2,3\n\"4\",5,6\n", 2, 3, "|data x|say \"y\"",
         six);
  accept("2020,b\n1,2\n", 1, 2, "2020|b", six);
  accept("\"a,b\",c\n1,2\n", 1, 2, "a,b|c", six);
}

static void test_numbers(void)
{
  const double value[] = {-1.5, 2e-3, 1e300, 0.1, 0, 17};
  accept("-1.5,2e-3,1e300\n0.1,0,+17\n", 2, 3, "||", value);
}

static void test_refusals(void)
{
  refuse_text("", "t.csv", "empty");
  refuse_text(" \n\n", "t.csv", "empty");
  refuse_text("a,b\n", "t.csv", "no row");
  refuse_text("a,b\n1,2\n3,x\n", "t.csv:3: column 'b'", "found 'x'");
  refuse_text("1,2\n3,x4\n", "t.csv:2: column 1", "found 'x4'");
  refuse_text("1,2\n3,4x\n", "t.csv:2: column 1", "found '4x'");
  refuse_text("a,b\n1,nan\n", "t.csv:2: column 'b'", "found 'nan'");
  refuse_text("1,nan\n1,2\n", "t.csv:1: column 1", "found 'nan'");
  refuse_text("1,inf\n1,2\n", "t.csv:1: column 1", "found 'inf'");
  refuse_text("1,2\n1,1e999\n", "t.csv:2: column 1", "1e999");
  refuse_text("1,2\n1,0x10\n", "t.csv:2: column 1", "0x10");
  refuse_text("a,b\n1,\n", "t.csv:2: column 'b'", "found 'nothing'");
  refuse_text("1,2\n3\n", "t.csv:2", "only 1 fields, expected 2");
  refuse_text("1,2\n3,4,5\n", "t.csv:2", "more than 2 fields, expected 2");
  refuse_text("1,2\n\n3,4\n", "t.csv:2", "only 1 fields");
  refuse_text("1 2\n\n3 4\n", "t.csv:2", "only 1 fields");
  refuse_text("a,a\n1,2\n", "t.csv:1", "both called 'a'");
  refuse_text("a,\"b\n1,2\n", "t.csv:1", "quote");
  refuse_text("\"a\"x,b\n1,2\n", "t.csv:1", "closing quote");
  refuse("1,2\n3,4\0\n", 9, "t.csv", "zero byte");
}

static void test_long_field(void)
{
  char text[2000];
  memset(text, '1', sizeof text);
  memcpy(text + 1000, ",2\n", 4);
  refuse_text(text, "t.csv:1", "longer than 255");
}

/* No prefix of a sound file, and none with one byte changed, does anything but parse or refuse. */
static void test_damaged(void)
{
  const char text[] = "a,\"b c\",d\r\n1,2.5,-3e2\r\n4,5,6\r\n\"7\",8,9";
  const char bytes[] = "\0\n\r,\" \t.e-x9\xff";
  int size = (int)sizeof text - 1, parsed = 0, refused = 0;
  for (int cut = 0; cut <= size; cut++)
    for (int c = 0; c < (int)sizeof bytes; c++) {
      struct dun_csv csv;
      struct dun_data data = data_of(file_name, text, cut);
      if (cut > 0)
        data.bytes[cut / 2] = bytes[c];
      if (dun_csv_parse(&csv, &data) < 0)
        refused++;
      else
        parsed++;
      dun_csv_free(&csv);
      DUN_FREE(data.bytes);
    }
  CHECK(parsed > 20);
  CHECK(refused > 20);
}

static void test_find(void)
{
  const char *text = "alpha,beta,3\n1,2,3\n", *plain = "1,2,3\n";
  struct dun_csv csv;
  struct dun_data data = data_of(file_name, text, (long long)strlen(text));
  CHECK(dun_csv_parse(&csv, &data) == 0);
  CHECK(dun_csv_find(&csv, &data, "alpha") == 0);
  CHECK(dun_csv_find(&csv, &data, "beta") == 1);
  CHECK(dun_csv_find(&csv, &data, "3") == 2); /* the name goes before the number */
  CHECK(dun_csv_find(&csv, &data, "1") == 1);
  CHECK(dun_csv_find(&csv, &data, "betta") == DUN_ERROR_INPUT);
  CHECK(strstr(dun_error_text(), "'betta'") && strstr(dun_error_text(), "'beta'"));
  dun_csv_free(&csv);
  DUN_FREE(data.bytes);
  data = data_of(file_name, plain, (long long)strlen(plain));
  CHECK(dun_csv_parse(&csv, &data) == 0);
  CHECK(dun_csv_find(&csv, &data, "2") == 2);
  CHECK(dun_csv_find(&csv, &data, "7") == DUN_ERROR_INPUT);
  CHECK(strstr(dun_error_text(), "no header"));
  dun_csv_free(&csv);
  DUN_FREE(data.bytes);
}

static void test_not_given(void)
{
  struct dun_csv csv;
  struct dun_data data = {0};
  CHECK(dun_csv_parse(&csv, &data) == DUN_ERROR_INPUT);
  dun_csv_free(&csv);
}

/* First it notes what is in use, at the end the same must be. */
static void test_memory(void)
{
  static int64_t before = -1;
  if (before >= 0)
    CHECK(dun_memory_in_use() == before);
  before = dun_memory_in_use();
}

TEST_MAIN({"memory_before", test_memory}, {"shapes", test_shapes}, {"headers", test_headers},
          {"numbers", test_numbers}, {"refusals", test_refusals}, {"long_field", test_long_field},
          {"damaged", test_damaged}, {"find", test_find}, {"not_given", test_not_given},
          {"memory", test_memory})
