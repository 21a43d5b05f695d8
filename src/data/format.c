#include "data/format.h"
#include <stddef.h>
#include <string.h>
#include <strings.h>

struct signature {
  int length;
  const char *bytes, *what;
};

#define SIGNATURE(bytes_, what_)                                                                   \
  {                                                                                                \
    .length = (int)sizeof bytes_ - 1, .bytes = bytes_, .what = what_                               \
  }
static const struct signature signatures[] = {
    SIGNATURE("\x1f\x8b", "a file compressed by gzip; unpack it with gunzip"),
    SIGNATURE("\xfd"
              "7zXZ",
              "a file compressed by xz; unpack it with unxz"),
    SIGNATURE("\x28\xb5\x2f\xfd", "a file compressed by zstd; unpack it with unzstd"),
    SIGNATURE("\x1f\x9d", "a file compressed by compress; unpack it with uncompress"),
    SIGNATURE("7z\xbc\xaf\x27\x1c", "a 7-Zip archive; unpack it with 7z x"),
    SIGNATURE("\xd0\xcf\x11\xe0", "an old spreadsheet (xls); save it as CSV in UTF-8"),
    SIGNATURE("PAR1\x15", "a Parquet file; write it as CSV"),
    SIGNATURE("ARROW1", "a Feather or Arrow file; write it as CSV"),
    SIGNATURE("\x89"
              "HDF",
              "an HDF5 file; write it as CSV"),
    SIGNATURE("CDF\x01", "a netCDF file; write it as CSV"),
    SIGNATURE("CDF\x02", "a netCDF file; write it as CSV"),
    SIGNATURE("\x93NUMPY", "an array of numpy (npy); write it with numpy.savetxt"),
    SIGNATURE("SQLite format 3", "a database of SQLite; export the table as CSV"),
    SIGNATURE("RDX2\n", "a file of R's save; write it with write.csv"),
    SIGNATURE("RDX3\n", "a file of R's save; write it with write.csv"),
    SIGNATURE("MATLAB 5.0", "a file of Matlab (mat); write it with writematrix"),
    SIGNATURE("\x89PNG", "a picture (PNG)"),
    SIGNATURE("\x7f"
              "ELF",
              "a program or library"),
    SIGNATURE("%PDF", "a PDF document"),
    SIGNATURE("version https://git-lfs", "a pointer of Git LFS; fetch the file with git lfs pull"),
    SIGNATURE("@RELATION", "an ARFF file; leave out its head up to @DATA"),
    SIGNATURE("\xff\xfe", "text in UTF-16; save it in UTF-8 (iconv -f UTF-16 -t UTF-8)"),
    SIGNATURE("\xfe\xff", "text in UTF-16; save it in UTF-8 (iconv -f UTF-16 -t UTF-8)"),
    SIGNATURE("<!doctype html", "a page of HTML, perhaps an error of a download"),
    SIGNATURE("<html", "a page of HTML, perhaps an error of a download"),
    SIGNATURE("<?xml", "an XML file; write it as CSV"),
    SIGNATURE("{", "a JSON file; write it as CSV"),
    SIGNATURE("[", "a JSON file; write it as CSV"),
};

static int begins(const char *bytes, long long size, const struct signature *s)
{
  return size >= s->length && (!memcmp(bytes, s->bytes, (size_t)s->length) ||
                               !strncasecmp(bytes, s->bytes, (size_t)s->length));
}

static int holds(const char *bytes, long long size, const char *word)
{
  size_t length = strlen(word);
  for (long long i = 0; i + (long long)length <= size; i++)
    if (!memcmp(bytes + i, word, length))
      return 1;
  return 0;
}

/* Spreadsheets are archives too: their first members are named in the first kilobytes. */
static const char *archive(const char *bytes, long long size)
{
  long long head = size < 4096 ? size : 4096;
  if (size < 4 || memcmp(bytes, "PK", 2) != 0 || bytes[2] > 8)
    return NULL;
  if (holds(bytes, head, "[Content_Types].xml") || holds(bytes, head, "xl/"))
    return "a spreadsheet (xlsx); save it as CSV in UTF-8";
  if (holds(bytes, head, "opendocument"))
    return "a spreadsheet (ods); save it as CSV in UTF-8";
  if (holds(bytes, head, ".npy"))
    return "arrays of numpy (npz); write them with numpy.savetxt";
  return "a zip archive; unpack it with unzip";
}

/* Text of two bytes a letter without a mark at its begin: every second byte is zero. */
static int is_wide_text(const char *bytes, long long size)
{
  long long head = size < 256 ? size : 256, zeros[2] = {0, 0};
  for (long long i = 0; i < head; i++)
    zeros[i % 2] += bytes[i] == 0;
  return head >= 4 &&
         ((zeros[0] == 0 && zeros[1] >= head / 2) || (zeros[1] == 0 && zeros[0] >= head / 2));
}

/* Behind BZh a digit for the level. */
static const char *bzip2(const char *bytes, long long size)
{
  return size >= 10 && !memcmp(bytes, "BZh", 3) && !memcmp(bytes + 4, "1AY&SY", 6)
             ? "a file compressed by bzip2; unpack it with bunzip2"
             : NULL;
}

const char *dun_format_find(const char *bytes, long long size)
{
  const char *found = archive(bytes, size);
  if (!found)
    found = bzip2(bytes, size);
  for (size_t i = 0; !found && i < sizeof signatures / sizeof *signatures; i++)
    if (begins(bytes, size, &signatures[i]))
      found = signatures[i].what;
  if (!found && size > 262 && !memcmp(bytes + 257, "ustar", 5))
    found = "a tar archive; unpack it with tar -xf";
  if (!found && is_wide_text(bytes, size))
    found = "text in UTF-16; save it in UTF-8 (iconv -f UTF-16 -t UTF-8)";
  return found;
}
