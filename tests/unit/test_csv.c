/* Numbers from separated text: what is read, and what is refused with which words. */
#include "base/error.h"
#include "base/memory.h"
#include "check.h"
#include "data/csv.h"
#include <math.h>

static struct dun_data data_of(char *path, const char *text, long long size)
{
  struct dun_data data = {.path = path, .size = size};
  data.bytes = dun_allocate(size + 1, 1);
  memcpy(data.bytes, text, (size_t)size);
  return data;
}

static char file_name[] = "t.csv";
static struct dun_csv_format stated; /* auto, but where a test states it */

static int parse_and_check(struct dun_csv *csv, const struct dun_data *data)
{
  int status = dun_csv_parse(csv, data, &stated);
  return status < 0 ? status : dun_csv_check(csv, data, -1);
}

/* Parses; checks the shape and all values; the names are "a|b|..." or "" for none. */
static void accept(const char *text, long long rows, int columns, const char *names,
                   const double *value)
{
  struct dun_csv csv;
  struct dun_data data = data_of(file_name, text, (long long)strlen(text));
  int status = parse_and_check(&csv, &data);
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
  int status = parse_and_check(&csv, &data);
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

/* A line of many fields over many lines of one: their product is no table. */
static void test_proportion(void)
{
  enum { MANY = 4000 };
  static char text[4 * MANY + 1];
  for (int i = 0; i < MANY; i++) {
    memcpy(text + 2 * i, i < MANY - 1 ? "1;" : "1\n", 2);
    memcpy(text + 2 * (MANY + i), "1\n", 2);
  }
  int64_t before = dun_memory_peak();
  refuse_text(text, "t.csv:2: ", "4000");
  CHECK(dun_memory_peak() - before < 1 << 20);
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
  accept("\"z\",\"data x\",\"say \"\"y\"\"\"\n\"1\",2,3\n\"4\",5,6\n", 2, 3, "z|data x|say \"y\"",
         six);
  accept("NA,b\n1,2\n", 1, 2, "NA|b", six); /* sodium, or Namibia */
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
  refuse_text("1,2\n1,1e999\n", "t.csv:2: column 1", "1e999");
  refuse_text("1,2\n1,0x10\n", "t.csv:2: column 1", "0x10");
  refuse_text("a,b\n1,\n", "t.csv:2: column 'b'", "found 'nothing'");
  refuse_text("1,2\n3\n", "t.csv:2", "only 1 field, expected 2");
  refuse_text("1,2\n3,4,5\n", "t.csv:2", "found 3 fields, expected 2");
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
      if (parse_and_check(&csv, &data) < 0)
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
  stated.header = 1;
  CHECK(parse_and_check(&csv, &data) == 0);
  stated.header = 0;
  CHECK(dun_csv_find(&csv, &data, "alpha") == 0);
  CHECK(dun_csv_find(&csv, &data, "beta") == 1);
  CHECK(dun_csv_find(&csv, &data, "3") == 2); /* the name goes before the number */
  CHECK(dun_csv_find(&csv, &data, "1") == 1);
  CHECK(dun_csv_find(&csv, &data, "betta") == DUN_ERROR_INPUT);
  CHECK(strstr(dun_error_text(), "'betta'") && strstr(dun_error_text(), "'beta'"));
  dun_csv_free(&csv);
  DUN_FREE(data.bytes);
  data = data_of(file_name, plain, (long long)strlen(plain));
  CHECK(parse_and_check(&csv, &data) == 0);
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
  CHECK(parse_and_check(&csv, &data) == DUN_ERROR_INPUT);
  dun_csv_free(&csv);
}

/* No first line is taken for a header because one of its numbers cannot be read. */
static void test_first_line(void)
{
  static const char *const unreadable[] = {"None",
                                           ".",
                                           "#N/A",
                                           "NULL",
                                           "-",
                                           "n/a",
                                           "$3",
                                           "5%",
                                           "\"1,5\"",
                                           "nan",
                                           "",
                                           "?",
                                           "1.2.3",
                                           ("\xe2\x88\x92"
                                            "3"),
                                           "2020_01",
                                           "0x10",
                                           "1e999",
                                           "inf",
                                           "1.5D3",
                                           "12:30",
                                           "(4)",
                                           "1/2",
                                           "2020-01-05",
                                           "TRUE",
                                           "3 4",
                                           "-inf",
                                           "word"};
  for (size_t i = 0; i < sizeof unreadable / sizeof *unreadable; i++) {
    char text[64];
    snprintf(text, sizeof text, "1.2,%s,0\n3,4,1\n", unreadable[i]);
    refuse_text(text, "t.csv:1: the first line may be a row", "header: yes or header: no");
    snprintf(text, sizeof text, "%s,1.2,0\n3,4,1\n", unreadable[i]);
    refuse_text(text, "t.csv:1: the first line may be a row", "header: yes or header: no");
    stated.header = 2;
    refuse_text(text, "t.csv:1: column 0", "expected a finite number");
    stated.header = 0;
  }
  refuse_text("$3,5%\n3,4\n", "t.csv:1: the first line, with '$3'", "header: yes or header: no");
  refuse_text("nan,NA\n3,4\n", "t.csv:1: the first line, with 'nan'", "header: yes");
  refuse_text("0,1,2\n3,4,5\n", "t.csv:1: the first line, 0, 1, 2", "header: yes or header: no");
  accept("0,1\n", 1, 2, "|", (const double[]){0, 1}); /* no header has no rows */
  refuse_text("a,b\n1,km/h\n", "t.csv:2: column 'b'", "give texts numbers");
  refuse_text("a,b\n1,3/4\n", "t.csv:2: column 'b'", "a date or fraction");
  refuse_text(",0,1\n0,4,5\n", "t.csv:1: the first line may be a row", "header: yes");
  stated.header = 1;
  accept("0,1,2\n1,2,3\n4,5,6\n", 2, 3, "0|1|2", six);
  accept("25%,2020,c\n1,2,3\n", 1, 3, "25%|2020|c", six);
  stated.header = 2;
  accept("1,2,3\n4,5,6\n", 2, 3, "||", six);
  stated.header = 0;
}

/* Row numbers that a table was written with are no feature; other columns have names. */
static void test_index(void)
{
  accept(",a,b\n0,1,2\n1,3,4\n2,5,6\n", 3, 2, "a|b", six);
  accept("\"\",\"a\"\n\"1\",1\n\"2\",2\n", 2, 1, "a", six);
  accept("Unnamed: 0,a\n0,1\n1,2\n", 2, 1, "a", six);
  accept(",Unnamed: 0,a\n0,0,1\n1,1,2\n", 2, 1, "a", six);
  refuse_text(",a\n3,1\n5,2\n", "t.csv:1: column 0 has no name", "count the rows");
  refuse_text("a,,b\n3,1,2\n", "t.csv:1: column 1 has no name", "name it");
  refuse_text("a,b,\n1,2,\n", "t.csv:1: column 2 has no name", "end with a separator");
  refuse_text("a b\n1 1 2\n2 3 4\n", "t.csv:2: found 3 fields, expected 2", "begin with a name");
}

static void test_lines(void)
{
  accept("1,2,3\r4,5,6\r", 2, 3, "||", six);
  accept("a,b,c\r1,2,3\r4,5,6", 2, 3, "a|b|c", six);
  accept("1,2,3\r\r\n4,5,6\r\r\n", 2, 3, "||", six);
  accept("# made today\n1,2,3\n#4,4,4\n\n \t \n4,5,6\n\x1a", 2, 3, "||", six);
  accept("\n\n1,2\n\n3,4\n5,6\n", 3, 2, "|", six);
  accept("1 2\n\n3 4\n", 2, 2, "|", six);
  refuse_text("1\n\n3\n", "t.csv:2", "an empty line");
  refuse_text("#N/A,2\n3,4\n", "t.csv:1: the first line may be a row", "'#N/A'");
  refuse_text("1,2\n#DIV/0!,4\n", "t.csv:2: column 0", "#DIV/0!");
  refuse_text("1,2\r3,x\r", "t.csv:2: column 1", "'x'");
  refuse_text("# only a note\n", "t.csv", "empty");
}

static void test_separators(void)
{
  const double halves[] = {1.5, 2, 2.5, -300};
  accept("1;2;3\n4;5;6\n", 2, 3, "||", six);
  accept("1\t2\t3\n4\t5\t6\n", 2, 3, "||", six);
  accept("a b\tc\n1\t2\n3\t4\n", 2, 2, "a b|c", six);
  accept("1|2|3\n4|5|6\n", 2, 3, "||", six);
  accept("1,\t2,\t3\n4,\t5,\t6\n", 2, 3, "||", six);
  accept("sep=;\n1;2;3\n4;5;6\n", 2, 3, "||", six);
  accept("\"a;b\";\"c,d\"\n1;2\n", 1, 2, "a;b|c,d", six);
  accept("1,5;2\n2,5;-3e2\n", 2, 2, "|", halves);
  accept("1,5\t2\n2,5\t-3e2\n", 2, 2, "|", halves);
  refuse_text("1,5 2\n2,5 3\n", "t.csv:1: the first line may be a row", "separator: blanks");
  refuse_text("1\t\t3\n4\t\t6\n", "t.csv:1", "'nothing'");
  refuse_text("1;2\n3\n", "t.csv:2", "semicolons");
  refuse_text("1,234;5,678\n", "1,234", "decimal: comma");
  refuse_text("x;y\n1,5;2.5\n", "t.csv:2: column 'x'", "decimal comma");
  refuse_text("\"1,5\",x\n\"2,5\",3\n", "t.csv:1", "decimal comma");
  stated.decimal = 2;
  accept("\"1,5\",2\n\"2,5\",-3e2\n", 2, 2, "|", halves);
  refuse_text("x;y\n1,5;2.5\n", "t.csv:2: column 'y'", "decimal: point");
  stated.separator = 5;
  accept("1,5 2\n2,5 -3e2\n", 2, 2, "|", halves);
  stated = (struct dun_csv_format){.separator = 1};
  refuse_text("1;2\n3;4\n", "t.csv:1", "separator: semicolon");
  stated = (struct dun_csv_format){0};
}

/* What is no text is refused by its name. */
static void test_formats(void)
{
  refuse("\x1f\x8b\x08\0\0\0\0\0", 8, "gzip", "gunzip");
  refuse_text("BZh91AY&SYxxxx", "bzip2", "bunzip2");
  refuse("\xfd"
         "7zXZ\0",
         6, "xz", "unxz");
  refuse("PK\x03\x04"
         "....[Content_Types].xml",
         27, "xlsx", "CSV");
  refuse("PK\x03\x04"
         "data.csv",
         12, "zip", "unzip");
  refuse("PAR1\x15\x04\0", 7, "Parquet", "CSV");
  refuse("\x89HDF\r\n\x1a\n", 8, "HDF5", "CSV");
  refuse("\x93NUMPY\x01\0", 8, "numpy", "savetxt");
  refuse("\xff\xfe"
         "1\0,\0"
         "2\0\n\0",
         10, "UTF-16", "UTF-8");
  refuse("1\0,\0"
         "2\0\n\0",
         8, "UTF-16", "UTF-8");
  refuse_text("<!DOCTYPE html>\n", "HTML", "download");
  refuse_text("{\"a\": 1}\n", "JSON", "CSV");
  refuse_text("version https://git-lfs.github.com/spec/v1\n", "Git LFS", "pull");
  refuse_text("gr\xf6\xdf"
              "e,b\n1,2\n",
              "t.csv:1", "Latin-1");
  accept("gr\xc3\xb6\xc3\x9f"
         "e,b\n1,2\n",
         1, 2,
         "gr\xc3\xb6\xc3\x9f"
         "e|b",
         six);
}

/* Columns that nobody asks for may hold what they like. */
static void test_columns(void)
{
  const char *text = "id,name,x,y\n1,Ann,2,0\n2,Bob,3,oops\n";
  struct dun_csv csv;
  struct dun_data data = data_of(file_name, text, (long long)strlen(text));
  int column[4];
  CHECK(dun_csv_parse(&csv, &data, &stated) == 0);
  CHECK(dun_csv_check(&csv, &data, 0) == 0 && dun_csv_check(&csv, &data, 2) == 0);
  CHECK(dun_csv_check(&csv, &data, 1) < 0 && strstr(dun_error_text(), "t.csv:2: column 'name'"));
  CHECK(dun_csv_check(&csv, &data, 3) < 0 && strstr(dun_error_text(), "t.csv:3: column 'y'"));
  CHECK(dun_csv_check(&csv, &data, -1) < 0 && strstr(dun_error_text(), "'Ann'"));
  CHECK(csv.line[0] == 2 && csv.line[1] == 3);
  CHECK(dun_csv_select(&csv, &data, "x, id", column) == 2 && column[0] == 2 && column[1] == 0);
  CHECK(dun_csv_select(&csv, &data, " 3 ", column) == 1 && column[0] == 3);
  CHECK(dun_csv_select(&csv, &data, "x, 2", column) < 0 && strstr(dun_error_text(), "twice"));
  CHECK(dun_csv_select(&csv, &data, "x, nme", column) < 0 && strstr(dun_error_text(), "'name'"));
  dun_csv_free(&csv);
  DUN_FREE(data.bytes);
}

/* Numbers may be missing where a column is asked so, but are nothing else. */
static void test_gaps(void)
{
  static const char *const odd[] = {"x", "inf", "-inf", "#DIV/0!", "1.2.3", "-nan", "missing"};
  struct dun_csv csv;
  char text[128];
  struct dun_data data = data_of(file_name, "a,b\n1,NA\n2,\n3,nan\n4,5\n5,n/a\n", 28);
  CHECK(dun_csv_parse(&csv, &data, &stated) == 0);
  CHECK(dun_csv_check(&csv, &data, 1) < 0 && dun_csv_check_gaps(&csv, &data, 1) == 0);
  CHECK(csv.value[7] == 5);
  for (int i = 0; i < 5; i++)
    CHECK(isnan(csv.value[2 * i + 1]) == (i != 3));
  dun_csv_free(&csv);
  DUN_FREE(data.bytes);
  for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
    snprintf(text, sizeof text, "a\nnan\n7\n%s\n", odd[i]);
    data = data_of(file_name, text, (long long)strlen(text));
    CHECK(dun_csv_parse(&csv, &data, &stated) == 0);
    CHECK(dun_csv_check_gaps(&csv, &data, 0) < 0 &&
          strstr(dun_error_text(), "t.csv:4: column 'a': found '"));
    dun_csv_free(&csv);
    DUN_FREE(data.bytes);
  }
}

/* First it notes what is in use, at the end the same must be. */
static void test_memory(void)
{
  static int64_t before = -1;
  if (before >= 0)
    CHECK(dun_memory_in_use() == before);
  before = dun_memory_in_use();
}

TEST_MAIN({"memory_before", test_memory}, {"proportion", test_proportion}, {"shapes", test_shapes},
          {"headers", test_headers}, {"numbers", test_numbers}, {"first_line", test_first_line},
          {"index", test_index}, {"lines", test_lines}, {"separators", test_separators},
          {"formats", test_formats}, {"columns", test_columns}, {"refusals", test_refusals},
          {"long_field", test_long_field}, {"damaged", test_damaged}, {"find", test_find},
          {"not_given", test_not_given}, {"gaps", test_gaps}, {"memory", test_memory})
