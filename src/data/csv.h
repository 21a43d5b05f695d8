/* Numbers from separated text: read whole, checked whole, no row of them passed over. */
#ifndef DUNLIN_DATA_CSV_H
#define DUNLIN_DATA_CSV_H

#include "dunlin/target.h"

/* How a file is to be read; zero: as it shows. */
struct dun_csv_format {
  int header, separator, decimal; /* indices of the words below, 0: auto */
};
#define DUN_CSV_HEADERS    "auto|yes|no"
#define DUN_CSV_SEPARATORS "auto|comma|semicolon|tab|bar|blanks"
#define DUN_CSV_DECIMALS   "auto|point|comma"

/* The first field of a column that is no number. */
struct dun_csv_fault {
  long long line; /* 0: there is none */
  char field[48]; /* its begin */
};

struct dun_csv {
  int columns;
  long long rows;
  int named;                   /* there is a header */
  int indexed;                 /* first columns of row numbers that were left out */
  char **name;                 /* [columns]; "" without a header */
  double *value;               /* [rows][columns]; NAN: no number, see `fault` */
  long long *line;             /* [rows], in the file */
  struct dun_csv_fault *fault; /* [columns] */
  struct dun_csv_fault *odd;   /* [columns]: the first that is not missing either */
  char separator, decimal;     /* as found; separator 0: blanks */
};

/* Parses a file's content.
 *
 * Separators: if not stated, semicolons, tabs or bars if every line has the same number of them,
 * else commas if there are any, else blanks.  A decimal comma is read where the separator is none
 * and no number has a point.  Fields may be quoted; lines end with LF, CRLF or CR; blank lines and
 * lines that begin with # are no rows.
 *
 * The first line is a header if none of its fields is a number, and a row if all are; what may be
 * either (some are numbers, or they are 0, 1, 2, ...) is refused unless `format` says which.  A
 * first column without a name that counts the rows is left out.
 *
 * Every row has as many fields as the first line.  Fields that are no number are no fault here but
 * in dun_csv_check, so that columns that nobody uses may hold what they like.  DUN_ERROR_INPUT with
 * "file:line: ...". */
int dun_csv_parse(struct dun_csv *csv, const struct dun_data *data,
                  const struct dun_csv_format *format);
void dun_csv_free(struct dun_csv *csv);

/* Refuses a column (-1: all of them) that holds something else than finite numbers:
 * DUN_ERROR_INPUT with "file:line: column 'x3': found ..., expected ...". */
int dun_csv_check(const struct dun_csv *csv, const struct dun_data *data, int column);

/* The same of one column, in which numbers may be missing: nothing, nan, NA and the like stay
 * NAN. */
int dun_csv_check_gaps(const struct dun_csv *csv, const struct dun_data *data, int column);

/* Index of a column by name, or by number from 0 written as text; DUN_ERROR_INPUT with a sentence
 * that names the nearest column. */
int dun_csv_find(const struct dun_csv *csv, const struct dun_data *data, const char *name);

/* The columns of a list "name, 3, other": column[csv->columns], owned by the caller; returns how
 * many. */
int dun_csv_select(const struct dun_csv *csv, const struct dun_data *data, const char *list,
                   int *column);

#endif
