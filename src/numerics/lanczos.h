/* Spectra of symmetric operators that are known by what they do to vectors: a few steps of Lanczos'
 * method make nodes and weights with the moments that the spectrum has in the first vector. */
#ifndef DUNLIN_NUMERICS_LANCZOS_H
#define DUNLIN_NUMERICS_LANCZOS_H

/* Nodes and weights (squares of the eigenvectors' first numbers, their sum 1) of the symmetric
 * tridiagonal matrix with diagonal[n] and beside it below[n - 1] (of n places), by the implicit QL
 * method (Golub & Welsch 1969).  Both are overwritten; the nodes stand in diagonal[n]. */
void dun_tridiagonal(int n, double *diagonal, double *below, double *weight);

/* Columns of scratch of dun_lanczos. */
int dun_lanczos_scratch(int d, int steps);
/* 64 runs at once, from first[d][64], of length 1 in each lane: out = A v by `apply`, at most 255
 * steps.  Writes node[steps][64] and weight[steps][64]; a run whose remainder is below `tolerance`
 * of its largest number ends, and has weights 0 behind its end.  Aligned arrays. */
void dun_lanczos(int d, int steps, double tolerance,
                 void (*apply)(void *, const double *, double *), void *data, const double *first,
                 double *scratch, double *node, double *weight);

#endif
