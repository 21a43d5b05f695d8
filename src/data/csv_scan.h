/* Lines and fields of separated text: the inner part of the reader of CSV files. */
#ifndef DUNLIN_DATA_CSV_SCAN_H
#define DUNLIN_DATA_CSV_SCAN_H

#include "data/csv.h"

enum { DUN_CSV_FIELD = 256 };

/* Where the reader is in the bytes. */
struct dun_scanner {
  const char *path;
  const char *at, *end;
  long long line;
  char separator;            /* 0: blanks */
  char decimal;              /* '.' or ',' */
  char field[DUN_CSV_FIELD]; /* the field just read, without quotes and surrounding blanks */
  int last;                  /* it was the last one of its line */
  long long gaps;            /* blank lines passed so far */
};

/* The scanner at the file's first line, its separator and decimal sign as stated or as the whole
 * file shows them.  DUN_ERROR_INPUT with a sentence if it shows two readings. */
int dun_scanner_init(struct dun_scanner *s, const struct dun_data *data,
                     const struct dun_csv_format *format);

/* Steps over blank lines and comments to the next line with fields; 0 if there is none. */
int dun_scanner_line(struct dun_scanner *s);
/* How many lines with fields there are from here on. */
long long dun_scanner_count(struct dun_scanner s);
/* Reads the next field of the line into s->field, and behind the last one steps over the line's
 * end; s->line is then the next line's.  DUN_ERROR_INPUT with a sentence. */
int dun_scanner_field(struct dun_scanner *s);

/* What a field may be taken for. */
enum dun_field_kind {
  DUN_FIELD_NUMBER,
  DUN_FIELD_MISSING, /* nothing, or a word for a number that is not there */
  DUN_FIELD_DAMAGED, /* digits and signs, but no number that can be read */
  DUN_FIELD_TEXT,
};
enum dun_field_kind dun_field_kind(const struct dun_scanner *s);
/* 0 if the field is a number; else -1. */
int dun_field_number(const struct dun_scanner *s, double *value);

/* Whether it says that a number is missing: nothing, nan, NA and the like, but no infinity and no
 * error of a spreadsheet. */
int dun_field_is_gap(const struct dun_scanner *s);

/* What may be wrong with a text that is no number, as ": a percent sign; ...", or "". */
const char *dun_field_hint(const char *field, char separator, char decimal);

/* "commas", "blanks", ...: what a separator is called. */
const char *dun_separator_name(char separator);

#endif
