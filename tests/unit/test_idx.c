/* IDX files: what is read, and what is refused with which words. */
#include "base/error.h"
#include "base/memory.h"
#include "check.h"
#include "data/idx.h"

static char file_name[] = "t.idx";

/* `bytes` is copied to the very end of a block, so that a sanitizer sees a read beyond it. */
static int parse(struct dun_idx *idx, struct dun_data *data, const char *bytes, long long size,
                 int dimensions)
{
  *data = (struct dun_data){.path = file_name, .size = size};
  data->bytes = malloc((size_t)size + 1);
  memcpy(data->bytes, bytes, (size_t)size);
  data->bytes[size] = '\0';
  return dun_idx_parse(idx, data, dimensions);
}

static void refuse(const char *bytes, long long size, int dimensions, const char *words)
{
  struct dun_idx idx;
  struct dun_data data;
  int status = parse(&idx, &data, bytes, size, dimensions);
  if (status != DUN_ERROR_INPUT || !strstr(dun_error_text(), words) ||
      !strstr(dun_error_text(), "t.idx: ")) {
    fprintf(stderr, "gave %d: %s; expected '%s'\n", status, dun_error_text(), words);
    test_bad++;
  }
  free(data.bytes);
}

#define IMAGES "\0\0\x08\x03\0\0\0\x02\0\0\0\x02\0\0\0\x03"

static void test_read(void)
{
  struct dun_idx idx;
  struct dun_data data;
  CHECK(parse(&idx, &data, IMAGES "abcdefghijk\xff", 28, 3) == 0);
  CHECK(idx.dimensions == 3 && idx.size[0] == 2 && idx.size[1] == 2 && idx.size[2] == 3);
  CHECK(idx.value[0] == 'a' && idx.value[11] == 255);
  free(data.bytes);
  CHECK(parse(&idx, &data, "\0\0\x08\x01\0\0\0\x03\x07\0\x09", 11, 1) == 0);
  CHECK(idx.size[0] == 3 && idx.size[1] == 1 && idx.value[0] == 7 && idx.value[2] == 9);
  free(data.bytes);
  CHECK(parse(&idx, &data, "\0\0\x08\x02\0\0\0\x02\0\0\0\x01\x07\x09", 14, 0) == 0);
  CHECK(idx.dimensions == 2 && idx.size[0] == 2 && idx.size[1] == 1 && idx.size[2] == 1);
  CHECK(idx.value[0] == 7 && idx.value[1] == 9);
  free(data.bytes);
}

/* Of any type, but no text and nothing else. */
static void test_known(void)
{
  static const struct {
    const char *bytes;
    long long size;
    int is;
  } cases[] = {
      {IMAGES, 16, 1},        {"\0\0\x0d\x01", 4, 1},   {"\0\0\x08", 3, 0},       {"1,2\n", 4, 0},
      {"\0\0\xfe\xff", 4, 0}, {"\x1f\x8b\x08\0", 4, 0}, {"\0\x01\x08\x01", 4, 0}, {"", 0, 0}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct dun_idx idx;
    struct dun_data data;
    parse(&idx, &data, cases[i].bytes, cases[i].size, 0);
    CHECK(dun_idx_is(&data) == cases[i].is);
    free(data.bytes);
  }
}

static void test_refused(void)
{
  refuse("", 0, 3, "found 0 bytes, expected an IDX file");
  refuse("\0\0\x08", 3, 3, "found 3 bytes");
  refuse("\x1f\x8b\x08\0", 4, 3, "gunzip");
  refuse("\x1f\x8b", 2, 3, "gunzip");
  refuse("a,b\n1,2\n", 8, 3, "bytes 61 2c, expected 00 00");
  refuse("\0\0\x0d\x03", 4, 3, "type 0d, 32-bit floating-point numbers");
  refuse("\0\0\x77\x03", 4, 3, "type 77, nothing known");
  refuse("\0\0\x08\x01\0\0\0\x01\x05", 9, 3, "1 dimensions, expected 3 (images)");
  refuse(IMAGES "abcdefghijkl", 28, 1, "3 dimensions, expected 1 (labels)");
  refuse("\0\0\x08\xff", 4, 3, "255 dimensions");
  refuse("\0\0\x08\x04", 4, 0, "4 dimensions, expected 1 to 3");
  refuse("\0\0\x08\0", 4, 0, "0 dimensions, expected 1 to 3");
  refuse("\0\0\x08\x02\0\0\0\x02", 8, 0, "expected a head of 12");
  refuse(IMAGES, 15, 3, "expected a head of 16");
  refuse(IMAGES, 16, 3, "found 0 bytes after the head, expected 12");
  refuse(IMAGES "abcdefghijk", 27, 3, "found 11 bytes after the head, expected 12");
  refuse(IMAGES "abcdefghijklm", 29, 3, "found 13 bytes after the head, expected 12");
  refuse("\0\0\x08\x03\0\0\0\x02\0\0\0\0\0\0\0\x03", 16, 3, "dimension 2 has the size 0");
  refuse("\0\0\x08\x03\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 16, 3, "more elements");
  refuse("\0\0\x08\x03\x40\0\0\0\x40\0\0\0\x40\0\0\0abcd", 20, 3, "more elements");
}

static void test_none(void)
{
  struct dun_idx idx;
  struct dun_data data = {0};
  CHECK(dun_idx_parse(&idx, &data, 3) == DUN_ERROR_INPUT);
}

TEST_MAIN({"read", test_read}, {"known", test_known}, {"refused", test_refused},
          {"none", test_none})
