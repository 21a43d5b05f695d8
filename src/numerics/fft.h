/* Discrete Fourier transforms of real numbers in one to three dimensions, through FFTW.
 *
 * forward:  X[k] = sum_n x[n] exp(-2 pi i k.n / N),   inverse: the sum with +i, not divided by N,
 * so that the inverse of the forward transform is `points` times the original.
 *
 * Plans come from the estimating planner: the bits of a result are the same in every run on the
 * same kind of processor.  Those of a local transform do not depend on ranks; those of a
 * distributed one do.  Which of the two it is, is the caller's choice, by size or by option and
 * never by the number of ranks. */
#ifndef DUNLIN_NUMERICS_FFT_H
#define DUNLIN_NUMERICS_FFT_H

#include "dunlin/target.h"
#include "parallel/context.h"
#include <stdint.h>

enum { DUN_FFT_AXES = 3 };

struct dun_fft {
  int dimension;              /* 1 to 3 */
  int64_t size[DUN_FFT_AXES]; /* points along each axis, the slowest first; 1 beyond dimension */
  int distributed;

  /* A block holds one transform in place: real numbers with rows (along the last axis) of `row`
   * doubles, of which the first size[dimension - 1] count; then complex numbers, modes 0 to
   * size / 2 of the last axis, (re, im) pairs. */
  int64_t points, row;
  int64_t first, count; /* this rank's places along axis 0; all of them if not distributed */
  int64_t block;        /* doubles of this rank's block, at least 1 */

  /* Distributed spectra come transposed: the first two axes (in two dimensions: the two) change
   * places, and ranks own places along the new first one. */
  int64_t spectrum_first, spectrum_count;
  int64_t modes; /* of a whole spectrum: complex numbers */

  void *forward, *inverse; /* FFTW's plans, owned */
};

/* Local; never communicates.  `size` has `dimension` entries, each at least 1.  DUN_ERROR_NUMERIC
 * for sizes that are not allowed or if FFTW makes no plan; DUN_ERROR_MEMORY.  dun_fft_free is safe
 * afterwards in any case, and twice. */
int dun_fft_init(struct dun_fft *fft, int dimension, const int64_t *size);

/* Collective; the ranks agree on failure.  Two or three dimensions, in slabs along axis 0; a rank
 * may own nothing. */
int dun_fft_init_distributed(struct dun_context *context, struct dun_fft *fft, int dimension,
                             const int64_t *size);

/* Safe twice and for a zeroed struct; collective if distributed. */
void dun_fft_free(struct dun_fft *fft);

/* Bytes of one block on the rank that owns most, before anything is allocated; `ranks` is 1 for a
 * local transform. */
int64_t dun_fft_bytes(int dimension, const int64_t *size, int ranks);

/* The transforms, in place, of a block aligned to 64 bytes; collective if distributed. */
void dun_fft_forward(const struct dun_fft *fft, double *block);
void dun_fft_inverse(const struct dun_fft *fft, double *block);

/* out = spectrum × factor[0][k_0] × factor[1][k_1] × factor[2][k_2], whatever the order in memory;
 * factor[a] has size[a] real entries (size / 2 + 1 are read of the last axis).  `out` may be
 * `spectrum`.  Never communicates; same bits at any vector width. */
void dun_fft_multiply(const struct dun_fft *fft, const double *spectrum,
                      const double *const factor[DUN_FFT_AXES], double *out);

/* The frequency at index `index` of an axis: 0, 1, ..., size / 2, ..., -2, -1. */
int64_t dun_fft_frequency(int64_t size, int64_t index);

#endif
