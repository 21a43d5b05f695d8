/* Symmetric matrices of the 64 lanes of a tile, each lane its own: the lower triangle by rows,
 * [d (d + 1) / 2][64], entry (i, j <= i) at DUN_PACKED(i) + j.  Cholesky factors lie there too.
 * Vectors are columns [d][64].  Same bits at any vector width; never communicates.  A lane whose
 * matrix is not positive definite gets what is no number, and disturbs no other. */
#ifndef DUNLIN_NUMERICS_PACKED_H
#define DUNLIN_NUMERICS_PACKED_H

#include <stdint.h>

/* Entries of d rows, and the first one of row d. */
#define DUN_PACKED(d) ((int64_t)(d) * ((int64_t)(d) + 1) / 2)

/* a becomes its lower Cholesky factor; log_root[64], unless NULL, the log of its determinant, that
 * is of the root of the matrix's. */
void dun_packed_cholesky(int d, double *a, double *log_root);
/* y <- F^-1 y and y <- F^-T y, F a lower factor. */
void dun_packed_solve(int d, const double *factor, double *y);
void dun_packed_solve_transposed(int d, const double *factor, double *y);
/* A lower factor F becomes (F F^T)^-1. */
void dun_packed_inverse(int d, double *factor);
/* out += by A x; out and x do not overlap. */
void dun_packed_multiply(int d, const double *a, double by, const double *x, double *out);
/* out[64] += by <x, A x>. */
void dun_packed_square(int d, const double *a, double by, const double *x, double *out);
/* a += weight[64] x x^T, lane by lane. */
void dun_packed_add_outer(int d, const double *weight, const double *x, double *a);

#endif
