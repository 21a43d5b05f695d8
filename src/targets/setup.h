/* What the `init` functions of built-in targets share. */
#ifndef DUNLIN_TARGETS_SETUP_H
#define DUNLIN_TARGETS_SETUP_H

#include "data/csv.h"
#include "dunlin/target.h"

enum { DUN_MAX_DIMENSION = 1000000 }; /* as the evaluator has it */

/* Writes the reason and returns DUN_ERROR_INPUT. */
int dun_refuse(struct dun_message why, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The same with the sentence of the last dun_fail. */
int dun_refuse_failed(struct dun_message why);

/* out[count] from an option that may be one number for all or `count` numbers, of which `option` is
 * the name in messages; `otherwise` if it was not given. */
int dun_spread(struct dun_message why, const char *option, const struct dun_numbers *given,
               double otherwise, long long count, double *out);

/* A lattice of 1 to 3 `axes` from the option `side`, one number for all axes or one for each: whole
 * numbers, size[0] × ... at most DUN_MAX_DIMENSION; 1 beyond `axes`. */
int dun_setup_lattice(struct dun_message why, const struct dun_numbers *side, int axes,
                      int size[3]);

/* The output parameter of a whole field: of the lattice's shape, but for three axes of
 * (size[0] size[1]) x size[2]. */
struct dun_parameter dun_setup_field(int axes, const int size[3]);

/* Names of the columns that coordinates are made of. */
struct dun_setup_names {
  int count;   /* 0: they have none */
  char **name; /* [count], owned */
};
/* Takes the names of `count` columns (NULL: all, in their order) from a table with a header. */
int dun_setup_take_names(struct dun_setup_names *names, struct dun_csv *csv, const int *column,
                         int count);
void dun_setup_free_names(struct dun_setup_names *names);
/* The labels of a parameter; NULL without names. */
const char *const *dun_setup_labels(const struct dun_setup_names *names);
/* The output parameter of a target that has no other: its point. */
int dun_setup_point(const struct dun_setup_names *names, int dimension, int capacity,
                    struct dun_parameter *parameter);

/* Where means are given: the option `means`, or the table `file` of them. */
struct dun_setup_given {
  struct dun_matrix means;
  struct dun_data file;
  struct dun_csv_format format;
};

/* Means [rows][columns] from the one of both that is given; at most `most` rows of `dimension`
 * numbers (-1: any).  A copy, to be freed by the caller, as are the names of the
 * coordinates, if the table has any. */
int dun_setup_means(struct dun_message why, const struct dun_setup_given *given,
                    long long dimension, long long most, struct dun_matrix *out,
                    struct dun_setup_names *names);

/* `log_evidence` of a target whose density is normalised: 0. */
double dun_setup_normalised(const void *self);

/* dun_csv_parse, the reason in `why`. */
int dun_setup_csv(struct dun_message why, struct dun_csv *csv, const struct dun_data *data,
                  const struct dun_csv_format *format);
/* The same, and every field is a number. */
int dun_setup_numbers(struct dun_message why, struct dun_csv *csv, const struct dun_data *data,
                      const struct dun_csv_format *format);

/* The option rows that say how a CSV file is read: of `member_`, a struct dun_csv_format. */
#define DUN_CSV_ROWS(type_, member_, when_)                                                        \
  {.name = "header",                                                                               \
   .type = DUN_CHOICE,                                                                             \
   .offset = offsetof(type_, member_.header),                                                      \
   .initial = "auto",                                                                              \
   .words = DUN_CSV_HEADERS,                                                                       \
   .doc = "Whether the file's first line names the columns; auto: if none of its fields is a "     \
          "number, and refused where it may be either.",                                           \
   .when = when_},                                                                                 \
      {.name = "separator",                                                                        \
       .type = DUN_CHOICE,                                                                         \
       .offset = offsetof(type_, member_.separator),                                               \
       .initial = "auto",                                                                          \
       .words = DUN_CSV_SEPARATORS,                                                                \
       .doc = "What stands between the file's fields; auto: as its lines show.",                   \
       .when = when_},                                                                             \
  {                                                                                                \
    .name = "decimal", .type = DUN_CHOICE, .offset = offsetof(type_, member_.decimal),             \
    .initial = "auto", .words = DUN_CSV_DECIMALS,                                                  \
    .doc = "The file's decimal sign; auto: a comma where it is no separator and no number has a "  \
           "point.",                                                                               \
    .when = when_                                                                                  \
  }

#endif
