/* Symmetric matrices [d][d] by rows, in plain arithmetic: the bits do not depend on BLAS.  For what
 * every rank works out for itself and has to agree on.  None of these functions communicates. */
#ifndef DUNLIN_NUMERICS_SYMMETRIC_H
#define DUNLIN_NUMERICS_SYMMETRIC_H

#include <stdint.h>

/* a, of which the lower triangle is read, becomes its lower Cholesky factor, 0 above the diagonal.
 * Returns 0, or -1 if it is not positive definite: no sentence is set. */
int dun_symmetric_cholesky(int d, double *a);

/* inverse = l^-1, of a lower triangular l; 0 above the diagonal. */
void dun_symmetric_invert_lower(int d, const double *l, double *inverse);

/* c = a b^T and c = a b, of matrices [d][d]; c overlaps neither. */
void dun_symmetric_abt(int d, const double *a, const double *b, double *c);
void dun_symmetric_ab(int d, const double *a, const double *b, double *c);

/* Eigenvalues value[d], in no order, and the eigenvectors as the rows of vector[d][d]; a, of which
 * both triangles are read, is overwritten.  By Householder's reflections and the implicit QL method
 * (Golub & Van Loan 2013, sec. 8.3).  scratch[2 d].  -1 if it does not converge or a is no
 * numbers. */
int dun_symmetric_eigen(int d, double *a, double *value, double *vector, double *scratch);

/* One step of that method on the rows l to m of a tridiagonal matrix with the diagonal `value` and
 * `off` beside it, off[m] of which is not used before; row[..][width], which become the
 * eigenvectors' first `width` numbers in the end, turn with it. */
void dun_symmetric_step(int64_t l, int64_t m, double *value, double *off, int64_t width,
                        double *row);

#endif
