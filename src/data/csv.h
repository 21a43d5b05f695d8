/* Numbers from comma-separated text: read whole, checked whole. */
#ifndef DUNLIN_DATA_CSV_H
#define DUNLIN_DATA_CSV_H

#include "dunlin/target.h"

struct dun_csv {
  int columns;
  long long rows;
  char **name;   /* [columns]; "" without a header */
  double *value; /* [rows][columns] */
};

/* Parses a file's content: separators are commas (or white space if there is no comma at all), the
 * first line is a header if one of its fields is not a number (nor nan, inf, NA and the like),
 * fields may be quoted, LF or CRLF, a last line without end is fine.  Every row has as many fields
 * as the first; every number is read to its end and finite ("nan" and empty fields are refused).
 * DUN_ERROR_INPUT with "file:line: column 'x3': ...". */
int dun_csv_parse(struct dun_csv *csv, const struct dun_data *data);
void dun_csv_free(struct dun_csv *csv);

/* Index of a column by name, or by number from 0 written as text; DUN_ERROR_INPUT with a sentence
 * that names the nearest column. */
int dun_csv_find(const struct dun_csv *csv, const struct dun_data *data, const char *name);

#endif
