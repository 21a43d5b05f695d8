#include "numerics/fft.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/vmath.h"
#include <fftw3-mpi.h>
#include <limits.h>
#include <sys/mman.h>

/* ---- shapes ------------------------------------------------------------------------------ */

static int set_shape(struct dun_fft *f, int dimension, const int64_t *size)
{
  *f = (struct dun_fft){.dimension = dimension, .size = {1, 1, 1}};
  if (dimension < 1 || dimension > DUN_FFT_AXES)
    return dun_fail(DUN_ERROR_NUMERIC, "a Fourier transform in %d dimensions, expected 1 to %d",
                    dimension, DUN_FFT_AXES);
  f->points = f->modes = 1;
  for (int a = 0; a < dimension; a++) {
    int64_t half = a == dimension - 1 ? size[a] / 2 + 1 : size[a];
    if (size[a] < 1 || size[a] > INT_MAX / 4 ||
        __builtin_mul_overflow(f->points, size[a], &f->points) ||
        __builtin_mul_overflow(f->modes, half, &f->modes) || f->modes > INT64_MAX / 16)
      return dun_fail(DUN_ERROR_NUMERIC, "a Fourier transform of %lld points along axis %d",
                      (long long)size[a], a);
    f->size[a] = size[a];
  }
  f->row = 2 * (size[dimension - 1] / 2 + 1);
  f->count = f->spectrum_count = size[0];
  f->block = 2 * f->modes;
  return 0;
}

int64_t dun_fft_bytes(int dimension, const int64_t *size, int ranks)
{
  struct dun_fft f;
  int64_t slab, transposed, plane;
  if (set_shape(&f, dimension, size) < 0)
    return INT64_MAX;
  if (ranks <= 1 || dimension == 1)
    return f.block * (int64_t)sizeof(double);
  int64_t second = dimension == 2 ? f.row / 2 : size[1];
  slab = (size[0] + ranks - 1) / ranks * (f.modes / size[0]);
  plane = dimension == 2 ? 1 : f.row / 2;
  transposed = (second + ranks - 1) / ranks * size[0] * plane;
  return 2 * (slab > transposed ? slab : transposed) * (int64_t)sizeof(double);
}

/* ---- plans ------------------------------------------------------------------------------- */

static int plans_made(const struct dun_fft *f)
{
  if (f->forward && f->inverse)
    return 0;
  return dun_fail(DUN_ERROR_NUMERIC, "FFTW made no plan for %lld x %lld x %lld points",
                  (long long)f->size[0], (long long)f->size[1], (long long)f->size[2]);
}

/* The estimating planner looks at an array's alignment only, and not at its content: addresses
 * without memory behind them serve. */
static double *addresses(int64_t doubles)
{
  void *start = mmap(NULL, (size_t)doubles * sizeof(double), PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (start != MAP_FAILED)
    return start;
  dun_fail(DUN_ERROR_MEMORY, "no room for the addresses of %lld numbers", (long long)doubles);
  return NULL;
}

static void plan_local(struct dun_fft *f, double *block)
{
  int n[DUN_FFT_AXES], d = f->dimension;
  for (int a = 0; a < d; a++)
    n[a] = (int)f->size[a];
  f->forward = fftw_plan_dft_r2c(d, n, block, (fftw_complex *)block, FFTW_ESTIMATE);
  f->inverse = fftw_plan_dft_c2r(d, n, (fftw_complex *)block, block, FFTW_ESTIMATE);
}

int dun_fft_init(struct dun_fft *fft, int dimension, const int64_t *size)
{
  int status = set_shape(fft, dimension, size);
  double *block = status < 0 ? NULL : addresses(fft->block);
  if (!block)
    return status < 0 ? status : DUN_ERROR_MEMORY;
  plan_local(fft, block);
  munmap(block, (size_t)fft->block * sizeof(double));
  return plans_made(fft);
}

/* Where this rank's slabs lie.  Complex numbers count: the last axis is halved. */
static void set_slabs(struct dun_context *context, struct dun_fft *f)
{
  ptrdiff_t n[DUN_FFT_AXES], count, first, spectrum_count, spectrum_first, block;
  for (int a = 0; a < f->dimension; a++)
    n[a] = f->size[a];
  n[f->dimension - 1] = f->row / 2;
  block = fftw_mpi_local_size_transposed(f->dimension, n, context->comm, &count, &first,
                                         &spectrum_count, &spectrum_first);
  f->distributed = 1;
  f->count = count;
  f->first = first;
  f->spectrum_count = spectrum_count;
  f->spectrum_first = spectrum_first;
  f->block = block > 0 ? 2 * block : 1;
}

static int plan_distributed(struct dun_context *context, struct dun_fft *f)
{
  ptrdiff_t n[DUN_FFT_AXES];
  double *block = addresses(f->block);
  if (dun_agree(context, block ? 0 : DUN_ERROR_MEMORY) < 0)
    return DUN_ERROR_MEMORY;
  for (int a = 0; a < f->dimension; a++)
    n[a] = f->size[a];
  f->forward = fftw_mpi_plan_dft_r2c(f->dimension, n, block, (fftw_complex *)block, context->comm,
                                     FFTW_ESTIMATE | FFTW_MPI_TRANSPOSED_OUT);
  f->inverse = fftw_mpi_plan_dft_c2r(f->dimension, n, (fftw_complex *)block, block, context->comm,
                                     FFTW_ESTIMATE | FFTW_MPI_TRANSPOSED_IN);
  munmap(block, (size_t)f->block * sizeof(double));
  return plans_made(f);
}

int dun_fft_init_distributed(struct dun_context *context, struct dun_fft *fft, int dimension,
                             const int64_t *size)
{
  int status = set_shape(fft, dimension, size);
  if (status >= 0 && dimension == 1)
    status = dun_fail(DUN_ERROR_NUMERIC, "transforms in one dimension are not distributed");
  status = dun_agree(context, status);
  if (status < 0)
    return status;
  fftw_mpi_init();
  set_slabs(context, fft);
  return dun_agree(context, plan_distributed(context, fft));
}

void dun_fft_free(struct dun_fft *fft)
{
  if (fft->forward)
    fftw_destroy_plan(fft->forward);
  if (fft->inverse)
    fftw_destroy_plan(fft->inverse);
  fft->forward = fft->inverse = NULL;
}

/* ---- one transform ----------------------------------------------------------------------- */

void dun_fft_forward(const struct dun_fft *fft, double *block)
{
  if (fft->distributed)
    fftw_mpi_execute_dft_r2c(fft->forward, block, (fftw_complex *)block);
  else
    fftw_execute_dft_r2c(fft->forward, block, (fftw_complex *)block);
}

void dun_fft_inverse(const struct dun_fft *fft, double *block)
{
  if (fft->distributed)
    fftw_mpi_execute_dft_c2r(fft->inverse, (fftw_complex *)block, block);
  else
    fftw_execute_dft_c2r(fft->inverse, (fftw_complex *)block, block);
}

int64_t dun_fft_frequency(int64_t size, int64_t index)
{
  return index <= size / 2 ? index : index - size;
}

DUN_CLONES
static void multiply_row(int64_t modes, double outer, const double *restrict factor,
                         const double *spectrum, double *out)
{
#pragma omp simd
  for (int64_t k = 0; k < modes; k++) {
    double scale = outer * factor[k];
    out[2 * k] = scale * spectrum[2 * k];
    out[2 * k + 1] = scale * spectrum[2 * k + 1];
  }
}

/* In memory the axes are `order`, the first of them in slabs. */
void dun_fft_multiply(const struct dun_fft *fft, const double *spectrum,
                      const double *const factor[DUN_FFT_AXES], double *out)
{
  static const int straight[4][3] = {{0}, {2, 1, 0}, {2, 0, 1}, {0, 1, 2}};
  static const int transposed[4][3] = {{0}, {2, 1, 0}, {2, 1, 0}, {1, 0, 2}};
  static const double one[1] = {1};
  const int *order = fft->distributed ? transposed[fft->dimension] : straight[fft->dimension];
  const double *f[3];
  int64_t n[3], at = 0, first = 0, count;
  for (int i = 0; i < 3; i++) {
    int a = order[i], last = a == fft->dimension - 1;
    f[i] = a < fft->dimension ? factor[a] : one;
    n[i] = last ? fft->row / 2 : fft->size[a];
  }
  count = n[0];
  if (fft->distributed && fft->dimension == 3) {
    first = fft->spectrum_first;
    count = fft->spectrum_count;
  } else if (fft->distributed) { /* {2, 1, 0}: the slab is the middle one */
    f[1] += fft->spectrum_first;
    n[1] = fft->spectrum_count;
  }
  for (int64_t i = first; i < first + count; i++)
    for (int64_t j = 0; j < n[1]; j++, at += 2 * n[2])
      multiply_row(n[2], f[0][i] * f[1][j], f[2], spectrum + at, out + at);
}
