/* A population: a range of global indices and a list of columns.
 *
 * Paths, kernels, methods and probes declare their columns at set-up; exchange, checkpoint,
 * hash, output and memory estimate loop over columns and know no names.  Rows lie one after the
 * other: element (i, j) of a column of width w is data[i * w + j], i local. */
#ifndef DUNLIN_POPULATION_POPULATION_H
#define DUNLIN_POPULATION_POPULATION_H

#include "parallel/context.h"
#include "parallel/tiles.h"

enum dun_column_type { DUN_F64, DUN_F32, DUN_I64, DUN_I32, DUN_I8 };

enum dun_column_flag {
  DUN_MOVES = 1,  /* travels with its particle in selection */
  DUN_SAVED = 2,  /* in checkpoints */
  DUN_HASHED = 4, /* in population_hash */
  DUN_OUTPUT = 8, /* in /sample_stats of result files */
};

struct dun_column {
  const char *name;
  enum dun_column_type type;
  int width; /* numbers per particle */
  unsigned flags;
  const char *unit; /* NULL: none */
  const char *doc;  /* one sentence */
  void *data;       /* [local][width]; selection swaps it with spare: point to columns */
  void *spare;      /* second generation of columns that move; NULL for others */
};

enum { DUN_MAX_COLUMNS = 32 };

struct dun_population {
  struct dun_tiles tiles;
  int columns;
  struct dun_column column[DUN_MAX_COLUMNS]; /* addresses stay valid */
  int allocated;
};

/* No columns yet. */
void dun_population_init(struct dun_population *population, struct dun_tiles tiles);

/* Declares a column (its data and spare are ignored) before allocation.  Declaring a name again
 * with the same type and width returns the first one with the flags united; otherwise, or after
 * allocation, NULL with a sentence. */
struct dun_column *dun_population_declare(struct dun_population *population,
                                          struct dun_column column);
/* NULL: no such column. */
struct dun_column *dun_population_find(struct dun_population *population, const char *name);

/* Allocates both generations, zeroed.  Local; agree afterwards. */
int dun_population_allocate(struct dun_population *population);
void dun_population_free(struct dun_population *population);

size_t dun_column_size(enum dun_column_type type); /* bytes of one number */
/* Bytes per rank that allocation takes. */
int64_t dun_population_memory(const struct dun_population *population);

/* Collective.  A 64-bit hash of the hashed columns, by name, in global particle order: the same
 * at any number of ranks.  (Sum over elements of a mixed (column name, global index, bits):
 * integers.) */
int dun_population_hash(struct dun_context *context, const struct dun_population *population,
                        uint64_t *hash);

/* The numbers of a column that must be f64 (resp. i64). */
static inline double *dun_f64(const struct dun_column *column)
{
  return column->data;
}
static inline int64_t *dun_i64(const struct dun_column *column)
{
  return column->data;
}

#endif
