/* Fields on periodic lattices of one to three axes, in Fourier space: what is diagonal there.
 *
 * A field is columns x[sites][64], the last axis fastest; mode k of it is
 * x_k = sum_n x_n exp(-2 pi i k.n / N).  The lattice's own Laplacian has the eigenvalues
 * khat^2 = sum_a 4 sin^2(pi k_a / N_a).  Spectra keep the modes 0 to N / 2 of the last axis; the
 * others are their mirror images.  Transforms are local, by plans that do not depend on ranks. */
#ifndef DUNLIN_NUMERICS_LATTICE_H
#define DUNLIN_NUMERICS_LATTICE_H

#include "numerics/fft.h"

struct dun_lattice {
  int axes, size[DUN_FFT_AXES]; /* 1 beyond `axes` */
  int64_t sites, modes;

  struct dun_fft fft;
  double *wave;     /* [modes]: khat^2, owned */
  double *share;    /* [modes]: 2 for a mode that stands for its mirror image too, else 1; owned */
  double *spectrum; /* [modes][2][64]: scratch; owned */
};

/* Local.  DUN_ERROR_NUMERIC, DUN_ERROR_MEMORY; dun_lattice_free is safe afterwards, and twice. */
int dun_lattice_init(struct dun_lattice *lattice, int axes, const int *size);
void dun_lattice_free(struct dun_lattice *lattice);
/* Bytes of its tables and scratch; 0 for a zeroed struct. */
int64_t dun_lattice_memory(const struct dun_lattice *lattice);

/* out = F^-1 diag(factor) F x, factor[modes] real; `out` may be `x`.  The lattice owns scratch: one
 * call at a time. */
void dun_lattice_filter(const struct dun_lattice *lattice, const double *factor, const double *x,
                        double *out);

/* out = F^-1 diag(exp(rate[k] by[lane])) F x: rate[modes], by[64]. */
void dun_lattice_grow(const struct dun_lattice *lattice, const double *rate, const double *by,
                      const double *x, double *out);

/* The sum of value[modes] over all modes, mirror images too. */
double dun_lattice_trace(const struct dun_lattice *lattice, const double *value);

#endif
