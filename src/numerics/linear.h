/* Dense linear algebra of one rank: BLAS and LAPACK behind a few names.  Matrices lie by rows.
 *
 * BLAS runs with one thread.  Its bits are the same for the same shape under the same kernel family
 * (dun_blas_kernels), and only then: shapes must depend on tiles, never on ranks.  None of these
 * functions communicates. */
#ifndef DUNLIN_NUMERICS_LINEAR_H
#define DUNLIN_NUMERICS_LINEAR_H

/* Call once before anything else: leaves BLAS with one thread. */
void dun_blas_one_thread(void);
/* The kernel family that BLAS chose for this machine, such as "Haswell"; never NULL. */
const char *dun_blas_kernels(void);

/* c[m][n] = a[m][k] b[n][k]^T; consecutive rows of a, b, c lie lda, ldb, ldc numbers apart. */
void dun_multiply_abt(int m, int n, int k, const double *a, int lda, const double *b, int ldb,
                      double *c, int ldc);
/* c[m][n] += a[k][m]^T b[k][n]; leading dimensions as above. */
void dun_multiply_add_atb(int m, int n, int k, const double *a, int lda, const double *b, int ldb,
                          double *c, int ldc);

/* a[d][d], symmetric, of which the lower triangle is read, becomes its lower Cholesky factor; what
 * lies above the diagonal is set to zero.  DUN_ERROR_NUMERIC if it is not positive definite. */
int dun_cholesky(int d, double *a);
/* x[d] := (l l^T)^-1 x, by a lower Cholesky factor l[d][d]. */
void dun_cholesky_solve(int d, const double *l, double *x);
/* inverse[d][d] = (l l^T)^-1, both triangles, from a lower Cholesky factor l[d][d]. */
int dun_cholesky_inverse(int d, const double *l, double *inverse);

#endif
