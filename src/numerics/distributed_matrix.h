/* A symmetric matrix in blocks over all ranks (ScaLAPACK's block-cyclic layout; Blackford et al.
 * 1997), its Cholesky factor and inverse.
 *
 * Ranks form a grid as square as their number allows, and the order of sums depends on it: other
 * numbers of ranks give other last bits.  The same number gives the same. */
#ifndef DUNLIN_NUMERICS_DISTRIBUTED_MATRIX_H
#define DUNLIN_NUMERICS_DISTRIBUTED_MATRIX_H

#include "parallel/host.h"

enum { DUN_MOST_DISTRIBUTED = 32768 }; /* rows: places in a block are 32 bits to ScaLAPACK */

/* Entry (i, j) of a matrix, from 0; asked for i >= j only. */
typedef double dun_entry(const void *self, int64_t i, int64_t j);

struct dun_distributed_matrix {
  int n;

  int handle, grid;  /* ScaLAPACK's for the ranks and for their grid, where `open` */
  int open;          /* 1: the handle is, 2: the grid, too */
  int shape[2];      /* of the grid */
  int place[2];      /* of this rank in it */
  int size[2];       /* of its block: rows and columns */
  int descriptor[9]; /* as ScaLAPACK has it */
  double *block;     /* [size[1]][most(1, size[0])], by columns, only the lower triangle counts;
                      * owned */
};

/* Local.  DUN_ERROR_INPUT unless 1 <= n <= DUN_MOST_DISTRIBUTED. */
int dun_distributed_size(int n);

/* Collective.  What the entries are is asked of every rank for its
 * own.  DUN_ERROR_INPUT, DUN_ERROR_MEMORY, on all ranks.  dun_distributed_free is due in any
 * case. */
int dun_distributed_init(struct dun_context *context, struct dun_distributed_matrix *matrix, int n,
                         dun_entry *entry, const void *self);
/* Collective.  Safe twice and for a zeroed struct. */
void dun_distributed_free(struct dun_distributed_matrix *matrix);

/* Local.  The most bytes that the block of a rank has, and what comes and goes while it works. */
double dun_distributed_memory(int n, int ranks);

/* Collective.  The matrix becomes its lower Cholesky factor.  DUN_ERROR_NUMERIC on all ranks where
 * it is not positive definite. */
int dun_distributed_cholesky(struct dun_context *context, struct dun_distributed_matrix *matrix);
/* Collective.  The factor l becomes (l l^T)^-1. */
int dun_distributed_invert(struct dun_context *context, struct dun_distributed_matrix *factor);

/* Where a table has the entries of a lower triangle: (i, j) is table[lower + i * stride + j], and
 * once more table[upper + j * stride + i]; -1: it is not wanted there. */
struct dun_triangles {
  double *table; /* shared; [count] */
  int64_t count, stride, lower, upper;
};

/* Collective.  The entries of all ranks to the table of every node; the rest of it becomes 0. */
int dun_distributed_deliver(struct dun_context *context, const struct dun_host *node,
                            const struct dun_distributed_matrix *matrix,
                            const struct dun_triangles *out);

#endif
