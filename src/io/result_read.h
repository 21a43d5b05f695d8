/* Reads complete results: what `summary` prints, what `run RESULT.h5` starts from, what tests look
 * at.
 *
 * Local: one process reads.  Files are not trusted: sizes are checked against the file's own
 * before anything is allocated; failures are DUN_ERROR_INPUT with a sentence that names file and
 * place. */
#ifndef DUNLIN_IO_RESULT_READ_H
#define DUNLIN_IO_RESULT_READ_H

#include "io/result.h"

enum { DUN_MAX_AXES = 8 };

/* A variable of /posterior or /sample_stats. */
struct dun_result_shape {
  char name[64];
  int64_t chains, draws, width; /* width: numbers per draw */
  int axes;                     /* behind chain and draw */
  int64_t shape[DUN_MAX_AXES];
  int statistic;      /* of /sample_stats */
  const char **label; /* [shape[0]], owned by the file; NULL: the entries have numbers */
};

struct dun_result_file {
  char *name;
  int64_t handle; /* HDF5's; < 0: not open */
  int attributes; /* of the root */
  struct dun_attribute *attribute;
  int provenances;
  struct dun_attribute *provenance;
  int variables; /* of /posterior, then of /sample_stats, in the order of their making */
  struct dun_result_shape *variable;
  char *labels; /* what the variables' labels point into */
  int tables;
  char **table; /* names below /trace */
};

/* Opens and lists; refuses files that are no complete results of this format version. */
int dun_result_open(struct dun_result_file *file, const char *name);
/* The same for what is guarded as a whole (data/hdf_guard.h): it reads more than variables. */
int dun_result_open_within(struct dun_result_file *file, const char *name);
/* For such a reader: what it will read of the variables later, a component of each that is not
 * large. */
void dun_result_rehearse(const struct dun_result_file *file);
void dun_result_close(struct dun_result_file *file); /* safe after a failed open, and twice */

/* NULL: there is none of that name. */
const struct dun_attribute *dun_attribute_find(const struct dun_attribute *attribute, int count,
                                               const char *name);
/* NAN of NULL and of texts; "" of NULL and of numbers. */
double dun_attribute_number(const struct dun_attribute *value);
const char *dun_attribute_text(const struct dun_attribute *value);
const struct dun_result_shape *dun_result_find(const struct dun_result_file *file, int statistic,
                                               const char *name);

/* Number `component` (0 .. width - 1, the last axis fastest) of a variable: out[chains][draws]. */
int dun_result_component(const struct dun_result_file *file,
                         const struct dun_result_shape *variable, int64_t component, double *out);

/* "theta[3]", "S[1,2]", "coefficients[age]", "lp": a component as people write it, indices from 0;
 * at least 128 bytes. */
void dun_result_component_name(const struct dun_result_shape *variable, int64_t component,
                               char name[128]);

/* The table /trace/NAME, columns in the order of their making.  The caller frees it. */
int dun_result_table(const struct dun_result_file *file, const char *name, struct dun_table *table);
/* The same, or an empty one where there is none of that name. */
int dun_result_table_if(const struct dun_result_file *file, const char *name,
                        struct dun_table *table);

#endif
