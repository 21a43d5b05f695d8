/* Fields on periodic lattices of one to three axes, in waves: what is diagonal there.
 *
 * A field is columns x[sites][64], the last axis fastest.  Its waves w = Q x are as many real
 * numbers in the same order: along an axis of N sites the places k and N - k hold the products with
 * cos and with -sin of 2 pi k n / N, and Q, the product over the axes, is orthogonal.  Waves at one
 * place have one eigenvalue of the lattice's own Laplacian, khat^2 = sum_a 4 sin^2(pi k_a / N_a).
 * Factors are functions of it: one for each place.
 *
 * Eight lanes at a time pass from axis to axis in scratch that a cache holds.  Transforms are
 * FFTW's and local; lanes never mix. */
#ifndef DUNLIN_NUMERICS_LATTICE_H
#define DUNLIN_NUMERICS_LATTICE_H

#include "numerics/line.h"

enum { DUN_LATTICE_AXES = 3 };

struct dun_lattice {
  int axes, size[DUN_LATTICE_AXES]; /* 1 beyond `axes` */
  int64_t sites;
  int64_t room[DUN_LATTICE_AXES]; /* doubles between neighbours along an axis in scratch */

  struct dun_line line[DUN_LATTICE_AXES]; /* of each axis */
  double *wave;                           /* [sites]: khat^2, owned */
  double *norm;                           /* [sites]: what makes the lines orthogonal; owned */
  double *scratch;                        /* eight lanes of a field, and the lines'; owned */
};

/* Local.  DUN_ERROR_NUMERIC, DUN_ERROR_MEMORY; dun_lattice_free is safe afterwards, and twice. */
int dun_lattice_init(struct dun_lattice *lattice, int axes, const int *size);
void dun_lattice_free(struct dun_lattice *lattice);
/* Bytes of its tables and scratch; 0 for a zeroed struct. */
int64_t dun_lattice_memory(const struct dun_lattice *lattice);

/* The lattice owns scratch: of the following one call at a time.  Columns are aligned. */

/* w += by[lane] diag(factor[sites]) Q x; x and w are different columns. */
void dun_lattice_add_waves(const struct dun_lattice *lattice, const double *factor,
                           const double *by, const double *x, double *w);
/* x += by[lane] Q^T diag(factor[sites]) w, the transpose of that. */
void dun_lattice_add_field(const struct dun_lattice *lattice, const double *factor,
                           const double *by, const double *w, double *x);

/* out = Q^T diag(factor[sites]) Q x; `out` may be `x`. */
void dun_lattice_filter(const struct dun_lattice *lattice, const double *factor, const double *x,
                        double *out);
/* out = Q^T diag(exp(rate[k] by[lane])) Q x: rate[sites], by[64]; `out` may be `x`. */
void dun_lattice_grow(const struct dun_lattice *lattice, const double *rate, const double *by,
                      const double *x, double *out);

/* The sum of value[sites] over all waves. */
double dun_lattice_trace(const struct dun_lattice *lattice, const double *value);

#endif
