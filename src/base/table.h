/* A table that grows by rows of doubles: what probes and the trace collect. */
#ifndef DUNLIN_BASE_TABLE_H
#define DUNLIN_BASE_TABLE_H

#include "dunlin/target.h"

struct dun_table_column {
  char name[64];
  char unit[24]; /* "": none */
  char doc[160]; /* one sentence */
};

struct dun_table {
  int columns;
  struct dun_table_column *column; /* [columns], owned */
  /* rows × columns, by rows, in a block of dun_allocate that may be larger; a state row of type
   * NUMBERS saves and replaces it */
  struct dun_numbers cells;
};

/* So many numbers, all `value`, in the place of those that are there.  DUN_ERROR_MEMORY. */
int dun_numbers_make(struct dun_numbers *numbers, long long count, double value);

int dun_table_init(struct dun_table *table, int columns);
/* The same with the columns that are given. */
int dun_table_make(struct dun_table *table, const struct dun_table_column *column, int columns);
int dun_table_add(struct dun_table *table, const double *row); /* row[columns] */
long long dun_table_rows(const struct dun_table *table);
/* Whether its cells make up rows: what a checkpoint gave may not. */
int dun_table_is_whole(const struct dun_table *table);
/* The named column's number in a row; NAN where there is no such column or row. */
double dun_table_cell(const struct dun_table *table, long long row, const char *name);
/* Whether a row is the last one before the value of a column changes, or the table's last. */
int dun_table_ends(const struct dun_table *table, long long row, const char *name);
void dun_table_free(struct dun_table *table);

#endif
