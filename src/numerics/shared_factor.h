/* The Cholesky factor L of a symmetric positive definite matrix, and the matrix's inverse, in
 * tables that stand once for all ranks of a machine.  All ranks factor together
 * (distributed_matrix.h), each in its share of the matrix; the last bits depend on their
 * number. */
#ifndef DUNLIN_NUMERICS_SHARED_FACTOR_H
#define DUNLIN_NUMERICS_SHARED_FACTOR_H

#include "numerics/distributed_matrix.h"

struct dun_shared_factor {
  int n, ranks;
  int inverted;   /* whether the inverse is there */
  double seconds; /* that it took */

  /* n rounded up to a multiple of 4, and 4 more.  Row i of `lower` is that of L up to the diagonal,
   * row i of `upper` that of L^T from there on; both have zeros as far as the multiples of 4 before
   * and behind.  They are [n][stride] in one table. */
  int64_t stride;
  const double *lower, *upper;
  /* [n][inverse_stride], n rounded up to a multiple of 4, padded with zeros; NULL where it is not
   * wanted. */
  int64_t inverse_stride;
  const double *inverse;

  struct dun_host host;     /* owned */
  struct dun_shared tables; /* owned: all of them */
};

/* Collective.  As dun_distributed_init has it, with `inverted` the inverse, too.  Ranks fail
 * together: DUN_ERROR_MEMORY where node or shared memory have too little left, before any is taken,
 * DUN_ERROR_NUMERIC.  dun_shared_factor_free is due in any case. */
int dun_shared_factor_init(struct dun_context *context, struct dun_shared_factor *factor, int n,
                           int inverted, dun_entry *entry, const void *self);
/* Collective.  Safe twice and for a zeroed struct. */
void dun_shared_factor_free(struct dun_shared_factor *factor);

/* Local.  Bytes for each of the `here` ranks of a node, of `ranks` in all: of the tables, and the
 * most while they are made. */
double dun_shared_factor_memory(int n, int inverted, int here, int ranks, double *most);

#endif
