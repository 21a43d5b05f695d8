/* A sheet: columns of texts and numbers under names, for people's programs: written as a table
 * (RFC 4180) or as a group of an HDF5 file.  Local; one process. */
#ifndef DUNLIN_IO_SHEET_H
#define DUNLIN_IO_SHEET_H

#include <stdint.h>

struct dun_sheet_column {
  char *name;
  int rank;       /* columns stand in the order of their ranks, equal ones as they were added */
  double *number; /* [rows]; NAN: absent; NULL: texts */
  char **text;    /* [rows]; NULL: absent */
};

struct dun_sheet {
  int64_t rows;
  int columns, room;
  struct dun_sheet_column *column; /* [columns], owned with all that is in it */
  int failed;                      /* memory ran out: what was put is not all there */
};

/* So many rows, and no column yet. */
void dun_sheet_init(struct dun_sheet *sheet, int64_t rows);
void dun_sheet_free(struct dun_sheet *sheet);

/* The column is made by the first call with its name. */
void dun_sheet_number(struct dun_sheet *sheet, int64_t row, int rank, const char *name,
                      double value);
void dun_sheet_text(struct dun_sheet *sheet, int64_t row, int rank, const char *name,
                    const char *text);
/* Nothing is left in a row's columns of this rank and higher ones. */
void dun_sheet_clear(struct dun_sheet *sheet, int64_t row, int rank);
/* NULL: there is none. */
const struct dun_sheet_column *dun_sheet_find(const struct dun_sheet *sheet, const char *name);
/* To be called when all columns are there. */
void dun_sheet_order(struct dun_sheet *sheet);

/* Sheets under their names as FILE.h5, a group each, or each as a table of its own: complete or
 * not there, in the place of what was there.  DUN_ERROR_FILE, DUN_ERROR_MEMORY. */
int dun_sheet_write_csv(const struct dun_sheet *sheet, const char *file);
int dun_sheet_write_hdf(int count, const char *const *name, const struct dun_sheet *const *sheet,
                        const char *file);
/* Whether FILE is there and was not written so: its first cell is not `cell`, or it has no group
 * `group`. */
int dun_sheet_is_foreign_csv(const char *file, const char *cell);
int dun_sheet_is_foreign_hdf(const char *file, const char *group);

#endif
